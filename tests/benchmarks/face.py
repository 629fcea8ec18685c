"""Latency of a face comparison and the memory of the process that makes it.

Pictures are drawn beforehand and the measured process only compares, as a counter does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from tests.benchmarks.figure import Figure
from tests.support.faces import dg2_of
from verification.face.procedural_portrait import Capture, person, render
from verification.face.simulated_camera import Sitter

FRAMES = 3
# Milliseconds and megabytes (FACE, 6.4; agent after its first face).
PORTRAIT_GOAL, FRAME_GOAL, TOTAL_GOAL, COLD_GOAL, MEMORY_GOAL = 40.0, 60.0, 200.0, 1500.0, 250.0


def run() -> list[Figure]:
    """The figures, measured in a fresh process; none without models."""
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder))
        command = [sys.executable, "-m", "tests.support.face_process", str(_model_directory()), folder]
        command.append(str(time.time()))
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
    portrait = render(person(117), 640, Capture(seed=1))[:, 80:560]
    small = cv2.resize(portrait, (240, 320), interpolation=cv2.INTER_AREA)
    sitter = Sitter(person(117), 5)
    frames = np.stack([sitter.frame(number) for number in range(FRAMES)])
    (folder / "dg2").write_bytes(dg2_of(np.asarray(small, np.uint8)))
    np.save(folder / "frames.npy", frames)


def _model_directory() -> Path:
    return Path(os.environ.get("TEST_MODEL_DIR", Path(__file__).parents[2] / ".run" / "models"))
