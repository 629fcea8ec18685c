"""One target under libFuzzer: ``python -m tests.fuzz.one TARGET CORPUS [libFuzzer's options]``."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Fuzz until the options say stop; the process ends with libFuzzer's exit code."""
    with atheris.instrument_imports(include=["verification"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - only what is imported here is instrumented

    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
