"""What the pages of examiners ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient
from verification.messages.biometric_search import BaitCase, CaseDecision, CaseView, ExaminerFigures

_CASES = "/v1/adjudication-cases"
SIDES = ("probe", "candidate")


def next_case(backend: BackendClient) -> CaseView | None:
    """The case that waited longest of those this examiner may decide."""
    return backend.ask_if_any(f"{_CASES}/next", CaseView)


def case(backend: BackendClient, case_id: str) -> CaseView:
    """One case."""
    return backend.ask("GET", f"{_CASES}/{quote(case_id, safe='')}", CaseView)


def picture(backend: BackendClient, case_id: str, side: str) -> bytes:
    """The picture of one side (JPEG)."""
    return backend.file(f"{_CASES}/{quote(case_id, safe='')}/{quote(side, safe='')}.jpg").content


def finger(backend: BackendClient, case_id: str, position: str, side: str) -> bytes:
    """The print of one side (PNG)."""
    case = f"{_CASES}/{quote(case_id, safe='')}"
    return backend.file(f"{case}/prints/{quote(position, safe='')}/{quote(side, safe='')}.png").content


def decide(backend: BackendClient, case_id: str, decision: CaseDecision) -> CaseView:
    """What this examiner found."""
    return backend.ask("POST", f"{_CASES}/{quote(case_id, safe='')}/decision", CaseView, decision)


def figures(backend: BackendClient) -> list[ExaminerFigures]:
    """How every examiner works, for whoever leads them."""
    return backend.ask("GET", f"{_CASES}/figures", list[ExaminerFigures])


def lay_bait(backend: BackendClient, bait: BaitCase) -> None:
    """A pair of which the truth is known."""
    backend.tell("POST", f"{_CASES}/baits", bait)
