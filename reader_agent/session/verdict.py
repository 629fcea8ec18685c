"""The one verdict a teller sees, from the gateway's answer or from what stopped the work."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from reader_agent.refusals import GatewayRefusal
from verification.errors import MalformedDocument, Unavailable, UntrustedDocument, VerificationError
from verification.messages.decision import Answer, Assurance, ChipAssurance, DecisionOutcome, Holder
from verification.messages.fault_catalogue import fault


class CounterOutcome(StrEnum):
    """The gateway's three, and ``incomplete``: the visit stopped before there was anything to judge."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    INCOMPLETE = "incomplete"


NOTHING_PROVEN = Assurance(chip=ChipAssurance.NONE)


class Verdict(msgspec.Struct, frozen=True):
    """Outcome, reason and next action. ``what`` and ``next`` are in the session's language.

    ``seconds`` runs from the card on the reader to this verdict, without the time that people took:
    the head turn and a comparison by eye.
    """

    outcome: CounterOutcome
    code: str | None
    assurance: Assurance
    seconds: float
    what: str | None = None
    next: str | None = None
    owner: str | None = None
    retryable: bool = False
    holder: Holder | None = None


def verdict_of_answer(answer: Answer, seconds: float, language: str) -> Verdict:
    """The gateway's decision in the teller's words."""
    decision = answer.decision
    outcome = CounterOutcome(decision.outcome.value)
    verified = decision.outcome is DecisionOutcome.VERIFIED
    found = _verdict(outcome, decision.code, decision.assurance, seconds, language)
    return msgspec.structs.replace(found, holder=decision.holder if verified else None)


def verdict_of_fault(
    error: VerificationError, assurance: Assurance, seconds: float, language: str
) -> Verdict:
    """What a fault means for the customer: a bad document is refused, all else says nothing of the person."""
    if isinstance(error, GatewayRefusal):
        outcome = CounterOutcome.UNAVAILABLE if error.status >= 500 else CounterOutcome.INCOMPLETE
        return _verdict(outcome, error.answered_code, assurance, seconds, language)
    if isinstance(error, UntrustedDocument | MalformedDocument):
        return refusal(error.code, assurance, seconds, language)
    outcome = CounterOutcome.UNAVAILABLE if isinstance(error, Unavailable) else CounterOutcome.INCOMPLETE
    return _verdict(outcome, error.code, assurance, seconds, language)


def refusal(code: str, assurance: Assurance, seconds: float, language: str) -> Verdict:
    """Do not accept this card."""
    return _verdict(CounterOutcome.REFUSED, code, assurance, seconds, language)


def _verdict(
    outcome: CounterOutcome, code: str | None, assurance: Assurance, seconds: float, language: str
) -> Verdict:
    found = Verdict(outcome=outcome, code=code, assurance=assurance, seconds=round(seconds, 3))
    if code is None:
        return found
    entry = fault(code)
    text = entry.text(language)
    return msgspec.structs.replace(
        found, what=text.what, next=text.next, owner=entry.owner, retryable=entry.retryable
    )
