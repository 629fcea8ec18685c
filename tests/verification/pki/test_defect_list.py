"""The operator's list of signers whose documents are known to be faulty."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from verification.errors import LimitExceeded, MalformedDocument
from verification.pki.defect_list import MAX_DEFECT_LIST, Defect, DefectKind, parse_defect_list

CERTIFICATE = b"an encoded certificate"
DIGEST = hashlib.sha256(CERTIFICATE).digest()


def encoded(*entries: dict[str, Any], version: object = 1, **more: object) -> bytes:
    return json.dumps({"version": version, "defects": entries, **more}).encode()


def entry(**changes: object) -> dict[str, Any]:
    given = {"certificate_sha256": DIGEST.hex(), "kind": "data_group_malformed", "reason": "Notice 12/2019"}
    return {**given, **changes}


def test_defects_are_found_by_the_signers_certificate() -> None:
    found = parse_defect_list(encoded(entry(), entry(kind="signer_revoked", reason="Key lost")))
    assert found.of(CERTIFICATE) == (
        Defect(DefectKind.DATA_GROUP_MALFORMED, "Notice 12/2019"),
        Defect(DefectKind.SIGNER_REVOKED, "Key lost"),
    )
    assert found.of(DIGEST) == ()
    assert parse_defect_list(encoded()).of(CERTIFICATE) == ()


@pytest.mark.parametrize("kind", DefectKind)
def test_every_kind_can_be_listed(kind: DefectKind) -> None:
    assert parse_defect_list(encoded(entry(kind=kind.value))).of(CERTIFICATE)[0].kind is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        encoded(entry(), version=2),
        encoded(entry(), comment="x"),
        encoded(entry(kind="anything")),
        encoded(entry(reason="")),
        encoded(entry(reason="x" * 501)),
        encoded(entry(certificate_sha256="00")),
        encoded(entry(certificate_sha256="G" * 64)),
        encoded(entry(severity=1)),
        b"[" * 100_000,
    ],
    ids=range(12),
)
def test_anything_else_is_refused(content: bytes) -> None:
    """An entry that had no effect would be mistaken for one that has."""
    with pytest.raises(MalformedDocument):
        parse_defect_list(content)


def test_a_limit_comes_first() -> None:
    with pytest.raises(LimitExceeded):
        parse_defect_list(bytes(MAX_DEFECT_LIST + 1))
