"""Settings of the population registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.blob_store.place import StorePlace
from issuance_backend.content_scanning.place import NONE
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL
from issuance_backend.store_profile import DEMO, require_profile
from monitoring.environment import ConfigurationFault


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
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
    blob_keys_file: Path | None = None
    blob_dir: Path | None = None
    blob_bucket: str = ""
    blob_endpoint: str = ""
    content_scanner: str = NONE

    def __post_init__(self) -> None:
        """Refuse a profile that is none, a production that scans nothing, and half a store."""
        require_profile("REGISTRY_PROFILE", self.profile)
        if self.content_scanner == NONE and self.profile != DEMO:
            raise ConfigurationFault("REGISTRY_CONTENT_SCANNER: none only in the profile demo")
        self.store_place  # noqa: B018 - raises

    @property
    def store_place(self) -> StorePlace:
        """Where the store of sealed pictures is."""
        return StorePlace(
            keys_file=self.blob_keys_file,
            dir=self.blob_dir,
            bucket=self.blob_bucket,
            endpoint=self.blob_endpoint,
        )
