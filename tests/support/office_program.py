"""The issuance office as a program of its own: gunicorn, as it is run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from monitoring.supervisor import end_with_parent
from tests.support.teller_page import free_port

ROOT = Path(__file__).parents[2]


@contextmanager
def office_program(environ: Mapping[str, str], workers: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and its master process; whoever asks waits until it answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", str(workers), "--worker-class", "gthread"]
    command += ["--threads", "4", "--bind", f"127.0.0.1:{port}", "issuance_backend.wsgi:issuance()"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environ},
        preexec_fn=end_with_parent,  # noqa: PLW1509 - prctl only, no lock is taken in the child
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(60)
