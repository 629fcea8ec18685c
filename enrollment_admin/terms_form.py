"""On what terms a card is asked for, as an officer states it on a page of a kit or of a counter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from verification.errors import FieldsRefused
from verification.messages.capture_terms import OldCard, Reason, StatedTerms, packaged_fees

TERMS_FIELDS = ("fee_reason", "old_card", "exemption", "receipt")


def read_terms(form: Mapping[str, str]) -> StatedTerms:
    """Reason, older card, exemption and receipt as they were chosen; raises FieldsRefused for no reason."""
    said = {name: form.get(name, "").strip() for name in TERMS_FIELDS}
    faults = {}
    if said["fee_reason"] not in set(Reason):
        faults["fee_reason"] = "FIELD_MISSING"
    if said["old_card"] not in set(OldCard):
        faults["old_card"] = "FIELD_MISSING"
    if faults:
        raise FieldsRefused(faults)
    return StatedTerms(
        Reason(said["fee_reason"]),
        OldCard(said["old_card"]),
        said["exemption"] or None,
        said["receipt"] or None,
    )


def terms_choices(day: date) -> dict[str, object]:
    """What there is to choose on a day, with the fee of each reason; nothing where no schedule is known."""
    fees = packaged_fees()
    try:
        schedule, exemptions = fees.on(day), fees.exemptions_on(day)
    except FieldsRefused:
        none = dict.fromkeys(Reason, 0)
        return {"fees": none, "unchecked": None, "exemptions": (), "old_cards": tuple(OldCard)}
    amounts = {reason: schedule.amounts.get(reason, 0) for reason in Reason}
    unchecked = None if schedule.checked else schedule.legal_basis
    choices = {"fees": amounts, "unchecked": unchecked, "exemptions": exemptions}
    return {**choices, "old_cards": tuple(OldCard)}
