"""What a dossier states of fee and older card: once, by the rule, and added up as it was stated."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import insert

from issuance_backend import recorded_events
from issuance_backend.credentials.domain import CardState
from issuance_backend.schema import CREDENTIALS
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.application_desk import LAN, MINH, UNIT, Desk, capture_of, packet_of
from tests.support.issuance_office import citizens, picture
from verification.errors import FieldsRefused
from verification.messages.capture_terms import CaptureTerms, OldCard, Reason, StatedTerms
from verification.messages.enrollment import DossierReturn

RECEIPT = "BL-0001"
EXCHANGE = {"reason": "exchange", "old_card": "kept", "receipt": RECEIPT}
OF_KIT = CaptureTerms(Reason.LOST, "2025-2", 35_000, OldCard.LOST, None, RECEIPT)
PEOPLE = citizens()


def steps(desk: Desk, subject: str) -> list[tuple[str, dict[str, str]]]:
    with desk.database.reading() as connection:
        return [(step.state, step.detail) for step in recorded_events.of_subject(connection, subject)]


def give_card(desk: Desk, number: str) -> None:
    """Somebody has a card of this office; how it came to be does not matter here."""
    dossier = desk.captured()
    desk.office.captures.withdraw(LAN, dossier)
    with desk.database.writing() as connection:
        values = {"citizen_number": number, "attempt": 1, "version": 1, "since": "2026-01-01T00:00:00Z"}
        values |= {"chip_id": "AB", "issued_on": desk.now[0].date(), "findings": "[]"}
        state = CardState.ACTIVE.value
        connection.execute(insert(CREDENTIALS).values(id="c" * 16, dossier=dossier, state=state, **values))


def test_a_fee_is_recorded_once_with_its_schedule_and_receipt(desk: Desk) -> None:
    dossier = desk.office.captures.capture(LAN, capture_of(terms=EXCHANGE))
    said = desk.view(dossier).steps[0].detail
    assert [said[name] for name in ("fee_reason", "fee", "fee_receipt", "old_card")] == [
        *("exchange", "25000", RECEIPT, "kept"),
    ]
    (paid,) = steps(desk, f"fee/{dossier}")
    assert paid == (
        "paid",
        {
            "fee": "25000",
            "fee_reason": "exchange",
            "fee_receipt": RECEIPT,
            "fee_schedule": "2025-2",
            "unit": UNIT,
        },
    )
    assert steps(desk, f"old_card/{dossier}") == [("kept", {"unit": UNIT})]
    assert desk.view(dossier).old_card == "kept"


def test_what_is_captured_again_costs_nothing_more(desk: Desk) -> None:
    dossier = desk.office.captures.capture(LAN, capture_of(terms=EXCHANGE))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "Ảnh mờ"))
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2, portrait=picture(2), terms=EXCHANGE))
    assert desk.state(dossier) == "validated"
    assert len(steps(desk, f"fee/{dossier}")) == 1
    assert "fee" not in desk.view(dossier).steps[-2].detail


def test_a_first_card_has_neither_fee_nor_older_card(desk: Desk) -> None:
    dossier = desk.office.captures.capture(LAN, capture_of(terms={"reason": "first"}))
    assert (desk.view(dossier).steps[0].detail["fee"], desk.view(dossier).old_card) == ("0", "none")
    assert steps(desk, f"fee/{dossier}") == steps(desk, f"old_card/{dossier}") == []


def test_what_is_wrong_with_the_terms_is_told_beside_everything_else(desk: Desk) -> None:
    wrong = capture_of(terms={**EXCHANGE, "receipt": None}, person={"identification": ""})
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.capture(LAN, wrong)
    assert refused.value.fields == {"receipt": "FEE_RECEIPT_MISSING", "identification": "FIELD_MISSING"}


def test_a_program_states_the_terms_as_a_page_does(desk: Desk) -> None:
    silent = msgspec.structs.replace(capture_of(), terms=msgspec.UNSET)
    for take in (desk.office.captures.capture, desk.office.counter.begin):
        with pytest.raises(FieldsRefused) as refused:
            take(LAN, silent)
        assert refused.value.fields == {"fee_reason": "FIELD_MISSING"}


@pytest.mark.parametrize("terms", [None, {"reason": "first"}, {"reason": "nationality_regained"}])
def test_whoever_has_a_card_says_what_became_of_it(desk: Desk, terms: dict[str, str] | None) -> None:
    give_card(desk, PEOPLE[0].citizen_number)
    said = {} if terms is None else {"terms": terms}
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.capture(LAN, capture_of(number=2, **said))
    assert refused.value.fields == {"old_card": "OLD_CARD_NOT_STATED"}
    desk.office.captures.capture(LAN, capture_of(number=3, terms=EXCHANGE))


def test_a_packet_says_what_its_kit_took(desk: Desk) -> None:
    dossier = desk.received(packet_of(terms=OF_KIT))
    ((state, detail),) = steps(desk, f"fee/{dossier}")
    assert (state, detail["fee"], desk.view(dossier).old_card) == ("paid", "35000", "lost")
    assert "fee_due" not in desk.view(dossier).steps[0].detail


@pytest.mark.parametrize(
    ("terms", "due"),
    [
        (CaptureTerms(Reason.LOST, "2019", 70_000, OldCard.LOST, None, RECEIPT), "35000"),
        (CaptureTerms(Reason.FIRST, "2025-2", 0, OldCard.TAKEN), "OLD_CARD_CONTRADICTED"),
    ],
)
def test_a_fee_that_is_another_here_stands_beside_and_calls_nobody_back(
    desk: Desk, terms: CaptureTerms, due: str
) -> None:
    dossier = desk.received(packet_of(terms=terms))
    said = desk.view(dossier).steps[0].detail
    assert (desk.state(dossier), said["fee"], said["fee_due"]) == ("validated", str(terms.amount), due)


def test_a_card_that_a_kit_did_not_know_of_is_with_the_citizen(desk: Desk) -> None:
    give_card(desk, PEOPLE[0].citizen_number)
    view = desk.view(desk.received(packet_of()))
    assert (view.old_card, view.steps[0].detail["fee_due"]) == ("kept", "OLD_CARD_NOT_STATED")
    assert desk.view(desk.received(packet_of(PEOPLE[1], 2))).old_card == "none"


def test_the_figures_are_the_sum_of_what_dossiers_state(desk: Desk) -> None:
    taken = StatedTerms(Reason.NINE_DIGITS, OldCard.TAKEN, None, RECEIPT)
    exempt = StatedTerms(Reason.EXCHANGE, OldCard.KEPT, "poor_household")
    said = [taken, taken, exempt, StatedTerms(Reason.FIRST)]
    captures = (capture_of(PEOPLE[n], n, terms=terms) for n, terms in enumerate(said))
    made = [desk.office.captures.capture(LAN, each) for each in captures]
    made.append(desk.received(packet_of(PEOPLE[5], 9, terms=OF_KIT)))
    stated = [int(desk.view(each).steps[0].detail["fee"]) for each in made]
    report = StatisticsOffice(desk.database, lambda: desk.now[0]).report(Asked(unit=UNIT))
    (fees,) = (each for each in report.averages if each.definition == "fees")
    assert (fees.total, fees.total_in_period, fees.measured) == (sum(stated), sum(stated), 3)
    counted = report.total.to_date
    assert (counted["fees_paid"], counted["fees_exempt"]) == (3, 1)
    assert (counted["old_cards"], counted["old_cards_taken"]) == (4, 2)
    causes = {(each.definition, each.code): each.to_date for each in report.causes}
    assert causes["exemptions", "poor_household"] == 1
    assert causes["fee_reasons", "nine_digits"] == 2
    assert not any(each.broken for each in report.identities)
