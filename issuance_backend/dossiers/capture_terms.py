"""On what terms a card was asked for: judged by the schedule and the cards we know, recorded once a dossier.

A fee is a subject of its own (``fee/DOSSIER``), and so is the card before (``old_card/DOSSIER``): what is
captured again costs nothing a second time. A first card has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from issuance_backend.credentials import older_cards
from issuance_backend.recorded_events import Step
from verification.errors import FieldsRefused
from verification.messages.capture_terms import CaptureTerms, OldCard, StatedTerms, packaged_fees

PAID, EXEMPT = "paid", "exempt"
OLD_CARD, FEE_REASON = "old_card", "fee_reason"


class Judged(NamedTuple):
    """The terms of a capture with the fee that is due, or what is wrong with them by field."""

    terms: CaptureTerms | None
    faults: Mapping[str, str]


def judged(stated: StatedTerms | UnsetType, born: date | None, day: date, *, has_older: bool) -> Judged:
    """What was stated at a counter, by pages and programs alike; whoever has an older card says of it."""
    if has_older and (stated is UNSET or stated.old_card is OldCard.NONE):
        return Judged(None, {OLD_CARD: "OLD_CARD_NOT_STATED"})
    if stated is UNSET:
        return Judged(None, {FEE_REASON: "FIELD_MISSING"})
    try:
        return Judged(packaged_fees().terms(stated, born, day), {})
    except FieldsRefused as refused:
        return Judged(None, refused.fields)


def of_packet(
    terms: CaptureTerms | UnsetType, born: date | None, day: date, *, has_older: bool
) -> dict[str, str]:
    """What the step of a packet records of its terms, as its kit took them; nobody is called back for a fee.

    Where the schedule here says another fee, that stands beside it. A card of ours that the kit did not
    know of is with the citizen, and what was stated as a first card is none.
    """
    detail = {} if terms is UNSET else {**detail_of(terms), **_due_here(terms, born, day)}
    if has_older and detail.get(OLD_CARD, OldCard.NONE) == OldCard.NONE:
        return {"fee_due": "OLD_CARD_NOT_STATED", **detail, OLD_CARD: OldCard.KEPT.value}
    return detail


def _due_here(terms: CaptureTerms, born: date | None, day: date) -> dict[str, str]:
    """The fee by the schedule of this office, where it is another one."""
    try:
        amount = packaged_fees().due(terms.stated, born, day)
    except FieldsRefused as fault:
        return {"fee_due": ",".join(sorted(fault.fields.values()))}
    return {} if amount == terms.amount else {"fee_due": str(amount)}


def detail_of(terms: CaptureTerms | None) -> dict[str, str]:
    """What the step of a capture records of its terms."""
    if terms is None:
        return {}
    return {
        "fee_reason": terms.reason.value,
        "fee_schedule": terms.schedule,
        "fee": str(terms.amount),
        OLD_CARD: terms.old_card.value,
        **({"fee_exemption": terms.exemption} if terms.exemption else {}),
        **({"fee_receipt": terms.receipt} if terms.receipt else {}),
    }


def opening_steps(dossier: str, captured: Step) -> list[Step]:
    """What is recorded besides the first capture, from what its step says: the fee, and the card before."""
    said = captured.detail
    where = {name: said[name] for name in ("unit",) if name in said}
    steps = []
    if "fee_exemption" in said or said.get("fee", "0") != "0":
        kept = ("fee_reason", "fee_schedule", "fee_exemption", "fee_receipt")
        detail = {name: said[name] for name in kept if name in said}
        state = EXEMPT if "fee_exemption" in said else PAID
        paid = {} if state == EXEMPT else {"fee": said["fee"]}
        steps.append(_like(captured, _fee(dossier), state, {**detail, **paid, **where}))
    old_card = said.get(OLD_CARD, OldCard.NONE.value)
    if old_card != OldCard.NONE:
        steps.append(_like(captured, older_cards.subject(dossier), old_card, where))
    return steps


def _like(captured: Step, subject: str, state: str, detail: Mapping[str, str]) -> Step:
    return Step(
        subject=subject,
        event="state",
        state=state,
        actor=captured.actor,
        at=captured.at,
        detail={**detail},
    )


def _fee(dossier: str) -> str:
    return f"fee/{dossier}"
