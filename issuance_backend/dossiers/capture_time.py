"""How long an officer worked at a capture, as it is recorded of it."""

from __future__ import annotations

from datetime import datetime

from issuance_backend.moments import parse_moment
from verification.errors import FieldsRefused


def operator_time(begun_at: str | None, ended: datetime) -> dict[str, str]:
    """The seconds since the beginning; nothing where it is not known, or is not before the end."""
    if begun_at is None:
        return {}
    seconds = int((ended - parse_moment(begun_at)).total_seconds())
    return {"operator_seconds": str(seconds)} if seconds >= 0 else {}


def require_beginning(begun_at: str | None) -> None:
    """Raise FieldsRefused for a beginning that is no moment."""
    try:
        is_moment = begun_at is None or parse_moment(begun_at).tzinfo is not None
    except ValueError:
        is_moment = False
    if not is_moment:
        raise FieldsRefused({"begun_at": "FIELD_DATE"})
