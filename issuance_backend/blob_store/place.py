"""Where the store is and how it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.blob_store.keys import load_keys
from issuance_backend.blob_store.objects import Directory, Objects
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.moments import Clock
from monitoring.database import Database
from monitoring.environment import ConfigurationFault


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlace:
    """``*_BLOB_*`` of a program: a key file with a folder, or with a bucket; or nothing at all."""

    keys_file: Path | None = None
    dir: Path | None = None
    bucket: str = ""
    endpoint: str = ""

    def __post_init__(self) -> None:
        """Refuse half a store: contents without keys, or keys without a place."""
        if self.dir is not None and self.bucket:
            raise ConfigurationFault("*_BLOB_DIR, *_BLOB_BUCKET: one store, not two")
        if (self.keys_file is None) != (self.dir is None and not self.bucket):
            raise ConfigurationFault("*_BLOB_KEYS_FILE: goes with a store, and a store with it")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """What the settings of a program say of its store: ``StorePlace``, each name behind ``blob_``."""

    blob_keys_file: Path | None = None
    blob_dir: Path | None = None
    blob_bucket: str = ""
    blob_endpoint: str = ""

    @property
    def store_place(self) -> StorePlace:
        """Where the store of sealed pictures is; raises ConfigurationFault for half a store."""
        return StorePlace(
            keys_file=self.blob_keys_file,
            dir=self.blob_dir,
            bucket=self.blob_bucket,
            endpoint=self.blob_endpoint,
        )


def open_store(place: StorePlace, database: Database, clock: Clock) -> BlobStore | None:
    """The store at its place, None where none is set; raises ConfigurationFault."""
    if place.keys_file is None:
        return None
    return BlobStore(database, _objects(place), load_keys(place.keys_file), clock)


def _objects(place: StorePlace) -> Objects:
    if place.dir is not None:
        return Directory(place.dir)
    # Only here: a program without a bucket does not hold the library in memory.
    from issuance_backend.blob_store.s3_objects import Bucket  # noqa: PLC0415

    return Bucket(place.bucket, place.endpoint or None)
