"""Every published figure: one JSON object a line on standard output, progress on standard error.

``python -m tests.benchmarks [--only PATTERN]`` runs the modules beside this file. Each has ``run()``,
which returns its figures with ``name, value, unit, floor, ratio, goal, met``. A figure that misses its
goal is measured once more, because these machines are shared; the exit code is 1 if it misses again.
What takes from minutes to hours lies in ``full_size/`` and runs only where ``--only`` names its module.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks import full_size
from tests.benchmarks.figure import Figure

_NO_BENCHMARK = {"__main__", "figure", "folders", "pace", "test_figures"}


def figures(module_name: str) -> list[Figure]:
    """The figures of one module, measured again if one missed its goal."""
    if module_name in full_size_names():
        at_length: list[Figure] = importlib.import_module(f"{full_size.__name__}.{module_name}").run()
        return at_length
    module = importlib.import_module(f"tests.benchmarks.{module_name}")
    measured: list[Figure] = module.run()
    return measured if all(figure["met"] for figure in measured) else module.run()


def module_names() -> Iterable[str]:
    """The benchmark modules beside this file."""
    here = str(Path(__file__).parent)
    return sorted({info.name for info in pkgutil.iter_modules([here])} - _NO_BENCHMARK)


def full_size_names() -> list[str]:
    """The modules that run for minutes, each only by its own name."""
    return sorted(info.name for info in pkgutil.iter_modules(full_size.__path__))


def _named(only: str) -> list[str]:
    """What to measure: the long ones whose name is asked for, else whatever says the word."""
    wanted = re.compile(only)
    at_length = [name for name in full_size_names() if only and wanted.search(name)]
    return at_length or [
        name for name in module_names() if wanted.search(name) or wanted.search(_source(name))
    ]


def _source(name: str) -> str:
    return (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")


def main() -> int:
    """Measure, print, and say whether every goal was met."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks")
    parser.add_argument("--only", default="", help="regular expression on the module or figure name")
    only = parser.parse_args().only
    wanted = re.compile(only)
    all_met = True
    for name in _named(only):
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for figure in figures(name):
            if wanted.search(name) or wanted.search(figure["name"]):
                print(json.dumps(figure), flush=True)
                all_met = all_met and figure["met"]
    return 0 if all_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
