"""What the pages about citizens' own data ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.citizen_access import (
    Access,
    CitizenVisit,
    ComplaintAnswering,
    ComplaintFiling,
    ComplaintSummary,
    ComplaintView,
    OwnComplaint,
    OwnRecord,
    VisitOpening,
)

_VISITS, _COMPLAINTS = "/v1/citizen-visits", "/v1/complaints"


def open_visit(backend: BackendClient, receipt: str) -> CitizenVisit:
    """Let whoever the receipt proves see their own record."""
    return backend.ask("POST", _VISITS, CitizenVisit, VisitOpening(receipt))


def record(backend: BackendClient, visit: str) -> OwnRecord:
    """All that is held of the citizen."""
    return backend.ask("GET", f"{_VISITS}/{quote(visit, safe='')}/record", OwnRecord)


def accesses(backend: BackendClient, visit: str) -> list[Access]:
    """Who looked at the citizen's data."""
    return backend.ask("GET", f"{_VISITS}/{quote(visit, safe='')}/accesses", list[Access])


def file(backend: BackendClient, visit: str, filing: ComplaintFiling) -> OwnComplaint:
    """Take a complaint."""
    return backend.ask("POST", f"{_VISITS}/{quote(visit, safe='')}/complaints", OwnComplaint, filing)


def complaints(backend: BackendClient, state: str, cursor: str | None) -> Listed[ComplaintSummary]:
    """The complaints of the officer's area in one state."""
    return backend.listed(_COMPLAINTS, {"state": state}, cursor, ComplaintSummary)


def complaint(backend: BackendClient, complaint_id: str) -> ComplaintView:
    """A whole complaint."""
    return backend.ask("GET", f"{_COMPLAINTS}/{quote(complaint_id, safe='')}", ComplaintView)


def answer(backend: BackendClient, complaint_id: str, said: ComplaintAnswering) -> ComplaintView:
    """Answer for the office."""
    return backend.ask("POST", f"{_COMPLAINTS}/{quote(complaint_id, safe='')}/answer", ComplaintView, said)
