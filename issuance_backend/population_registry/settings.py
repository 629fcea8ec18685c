"""Settings of the population registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.blob_store.place import StoreSettings
from issuance_backend.content_scanning.place import NONE, require_scanner
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL
from issuance_backend.store_profile import DEMO, require_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings(StoreSettings):
    """``REGISTRY_*``. ``service_tokens`` is a JSON file: caller -> sha256 of its token, and roles.

    ``profile`` says whether the people in the database are invented ones (``demo``) or real.
    ``blob_keys_file`` with ``blob_dir`` or ``blob_bucket`` (at ``blob_endpoint``) is the registry's own
    store of sealed pictures of forms DC01; without it no form is scanned. ``content_scanner`` looks at a
    picture before anything reads it: ``unix:/path`` or ``tcp:host:port`` of clamd; ``none`` only in a
    demonstration.
    """

    service_tokens: Path
    database_url: str = DEFAULT_DATABASE_URL
    profile: str = DEMO
    content_scanner: str = NONE

    def __post_init__(self) -> None:
        """Refuse a profile that is none, a production that scans nothing, and half a store."""
        require_profile("REGISTRY_PROFILE", self.profile)
        require_scanner("REGISTRY_CONTENT_SCANNER", self.content_scanner, self.profile)
        self.store_place  # noqa: B018 - raises
