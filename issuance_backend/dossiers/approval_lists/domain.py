"""What a list of local approvals must be for the centre to go on with a dossier of it."""

from __future__ import annotations

from dataclasses import dataclass

from issuance_backend.dossiers.domain import DossierEvent, checked_after
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import parse_moment
from issuance_backend.refusals import (
    ApprovalListAltered,
    ApprovalListSignerRevoked,
    ApprovalListSignerUnknown,
    ApprovalNotListed,
)
from verification.errors import SignatureInvalid
from verification.messages.approval_list import ApprovalStatement, ListedDossier, read_approvals
from verification.messages.enrollment import RecordedStep

LISTED_IN = "list"
"""The detail of an approval that names its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedList:
    """A list as it is kept; what it says is in ``token``, and the rest is how it is found."""

    id: str
    unit: str | None
    approver: str
    as_of: str
    count: int
    signer: str
    token: str


def read_list(kept: SignedList, signer: Signer | None) -> ApprovalStatement:
    """What a list says, if the office signed it with a key that was good then.

    Raises ApprovalListAltered, ApprovalListSignerUnknown and ApprovalListSignerRevoked.
    """
    if signer is None or signer.kind is not SignerKind.OFFICE:
        raise ApprovalListSignerUnknown("no key of the office")
    try:
        said = read_approvals(kept.token, signer.key)
    except SignatureInvalid:
        raise ApprovalListAltered("not as it was signed") from None
    found_by = (kept.id, kept.unit, kept.approver, kept.as_of, kept.count)
    if (said.list, said.unit, said.approver, said.as_of, said.count) != found_by:
        raise ApprovalListAltered("kept under what it does not say")
    if not signer.is_valid_at(said.as_of) or not signer.is_trusted(said.as_of, said.as_of):
        raise ApprovalListSignerRevoked("the key was not good any more")
    return said


@dataclass(frozen=True, slots=True)
class RecordedApproval:
    """A local approval as it was recorded, and who had checked what was approved."""

    step: RecordedStep
    checked_by: str | None


def approval_of(steps: tuple[RecordedStep, ...]) -> RecordedApproval:
    """The newest local approval that was recorded of a dossier; raises ApprovalNotListed without any."""
    checked_by, newest = None, None
    for step in steps:
        event = DossierEvent(step.event)
        checked_by = checked_after(checked_by, event, step.actor)
        if event is DossierEvent.APPROVE_LOCALLY:
            newest = RecordedApproval(step, checked_by)
    if newest is None:
        raise ApprovalNotListed("nobody approved it")
    return newest


def require_named(said: ApprovalStatement, dossier: Dossier, approval: RecordedApproval) -> None:
    """Raise ApprovalNotListed unless a list is this approval's and names the dossier as it was approved.

    A key's holder cannot date a list back: its moment is that of the approval in the chain of records, or
    for what was approved before there were lists a later one. Nor does it name another processor than they.
    """
    step, listed = approval.step, ListedDossier(dossier.id, dossier.packet_sha256, approval.checked_by)
    named = step.detail.get(LISTED_IN)
    is_of_the_act = named == said.list and step.at == said.as_of
    is_later = named is None and parse_moment(step.at) <= parse_moment(said.as_of)
    if step.actor != said.approver or not (is_of_the_act or is_later) or listed not in said.dossiers:
        raise ApprovalNotListed("the list does not stand for this dossier")
