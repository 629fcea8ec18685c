"""Latency of a face comparison and the memory of the process that makes it.

Pictures are drawn beforehand and the measured process only compares, as a counter does.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figure import Figure

ROUNDS = 40
FRAMES = 3
# Milliseconds and megabytes (FACE, 6.4; agent after its first face).
PORTRAIT_GOAL, FRAME_GOAL, TOTAL_GOAL, COLD_GOAL, MEMORY_GOAL = 40.0, 60.0, 200.0, 1500.0, 250.0


def run() -> list[Figure]:
    """The figures, measured in a fresh process; none without models."""
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder))
        command = [sys.executable, "-m", "tests.benchmarks.face", folder]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(ended.stdout)
    goals = {
        "face_portrait_ready_p95": ("ms", PORTRAIT_GOAL),
        "face_frame_p95": ("ms", FRAME_GOAL),
        "face_portrait_and_3_frames_p95": ("ms", TOTAL_GOAL),
        "face_cold_start_to_first_decision": ("ms", COLD_GOAL),
        "face_process_memory": ("MB", MEMORY_GOAL),
    }
    return [_figure(name, measured[name], *goal) for name, goal in goals.items() if name in measured]


def _figure(name: str, value: float, unit: str, goal: float) -> Figure:
    return Figure(
        name=name, value=round(value, 1), unit=unit, floor=None, ratio=None, goal=goal, met=value <= goal
    )


def _draw(folder: Path) -> None:
    """A chip's DG2 and camera frames, as raw bytes: the measured process decodes no frame."""
    import cv2
    import numpy as np

    from tests.support.faces import dg2_of
    from verification.face.procedural_portrait import Capture, person, render
    from verification.face.simulated_camera import Sitter

    portrait = render(person(117), 640, Capture(seed=1))[:, 80:560]
    small = cv2.resize(portrait, (240, 320), interpolation=cv2.INTER_AREA)
    sitter = Sitter(person(117), 5)
    frames = np.stack([sitter.frame(number) for number in range(FRAMES)])
    (folder / "dg2").write_bytes(dg2_of(np.asarray(small, np.uint8)))
    (folder / "frames").write_bytes(base64.b64encode(frames.tobytes()))


def _model_directory() -> Path:
    return Path(os.environ.get("TEST_MODEL_DIR", Path(__file__).parents[2] / ".run" / "models"))


def _measure(folder: Path) -> dict[str, float]:
    started = time.perf_counter()
    import numpy as np

    from verification.face.choice import choose_engine
    from verification.face.counter import FaceDesk

    engine = choose_engine(_model_directory())
    if engine is None:
        print("no face models: nothing measured", file=sys.stderr)
        return {}
    raw = base64.b64decode((folder / "frames").read_bytes())
    frames = list(np.frombuffer(raw, np.uint8).reshape(FRAMES, 480, 640, 3))
    dg2, desk = (folder / "dg2").read_bytes(), FaceDesk(engine)
    desk.compare(desk.portrait_template(dg2), frames)
    cold = time.perf_counter() - started
    portraits, comparisons, totals = [], [], []
    for _ in range(ROUNDS):
        desk.prepare()
        time.sleep(0.15)  # the child starts while the card is being read
        begin = time.perf_counter()
        template = desk.portrait_template(dg2)
        ready = time.perf_counter()
        desk.compare(template, frames)
        end = time.perf_counter()
        portraits.append(ready - begin)
        comparisons.append((end - ready) / FRAMES)
        totals.append(end - begin)
    return {
        "face_portrait_ready_p95": _p95(portraits) * 1000,
        "face_frame_p95": _p95(comparisons) * 1000,
        "face_portrait_and_3_frames_p95": _p95(totals) * 1000,
        "face_cold_start_to_first_decision": cold * 1000,
        "face_process_memory": _memory(),
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _memory() -> float:
    """Resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
