"""What the outside is told of every state that there is, and that it is told of nobody."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import msgspec
import pytest
from sqlalchemy import insert, update

from issuance_backend.application_status import domain
from issuance_backend.application_status.service import StatusDesk
from issuance_backend.credentials.domain import CARDS, CardState
from issuance_backend.dossiers.domain import TABLE, DossierEvent, DossierState
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.particulars import RETURN_ITEMS
from issuance_backend.schema import CREDENTIALS, DOSSIERS
from issuance_backend.statistics.clocks import ClockRun, Run
from tests.support.issuance_office import Office, citizens
from verification.messages.application_status import ApplicationStatus, Stage

PERSON = citizens()[0]
UNIT = "001.02.00013"
UNHELD = set(DossierState) - {DossierState.SUSPENDED}
HELD = {state for state, event in TABLE.transitions if state and event is DossierEvent.SUSPEND}
BEFORE, TODAY = date(2026, 11, 20), date(2026, 11, 21)


def test_every_state_has_its_stage_and_every_stage_a_state() -> None:
    cards = [None, *CardState]
    told = {
        domain.stage_of(dossier, card, was_packed=packed)
        for dossier, card, packed in product(UNHELD, cards, (False, True))
    }
    told |= {domain.stage_of_packet(packet) for packet in PacketState}
    assert told == set(Stage)


def test_what_only_officers_know_is_not_told() -> None:
    checked = (
        DossierState.VALIDATED, DossierState.ARCHIVE_LOOKUP, DossierState.DEDUP_1N, DossierState.ADJUDICATION
    )  # fmt: skip
    assert {domain.stage_of(state) for state in checked} == {Stage.CHECKING}
    made = (CardState.ORDERED, CardState.QA_FAILED, CardState.SPOILED, CardState.QA_PASSED)
    assert {domain.stage_of(DossierState.CENTRAL_APPROVED, card) for card in made} == {Stage.BEING_MADE}


@pytest.mark.parametrize("held_in", sorted(HELD))
@pytest.mark.parametrize("days", [-1, 0, 4])
def test_a_case_that_holds_an_application_changes_no_word(held_in: DossierState, days: int) -> None:
    """Whoever is looked for learns nothing from a slip; a held card is one of those that are stopped."""
    due_on = TODAY + timedelta(days)
    for card, packed in product((None, *CardState), (False, True)):
        stood, held, stopped = (
            ApplicationStatus(stage=stage)
            for stage in (
                domain.stage_of(held_in, card, was_packed=packed),
                domain.stage_of(DossierState.SUSPENDED, card, was_packed=packed, held_in=held_in),
                domain.stage_of(held_in, CardState.REVOKED, was_packed=packed),
            )
        )
        # A returned dossier stands still before a case holds it, every other one runs.
        run = Run.PAUSED if held_in is DossierState.RETURNED else Run.RUNNING
        former = ClockRun("total", run, UNIT, due_on, days)
        told = domain.with_limit(held, ClockRun("total", Run.PAUSED, UNIT, due_on, days), TODAY)
        alike = stopped if stood.stage is Stage.READY else stood
        assert told == domain.with_limit(alike, former, TODAY), (card, packed)


def test_a_destroyed_card_was_spoiled_or_came_back() -> None:
    spoiled, back = (
        domain.stage_of(DossierState.CENTRAL_APPROVED, CardState.DESTROYED, was_packed=packed)
        for packed in (False, True)
    )
    assert (spoiled, back) == (Stage.BEING_MADE, Stage.NOT_COLLECTED)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (None, {}),
        (ClockRun("total", Run.OVER, "001", TODAY), {}),
        (ClockRun("total", Run.RUNNING, "001", TODAY), {"due_on": "2026-11-21"}),
        (ClockRun("total", Run.RUNNING, "001", BEFORE), {"due_on": "2026-11-20", "is_late": True}),
    ],
)
def test_the_time_limit_is_told_as_it_stands_today(run: ClockRun | None, told: dict[str, object]) -> None:
    status = ApplicationStatus(stage=Stage.CHECKING)
    assert domain.with_limit(status, run, TODAY) == msgspec.structs.replace(status, **told)


@pytest.mark.parametrize(("left", "told"), [(4, {"days_left": 4}), (-2, {"days_left": 0, "is_late": True})])
def test_the_days_left_are_told_to_who_is_to_come_again(left: int, told: dict[str, object]) -> None:
    status = ApplicationStatus(stage=Stage.CAPTURE_AGAIN)
    run = ClockRun("total", Run.PAUSED, "001", TODAY, left)
    assert domain.with_limit(status, run, TODAY) == msgspec.structs.replace(status, **told)


def test_no_answer_in_any_state_names_a_person_a_number_or_an_officer(office: Office) -> None:
    """Every word of every answer is a stage, an item, a day or the office: there is no room for a name."""
    view = office.sign_in("lan.capture").capture(PERSON).get_json()
    with office.database.writing() as connection:
        known = {"dossier": view["id"], "citizen_number": PERSON.citizen_number, "since": view["created_at"]}
        made = {"id": "c" * 16, "attempt": 1, "state": "ordered", "version": 1, "chip_id": "h" * 16}
        connection.execute(insert(CREDENTIALS).values(**known, **made, issued_on=TODAY, findings="[]"))
    desk = StatusDesk(office.database, lambda: office.now[0])
    returned = {"items": ["portrait", "fingerprints"], "comment": f"{PERSON.full_name}, gọi 0912 345 678"}
    stands = {"unit": UNIT, "returned": msgspec.json.encode(returned).decode()}
    allowed = {*Stage, *RETURN_ITEMS, UNIT, view["due_on"]}
    told = set()
    for dossier, card in product(set(TABLE.transitions.values()), set(CARDS.transitions.values())):
        with office.database.writing() as connection:
            held_in = "validated" if dossier is DossierState.SUSPENDED else None
            connection.execute(update(DOSSIERS).values(state=dossier.value, held_in=held_in, **stands))
            connection.execute(update(CREDENTIALS).values(state=card.value))
        answer = msgspec.to_builtins(desk.of_receipt(view["receipt_code"]))
        told.add(answer["stage"])
        words = {word for word in (*answer.values(), *answer.pop("items")) if isinstance(word, str)}
        assert words <= allowed, (dossier, card)
        assert {type(value) for value in answer.values()} <= {str, bool, type(None)}
    assert told >= set(Stage) - {Stage.SENT, Stage.ARRIVED, Stage.CAPTURE_REFUSED}
