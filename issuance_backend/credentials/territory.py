"""Which unit's cards an officer may touch."""

from __future__ import annotations

from issuance_backend.officers.domain import Officer
from issuance_backend.refusals import CardElsewhere
from issuance_backend.unit_codes import lies_in


def require_area(officer: Officer, unit: str | None) -> None:
    """Raise CardElsewhere when a card or box belongs to a unit that is not the officer's, nor below it."""
    if unit is not None and officer.area is not None and not lies_in(unit, officer.area):
        raise CardElsewhere("it belongs to another unit")
