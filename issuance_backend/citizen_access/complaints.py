"""What is told of a complaint: to the citizen, to whoever holds its code, to those who answer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from issuance_backend.case_ids import complaint_subject
from issuance_backend.citizen_access.domain import Complaint
from issuance_backend.statistics.clocks import Run
from issuance_backend.statistics.time_limits import time_limit
from verification.messages.citizen_access import (
    ComplaintStatus,
    ComplaintSummary,
    ComplaintView,
    OwnComplaint,
)

CLOCK = "complaint"


def own(connection: Connection, complaint: Complaint, today: date) -> OwnComplaint:
    """As the citizen sees it at the counter."""
    due_on, is_late = _due(connection, complaint, today)
    return OwnComplaint(
        id=complaint.id,
        receipt_code=complaint.receipt_code,
        about=complaint.subject,
        reference=complaint.reference,
        state=complaint.state,
        filed_at=complaint.filed_at,
        due_on=due_on,
        is_late=is_late,
    )


def status(connection: Connection, complaint: Complaint, today: date) -> ComplaintStatus:
    """As whoever holds its code sees it."""
    due_on, is_late = _due(connection, complaint, today)
    return ComplaintStatus(
        state=complaint.state,
        unit=complaint.unit,
        filed_at=complaint.filed_at,
        due_on=due_on,
        is_late=is_late,
        outcome=complaint.outcome,
        answer=complaint.answer,
    )


def summary(connection: Connection, complaint: Complaint, today: date) -> ComplaintSummary:
    """As it stands in a list."""
    due_on, is_late = _due(connection, complaint, today)
    return ComplaintSummary(
        id=complaint.id,
        state=complaint.state,
        about=complaint.subject,
        unit=complaint.unit,
        filed_at=complaint.filed_at,
        due_on=due_on,
        is_late=is_late,
    )


def view(connection: Connection, complaint: Complaint, today: date) -> ComplaintView:
    """All of it."""
    due_on, is_late = _due(connection, complaint, today)
    return ComplaintView(
        id=complaint.id,
        state=complaint.state,
        about=complaint.subject,
        reference=complaint.reference,
        text=complaint.text,
        citizen_number=complaint.citizen_number,
        unit=complaint.unit,
        filed_by=complaint.filed_by,
        filed_at=complaint.filed_at,
        due_on=due_on,
        is_late=is_late,
        answered_by=complaint.answered_by,
        answered_at=complaint.answered_at,
        outcome=complaint.outcome,
        answer=complaint.answer,
    )


def _due(connection: Connection, complaint: Complaint, today: date) -> tuple[str | None, bool]:
    """The last day of the time limit while it runs, and whether that day is over."""
    limit = time_limit(connection, complaint_subject(complaint.id), CLOCK)
    if limit is None or limit.run is not Run.RUNNING:
        return None, False
    return limit.due_on.isoformat(), today > limit.due_on
