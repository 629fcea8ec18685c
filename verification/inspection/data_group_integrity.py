"""What became of each data group: compared with its signed hash, one by one (BSI TR-03135-1)."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from verification.errors import AlgorithmRefused
from verification.inspection.passive_authentication import data_group_digest
from verification.inspection.report import Integrity
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import SecurityObject
from verification.pki.signature_policy import SignaturePolicy

DATA_GROUPS = tuple(file for file in LdsFile if file.is_data_group)


def data_group_integrity(
    security_object: SecurityObject, files: CardFiles, policy: SignaturePolicy
) -> Mapping[LdsFile, Integrity]:
    """A word for each of the sixteen data groups."""
    return {file: _integrity(security_object, file, files.get(file), policy) for file in DATA_GROUPS}


def without_security_object(files: CardFiles) -> Mapping[LdsFile, Integrity]:
    """The same where there is nothing to compare with: present or not."""
    return {file: Integrity.PRESENT if file in files else Integrity.NOT_PRESENT for file in DATA_GROUPS}


def altered_files(integrity: Mapping[LdsFile, Integrity]) -> frozenset[LdsFile]:
    """The data groups that were read and are not the ones that were signed."""
    altered = (Integrity.NOT_IDENTICAL, Integrity.NON_CONFORMANT)
    return frozenset(file for file, word in integrity.items() if word in altered)


def _integrity(
    security_object: SecurityObject, file: LdsFile, content: bytes | None, policy: SignaturePolicy
) -> Integrity:
    signed = security_object.hashes.get(file)
    if signed is None:
        return Integrity.NOT_PRESENT if content is None else Integrity.NON_CONFORMANT
    if content is None:
        return Integrity.PRESENT
    try:
        digest = data_group_digest(security_object, policy)
    except AlgorithmRefused:
        return Integrity.PRESENT
    is_same = compare_digest(digest(content).digest(), signed)
    return Integrity.IDENTICAL if is_same else Integrity.NOT_IDENTICAL
