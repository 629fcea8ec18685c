"""How a case is written: what one desk stops by it, another lets go by the same."""

from __future__ import annotations

import re

from verification.errors import FieldsRefused

_CASE = re.compile(r"[A-Za-z0-9./_-]{3,64}")


def require_case(case_id: str) -> str:
    """The case's id, if it can be one; raises FieldsRefused."""
    if not _CASE.fullmatch(case_id):
        raise FieldsRefused({"case_id": "FIELD_CHARACTERS"})
    return case_id
