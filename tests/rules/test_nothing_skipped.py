"""A test that does not run proves nothing: only ``lacks`` skips, and where changes are judged it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine import lacks

TESTS = Path(__file__).resolve().parents[1]
SKIPS = re.compile(
    r"pytest\.(skip|importorskip|mark\.skip|mark\.xfail)\b|unittest\.skip|skipif\((?!sys\.platform)"
)
HERE = {Path(__file__), TESTS / "support" / "machine.py"}
THE_SPECIMENS = {"conftest.py": 3}
"""The files beside the project are not its own; the third is the choice of what the markers skip."""


def test_no_test_skips_by_itself() -> None:
    found = {
        str(path.relative_to(TESTS)): count
        for path in TESTS.rglob("*.py")
        if path not in HERE and (count := len(SKIPS.findall(path.read_text(encoding="utf-8"))))
    }
    assert found == THE_SPECIMENS


@pytest.mark.parametrize(("judged", "ending"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_a_machine_lacks_is_a_failure_where_changes_are_judged(
    judged: str, ending: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", judged)
    with pytest.raises(ending, match="a reader"):
        lacks("a reader")


def test_the_run_that_judges_says_so() -> None:
    lines = (TESTS.parent / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines.index("export CI=true") < lines.index("make test")


@pytest.mark.parametrize(("judged", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_a_run_without_a_program_ends_accordingly(judged: str, outcome: str) -> None:
    """Redis stands for all of them: nothing is on PATH."""
    test = "tests/gateway/test_redis.py::test_nonces_and_quotas_use_redis"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    environment = {"PATH": "/nowhere", "CI": judged}
    done = subprocess.run(
        command, cwd=TESTS.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert outcome in done.stdout.splitlines()[-1]
