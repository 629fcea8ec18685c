"""What the pages of forms DC01 ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from enrollment_admin.backend_client import BackendClient, FileAnswer, Listed
from verification.messages.dc01 import (
    BatchView,
    BatchWanted,
    ClerkRate,
    FormPerson,
    FormValues,
    FormView,
    FormWork,
    OpenDifference,
    PaperScanned,
    ResidentsListed,
    SecondKeying,
)

_WORK, _FORMS, _BATCHES = "/v1/dc01-work", "/v1/dc01-forms", "/v1/dc01-batches"
_SCAN_SECONDS = 60.0
"""Eight megabytes go through the office to the registry, and a scanner looks at them."""


def work(backend: BackendClient) -> list[FormWork]:
    """The officer's steps, and how much waits for each."""
    return backend.ask("GET", _WORK, list[FormWork])


def next_keying(backend: BackendClient) -> str | None:
    """The id of a form to key."""
    found = backend.ask_if_any(f"{_WORK}/key/next", FormView)
    return found.id if found else None


def next_second_keying(backend: BackendClient) -> str | None:
    """The id of a form to key blindly."""
    found = backend.ask_if_any(f"{_WORK}/key_again/next", SecondKeying)
    return found.form if found else None


def next_difference(backend: BackendClient) -> OpenDifference | None:
    """Two readings to decide between."""
    return backend.ask_if_any(f"{_WORK}/decide/next", OpenDifference)


def clerk_rates(backend: BackendClient) -> list[ClerkRate]:
    """How often each clerk read wrong."""
    return backend.ask("GET", f"{_WORK}/clerk-rates", list[ClerkRate])


def plan(backend: BackendClient, residents: ResidentsListed) -> None:
    """Put residents on the list."""
    backend.tell("POST", _FORMS, residents)


def forms(backend: BackendClient, state: str, cursor: str | None) -> Listed[FormView]:
    """Forms that stand in a state."""
    return backend.listed(_FORMS, {"state": state}, cursor, FormView)


def form(backend: BackendClient, form_id: str) -> FormView:
    """Where a form stands."""
    return backend.ask("GET", _form(form_id), FormView)


def values(backend: BackendClient, form_id: str) -> FormValues:
    """What is keyed of a form now."""
    return backend.ask("GET", f"{_form(form_id)}/values", FormValues)


def picture(backend: BackendClient, form_id: str, page: str) -> FileAnswer:
    """One page of a form."""
    return backend.file(f"{_form(form_id)}/pages/{quote(page, safe='')}")


def person(backend: BackendClient, form_id: str) -> FormPerson:
    """Under which number its person is registered."""
    return backend.ask("GET", f"{_form(form_id)}/person", FormPerson)


def step(backend: BackendClient, form_id: str, name: str, message: msgspec.Struct) -> FormView:
    """A step of a form, by the address that the contract gives it."""
    return backend.ask("POST", f"{_form(form_id)}/{name}", FormView, message)


def blind_step(backend: BackendClient, form_id: str, name: str, message: msgspec.Struct) -> None:
    """A step of which nothing is told but that it was taken."""
    backend.tell("POST", f"{_form(form_id)}/{name}", message)


def scan(backend: BackendClient, form_id: str, pages: PaperScanned) -> FormView:
    """Keep the pictures of a form's pages."""
    return backend.ask("POST", f"{_form(form_id)}/scan", FormView, pages, _SCAN_SECONDS)


def batches(
    backend: BackendClient, cursor: str | None = None, state: str = "", unit: str = ""
) -> Listed[BatchView]:
    """Batches, of one state or unit where these are given."""
    asked = {name: value for name, value in (("state", state), ("unit", unit)) if value}
    return backend.listed(_BATCHES, asked, cursor, BatchView)


def open_batch(backend: BackendClient, wanted: BatchWanted) -> BatchView:
    """Open a batch."""
    return backend.ask("POST", _BATCHES, BatchView, wanted)


def batch(backend: BackendClient, batch_id: str) -> BatchView:
    """Where a batch stands."""
    return backend.ask("GET", f"{_BATCHES}/{quote(batch_id, safe='')}", BatchView)


def batch_step(backend: BackendClient, batch_id: str, name: str) -> BatchView:
    """Draw the ``sample`` of a batch, have it compared by ``matching``, or its people registered."""
    return backend.ask("POST", f"{_BATCHES}/{quote(batch_id, safe='')}/{name}", BatchView)


def _form(form_id: str) -> str:
    return f"{_FORMS}/{quote(form_id, safe='')}"
