"""A figure that a document publishes has a benchmark, and the goal beside it is the one that is held."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.benchmarks.__main__ import full_size_names, module_names
from tests.rules.test_readme_commands import ROOT, readmes

BENCHMARKS = ROOT / "tests" / "benchmarks"
PATTERN = re.compile(r"make bench ONLY=([\w^$|']+)|tests\.benchmarks --only '?([\w^$|]+)'?")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Row(NamedTuple):
    """A line of the README's table of figures."""

    figure: str
    goal: str
    pattern: str


def selected(pattern: str) -> list[Path]:
    """The benchmarks that a pattern runs: it names the module or a figure of it, a long one itself."""
    wanted = re.compile(pattern)
    long = [BENCHMARKS / "full_size" / f"{name}.py" for name in full_size_names() if wanted.search(name)]
    paths = [BENCHMARKS / f"{name}.py" for name in module_names()]
    return long or [
        path
        for path in paths
        if wanted.search(path.stem) or any(wanted.search(text) for text in constants(path, str))
    ]


def constants(path: Path, kind: type) -> list[object]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, kind)]


def patterns() -> Iterator[tuple[str, str]]:
    for path in readmes():
        for found in PATTERN.finditer(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), found[1] or found[2]


def rows() -> Iterator[Row]:
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 4 and (found := PATTERN.search(cells[3])):
            yield Row(cells[0], cells[1], found[1])


@pytest.mark.parametrize(("document", "pattern"), sorted(set(patterns())))
def test_a_figures_command_measures_something(document: str, pattern: str) -> None:
    assert selected(pattern), document


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.figure)
def test_a_published_goal_is_the_one_that_is_held(row: Row) -> None:
    held = {
        float(number)
        for path in selected(row.pattern)
        for number in (*constants(path, float), *constants(path, int))
    }
    published = {float(number) for number in NUMBER.findall(row.goal)}
    assert published
    assert published <= held


def test_the_table_is_found() -> None:
    assert len(list(rows())) >= 10
