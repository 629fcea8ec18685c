"""Where sealed contents lie: a port, and a directory behind it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from issuance_backend.refusals import BlobAltered, BlobStoreUnavailable, BlobUnknown
from monitoring.folder_sync import sync_folder

_NAME = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{16}")
_TEMPORARY = ".writing-"


class Objects(Protocol):
    """Objects by name. An object is written once, whole, and never changed."""

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write objects so that they outlast a power cut; raises BlobStoreUnavailable."""
        ...

    def get(self, name: str, limit: int) -> bytes:
        """An object; raises BlobUnknown, BlobAltered beyond the limit, BlobStoreUnavailable."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is removed already."""
        ...

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """Every object with the moment it was written."""
        ...

    def remove_unfinished(self, before: datetime) -> int:
        """Remove what programs that were killed before this moment left half written; how many."""
        ...


def require_name(name: str) -> str:
    """The name, if it is one of ours; a name out of a damaged row leads nowhere else."""
    if not _NAME.fullmatch(name):
        raise BlobAltered("not the name of an object")
    return name


class Directory:
    """Objects as files in two levels of folders."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write aside, sync, rename: under the name there is a whole object or none."""
        try:
            contents = {self._path(name): content for name, content in objects.items()}
            folders = {path.parent for path in contents}
            for folder in folders:
                self._make_folders(folder)
            _write_whole(contents)
            for folder in folders:
                sync_folder(folder)
        except OSError as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None

    def get(self, name: str, limit: int) -> bytes:
        """Read an object, and never more than it may hold."""
        try:
            with self._path(name).open("rb") as file:
                content = file.read(limit + 1)
        except FileNotFoundError:
            raise BlobUnknown("no such object") from None
        except OSError as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None
        if len(content) > limit:
            raise BlobAltered("longer than what was stored")
        return content

    def delete(self, name: str) -> None:
        """Remove the file."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """Every file with one of our names."""
        for path in sorted(self._root.glob("??/??/*")):
            if _NAME.fullmatch(path.name):
                yield path.name, _written(path)

    def remove_unfinished(self, before: datetime) -> int:
        """Remove files that were never given their name."""
        left = [path for path in self._root.glob(f"??/??/{_TEMPORARY}*") if _written(path) < before]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _path(self, name: str) -> Path:
        # By the end of the name: what was put together lies together, and one sync of the folder serves it.
        end = require_name(name).rpartition(".")[2]
        return self._root / end[:2] / end[2:4] / name

    def _make_folders(self, folder: Path) -> None:
        # A folder that is not synced into its own parent is lost with everything in it.
        for each in (self._root, folder.parent, folder):
            if not each.is_dir():
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(each.parent)


def _written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        # Finished or removed since it was listed: as young as can be.
        return datetime.max.replace(tzinfo=UTC)


def _write_whole(contents: Mapping[Path, bytes]) -> None:
    aside = {path: path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}") for path in contents}
    written: list[int] = []
    try:
        with ExitStack() as opened:
            for path, content in contents.items():
                descriptor = os.open(aside[path], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                file = opened.enter_context(os.fdopen(descriptor, "wb", buffering=0))
                if file.write(content) != len(content):
                    raise OSError("not all of it was written")
                # Linux begins to write what is said not to be needed: all are on their way to the disk
                # before the first is waited for, which halves the wait. What counts is the sync below.
                with suppress(OSError):
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                written.append(descriptor)
            for descriptor in written:
                os.fsync(descriptor)
        for path, temporary in aside.items():
            temporary.rename(path)
    except OSError:
        for temporary in aside.values():
            temporary.unlink(missing_ok=True)
        raise
