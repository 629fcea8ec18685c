"""Settings of the two programs in this package: the population registry and the issuance office."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.blob_store.place import StorePlace
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL
from monitoring.environment import ConfigurationFault

ISSUANCE_DATABASE = "sqlite:///issuance.db"
PROFILES = ("demo", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """``REGISTRY_*``. ``service_tokens`` is a JSON file: caller -> sha256 of its token, and roles."""

    service_tokens: Path
    database_url: str = DEFAULT_DATABASE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceSettings:
    """``ISSUANCE_*``. Secrets are paths to files.

    ``pki_dir`` is what the key ceremony wrote; ``card_dir`` is the drawer that stands for the card
    printer; ``model_dir`` holds the face models, and without it officers judge portraits by eye.
    ``profile`` says whether stand-ins may be used: in ``demo`` only. ``blob_keys_file`` with
    ``blob_dir`` or ``blob_bucket`` (at ``blob_endpoint``, where that is not Amazon's) is the store of
    sealed pictures; without it they lie in the database. ``search_key_dir`` holds a key for every
    biometric gallery; without it there is no search.
    """

    service_tokens: Path
    registry_url: str
    registry_token_file: Path
    pki_dir: Path
    card_dir: Path
    database_url: str = ISSUANCE_DATABASE
    profile: str = "demo"
    model_dir: Path | None = None
    blob_keys_file: Path | None = None
    blob_dir: Path | None = None
    blob_bucket: str = ""
    blob_endpoint: str = ""
    search_key_dir: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a profile that is none: a misspelt ``production`` must not run as a demonstration."""
        if self.profile not in PROFILES:
            raise ConfigurationFault(f"ISSUANCE_PROFILE: must be one of {', '.join(PROFILES)}")
        self.store_place  # noqa: B018 - half a store stops the start

    @property
    def store_place(self) -> StorePlace:
        """Where the store of sealed pictures is."""
        return StorePlace(
            keys_file=self.blob_keys_file,
            dir=self.blob_dir,
            bucket=self.blob_bucket,
            endpoint=self.blob_endpoint,
        )
