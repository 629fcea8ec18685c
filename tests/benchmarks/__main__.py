"""Every published figure: one JSON object a line on standard output, progress on standard error.

``python -m tests.benchmarks [--only PATTERN]`` runs the modules beside this file. Each has ``run()``,
which returns its figures with ``name, value, unit, floor, ratio, goal, met``. A figure that misses its
goal is measured once more, because these machines are shared; the exit code is 1 if it misses again.
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

from tests.benchmarks.figure import Figure

_NO_BENCHMARK = {"__main__", "figure", "test_figures"}


def figures(module_name: str) -> list[Figure]:
    """The figures of one module, measured again if one missed its goal."""
    module = importlib.import_module(f"tests.benchmarks.{module_name}")
    measured: list[Figure] = module.run()
    return measured if all(figure["met"] for figure in measured) else module.run()


def module_names() -> Iterable[str]:
    """The benchmark modules beside this file."""
    here = str(Path(__file__).parent)
    return sorted({info.name for info in pkgutil.iter_modules([here])} - _NO_BENCHMARK)


def main() -> int:
    """Measure, print, and say whether every goal was met."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks")
    parser.add_argument("--only", default="", help="regular expression on the module or figure name")
    wanted = re.compile(parser.parse_args().only)
    all_met = True
    for name in module_names():
        source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        if not wanted.search(name) and not wanted.search(source):
            continue
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for figure in figures(name):
            if wanted.search(name) or wanted.search(figure["name"]):
                print(json.dumps(figure), flush=True)
                all_met = all_met and figure["met"]
    return 0 if all_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
