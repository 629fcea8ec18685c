"""The signed list of what an approver stood for in one act, and what officers are shown of it.

The office prepares a list and seals it, the approver signs the very bytes, and the office signs both: the
list as of the moment at which it recorded the approvals, and the approver's signature in it.
"""

from __future__ import annotations

import msgspec

from verification.errors import SignatureInvalid
from verification.messages.canonical import canonical_json
from verification.messages.compact_signature import (
    protected_header,
    read_statement,
    require_detached,
    sign_statement,
)
from verification.messages.signing_key import PublicKey, SigningKey, b64url, sign, thumbprint

APPROVAL_LIST_TYPE = "approval-list+jws"
PREPARATION_TYPE = "approval-preparation+jws"
APPROVAL_TYPE = "approval+jws"
"""What the approver signs: the same content as the preparation's, under a header of the approver's key."""

OFFICE = "issuance-office"
"""Whose keys sign lists, among those who sign packets."""

MAX_LISTED = 500
"""No act stands for more dossiers: others wait for its end."""


class ListedDossier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One dossier, the SHA-256 of the sealed capture that was approved, and who had checked it, if anybody.

    Where nobody had, it is written as in lists from before anybody did.
    """

    dossier: str
    packet: str
    checked_by: str | None = None


class ApproverSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature (base64url) with an approver's key of this thumbprint over a list prepared at a moment."""

    key: str
    as_of: str
    signature: str


class ApprovalStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """At this moment this approver of this unit stood for these dossiers, and for no others.

    Without ``approval`` it is a preparation, or a list from before approvers signed, written as it was then.
    """

    list: str
    unit: str | None
    approver: str
    as_of: str
    count: int
    dossiers: tuple[ListedDossier, ...]
    approval: ApproverSignature | None = None


class ListApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dossiers that an approver stands for in one act."""

    dossiers: tuple[str, ...]


class PreparedDossier(msgspec.Struct, frozen=True):
    """What an approver sees of a dossier before they sign for it; it stands so since ``updated_at``."""

    dossier: str
    full_name: str
    citizen_number: str
    captured_by: str
    updated_at: str
    checked_by: str | None


class PreparedApproval(msgspec.Struct, frozen=True):
    """A list that waits for its approver's signature until a moment, and whose dossiers it names.

    ``preparation`` is the office's compact JWS; the approver signs its second part under the header of
    ``APPROVAL_TYPE``. ``keys`` are the thumbprints of the approver's keys that are good now.
    """

    unit: str | None
    approver: str
    expires_at: str
    dossiers: tuple[PreparedDossier, ...]
    keys: tuple[str, ...]
    preparation: str


class SignedApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A preparation as it came, and the approver's signature (base64url) with a key of this thumbprint."""

    preparation: str
    key: str
    signature: str


class ApprovalListSummary(msgspec.Struct, frozen=True):
    """One list among others."""

    id: str
    unit: str | None
    approver: str
    as_of: str
    count: int


class ApprovalListView(msgspec.Struct, frozen=True):
    """A whole list; ``fault`` is why the centre goes on with nothing of it, None where it stands.

    ``approver_key`` is the thumbprint of the key with which the approver signed; None for what was approved
    before approvers signed.
    """

    id: str
    unit: str | None
    approver: str
    as_of: str
    dossiers: tuple[ListedDossier, ...]
    signer: str
    token: str
    fault: str | None = None
    approver_key: str | None = None


def sign_approvals(statement: ApprovalStatement, key: SigningKey) -> str:
    """The list as a compact JWS."""
    return sign_statement(canonical_json(msgspec.to_builtins(statement)), APPROVAL_LIST_TYPE, key)


def read_approvals(token: str, key: PublicKey) -> ApprovalStatement:
    """The list, if this key signed it and it says how long it is; raises SignatureInvalid."""
    return _read(token, APPROVAL_LIST_TYPE, key)


def seal_preparation(statement: ApprovalStatement, key: SigningKey) -> str:
    """What an approver is to sign, sealed by the office: nobody is asked to sign anything else."""
    return sign_statement(canonical_json(msgspec.to_builtins(statement)), PREPARATION_TYPE, key)


def read_preparation(token: str, key: PublicKey) -> ApprovalStatement:
    """What this key sealed for an approver's signature; raises SignatureInvalid."""
    return _read(token, PREPARATION_TYPE, key)


def require_approval(said: ApprovalStatement, key: PublicKey) -> None:
    """Raise SignatureInvalid unless an approver signed this list with this key, when it was prepared."""
    if said.approval is None:
        raise SignatureInvalid("no approver signed it")
    prepared = msgspec.structs.replace(said, as_of=said.approval.as_of, approval=None)
    content = b64url(canonical_json(msgspec.to_builtins(prepared)))
    require_detached(key, said.approval.signature, protected_header(key, APPROVAL_TYPE), content)


def sign_preparation(preparation: str, key: SigningKey) -> SignedApproval:
    """Sign as the pages' script does, for an approver who works without a browser."""
    public = key.public_key()
    content = preparation.split(".")[1]
    signature = sign(key, f"{protected_header(public, APPROVAL_TYPE)}.{content}".encode())
    return SignedApproval(preparation, thumbprint(public), b64url(signature))


def _read(token: str, kind: str, key: PublicKey) -> ApprovalStatement:
    content = read_statement(token, kind, {thumbprint(key): key})
    try:
        statement = msgspec.json.decode(content, type=ApprovalStatement)
    except msgspec.DecodeError:
        raise SignatureInvalid("no list of approvals") from None
    if statement.count != len(statement.dossiers):
        raise SignatureInvalid("the list is not as long as it says")
    return statement
