"""Every Python package has one version: what the tests passed with is what the next machine installs."""

from __future__ import annotations

from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
PINNED = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LINES)}


def test_whatever_the_project_asks_for_is_pinned() -> None:
    asked = {canonicalize_name(Requirement(line).name) for line in requires("chip-card-verification") or ()}
    assert asked
    assert asked <= PINNED.keys()


def test_whatever_is_installed_has_the_pinned_version() -> None:
    """Some interpreters need a package more (redis before 3.11.3: async-timeout): more, never other."""
    installed = {canonicalize_name(each.name): each.version for each in distributions()}
    other = {
        name: installed[name] for name in PINNED.keys() & installed.keys() if installed[name] != PINNED[name]
    }
    assert other == {}
