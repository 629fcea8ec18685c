"""``python -m issuance_backend produce work``: its settings are the office's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.issuance_office import Office

ROOT = Path(__file__).parents[3]


def test_a_worker_starts_with_the_settings_of_the_office_and_stops_when_idle(office: Office) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "issuance_backend", "produce", "work", "--until-idle"],
        check=False,
        cwd=ROOT,
        env={**os.environ, **office.environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0 orders worked on"), done.stderr
