"""Which files of a chip to read, and in which order."""

from __future__ import annotations

from verification.errors import MalformedDocument
from verification.lds.common_data import parse_common_data
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object

CLOSED_WITHOUT_TERMINAL = frozenset({LdsFile.DG3, LdsFile.DG4})
"""Fingerprints and irises: only terminal authentication opens them."""

# A portrait is the longest file and comes last, so that camera and registry run meanwhile; after it
# only what may be closed, because asking for a closed file ends the session on some chips.
_FIRST_GROUPS = (LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)


def listed_groups(common_data: bytes | None, security_object: bytes | None) -> list[LdsFile]:
    """The data groups of EF.COM and of EF.SOD, in reading order.

    EF.COM is not signed, and cards are met whose EF.COM forgets a group or names one too many.
    Where neither file can be used, the groups that a card is expected to have.
    """
    listed = _named_in_common_data(common_data) | _signed(security_object)
    return in_reading_order(listed or {*_FIRST_GROUPS, LdsFile.DG2})


def in_reading_order(files: set[LdsFile]) -> list[LdsFile]:
    """What is needed first comes first, what may be closed comes last."""
    return sorted(files, key=_rank)


def _named_in_common_data(encoded: bytes | None) -> set[LdsFile]:
    if encoded is None:
        return set()
    try:
        return {file for file in parse_common_data(encoded).data_groups if file.is_data_group}
    except MalformedDocument:
        return set()  # inspection refuses the file itself


def _signed(encoded: bytes | None) -> set[LdsFile]:
    if encoded is None:
        return set()
    try:
        return set(parse_security_object(encoded).hashes)
    except MalformedDocument:
        return set()  # as above


def _rank(file: LdsFile) -> tuple[int, int]:
    if file in CLOSED_WITHOUT_TERMINAL:
        return 3, file
    if file is LdsFile.DG2:
        return 2, file
    return (0, file) if file in _FIRST_GROUPS else (1, file)
