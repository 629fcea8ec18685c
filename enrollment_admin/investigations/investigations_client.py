"""What the pages of investigators ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.biometric_search import Investigation, InvestigationEntry, InvestigationPictures

_INVESTIGATIONS = "/v1/investigations"


def search(backend: BackendClient, asked: InvestigationPictures) -> Investigation:
    """A search by warrant."""
    return backend.ask("POST", "/v1/investigation-pictures", Investigation, asked)


def investigation(backend: BackendClient, task: str) -> Investigation:
    """A search as it stands."""
    return backend.ask("GET", f"{_INVESTIGATIONS}/{quote(task, safe='')}", Investigation)


def investigations(backend: BackendClient, cursor: str | None) -> Listed[InvestigationEntry]:
    """Which searches were asked for."""
    return backend.listed(_INVESTIGATIONS, {}, cursor, InvestigationEntry)


def release(backend: BackendClient, task: str) -> Investigation:
    """Let it be seen who the candidates are."""
    return backend.ask("POST", f"{_INVESTIGATIONS}/{quote(task, safe='')}/release", Investigation)
