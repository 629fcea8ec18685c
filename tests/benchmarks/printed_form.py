"""How long an officer waits for a form of ten fingers to be judged, as a file and as a scan (F04)."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from tests.benchmarks.figure import Figure, at_most
from tests.support.print_paths import PATHS, Printer, fingers, form_file
from verification.fingerprint.form_file import read_form
from verification.fingerprint.printed_form import Accepted, FormJudgement, judge_file, judge_scan

_ROUNDS = 3
_SECONDS = 5.0


def run() -> list[Figure]:
    """Seconds for a form that passes, for one of which every print was shrunk, and for a scan."""
    accepted = Accepted(fingers(5, tuple(range(1, 11))), {})
    good, shrunk = form_file(accepted), form_file(accepted, PATHS["shrunk to 97 %"])
    scan = Printer(turn=0.4).scan(read_form(good, accepted.boxes).raster)
    judged = {
        "printed form of ten fingers, judged faithful": (lambda: judge_file(good, accepted), True),
        "printed form of ten fingers, judged shrunk": (lambda: judge_file(shrunk, accepted), False),
        "scan of a printed form, judged": (lambda: judge_scan(scan, 500, accepted), True),
    }
    return [
        at_most(name, _seconds(judge, passes=passes), "s", goal=_SECONDS)
        for name, (judge, passes) in judged.items()
    ]


def _seconds(judge: Callable[[], FormJudgement], *, passes: bool) -> float:
    spent = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        if judge().passes is not passes:
            raise RuntimeError("a form was judged to be what it is not")
        spent.append(time.perf_counter() - began)
    return median(spent)
