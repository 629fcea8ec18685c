"""A process that compares faces as a counter does, and prints what it took as one JSON object.

``python -m tests.support.face_process MODELS FOLDER LAUNCHED``: the folder holds ``dg2`` and
``frames.npy``; LAUNCHED is the time at which the process was started.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from verification.face.choice import choose_engine
from verification.face.counter import FaceDesk

ROUNDS = 40


def measure(models: Path, folder: Path, launched: float) -> dict[str, float]:
    """Milliseconds (95th percentile of the rounds) and megabytes; nothing without models."""
    engine = choose_engine(models)
    if engine is None:
        print("no face models: nothing measured", file=sys.stderr)
        return {}
    dg2, frames = (folder / "dg2").read_bytes(), list(np.load(folder / "frames.npy"))
    desk = FaceDesk(engine)
    desk.compare(desk.portrait_template(dg2), frames)
    cold = time.time() - launched
    portraits, comparisons, totals = [], [], []
    for _ in range(ROUNDS):
        desk.prepare()
        time.sleep(0.25)  # the decoder starts while the card is being read
        begin = time.perf_counter()
        template = desk.portrait_template(dg2)
        ready = time.perf_counter()
        desk.compare(template, frames)
        end = time.perf_counter()
        portraits.append(ready - begin)
        comparisons.append((end - ready) / len(frames))
        totals.append(end - begin)
    desk.close()
    return {
        "face_portrait_ready_p95": p95(portraits) * 1000,
        "face_frame_p95": p95(comparisons) * 1000,
        "face_portrait_and_3_frames_p95": p95(totals) * 1000,
        "face_cold_start_to_first_decision": cold * 1000,
        "face_process_memory": memory(),
    }


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def memory() -> float:
    """Resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))))
