"""What a list of local approvals must be for the centre to go on with a dossier of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalListAltered,
    ApprovalListSignerRevoked,
    ApprovalListSignerUnknown,
    ApprovalNotListed,
    ApproverKeyRevoked,
    ApproverKeyUnknown,
)
from issuance_backend.dossiers.domain import DossierEvent, checked_after
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import parse_moment
from verification.errors import SignatureInvalid
from verification.messages.approval_list import (
    ApprovalStatement,
    ListedDossier,
    read_approvals,
    require_approval,
)
from verification.messages.enrollment import RecordedStep

LISTED_IN = "list"
"""The detail of an approval that names its list."""

SIGNED_WITHIN = timedelta(minutes=10)
"""So long an approver may look at what was prepared; what they stand for is not older than that."""


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
    approver_key: str | None = None


def read_list(kept: SignedList, signers: Mapping[str, Signer]) -> ApprovalStatement:
    """What a list says, if the office signed it with a key that was good then, and its approver too.

    Without an approver's key it is from before approvers signed. Raises ApprovalListAltered,
    ApprovalListSignerUnknown, ApprovalListSignerRevoked, ApproverKeyUnknown and ApproverKeyRevoked.
    """
    signer = require_office_key(signers.get(kept.signer))
    try:
        said = read_approvals(kept.token, signer.key)
    except SignatureInvalid:
        raise ApprovalListAltered("not as it was signed") from None
    found_by = (kept.id, kept.unit, kept.approver, kept.as_of, kept.count)
    if (said.list, said.unit, said.approver, said.as_of, said.count) != found_by:
        raise ApprovalListAltered("kept under what it does not say")
    require_good(signer, said.as_of)
    if kept.approver_key != (said.approval and said.approval.key):
        raise ApprovalListAltered("kept as signed by another")
    if said.approval is not None:
        key = require_key_of(signers.get(said.approval.key), said.approver)
        _require_signed(said, said.approval.as_of, key)
    return said


def require_office_key(signer: Signer | None) -> Signer:
    """The key, if it is registered as the office's; raises ApprovalListSignerUnknown."""
    if signer is None or signer.kind is not SignerKind.OFFICE:
        raise ApprovalListSignerUnknown("no key of the office")
    return signer


def require_good(signer: Signer, moment: str) -> None:
    """Raise ApprovalListSignerRevoked for a key of the office that might not sign then."""
    if not signer.is_valid_at(moment) or not signer.is_trusted(moment, moment):
        raise ApprovalListSignerRevoked("the key was not good any more")


def require_key_of(signer: Signer | None, approver: str) -> Signer:
    """The key, if it is registered as this officer's; raises ApproverKeyUnknown."""
    if signer is None or signer.kind is not SignerKind.OFFICER or signer.owner != approver:
        raise ApproverKeyUnknown("no key of this approver")
    return signer


def _require_signed(said: ApprovalStatement, prepared_at: str, signer: Signer) -> None:
    """The approver signed what the office recorded, shortly before, with a key that was good all the time."""
    try:
        require_approval(said, signer.key)
    except SignatureInvalid:
        raise ApprovalListAltered("not as its approver signed it") from None
    if not timedelta(0) <= parse_moment(said.as_of) - parse_moment(prepared_at) < SIGNED_WITHIN:
        raise ApprovalListAltered("not signed when it was recorded")
    if not signer.is_valid_at(said.as_of) or not signer.is_trusted(prepared_at, said.as_of):
        raise ApproverKeyRevoked("the approver's key was not good any more")


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
