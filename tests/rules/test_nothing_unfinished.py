"""Nothing is left for later in the source: what is open is written down as work, not as a mark in a file."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("verification", "monitoring", "reader_agent", "gateway", "issuance_backend", "enrollment_admin"),
    "tests",
)
KINDS = {".py", ".js", ".css", ".html", ".json", ".yaml", ".md", ".sh", ".cfg", ".toml"}
MARK = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "HA" + "CK")) + r")\b|@@[A-Z]+@@")
SKIPS_NOTHING = re.compile(r"# (type: ignore|noqa)\s*$")
LEFT_IN = re.compile(r"^\s*(breakpoint\(\)|import pdb|pdb\.set_trace|console\.log\()", re.MULTILINE)


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    found += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in KINDS]
    return [path for path in found if "__pycache__" not in path.parts]


def test_no_mark_is_left_in_a_file() -> None:
    marked = []
    for path in files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MARK.search(line):
                marked.append(f"{path.relative_to(ROOT)}:{number}")
    assert not marked


def test_no_debugging_is_left_in_a_file() -> None:
    sources = [path for path in files() if path.suffix in {".py", ".js"}]
    assert not [str(path) for path in sources if LEFT_IN.search(path.read_text(encoding="utf-8"))]


def test_a_check_is_never_switched_off_without_saying_which() -> None:
    bare = []
    for path in files():
        if path.suffix == ".py":
            lines = path.read_text(encoding="utf-8").splitlines()
            bare += [f"{path.name}:{n}" for n, line in enumerate(lines, 1) if SKIPS_NOTHING.search(line)]
    assert not bare
