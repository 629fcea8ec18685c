"""The Python of a counter: this project with what its extra ``agent`` names, and nothing that tests need."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PROJECT = "chip-card-verification"
_ROOT = Path(__file__).resolve().parents[2]


def counter_python(folder: Path) -> Path:
    """Make an environment in ``folder`` out of installed packages and return its interpreter."""
    venv.EnvBuilder(symlinks=True).create(folder)
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for needed in _needed_by(_PROJECT, "agent", set()):
        for installed in _places(needed):
            (packages / installed.name).symlink_to(installed)
    (packages / f"{_PROJECT}.pth").write_text(f"{_ROOT}\n", encoding="utf-8")
    return folder / "bin" / "python"


def _needed_by(name: str, extra: str, seen: set[str]) -> Iterator[Distribution]:
    """What a package requires, and what that requires; the package itself is left out."""
    for line in distribution(name).requires or ():
        wanted = Requirement(line)
        key = canonicalize_name(wanted.name)
        if key in seen or (wanted.marker and not wanted.marker.evaluate({"extra": extra})):
            continue
        seen.add(key)
        yield distribution(wanted.name)
        yield from _needed_by(wanted.name, "", seen)


def _places(package: Distribution) -> set[Path]:
    """The folders and files of a package that lie directly in site-packages."""
    names = {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}
    return {Path(str(package.locate_file(name))) for name in names}
