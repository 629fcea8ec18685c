"""Counting all over again: by new definitions, or where somebody doubts what stands."""

from __future__ import annotations

from issuance_backend.statistics import repository, roll_up
from monitoring.database import Database


class Recount:
    """Counts some events in a transaction, so that whoever records meanwhile does not wait for all of them.

    No report is given before the last is counted. A program that is killed, or several at once, go on where
    the last transaction ended.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def everything(self) -> int:
        """Forget every figure and count all recorded events again; how many there are."""
        with self._database.writing() as connection:
            roll_up.begin_again(connection)
        return self._to_the_end()

    def what_is_due(self) -> int:
        """Count again where what stands is not of these rules, or not whole; how many events, else 0."""
        with self._database.reading() as connection:
            if roll_up.is_current(connection):
                return 0
        return self._to_the_end()

    def _to_the_end(self) -> int:
        is_whole = False
        while not is_whole:
            with self._database.writing() as connection:
                is_whole = roll_up.go_on(connection)
                counted, _ = repository.last(connection)
        return counted
