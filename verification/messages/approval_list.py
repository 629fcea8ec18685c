"""The signed list of what an approver stood for in one act, and what officers are shown of it."""

from __future__ import annotations

import msgspec

from verification.errors import SignatureInvalid
from verification.messages.canonical import canonical_json
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.signing_key import PublicKey, SigningKey, thumbprint

APPROVAL_LIST_TYPE = "approval-list+jws"

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


class ApprovalStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At this moment this approver of this unit stood for these dossiers, and for no others."""

    list: str
    unit: str | None
    approver: str
    as_of: str
    count: int
    dossiers: tuple[ListedDossier, ...]


class ListApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dossiers that an approver stands for in one act."""

    dossiers: tuple[str, ...]


class ApprovalListSummary(msgspec.Struct, frozen=True):
    """One list among others."""

    id: str
    unit: str | None
    approver: str
    as_of: str
    count: int


class ApprovalListView(msgspec.Struct, frozen=True):
    """A whole list; ``fault`` is why the centre goes on with nothing of it, None where it stands."""

    id: str
    unit: str | None
    approver: str
    as_of: str
    dossiers: tuple[ListedDossier, ...]
    signer: str
    token: str
    fault: str | None = None


def sign_approvals(statement: ApprovalStatement, key: SigningKey) -> str:
    """The list as a compact JWS."""
    return sign_statement(canonical_json(msgspec.to_builtins(statement)), APPROVAL_LIST_TYPE, key)


def read_approvals(token: str, key: PublicKey) -> ApprovalStatement:
    """The list, if this key signed it and it says how long it is; raises SignatureInvalid."""
    content = read_statement(token, APPROVAL_LIST_TYPE, {thumbprint(key): key})
    try:
        statement = msgspec.json.decode(content, type=ApprovalStatement)
    except msgspec.DecodeError:
        raise SignatureInvalid("no list of approvals") from None
    if statement.count != len(statement.dossiers):
        raise SignatureInvalid("the list is not as long as it says")
    return statement
