"""What the pages call a unit: its name on the day of the record, and its code while nobody knows one.

A unit that is no more keeps its last name: cards and dossiers that carry its code outlive it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from verification.messages.dc01 import UnitView
from verification.messages.national_time import vietnam_date

KEPT_SECONDS = 600.0
SILENT_SECONDS = 30.0
"""So long nobody is asked again after no answer: a page with codes is better than a page that waits."""

_DAY_LENGTH = len("2026-11-21")
_CODE = re.compile(r"[0-9.]+")


class UnitNames:
    """Names of units, kept for a while; ``backend`` is the one of the officer who looks."""

    def __init__(
        self, backend: Callable[[], BackendClient], ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend = backend
        self._ticks = ticks
        self._known: dict[str, tuple[float, list[UnitView]]] = {}
        self._silent_until = 0.0

    def name(self, code: str, at: str | None = None) -> str:
        """The name on a day or at a moment, the last one without; what has none, or is none, as it is."""
        if not _CODE.fullmatch(code):
            return code
        versions = self._versions(code)
        if at is None:
            return versions[-1].name if versions else code
        day = date.fromisoformat(at) if len(at) == _DAY_LENGTH else vietnam_date(datetime.fromisoformat(at))
        return next((unit.name for unit in reversed(versions) if unit.valid_from <= day), code)

    def _versions(self, code: str) -> list[UnitView]:
        now = self._ticks()
        asked_at, versions = self._known.get(code, (now - 2 * KEPT_SECONDS, []))
        if now - asked_at < KEPT_SECONDS or now < self._silent_until:
            return versions
        try:
            versions = self._backend().ask("GET", f"/v1/unit-names/{quote(code, safe='')}", list[UnitView])
        except (BackendRefused, BackendUnavailable):
            self._silent_until = now + SILENT_SECONDS
            return versions
        self._known[code] = now, versions
        return versions
