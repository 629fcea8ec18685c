"""Where everything in an office stands, followed from what was recorded: no table is asked."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from sqlalchemy import Connection, select

from issuance_backend.schema import EVENTS


class Standing:
    """The names of dossiers, cards, boxes, accounts and orders by state, each as old as its first event."""

    def __init__(self) -> None:
        self._newest = 0
        self._state: dict[str, str] = {}
        self._names: dict[str, dict[str, int]] = defaultdict(dict)
        self._in: dict[tuple[str, str], set[str]] = defaultdict(set)

    def names(self, connection: Connection, kind: str, states: Sequence[str]) -> list[str]:
        """Those of a kind in one of these states, or all where none is named; the oldest first."""
        self._follow(connection)
        first = self._names[kind]
        if not states:
            return list(first)
        found = set[str]().union(*(self._in[kind, state] for state in states))
        return sorted(found, key=first.__getitem__)

    def states(self, connection: Connection, kind: str) -> list[str]:
        """The state of each of a kind, the oldest first."""
        self._follow(connection)
        return [self._state[f"{kind}/{name}"] for name in self._names[kind]]

    def _follow(self, connection: Connection) -> None:
        asked = select(EVENTS.c.sequence, EVENTS.c.subject, EVENTS.c.state)
        asked = asked.where(EVENTS.c.sequence > self._newest).order_by(EVENTS.c.sequence)
        for sequence, subject, state in connection.execute(asked):
            kind, _, name = subject.partition("/")
            self._names[kind].setdefault(name, sequence)
            if subject in self._state:
                self._in[kind, self._state[subject]].discard(name)
            self._in[kind, state].add(name)
            self._state[subject], self._newest = state, sequence


@contextmanager
def names_drawn_by(chance: np.random.Generator) -> Iterator[None]:
    """While this lasts the office draws its names from a seed: the same seed is the same office."""
    drawn = secrets.token_hex

    def token_hex(nbytes: int | None = None) -> str:
        return chance.bytes(nbytes or 32).hex()

    secrets.token_hex = token_hex
    try:
        yield
    finally:
        secrets.token_hex = drawn
