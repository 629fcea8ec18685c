"""What only the enrolment pages refuse; the groups are those of ``verification.errors``."""

from __future__ import annotations

from collections.abc import Mapping

from verification.errors import Refused, Unavailable


class BackendRefused(Refused):
    """The issuance backend refused a page's request, for the reason ``answered_code``."""

    code = "BACKEND_REFUSED"

    def __init__(self, status: int, answered_code: str, fields: Mapping[str, str]) -> None:
        super().__init__(answered_code)
        self.status = status
        self.answered_code = answered_code
        self.fields = dict(fields)


class FormTokenInvalid(Refused):
    """The form did not come from a page of this officer's own session."""

    code = "FORM_TOKEN_INVALID"


class BackendUnavailable(Unavailable):
    """The issuance backend does not answer a page."""

    code = "BACKEND_UNAVAILABLE"
