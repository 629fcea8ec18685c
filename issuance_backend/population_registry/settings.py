"""Settings of the population registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """``REGISTRY_*``. ``service_tokens`` is a JSON file: caller -> sha256 of its token, and roles."""

    service_tokens: Path
    database_url: str = DEFAULT_DATABASE_URL
