"""What the pages of the four indices ask of the backend."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.dc01 import FailingForm, QualityIndex

_INDICES = "/v1/registry-indices"


def indices(backend: BackendClient, asked: Mapping[str, str]) -> list[QualityIndex]:
    """The indices of a unit, then those of every unit right below it."""
    return backend.ask("GET", f"{_INDICES}?{urlencode(asked)}", list[QualityIndex])


def failing(
    backend: BackendClient, index: str, asked: Mapping[str, str], cursor: str | None
) -> Listed[FailingForm]:
    """The forms that an index counts against."""
    return backend.listed(f"{_INDICES}/{quote(index, safe='')}/failing", asked, cursor, FailingForm)
