"""What only the officers' work with the registry refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused


class RegistryAreaElsewhere(Refused):
    """Figures of a unit that is neither the officer's nor below it."""

    code = "REGISTRY_AREA_ELSEWHERE"
