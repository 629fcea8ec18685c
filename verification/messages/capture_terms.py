"""On what terms a card is asked for: why, what it costs, and what became of the card before. Pure.

The amount is never typed: the schedule of the day (``fee_schedule.json``) says it by reason and exemption,
at the kit and at the counter alike.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from verification.encoding.dates import full_years
from verification.errors import FieldsRefused
from verification.messages.refusals import PacketMalformed


class Reason(StrEnum):
    """Why a card is asked for."""

    FIRST = "first"
    NINE_DIGITS = "nine_digits"
    AT_AGE = "at_age"
    EXCHANGE = "exchange"
    OFFICE_ERROR = "office_error"
    LOST = "lost"
    NATIONALITY_REGAINED = "nationality_regained"


class OldCard(StrEnum):
    """What became of the card before; one that is kept is marked, and taken at the hand-over."""

    NONE = "none"
    KEPT = "kept"
    TAKEN = "taken"
    LOST = "lost"


class StatedTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an officer states; ``receipt`` is the number of the receipt that the citizen got for the fee."""

    reason: Reason
    old_card: OldCard = OldCard.NONE
    exemption: str | None = None
    receipt: str | None = None


FIRST_CARD = StatedTerms(Reason.FIRST)


class CaptureTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was stated, with the fee (VND) and the edition of the schedule that it follows from."""

    reason: Reason
    schedule: str
    amount: int
    old_card: OldCard = OldCard.NONE
    exemption: str | None = None
    receipt: str | None = None

    @property
    def stated(self) -> StatedTerms:
        """What of it an officer said."""
        return StatedTerms(self.reason, self.old_card, self.exemption, self.receipt)


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who pays nothing; ``under_age`` is the full age that somebody so exempt has not reached."""

    code: str
    vi: str
    en: str
    under_age: int | None = None


class FeeSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fees of a time by reason; ``valid_to`` is the last day.

    ``checked`` says whether somebody compared the entry with the text that it cites, ``note`` what it is
    from otherwise: until then the pages say so.
    """

    edition: str
    legal_basis: str
    valid_from: date
    valid_to: date | None
    amounts: dict[Reason, int]
    exchange_ages: tuple[int, ...]
    exemptions: tuple[str, ...]
    note: str
    checked: bool = False


class FeeCatalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every edition of the schedule; no day has two."""

    version: str
    exemptions: tuple[Exemption, ...]
    schedules: tuple[FeeSchedule, ...]

    def on(self, day: date) -> FeeSchedule:
        """The schedule of a day; raises FieldsRefused where none is known."""
        for each in self.schedules:
            if each.valid_from <= day and (each.valid_to is None or day <= each.valid_to):
                return each
        raise FieldsRefused({"fee_reason": "FEE_SCHEDULE_MISSING"})

    def terms(self, stated: StatedTerms, born: date | None, day: date) -> CaptureTerms:
        """What was stated of somebody on a day, with its fee and the receipt for it; raises FieldsRefused."""
        amount = self.due(stated, born, day)
        fault = _receipt_fault(stated.receipt, amount)
        if fault:
            raise FieldsRefused(fault)
        edition = self.on(day).edition
        return CaptureTerms(stated.reason, edition, amount, stated.old_card, stated.exemption, stated.receipt)

    def due(self, stated: StatedTerms, born: date | None, day: date) -> int:
        """The fee (VND) for what was stated of somebody on a day; raises FieldsRefused."""
        schedule = self.on(day)
        faults = {**_old_card_fault(stated), **_age_fault(schedule, stated, born, day)}
        if stated.exemption is not None:
            faults |= self._exemption_fault(schedule, stated.exemption, born, day)
        if faults:
            raise FieldsRefused(faults)
        return 0 if stated.exemption else schedule.amounts.get(stated.reason, 0)

    def exemptions_on(self, day: date) -> tuple[Exemption, ...]:
        """Who pays nothing on a day."""
        known = self.on(day).exemptions
        return tuple(each for each in self.exemptions if each.code in known)

    def _exemption_fault(
        self, schedule: FeeSchedule, code: str, born: date | None, day: date
    ) -> dict[str, str]:
        found = next((each for each in self.exemptions if each.code == code), None)
        if found is None or code not in schedule.exemptions:
            return {"exemption": "FEE_EXEMPTION_UNKNOWN"}
        if found.under_age is not None and born is not None and full_years(born, day) >= found.under_age:
            return {"exemption": "FEE_EXEMPTION_NOT_OF_AGE"}
        return {}


@cache
def packaged_fees() -> FeeCatalogue:
    """The schedules that come with this program: an operator replaces the file."""
    content = Path(__file__).with_name("fee_schedule.json").read_bytes()
    return msgspec.json.decode(content, type=FeeCatalogue)


def require_well_formed(terms: CaptureTerms) -> None:
    """Terms that a packet may carry, whatever schedule they follow; raises PacketMalformed."""
    receipt, exemption = terms.receipt, terms.exemption
    is_sound = (
        _EDITION.fullmatch(terms.schedule)
        and 0 <= terms.amount <= _MOST
        and (exemption is None or _CODE.fullmatch(exemption))
        and (receipt is None) == (terms.amount == 0)
        and (receipt is None or _RECEIPT.fullmatch(receipt))
        and not (exemption and terms.amount)
    )
    if not is_sound:
        raise PacketMalformed("the terms of the capture are none")


_EDITION = re.compile(r"[a-z0-9-]{1,20}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST = 1_000_000
_RECEIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.-]{2,29}")
_EARLY = 2
"""A card that is exchanged within two years before an age is valid to the next one."""

_FATES = {
    Reason.FIRST: {OldCard.NONE},
    Reason.LOST: {OldCard.LOST},
    Reason.NATIONALITY_REGAINED: {OldCard.NONE, OldCard.TAKEN, OldCard.LOST},
}
_EXCHANGED = {OldCard.KEPT, OldCard.TAKEN}


def _old_card_fault(stated: StatedTerms) -> dict[str, str]:
    possible = _FATES.get(stated.reason, _EXCHANGED)
    return {} if stated.old_card in possible else {"old_card": "OLD_CARD_CONTRADICTED"}


def _age_fault(schedule: FeeSchedule, stated: StatedTerms, born: date | None, day: date) -> dict[str, str]:
    """Nobody is at an age of exchange before the first of them."""
    if stated.reason is not Reason.AT_AGE or born is None:
        return {}
    is_of_age = full_years(born, day) >= min(schedule.exchange_ages) - _EARLY
    return {} if is_of_age else {"fee_reason": "FEE_REASON_NOT_OF_AGE"}


def _receipt_fault(receipt: str | None, amount: int) -> dict[str, str]:
    if receipt is None:
        return {"receipt": "FEE_RECEIPT_MISSING"} if amount else {}
    if not amount:
        return {"receipt": "FEE_RECEIPT_NEEDLESS"}
    return {} if _RECEIPT.fullmatch(receipt) else {"receipt": "FIELD_CHARACTERS"}
