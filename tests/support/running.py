"""Runs a program of the office until it finds nothing to do."""

from __future__ import annotations

from typing import Protocol


class Program(Protocol):
    """Whatever works in turns."""

    def run_once(self) -> int:
        """One turn; how much was done."""


def run_pending(program: Program) -> int:
    """Do everything that can be done now; how much that was."""
    count = 0
    while done := program.run_once():
        count += done
    return count
