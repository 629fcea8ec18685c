"""What a README tells a newcomer to type exists: make targets, modules, commands, options, files."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
IGNORED = {".venv", ".run", ".git", "node_modules", ".hypothesis", ".pytest_cache", "build"}
COMMAND = re.compile(r"(?<![\w./-])(?:python3? -m [a-z_][\w.]*[^`\n|#&;]*|make [a-z]+)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)")
# Modules of the Python distribution or of a tool, not ours.
FOREIGN = {"pytest", "venv", "pip", "http.server"}


class Typed(NamedTuple):
    """One command in a README."""

    readme: str
    text: str


def readmes() -> list[Path]:
    found = [path for path in ROOT.rglob("*.md") if not IGNORED & set(path.relative_to(ROOT).parts)]
    assert len(found) > 8
    return found


def commands() -> Iterator[Typed]:
    for path in readmes():
        text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
        for line in text.splitlines():
            code = line if not re.search("[`]", line) else " \n ".join(re.findall(r"`([^`]+)`", line))
            for found in COMMAND.finditer(code):
                yield Typed(str(path.relative_to(ROOT)), found[0].strip())


COMMANDS = sorted(set(commands()))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_two_commands_of_a_newcomer_are_among_them() -> None:
    assert {"make demo", "make test"} <= {typed.text for typed in COMMANDS}


@pytest.mark.parametrize("typed", [each for each in COMMANDS if each.text.startswith("make ")], ids=str)
def test_a_make_target_exists(typed: Typed) -> None:
    if typed.text.split()[1] in TARGETS:
        return
    # "make sure" and the like are words of a sentence, never of a code block.
    readme = (ROOT / typed.readme).read_text(encoding="utf-8")
    assert f"`{typed.text}" not in readme, typed
    assert not re.search(rf"^{re.escape(typed.text)}", readme, re.MULTILINE), typed


@pytest.mark.parametrize("typed", [each for each in COMMANDS if "-m " in each.text], ids=str)
def test_a_module_its_commands_and_its_options_exist(typed: Typed) -> None:
    words = shlex.split(typed.text.replace("…", "").replace("...", "").replace("'", "").replace('"', ""))
    module = words[2]
    if module in FOREIGN:
        return
    spec = importlib.util.find_spec(module)
    assert spec is not None, typed
    if spec.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{module}.__main__"), typed
    source = "\n".join(path.read_text(encoding="utf-8") for path in files_of(module))
    for word in words[3:]:
        # Options of a command, and its plain lower-case words, are spelled in the command's own source.
        if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word):
            assert f'"{word.partition("=")[0]}"' in source, (typed, word)
    command = words[3] if len(words) > 3 else ""
    for word in [command] if re.fullmatch(r"[a-z][a-z-]+", command) else []:
        assert f'"{word}"' in source, (typed, word)


def files_of(module: str) -> list[Path]:
    path = ROOT.joinpath(*module.split("."))
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def test_every_file_that_a_document_links_to_exists() -> None:
    missing = []
    for path in readmes():
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            file = target.partition("#")[0]
            if file and not (path.parent / file).exists():
                missing.append((str(path.relative_to(ROOT)), target))
    assert not missing
