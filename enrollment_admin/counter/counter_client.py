"""What the pages about captures at counters ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, FileAnswer, Listed
from verification.messages.counter_capture import CitizenAgreement, CounterCapture, SupervisorAnswer
from verification.messages.enrollment import DossierCapture, DossierView


def begin(backend: BackendClient, capture: DossierCapture, dossier: str | None) -> CounterCapture:
    """A capture of a new application, or of what was returned of a dossier."""
    path = f"/v1/dossiers/{quote(dossier, safe='')}/recapture" if dossier else "/v1/counter-captures"
    return backend.ask("POST", path, CounterCapture, capture)


def waiting(backend: BackendClient, cursor: str | None) -> Listed[CounterCapture]:
    """Captures that are not sealed yet."""
    return backend.listed("/v1/counter-captures", {}, cursor, CounterCapture)


def capture(backend: BackendClient, which: str) -> CounterCapture:
    """One of them."""
    return backend.ask("GET", _path(which), CounterCapture)


def step(backend: BackendClient, which: str, name: str) -> CounterCapture:
    """``form`` or ``withdrawal``."""
    return backend.ask("POST", f"{_path(which)}/{name}", CounterCapture)


def answer_for(backend: BackendClient, which: str, seen: SupervisorAnswer) -> CounterCapture:
    """A supervisor's word for what is missing of what they saw."""
    return backend.ask("POST", f"{_path(which)}/answer", CounterCapture, seen)


def form(backend: BackendClient, which: str) -> FileAnswer:
    """The form to print and sign (PDF)."""
    return backend.file(f"{_path(which)}/form.pdf")


def sign(backend: BackendClient, which: str, agreement: CitizenAgreement) -> CounterCapture:
    """What the citizen signed."""
    return backend.ask("POST", f"{_path(which)}/agreement", CounterCapture, agreement)


def seal(backend: BackendClient, which: str) -> DossierView:
    """The dossier that it becomes."""
    return backend.ask("POST", f"{_path(which)}/seal", DossierView)


def _path(which: str) -> str:
    return f"/v1/counter-captures/{quote(which, safe='')}"
