"""Model files: which ones there are, and that the bytes on disk are the ones that were approved.

``models.lock.json`` names every model with its licence, size and sha256. A file is hashed each time
it is loaded: a model that is not the pinned one is refused, never used "for now".
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from verification.errors import FaceModelAltered, FaceModelMissing


class ArchivePin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package archive that models are made from, pinned by size in bytes and sha256."""

    requirement: str
    bytes: int
    sha256: str


class ModelPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One approved model file.

    ``archive``, ``member``, ``member_bytes``, ``member_sha256`` and ``converter`` say how it is made
    at set-up; a model without them can only be supplied as a file.
    """

    engine: str
    role: str
    file: str
    bytes: int
    sha256: str
    licence: str
    notice: str
    preprocessing: str
    inputs: dict[str, tuple[int | str, ...]] = {}
    outputs: dict[str, tuple[int | str, ...]] = {}
    archive: str | None = None
    member: str = ""
    member_bytes: int = 0
    member_sha256: str = ""
    converter: str = ""


class ModelLock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole lock file."""

    archives: dict[str, ArchivePin]
    models: dict[str, ModelPin]

    def of_engine(self, engine: str) -> dict[str, ModelPin]:
        """The models that one engine needs, by role."""
        return {pin.role: pin for pin in self.models.values() if pin.engine == engine}


@cache
def model_lock() -> ModelLock:
    """The pins that ship with this package."""
    encoded = (resources.files("verification.face") / "models.lock.json").read_bytes()
    return msgspec.json.decode(encoded, type=ModelLock)


def load_model(directory: Path, pin: ModelPin) -> bytes:
    """Read one model; raises FaceModelMissing, or FaceModelAltered unless it is the pinned file."""
    path = directory / pin.file
    try:
        with path.open("rb") as file:
            # One byte more than expected tells a longer file without reading all of it.
            content = file.read(pin.bytes + 1)
    except OSError as fault:
        raise FaceModelMissing(f"{pin.file}: {type(fault).__name__}") from None
    if len(content) != pin.bytes or hashlib.sha256(content).hexdigest() != pin.sha256:
        raise FaceModelAltered(f"{pin.file} is not the pinned file")
    return content


def load_engine_models(directory: Path, engine: str) -> dict[str, bytes]:
    """Every model of an engine by role; raises as ``load_model``."""
    return {role: load_model(directory, pin) for role, pin in model_lock().of_engine(engine).items()}


def model_digests(engine: str) -> tuple[str, ...]:
    """The sha256 of the models of an engine, in the order of their roles, for the evidence."""
    pins = model_lock().of_engine(engine)
    return tuple(pins[role].sha256 for role in sorted(pins))
