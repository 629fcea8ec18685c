"""Files and module names stay as STYLE wants them: a stranger can read a file from top to bottom."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("verification", "monitoring", "reader_agent", "gateway", "issuance_backend", "enrollment_admin")
FORBIDDEN = {"utils", "common", "helpers", "helper", "manager", "base", "misc"}


def sources() -> list[Path]:
    return [path for program in PROGRAMS for path in (ROOT / program).rglob("*.py")]


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    assert not [path.name for path in sources() if len(path.read_text(encoding="utf-8").splitlines()) > 600]


def test_modules_are_named_for_what_they_do() -> None:
    assert not [path.name for path in sources() if path.stem in FORBIDDEN]


def test_every_package_says_what_it_is() -> None:
    for program in PROGRAMS:
        assert (ROOT / program / "README.md").is_file(), program
