"""What a test does about a machine that lacks what it needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def changes_are_judged() -> bool:
    """Whether this run decides about a change: then nothing may be left out (``CI`` in the environment)."""
    return bool(os.environ.get("CI"))


def lacks(what: str) -> NoReturn:
    """Skip, saying what is lacking; where changes are judged, fail."""
    if changes_are_judged():
        pytest.fail(f"{what} (a failure where CI is set)", pytrace=False)
    pytest.skip(what)
