"""What the pages about captures at counters ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, FileAnswer, Listed
from verification.messages.counter_capture import (
    CitizenAgreement,
    CounterCapture,
    CounterPrints,
    CounterScanner,
    SupervisorAnswer,
)
from verification.messages.enrollment import MAX_CAPTURE_BYTES, DossierCapture, DossierView
from verification.messages.enrollment_packet import CaptureException

_JUDGED_WITHIN = 60.0
"""Seconds: ten prints, a form or a scan are looked at."""

_AT_ONCE = MAX_CAPTURE_BYTES * 2 // 3
"""Bytes of prints: written as text they are a third longer."""


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
    return backend.ask("POST", f"{_path(which)}/{name}", CounterCapture, seconds=_JUDGED_WITHIN)


def take(backend: BackendClient, which: str, taken: CounterPrints) -> CounterCapture:
    """Prints that a scanner left, as many at once as one message holds."""
    parts: list[dict[str, bytes]] = [{}]
    for item, content in taken.prints.items():
        if parts[-1] and sum(map(len, parts[-1].values())) + len(content) > _AT_ONCE:
            parts.append({})
        parts[-1][item] = content
    path, method = f"{_path(which)}/prints", taken.capture_method
    answers = [
        backend.ask("POST", path, CounterCapture, CounterPrints(part, method), _JUDGED_WITHIN)
        for part in parts
    ]
    return answers[-1]


def tell_scanner(backend: BackendClient, which: str, *, takes_slaps: bool) -> CounterCapture:
    """Whether the scanner at this counter takes several fingers at once."""
    return backend.ask("POST", f"{_path(which)}/scanner", CounterCapture, CounterScanner(takes_slaps))


def drop(backend: BackendClient, which: str, item: str) -> CounterCapture:
    """A print that is not this finger's, or a photograph of a hand."""
    return backend.ask("DELETE", f"{_path(which)}/prints/{quote(item, safe='')}", CounterCapture)


def print_picture(backend: BackendClient, which: str, item: str) -> FileAnswer:
    """A print as it was taken."""
    return backend.file(f"{_path(which)}/prints/{quote(item, safe='')}")


def state_reason(backend: BackendClient, which: str, stated: CaptureException) -> CounterCapture:
    """Why a finger or slap, or all of them, has no print."""
    return backend.ask("POST", f"{_path(which)}/reasons", CounterCapture, stated)


def answer_for(backend: BackendClient, which: str, seen: SupervisorAnswer) -> CounterCapture:
    """A supervisor's word for what is missing of what they saw."""
    return backend.ask("POST", f"{_path(which)}/answer", CounterCapture, seen)


def form(backend: BackendClient, which: str) -> FileAnswer:
    """The form to print and sign (PDF)."""
    return backend.file(f"{_path(which)}/form.pdf")


def sign(backend: BackendClient, which: str, agreement: CitizenAgreement) -> CounterCapture:
    """What the citizen signed."""
    path = f"{_path(which)}/agreement"
    return backend.ask("POST", path, CounterCapture, agreement, _JUDGED_WITHIN)


def seal(backend: BackendClient, which: str) -> DossierView:
    """The dossier that it becomes."""
    return backend.ask("POST", f"{_path(which)}/seal", DossierView)


def _path(which: str) -> str:
    return f"/v1/counter-captures/{quote(which, safe='')}"
