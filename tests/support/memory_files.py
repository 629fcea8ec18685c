"""Files of tests in memory: none has to outlast a power cut, and thousands of databases wear out a disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a run has a folder of its own there
_PREFIX = "tests-"
_MEMINFO = Path("/proc/meminfo")
_ENOUGH = 6 << 30
"""Bytes free of the file system and of the machine: a whole run holds less than half of it at once."""


def write_to_memory() -> None:
    """Let whatever this run and its programs write go to memory, where there is enough of it.

    Whoever sets TMPDIR has chosen already. What a run left there, also one that was killed, goes when the
    next one begins.
    """
    if "TMPDIR" in os.environ:
        return
    for left in _IN_MEMORY.glob(f"{_PREFIX}*"):
        if not _runs(left.name.removeprefix(_PREFIX)):
            shutil.rmtree(left, ignore_errors=True)
    if _has_room(_IN_MEMORY) and _available() >= _ENOUGH:
        folder = _IN_MEMORY / f"{_PREFIX}{os.getpid()}"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)  # the account of the database server comes through
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _runs(process: str) -> bool:
    return Path("/proc", process).exists()


def _has_room(folder: Path) -> bool:
    """Whether files of a whole run have room there and programs among them may be run."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= _ENOUGH and not found.f_flag & os.ST_NOEXEC


def _available() -> int:
    """Bytes of memory that programs can still have (proc(5))."""
    lines = _MEMINFO.read_text(encoding="ascii").splitlines() if _MEMINFO.exists() else []
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)
