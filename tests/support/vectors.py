"""Known answers from tests/vectors; README.md there tells where each comes from."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


@cache
def load(name: str) -> Any:
    """Return the content of ``tests/vectors/<name>.json``; do not change what it returns."""
    return json.loads((VECTORS / f"{name}.json").read_bytes())
