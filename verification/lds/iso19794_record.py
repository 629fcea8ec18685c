"""Reading numbers and lengths out of the binary records of ISO/IEC 19794 (first editions)."""

from __future__ import annotations

from verification.errors import MalformedDocument

LENGTH_SLACK = 8
"""Issuers' writers count a record's length wrongly by a few bytes."""


def number(record: bytes, position: int, octets: int) -> int:
    """An unsigned number at a position; raises MalformedDocument where the record ends before."""
    if position + octets > len(record):
        raise MalformedDocument("biometric record is cut off")
    return int.from_bytes(record[position : position + octets], "big")


def require_length(record: bytes, claimed: int) -> None:
    """The record is as long as it says, give or take what writers are known to miscount."""
    if abs(claimed - len(record)) > LENGTH_SLACK:
        raise MalformedDocument(f"biometric record claims {claimed} of {len(record)} bytes")


def block_end(record: bytes, start: int, length: int, *, is_last: bool) -> int:
    """Where a block ends; the slack counts for the last block as it does for the record."""
    end = start + length
    if is_last and abs(end - len(record)) <= LENGTH_SLACK:
        return len(record)
    if end > len(record):
        raise MalformedDocument("block does not fit its biometric record")
    return end


def require_end(record: bytes, position: int) -> None:
    """Nothing follows the last block."""
    if position != len(record):
        raise MalformedDocument("bytes after the last block of a biometric record")
