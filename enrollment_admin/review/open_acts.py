"""What one officer may do with one dossier now; the page offers these acts and no others.

The backend decides. This only keeps from an officer's page what it would refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from verification.messages.enrollment import CANDIDATES, NOT_ALL_COMPARED, DossierSummary, DossierView


class Act(StrEnum):
    """Something an officer does with a dossier."""

    CHECK = "check"
    APPROVE = "approve"
    APPROVE_CENTRALLY = "approve_centrally"
    ASK_ARCHIVE = "ask_archive"
    APPROVE_LOOKUP = "approve_lookup"
    ANSWER_LOOKUP = "answer_lookup"
    RETURN = "return"
    RECAPTURE = "recapture"
    PROPOSE_REJECTION = "propose_rejection"
    CONFIRM_REJECTION = "confirm_rejection"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Reader:
    """The officer in front of the page."""

    id: str
    roles: frozenset[str]
    unit: str | None = None

    @property
    def is_provincial(self) -> bool:
        """Whether they work at a province itself, where two people approve."""
        return self.unit is not None and "." not in self.unit

    def is_any(self, *roles: str) -> bool:
        """Whether one of these roles is theirs."""
        return not self.roles.isdisjoint(roles)


_LOCAL = frozenset({"received", "validated", "archive_lookup", "returned"})
_CENTRAL = frozenset({"local_approved", "dedup_1n", "adjudication"})
_REJECTABLE = frozenset({"validated", "dedup_1n", "adjudication", "returned"})
_NO_CARD = frozenset({"ordered", "spoiled", "destroyed", "revoked"})
_CLOSED = frozenset({"completed", "rejected", "withdrawn"})
_TOLD_OF_OTHERS = ("processor", "approver", "central_approver", "archive_clerk")
_CAPTURES = frozenset({"capture", "receive"})
_OWN_EVENT: Mapping[Act, str] = {
    Act.CHECK: "check",
    Act.APPROVE: "approve_locally",
    Act.APPROVE_CENTRALLY: "approve_centrally",
    Act.APPROVE_LOOKUP: "approve_lookup",
    Act.ANSWER_LOOKUP: "answer_lookup",
}
_CARD_HANDS: Mapping[str, tuple[str, ...]] = {
    "qa_passed": ("production", "stock_keeper"),
    "at_office": ("capture", "office", "supervisor"),
    "undelivered": ("capture", "office", "supervisor", "production", "stock_keeper", "quality"),
    "active": ("capture", "office", "production", "supervisor"),
}
_PARTS = _CAPTURES | frozenset(_OWN_EVENT.values())


def open_acts(dossier: DossierView, reader: Reader) -> frozenset[Act]:
    """The acts that this dossier and this officer's roles and earlier parts leave open."""
    return frozenset(act for act in _wanted(dossier, reader) if not _is_barred(dossier, reader, act))


def is_barred_by_part(dossier: DossierView, reader: Reader) -> bool:
    """Whether the officer could decide now but for the part they took before (four eyes)."""
    wanted = _wanted(dossier, reader) & {Act.APPROVE, Act.APPROVE_CENTRALLY, *_OWN_EVENT}
    return any(_is_barred(dossier, reader, act) for act in wanted)


def likely_others(dossier: DossierView, reader: Reader) -> int:
    """How many others in the registry are likely the same person, told to those who decide about it."""
    told = reader.is_any(*_TOLD_OF_OTHERS)
    return int(_validated(dossier).get(CANDIDATES, "0")) if told and dossier.state not in _CLOSED else 0


def may_be_others(dossier: DossierView, reader: Reader) -> bool:
    """Whether the registry could not compare everybody, told to the same."""
    told = reader.is_any(*_TOLD_OF_OTHERS) and dossier.state not in _CLOSED
    return told and NOT_ALL_COMPARED in _validated(dossier)


def _validated(dossier: DossierView) -> dict[str, str]:
    """What the newest validation recorded."""
    return next((step.detail for step in reversed(dossier.steps) if step.event == "validate"), {})


def may_see_who(dossier: DossierView, reader: Reader) -> bool:
    """Whether the officer may ask for the numbers of those others."""
    is_captor = any(step.actor == reader.id for step in dossier.steps if step.event in _CAPTURES)
    return reader.is_any("processor", "approver", "central_approver") and not is_captor


def awaits_check(dossier: DossierView | DossierSummary, reader: Reader) -> bool:
    """Whether a processor has to check it before this officer may approve."""
    is_local = dossier.state == "validated" and reader.is_any("approver")
    return is_local and reader.is_provincial and dossier.checked_by is None


