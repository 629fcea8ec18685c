"""Runs a program of the office until it finds nothing to do."""

from __future__ import annotations

from typing import Protocol

MOST_TURNS = 2_000


class Program(Protocol):
    """Whatever works in turns."""

    def run_once(self) -> int:
        """One turn; how much was done."""


def run_pending(program: Program) -> int:
    """Do everything that can be done now; how much that was. What never comes to an end is a fault."""
    count = 0
    for _ in range(MOST_TURNS):
        done = program.run_once()
        if not done:
            return count
        count += done
    raise AssertionError(f"still at work after {MOST_TURNS} turns")
