"""Files of tests in memory: none has to outlast a power cut, and thousands of databases wear out a disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - what a test writes there has a folder of its own
_MEMINFO = Path("/proc/meminfo")
_ENOUGH = 6 << 30
"""Bytes free of the file system and of the machine: a whole run holds less than half of it at once."""


def write_to_memory() -> None:
    """Let whatever this run and its programs write go to memory, where there is enough of it.

    Whoever sets TMPDIR has chosen already.
    """
    if "TMPDIR" not in os.environ and _has_room(_IN_MEMORY) and _available() >= _ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_IN_MEMORY)


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
