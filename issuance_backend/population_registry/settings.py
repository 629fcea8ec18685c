"""Settings of the population registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL
from issuance_backend.store_profile import DEMO, require_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """``REGISTRY_*``. ``service_tokens`` is a JSON file: caller -> sha256 of its token, and roles.

    ``profile`` says whether the people in the database are invented ones (``demo``) or real.
    """

    service_tokens: Path
    database_url: str = DEFAULT_DATABASE_URL
    profile: str = DEMO

    def __post_init__(self) -> None:
        """Refuse a profile that is none."""
        require_profile("REGISTRY_PROFILE", self.profile)
