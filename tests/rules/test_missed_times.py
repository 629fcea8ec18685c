"""A time that was missed is measured again; an answer that is wrong is wrong at once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TESTS = """
import pytest
from pathlib import Path
from tests.support.stopwatch import require_in_time

MADE = Path(__file__).with_name("made")


def made(name):
    with MADE.open("a") as file:
        file.write(name + "\\n")
    return MADE.read_text().split().count(name)


@pytest.mark.timed
def test_late_twice():
    require_in_time(2 if made("late_twice") < 3 else 0, 1)


@pytest.mark.timed
def test_always_late():
    made("always_late")
    require_in_time(2, 1)


@pytest.mark.timed
def test_wrong():
    made("wrong")
    raise ValueError("not a time")


@pytest.mark.timed
def test_wrong_after_being_late():
    made("wrong_after_being_late")
    try:
        require_in_time(2, 1)
    finally:
        raise ValueError("not a time")


def test_late_without_measuring():
    made("late_without_measuring")
    require_in_time(2, 1)
"""


def test_only_a_missed_time_is_measured_again(tmp_path: Path) -> None:
    (tmp_path / "test_times.py").write_text(TESTS)
    options = ["-q", "-c", str(PROJECT / "setup.cfg"), "-p", "tests.conftest", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(tmp_path / "test_times.py")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    made = Counter((tmp_path / "made").read_text().split())
    assert made == {
        "late_twice": 3,
        "always_late": 3,
        "wrong": 1,
        "wrong_after_being_late": 1,
        "late_without_measuring": 1,
    }, run.stdout
    assert "4 failed, 1 passed" in run.stdout
