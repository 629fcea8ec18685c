"""The registry's map of units as the office asks it: a port, and its HTTP side."""

from __future__ import annotations

from typing import Protocol

from issuance_backend.registry_http import RegistryHttp
from issuance_backend.unit_codes import is_unit
from verification.errors import RegistryUnavailable
from verification.messages.dc01 import UnitView


class UnitMap(Protocol):
    """Who knows what units were called."""

    def names(self, code: str) -> list[UnitView]:
        """A unit under every name it had, oldest first; raises RegistryUnavailable."""


def name_now(units: UnitMap | None, code: str | None) -> str:
    """What a unit is called now; nothing where nobody tells."""
    if units is None or code is None:
        return ""
    try:
        versions = units.names(code)
    except RegistryUnavailable:
        return ""
    return versions[-1].name if versions else ""


class UnitMapOverHttp:
    """Asks the registry's own program; its token has the role registry.read."""

    def __init__(self, url: str, token: str) -> None:
        self._registry = RegistryHttp(url, token)

    def names(self, code: str) -> list[UnitView]:
        """A unit under every name it had, oldest first; raises RegistryUnavailable."""
        # Part of an address: what is no code is not sent on, and names nothing.
        return self._registry.ask("GET", f"/v1/units/{code}/names", list[UnitView]) if is_unit(code) else []
