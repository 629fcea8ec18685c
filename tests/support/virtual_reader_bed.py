"""A private pcscd with virtual slots for tests, and software cards that lie in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitoring.virtual_reader import VirtualReader

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def bed() -> Iterator[VirtualReader]:
    """A running reader that this process's PC/SC calls go to.

    libpcsclite reads the variable once a process: one bed at a time, always in the same place.
    """
    directory = Path(os.environ.get("PCSCLITE_CSOCK_NAME", "")).parent
    if not directory.name.startswith("bed-"):
        directory = Path(tempfile.mkdtemp(prefix="bed-"))
    reader = VirtualReader(directory)
    os.environ["PCSCLITE_CSOCK_NAME"] = str(reader.pcsc_socket)
    try:
        with reader:
            yield reader
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def card_process(
    address: str, directory: Path, profile: str = "cccd", *more: str
) -> Iterator[dict[str, Any]]:
    """Another process that is a fresh card in the slot at ``address``; yields its ``card.json``."""
    command = [sys.executable, "-m", "issuance_backend.virtual_card"]
    command += ["--vpcd", address, "--profile", profile, "--export", str(directory), *more]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        written = directory / "card.json"
        deadline = time.monotonic() + 30
        while not written.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the card did not start")
            time.sleep(0.05)
        yield json.loads(written.read_bytes())
    finally:
        process.terminate()
        process.wait()
