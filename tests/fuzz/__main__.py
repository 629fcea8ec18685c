"""The long run: ``python -m tests.fuzz [TARGET ...] [--seconds N]``.

One JSON object a target on standard output; an input that broke something is written to ``--findings``.
Exit code 1 when something was found.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz.campaign import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run the targets named, or all."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path(".run/findings"), metavar="DIR")
    options = parser.parse_args()
    unknown = set(options.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    found = False
    for outcome in fuzz(options.targets or TARGETS, options.seconds, seed=options.seed):
        line = {"target": outcome.target, "runs": outcome.runs, "peak_mb": outcome.peak_mb}
        print(json.dumps(line | {"clean": outcome.finding is None}), flush=True)
        if outcome.finding is not None:
            found = True
            print(outcome.finding, file=sys.stderr)
            if outcome.artifact is not None:
                options.findings.mkdir(parents=True, exist_ok=True)
                (options.findings / outcome.target).write_bytes(outcome.artifact)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
