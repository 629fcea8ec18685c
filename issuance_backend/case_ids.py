"""How a case is written: what one desk stops by it, another lets go by the same."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from issuance_backend.filed_complaints import is_recorded
from verification.errors import FieldsRefused

COMPLAINT_PREFIX = "kn-"
"""How the id of a complaint begins that was filed here."""

_CASE = re.compile(r"[A-Za-z0-9./_-]{3,64}")


def complaint_subject(complaint: str) -> str:
    """The name under which a complaint's steps are recorded."""
    return f"complaint/{complaint}"


def require_case(case_id: str, field: str = "case_id") -> str:
    """The case's id, if it can be one; raises FieldsRefused on its field."""
    if not _CASE.fullmatch(case_id):
        raise FieldsRefused({field: "FIELD_CHARACTERS"})
    return case_id


def require_filed(connection: Connection, case_id: str, field: str = "case_id") -> None:
    """Raise FieldsRefused for a complaint that nobody filed here; courts and police number theirs otherwise.

    Asked of whoever cites a case anew. What it once stopped goes on by the same id, whatever was cited then.
    """
    is_ours = case_id.startswith(COMPLAINT_PREFIX)
    if is_ours and not is_recorded(connection, complaint_subject(case_id)):
        raise FieldsRefused({field: "FIELD_NOT_AS_RECORDED"})
