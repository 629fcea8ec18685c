"""The keys of the store: one names contents, the others wrap the key of each content. A file, mode 0600."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from issuance_backend.refusals import BlobAltered, BlobStoreUnavailable
from monitoring.environment import ConfigurationFault
from monitoring.folder_sync import sync_folder

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9.-]{1,40}")


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds. ``address_key`` never changes: addresses are made with it."""

    address_key: bytes
    current: str
    keys: dict[str, bytes]


class KeyRing:
    """Names contents, and wraps and unwraps the keys they are sealed with (AES key wrap, RFC 3394)."""

    def __init__(self, keys: KeyFile) -> None:
        lengths = {len(key) for key in (keys.address_key, *keys.keys.values())}
        if lengths != {KEY_BYTES} or keys.current not in keys.keys:
            raise ConfigurationFault("the blob keys are not 32 bytes each, or the current one is missing")
        self._keys = keys

    @property
    def current(self) -> str:
        """The id of the key that new contents are wrapped with."""
        return self._keys.current

    def address(self, content: bytes) -> str:
        """The name of a content: its SHA-256 under a key, so that nobody else can tell what it names."""
        return hmac.digest(self._keys.address_key, hashlib.sha256(content).digest(), "sha256").hex()

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """The id of the wrapping key, and the wrapped key."""
        return self.current, aes_key_wrap(self._keys.keys[self.current], data_key)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The key of a content; raises BlobStoreUnavailable and BlobAltered."""
        key = self._keys.keys.get(key_id)
        if key is None:
            raise BlobStoreUnavailable("a wrapping key is not in the key file")
        try:
            return aes_key_unwrap(key, wrapped)
        except InvalidUnwrap:
            raise BlobAltered("a wrapped key is not what was written") from None


def load_keys(path: Path) -> KeyRing:
    """The keys of a file that only its owner may read; raises ConfigurationFault."""
    return KeyRing(_read(path))


def add_key(path: Path, key_id: str) -> None:
    """Put a new current key into the file, which is made if there is none; raises ConfigurationFault."""
    if not _KEY_ID.fullmatch(key_id):
        raise ConfigurationFault("a key's id has up to 40 letters, digits, dots and hyphens")
    known = _read(path) if path.exists() else KeyFile(secrets.token_bytes(KEY_BYTES), "", {})
    if key_id in known.keys:
        raise ConfigurationFault("there is a key with this id")
    _write(path, KeyFile(known.address_key, key_id, {**known.keys, key_id: secrets.token_bytes(KEY_BYTES)}))


def remove_key(path: Path, key_id: str) -> None:
    """Take a key out of the file for good; raises ConfigurationFault for the current one."""
    known = _read(path)
    if key_id not in known.keys or key_id == known.current:
        raise ConfigurationFault("only a key that is there and no longer current can be removed")
    _write(path, msgspec.structs.replace(known, keys={k: v for k, v in known.keys.items() if k != key_id}))


def _read(path: Path) -> KeyFile:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationFault(f"blob keys {path.name}: others may read the file; set its mode to 0600")
        return msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except (OSError, msgspec.DecodeError) as fault:
        raise ConfigurationFault(f"blob keys {path.name}: {type(fault).__name__}") from None


def _write(path: Path, keys: KeyFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(keys))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
