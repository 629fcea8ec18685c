"""What inspecting a card loads: a counter machine has little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("asn1crypto", "numpy", "cv2", "flask", "sqlalchemy")


def test_inspection_loads_no_heavy_library() -> None:
    program = (
        "import sys, verification.inspection.inspect\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == ""
