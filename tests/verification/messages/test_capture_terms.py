"""What a card costs: by the schedule of the day, the reason and the exemption; nothing is typed."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import msgspec
import pytest

from verification.errors import FieldsRefused
from verification.messages.capture_terms import (
    FIRST_CARD,
    CaptureTerms,
    OldCard,
    Reason,
    StatedTerms,
    packaged_fees,
    require_well_formed,
)
from verification.messages.refusals import PacketMalformed

FEES = packaged_fees()
BORN = date(1990, 3, 1)
FULL, HALF = date(2020, 6, 1), date(2021, 3, 1)
RECEIPT = "BL-0001"
EXCHANGE = StatedTerms(Reason.EXCHANGE, OldCard.TAKEN, None, RECEIPT)


def faults(stated: StatedTerms, born: date | None = BORN, day: date = FULL) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as refused:
        FEES.terms(stated, born, day)
    return dict(refused.value.fields)


def test_no_day_has_two_schedules_and_none_since_2016_has_none() -> None:
    ordered = sorted(FEES.schedules, key=lambda each: each.valid_from)
    assert ordered[0].valid_from == date(2016, 1, 1)
    assert ordered[-1].valid_to is None
    for earlier, later in pairwise(ordered):
        assert earlier.valid_to is not None
        assert earlier.valid_to + timedelta(days=1) == later.valid_from
    with pytest.raises(FieldsRefused):
        FEES.on(date(2015, 12, 31))


def test_every_schedule_says_every_reason_its_basis_and_what_was_not_verified() -> None:
    known = {each.code for each in FEES.exemptions}
    for each in FEES.schedules:
        assert each.amounts.keys() == set(Reason), each.edition
        assert set(each.exemptions) <= known
        assert all((each.legal_basis, each.note, each.edition))


@pytest.mark.parametrize(
    ("stated", "full", "half"),
    [
        (FIRST_CARD, 0, 0),
        (StatedTerms(Reason.NINE_DIGITS, OldCard.TAKEN, None, RECEIPT), 30_000, 15_000),
        (StatedTerms(Reason.AT_AGE, OldCard.KEPT), 0, 0),
        (EXCHANGE, 50_000, 25_000),
        (StatedTerms(Reason.OFFICE_ERROR, OldCard.TAKEN), 0, 0),
        (StatedTerms(Reason.LOST, OldCard.LOST, None, RECEIPT), 70_000, 35_000),
        (StatedTerms(Reason.LOST, OldCard.LOST, "poor_household"), 0, 0),
    ],
)
def test_what_is_due(stated: StatedTerms, full: int, half: int) -> None:
    assert [FEES.terms(stated, BORN, day).amount for day in (FULL, HALF)] == [full, half]
    assert FEES.terms(stated, BORN, HALF).schedule == "2021-1"
    assert FEES.terms(stated, BORN, HALF).stated == stated


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (StatedTerms(Reason.EXCHANGE, OldCard.TAKEN), {"receipt": "FEE_RECEIPT_MISSING"}),
        (StatedTerms(Reason.FIRST, receipt=RECEIPT), {"receipt": "FEE_RECEIPT_NEEDLESS"}),
        (msgspec.structs.replace(EXCHANGE, receipt="<b>"), {"receipt": "FIELD_CHARACTERS"}),
        (StatedTerms(Reason.FIRST, OldCard.TAKEN), {"old_card": "OLD_CARD_CONTRADICTED"}),
        (StatedTerms(Reason.EXCHANGE, OldCard.LOST), {"old_card": "OLD_CARD_CONTRADICTED"}),
        (StatedTerms(Reason.LOST, OldCard.KEPT), {"old_card": "OLD_CARD_CONTRADICTED"}),
        (StatedTerms(Reason.EXCHANGE, OldCard.TAKEN, "none"), {"exemption": "FEE_EXEMPTION_UNKNOWN"}),
        (
            StatedTerms(Reason.EXCHANGE, OldCard.NONE, "orphan_minor"),
            {"old_card": "OLD_CARD_CONTRADICTED", "exemption": "FEE_EXEMPTION_NOT_OF_AGE"},
        ),
    ],
)
def test_what_cannot_be(stated: StatedTerms, found: dict[str, str]) -> None:
    assert faults(stated) == found


def test_an_exemption_of_minors_ends_with_the_eighteenth_birthday() -> None:
    orphan, born = StatedTerms(Reason.EXCHANGE, OldCard.TAKEN, "orphan_minor"), date(2002, 6, 1)
    assert FEES.terms(orphan, born, date(2020, 5, 31)).amount == 0
    assert faults(orphan, born, date(2020, 6, 1)) == {"exemption": "FEE_EXEMPTION_NOT_OF_AGE"}


@pytest.mark.parametrize(("day", "youngest"), [(FULL, 23), (date(2024, 8, 1), 12)])
def test_nobody_exchanges_at_an_age_before_the_first_one_is_near(day: date, youngest: int) -> None:
    at_age = StatedTerms(Reason.AT_AGE, OldCard.TAKEN)
    of_age = day.replace(year=day.year - youngest)
    assert FEES.terms(at_age, of_age, day).amount == 0
    assert faults(at_age, of_age + timedelta(days=1), day) == {"fee_reason": "FEE_REASON_NOT_OF_AGE"}


SOUND = FEES.terms(EXCHANGE, BORN, FULL)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": -1},
        {"amount": 2_000_000},
        {"amount": 0},
        {"receipt": None},
        {"receipt": "a b"},
        {"exemption": "poor_household"},
        {"exemption": "Nguyễn Văn A", "amount": 0, "receipt": None},
        {"schedule": "x" * 21},
    ],
)
def test_a_packet_carries_no_other_text_in_its_terms(change: dict[str, object]) -> None:
    require_well_formed(SOUND)
    with pytest.raises(PacketMalformed):
        require_well_formed(msgspec.structs.replace(SOUND, **change))


def test_terms_are_read_as_they_were_written() -> None:
    assert msgspec.json.decode(msgspec.json.encode(SOUND), type=CaptureTerms) == SOUND


def test_every_entry_says_whether_it_was_compared_with_its_text() -> None:
    """None was: an entry that says so must name who has the text."""
    assert [each.edition for each in packaged_fees().schedules if each.checked] == []
    assert all(each.note for each in packaged_fees().schedules)