def is_card_of_others(dossier: DossierView, reader: Reader) -> bool:
    """Whether the next step with the card is that of other roles."""
    hands = _CARD_HANDS.get(dossier.card.state) if dossier.card else None
    return hands is not None and not reader.is_any(*hands)


def _wanted(dossier: DossierView, reader: Reader) -> frozenset[Act]:
    return frozenset(act for act, is_open in _RULES.items() if is_open(dossier, reader))


def _is_barred(dossier: DossierView, reader: Reader, act: Act) -> bool:
    mine = {step.event for step in dossier.steps if step.actor == reader.id}
    if act in _OWN_EVENT:
        return bool(mine & _PARTS - {_OWN_EVENT[act]})
    if act in {Act.RETURN, Act.ASK_ARCHIVE, Act.PROPOSE_REJECTION, Act.CONFIRM_REJECTION}:
        return bool(mine & _CAPTURES)
    return False


def _may_decide(dossier: DossierView, reader: Reader) -> bool:
    """Whether the dossier stands where this officer's side of the house decides."""
    if dossier.state in _CENTRAL:
        is_examined = dossier.state != "adjudication" or dossier.search == "confirmed"
        return is_examined and reader.is_any("central_approver")
    return reader.is_any("approver", "central_approver")


def _may_return(dossier: DossierView, reader: Reader) -> bool:
    is_processed = dossier.state in _LOCAL and reader.is_any("processor")
    return is_processed or (dossier.state in _LOCAL | _CENTRAL and _may_decide(dossier, reader))


def _may_reject(dossier: DossierView, reader: Reader) -> bool:
    if dossier.state == "central_approved":
        is_gone = dossier.card is not None and dossier.card.state in _NO_CARD
        return is_gone and reader.is_any("central_approver")
    is_leader = dossier.state not in _CENTRAL and reader.is_any("district_chief")
    return dossier.state in _REJECTABLE and (is_leader or _may_decide(dossier, reader))


def _is_lookup_approved(dossier: DossierView) -> bool:
    lookups = [each.event for each in dossier.steps if each.event in {"ask_archive", "approve_lookup"}]
    return bool(lookups) and lookups[-1] == "approve_lookup"


def _asked_archive(dossier: DossierView) -> str | None:
    asked = [step.actor for step in dossier.steps if step.event == "ask_archive"]
    return asked[-1] if asked else None


def _awaits_lookup_approval(dossier: DossierView, reader: Reader) -> bool:
    return (
        dossier.state == "archive_lookup"
        and not _is_lookup_approved(dossier)
        and dossier.lookup is not None
        and reader.is_any(dossier.lookup.approver)
        and _asked_archive(dossier) != reader.id
    )


def _is_proposed_by_another(dossier: DossierView, reader: Reader) -> bool:
    return dossier.rejection is not None and dossier.rejection.proposed_by != reader.id


_RULES: Mapping[Act, Callable[[DossierView, Reader], bool]] = {
    Act.CHECK: lambda it, me: it.state == "validated" and it.checked_by is None and me.is_any("processor"),
    Act.APPROVE: lambda it, me: (
        it.state == "validated" and me.is_any("approver") and not awaits_check(it, me)
    ),
    Act.APPROVE_CENTRALLY: lambda it, me: (
        it.state == "dedup_1n" and it.search in {"clear", "no_gallery"} and me.is_any("central_approver")
    ),
    Act.ASK_ARCHIVE: lambda it, me: it.state == "validated" and me.is_any("processor", "approver"),
    Act.APPROVE_LOOKUP: _awaits_lookup_approval,
    Act.ANSWER_LOOKUP: lambda it, me: (
        it.state == "archive_lookup" and _is_lookup_approved(it) and me.is_any("archive_clerk")
    ),
    Act.RETURN: _may_return,
    Act.RECAPTURE: lambda it, me: it.state == "returned" and me.is_any("capture"),
    Act.PROPOSE_REJECTION: lambda it, me: it.rejection is None and _may_reject(it, me),
    Act.CONFIRM_REJECTION: lambda it, me: _is_proposed_by_another(it, me) and _may_reject(it, me),
    Act.SUSPEND: lambda it, me: (
        it.state in _LOCAL | _CENTRAL | {"central_approved"}
        and me.is_any("district_chief", "central_approver", "supervisor")
    ),
    Act.RESUME: lambda it, me: (
        it.state == "suspended" and me.is_any("district_chief", "central_approver", "supervisor")
    ),
    Act.WITHDRAW: lambda it, me: it.state in _LOCAL | _CENTRAL and me.is_any("capture"),
}
