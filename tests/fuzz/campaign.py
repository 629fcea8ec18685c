"""Running targets, each in a process of its own, and what came of it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
MEMORY_MB = 700
"""What a whole process may take, the interpreter and all libraries included."""
# A process begins with the peak of whoever started it (getrusage(2)), and libFuzzer believes that it
# is its own; a shell in between is small.
_FORGETTING_OUR_MEMORY = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
_PROCESSES = 2
_START_SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """How a target fared; ``finding`` is the end of what the fuzzer printed, None where it found nothing."""

    target: str
    runs: int
    peak_mb: int
    finding: str | None
    artifact: bytes | None


def fuzz(targets: Iterable[str], seconds: int, *, seed: int = 1) -> Iterator[Outcome]:
    """Fuzz every target for so long, two at a time."""
    with ThreadPoolExecutor(_PROCESSES) as pool:
        yield from pool.map(lambda name: _fuzz_one(name, seconds, seed), targets)


def _fuzz_one(name: str, seconds: int, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        corpus, artifacts = Path(folder, "corpus"), Path(folder, "artifacts")
        corpus.mkdir()
        artifacts.mkdir()
        for number, content in enumerate(TARGETS[name].seeds()):
            (corpus / f"seed-{number}").write_bytes(content)
        command = [*_FORGETTING_OUR_MEMORY, sys.executable, "-m", "tests.fuzz.one", name, str(corpus)]
        command += [f"-max_total_time={seconds}", f"-max_len={TARGETS[name].longest}", f"-seed={seed}"]
        command += [f"-rss_limit_mb={MEMORY_MB}", "-timeout=10", "-print_final_stats=1", "-verbosity=0"]
        command += [f"-artifact_prefix={artifacts}/"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + _START_SECONDS,
            check=False,
        )
        printed = done.stdout + done.stderr
        left = sorted(artifacts.iterdir())
        return Outcome(
            name,
            _statistic(printed, "number_of_executed_units"),
            _statistic(printed, "peak_rss_mb"),
            printed[-3000:] if done.returncode or left else None,
            left[0].read_bytes() if left else None,
        )


def _statistic(printed: str, name: str) -> int:
    found = re.search(rf"stat::{name}:\s+(\d+)", printed)
    return int(found.group(1)) if found else 0
