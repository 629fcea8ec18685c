"""Files that are there whole after a power cut, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enrollment_admin.station.refusals import KitStorageUnavailable
from monitoring.folder_sync import sync_folder

_OWNER_ONLY = 0o600


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place; raises KitStorageUnavailable."""
    draft = path.with_name(f"{path.name}.part")
    write_draft(draft, content)
    put_in_place(draft, path)


def write_draft(draft: Path, content: bytes) -> None:
    """Write a file whose content and name outlast a power cut; a former one of the name is gone."""
    with disk():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(draft.parent)


def put_in_place(draft: Path, path: Path) -> None:
    """Give a written file its name."""
    with disk():
        draft.replace(path)
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Take a file away for good; one that is not there is no fault."""
    with disk():
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """A folder for the owner alone, which outlasts a power cut with what is written into it."""
    with disk():
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            sync_folder(folder.parent)


@contextmanager
def disk() -> Iterator[None]:
    """Say plainly that the disk cannot be used."""
    try:
        yield
    except OSError as fault:
        raise KitStorageUnavailable(type(fault).__name__) from None
