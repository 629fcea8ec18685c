from __future__ import annotations

import re
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import issuance_backend
from issuance_backend.biometric_search.adjudication import CaseState
from issuance_backend.credentials.boxes import BoxState
from issuance_backend.credentials.domain import CardState
from issuance_backend.dossiers.domain import CLOSED, DossierState
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.personalization.blank_stock.domain import DestructionState
from issuance_backend.refusals import CountersMixed, FigureUnknown
from issuance_backend.statistics.definitions import Amount, percentage, quotient, vocabulary
from issuance_backend.statistics.pace import Progress, ranked, target_figure
from issuance_backend.statistics.units import line_of, lineage, members_of, parent
from verification.identity.administrative_units import provinces

NOW, LATER = "2021-04-06T10:00:00Z", "2021-04-07T10:00:00Z"


def test_amounts_of_two_counters_or_two_moments_never_add_up() -> None:
    captured = Amount("captured", 5, NOW)
    assert captured + Amount("captured", 2, NOW) == Amount("captured", 7, NOW)
    for other in (Amount("delivered", 2, NOW), Amount("captured", 2, LATER)):
        with pytest.raises(CountersMixed):
            captured + other


def test_only_a_share_that_is_defined_can_be_formed() -> None:
    share = vocabulary().share("received_of_sent")
    assert (
        str(quotient(share, Amount("received", 80_000, NOW), Amount("sent", 746_000, NOW)).percent) == "10.7"
    )
    for part, whole in (
        (Amount("received", 1, NOW), Amount("captured", 2, NOW)),
        (Amount("delivered", 1, NOW), Amount("sent", 2, NOW)),
        (Amount("received", 1, NOW), Amount("sent", 2, LATER)),
    ):
        with pytest.raises(CountersMixed):
            quotient(share, part, whole)
    with pytest.raises(FigureUnknown):
        vocabulary().share("issued_of_captured")
    with pytest.raises(FigureUnknown):
        vocabulary().counter("issued")


def test_definitions_name_only_each_other_and_every_state_that_is_there() -> None:
    words = vocabulary()
    names = {counter.id for counter in words.counters}
    assert len(names) == len(words.counters)
    assert {name for share in words.shares for name in (share.part, share.whole)} <= names
    assert set(words.funnel) <= names
    finished = words.tables.finished
    states = {"dossier": {str(state) for state in DossierState}, "card": {str(state) for state in CardState}}
    waiting = {"dossier": {str(state) for state in set(DossierState) - CLOSED}}
    waiting["card"] = {"ordered", "personalising", "personalised", "qa_passed", "qa_failed", "packed"}
    waiting["card"] |= {"dispatched", "at_office", "undelivered", "returned_to_centre"}
    for kind, known in states.items():
        assert known - set(finished[kind]) == waiting[kind]


def test_every_kind_of_subject_that_the_office_records_is_defined() -> None:
    """Work has states in which it is finished; what is no work is not reported, with the reason."""
    root = Path(issuance_backend.__file__).parent
    named = re.compile(r"""(?:subject=|subject = |_step\(|return )f"([a-z_-]+)/\{""")
    kinds = {
        kind
        for path in root.rglob("*.py")
        if not {"population_registry", "csca", "blob_store"} & set(path.parts)
        for kind in named.findall(path.read_text(encoding="utf-8"))
    }
    words = vocabulary().tables
    assert kinds >= {"dossier", "card", "account", "packet", "box", "blank", "production-order"}
    counted = {counter.kind for counter in words.counters}
    assert kinds | counted <= words.finished.keys() | words.unreported.keys()
    assert not words.finished.keys() & words.unreported.keys()
    assert all(reason.endswith(".") for reason in words.unreported.values())


@pytest.mark.parametrize(
    ("kind", "states", "waiting"),
    [
        ("packet", PacketState, {"announced", "received", "doubtful", "released"}),
        ("box", BoxState, {"sealed", "dispatched"}),
        ("adjudication", CaseState, {"open", "one", "differ"}),
        ("destruction", DestructionState, {"proposed"}),
        ("plate", DestructionState, set()),
    ],
)
def test_what_waits_is_what_somebody_still_has_to_do(
    kind: str, states: type[StrEnum], waiting: set[str]
) -> None:
    assert {str(state) for state in states if vocabulary().is_waiting(kind, state)} == waiting


def test_halves_are_rounded_up_and_nothing_has_no_share() -> None:
    assert str(percentage(85_172_210, 87_306_594)) == "97.6"
    assert str(percentage(1, 2000)) == "0.1"
    assert percentage(0, 0) is None


def test_a_unit_lies_in_all_above_it_and_every_province_in_one_of_2025() -> None:
    assert lineage("001.02.00013") == ("", "001", "001.02", "001.02.00013")
    assert parent("001") == ""
    before, after = date(2025, 6, 30), date(2025, 7, 1)
    for code in provinces():
        assert line_of(f"{code}.7", before) == f"{code}.7"
        assert code in members_of(line_of(code, after), after)
    assert len({line_of(code, after) for code in provinces()}) == 34


@given(
    target=st.integers(1, 10**8),
    done=st.integers(0, 10**8),
    lately=st.integers(0, 10**6),
    left=st.integers(0, 400),
)
def test_a_forecast_follows_from_the_pace(target: int, done: int, lately: int, left: int) -> None:
    today = date(2021, 4, 6)
    figure = target_figure(progress(target, done, lately, today + timedelta(days=left)), today)
    assert figure.is_over_target == (done > target)
    assert figure.projected == done + lately * left // 7
    if figure.reached_on is not None and done < target:
        days = (date.fromisoformat(figure.reached_on) - today).days
        assert done + lately * days / 7 >= target
        assert done + lately * (days - 1) / 7 < target
    assert (figure.needed_a_day is None) == (left == 0)


def test_ranks_go_by_the_share_that_is_done() -> None:
    day = date(2021, 7, 1)
    figures = [target_figure(progress(100, done, 0, day), day) for done in (50, 120, 50, 10)]
    assert [(each.done, each.rank) for each in ranked(figures)] == [(120, 1), (50, 2), (50, 2), (10, 4)]


def progress(target: int, done: int, lately: int, ends_on: date) -> Progress:
    return Progress(
        definition="captured",
        unit="001",
        starts_on=date(2021, 1, 1),
        ends_on=ends_on,
        target=target,
        done=done,
        lately=lately,
        lately_days=7,
        basis="KH 1",
        set_by="chief",
    )
