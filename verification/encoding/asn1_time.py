"""Moments as certificates and signatures write them (RFC 5280, 4.1.2.5; RFC 5652, 11.3)."""

from __future__ import annotations

from datetime import UTC, datetime

from verification.encoding.tlv import build
from verification.errors import MalformedDocument

UTC_TIME = 0x17
GENERALIZED_TIME = 0x18


def read_time(tag: int | None, value: bytes) -> datetime:
    """Read a UTCTime or GeneralizedTime with seconds and ``Z``; raises MalformedDocument."""
    if tag == UTC_TIME and len(value) == 13:
        # RFC 5280, 4.1.2.5.1: a two-digit year of 50 or more belongs to the twentieth century.
        digits = (b"20" if value < b"5" else b"19") + value[:12]
    elif tag == GENERALIZED_TIME and len(value) == 15:
        digits = value[:14]
    else:
        raise MalformedDocument("time is neither UTCTime nor GeneralizedTime with seconds")
    if value[-1] != 0x5A or not digits.isdigit():
        raise MalformedDocument("time is not written in UTC digits")
    try:
        return datetime.fromisoformat((digits[:8] + b"T" + digits[8:] + b"Z").decode("ascii"))
    except ValueError:
        raise MalformedDocument("time names no moment") from None


def build_time(moment: datetime) -> bytes:
    """Encode a moment: UTCTime until 2049, GeneralizedTime from 2050 on, whole seconds."""
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return build(UTC_TIME, f"{utc:%y%m%d%H%M%S}Z".encode("ascii"))
    return build(GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%S}Z".encode("ascii"))
