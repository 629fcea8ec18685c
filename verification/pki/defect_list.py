"""Signers known to have made faulty documents (ICAO 9303-3 deviation lists; BSI TR-03129 defect lists).

A fault that the issuer has told of is not fraud: a document with it goes to a person who decides,
with the reason at hand. A list can make an outcome worse or leave it open, never turn it into
success. The kinds are those of TR-03129; the file is the operator's own, taken from such notices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

import msgspec

from verification.errors import LimitExceeded, MalformedDocument

MAX_DEFECT_LIST = 1_048_576
"""Bytes; the published lists have some dozen entries."""


class DefectKind(StrEnum):
    """What is wrong with the documents of a signer."""

    SIGNER_REVOKED = "signer_revoked"
    SECURITY_OBJECT_INVALID = "security_object_invalid"
    DATA_GROUP_MALFORMED = "data_group_malformed"
    FILE_LIST_INCONSISTENT = "file_list_inconsistent"
    CHIP_AUTHENTICATION_KEY_REVOKED = "chip_authentication_key_revoked"
    ACTIVE_AUTHENTICATION_KEY_REVOKED = "active_authentication_key_revoked"


class Defect(NamedTuple):
    """One known fault and the notice it was taken from."""

    kind: DefectKind
    reason: str


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    kind: DefectKind
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    defects: tuple[_Entry, ...]


class DefectList:
    """Known defects by document signer; safe to share between threads."""

    def __init__(self, defects: Iterable[tuple[bytes, Defect]] = ()) -> None:
        # By the SHA-256 of the signer's certificate.
        self._by_certificate: dict[bytes, tuple[Defect, ...]] = {}
        for digest, defect in defects:
            self._by_certificate[digest] = (*self._by_certificate.get(digest, ()), defect)

    def of(self, certificate: bytes) -> tuple[Defect, ...]:
        """What is known of the signer with this encoded certificate."""
        if not self._by_certificate:
            return ()
        return self._by_certificate.get(hashlib.sha256(certificate).digest(), ())


def parse_defect_list(encoded: bytes) -> DefectList:
    """Read ``{"version": 1, "defects": [{"certificate_sha256", "kind", "reason"}, ...]}``.

    Raises MalformedDocument for anything else, a kind that is not known included: an entry that
    had no effect would be mistaken for one that has.
    """
    if len(encoded) > MAX_DEFECT_LIST:
        raise LimitExceeded(f"defect list of {len(encoded)} bytes")
    try:
        file = msgspec.json.decode(encoded, type=_File)
    except msgspec.DecodeError as fault:
        # The operator wrote the file: where in it the mistake is stands in the decoder's sentence.
        raise MalformedDocument(f"defect list: {fault}") from None
    return DefectList(
        (bytes.fromhex(entry.certificate_sha256), Defect(entry.kind, entry.reason)) for entry in file.defects
    )
