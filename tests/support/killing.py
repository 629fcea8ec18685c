"""Programs of our own that are killed (SIGKILL) at one point of their work, as by a power cut.

A point is whatever leaves a trace, counted from 1: an SQL statement that writes, a commit (before it,
and again after it, when it stands and nobody was told), a file that is synced, moved or removed, or
written to half. The child is a process of its own with connections of its own; only its imports, and
what ``ready_to_die`` is told to, are made ahead.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerContext
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, event, select
from sqlalchemy.engine.default import DefaultDialect

from issuance_backend import recorded_events
from issuance_backend.schema import METADATA
from issuance_backend.statistics.recount import Recount
from monitoring.database import Database

_WRITES = ("INSERT", "UPDATE", "DELETE")
_FILE_ACTS = ("fsync", "fdatasync", "replace", "rename", "unlink")
_SECONDS = 120.0

NO_EFFECTS = frozenset({"idempotent_requests", "officer_sessions"})
"""Tables of who asks and asks again, not of what was done."""


class Point:
    """Counts what leaves a trace, and dies at the one that was chosen; 0 is never reached."""

    def __init__(self, chosen: int, *, between_statements: bool) -> None:
        self._left = chosen
        self._between_statements = between_statements
        self._has_written = False

    def arrange(self) -> None:
        """Die at the point, whatever this process does from now on."""
        event.listen(Engine, "before_cursor_execute", self._at_statement)
        self._wrap(DefaultDialect, "do_commit", self._at_commit)
        for name in _FILE_ACTS:
            self._wrap(os, name, self._at_file)
        self._write = os.pwritev
        os.pwritev = self._at_file_write

    def around(self, owner: type, *names: str) -> None:
        """Die before or after each call of these as well: what they do leaves its trace elsewhere."""
        for name in names:
            self._wrap(owner, name, self._at_call)

    def _reach(self) -> None:
        self._left -= 1
        if self._left == 0:
            die()

    def _at_statement(self, _connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(_WRITES):
            self._has_written = True
            if self._between_statements:
                self._reach()

    def _at_commit(self, commit: Callable[[], object]) -> object:
        has_written, self._has_written = self._has_written, False
        if not has_written:
            return commit()
        self._reach()
        done = commit()
        self._reach()
        return done

    def _at_call(self, call: Callable[[], object]) -> object:
        self._reach()
        done = call()
        self._reach()
        return done

    def _at_file(self, act: Callable[[], object]) -> object:
        self._reach()
        return act()

    def _at_file_write(self, file: int, buffers: Sequence[bytes], place: int) -> int:
        self._left -= 1
        if self._left == 0:
            whole = b"".join(buffers)
            os.pwrite(file, whole[: len(whole) // 2], place)
            die()
        return self._write(file, buffers, place)

    @staticmethod
    def _wrap(owner: Any, name: str, around: Callable[[Callable[[], object]], object]) -> None:
        whole = getattr(owner, name)
        setattr(owner, name, lambda *given, **named: around(lambda: whole(*given, **named)))


def die(*_: object, **__: object) -> None:
    """End this process at once: nothing is flushed, closed or taken back."""
    os.kill(os.getpid(), signal.SIGKILL)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.support.dying_programs"])
    return context


def is_killed(work: Callable[..., object], *given: object) -> bool:
    """Whether a process that does this work was killed; what else ends it early is a failure."""
    process = _context().Process(target=work, args=given)
    process.start()
    process.join(_SECONDS)
    assert process.exitcode in {0, -signal.SIGKILL}, f"the program ended with {process.exitcode}"
    return process.exitcode == -signal.SIGKILL


@contextmanager
def ready_to_die(
    prepare: Callable[..., Callable[..., object]], *given: object
) -> Iterator[Callable[..., bool]]:
    """A process that ``prepare`` made ready once; each call lets a copy work, and says if it was killed.

    What is made ready opens no connection and starts no thread: copies would share it.
    """
    ours, theirs = _context().Pipe()
    process = _context().Process(target=_copy_itself, args=(theirs, prepare, *given))
    process.start()
    theirs.close()

    def is_killed(*work: object) -> bool:
        ours.send(work)
        assert ours.poll(_SECONDS), "the program does not end"
        ended = ours.recv()
        assert ended in {0, -signal.SIGKILL}, f"the program ended with {ended}"
        return bool(ended)

    try:
        yield is_killed
    finally:
        ours.close()
        process.join(_SECONDS)


def _copy_itself(orders: Pipe, prepare: Callable[..., Callable[..., object]], *given: object) -> None:
    work = prepare(*given)
    while True:
        try:
            asked = orders.recv()
        except EOFError:
            return
        copy = os.fork()
        if copy == 0:
            work(*asked)
            return
        orders.send(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))


def until_it_stands(database: Database, kill: Callable[[int], bool], tables: MetaData = METADATA) -> int:
    """Kill a program at one point after the other, each time with nothing done, until its work stands.

    Killed at the last of these points it had committed and told nobody. Returns how many points that were.
    """
    before = contents(database, tables)
    for number in count(1):
        assert kill(number), "the program went on to its end, and nothing came of it"
        if contents(database, tables) != before:
            assert number > 1, "no point lies before the commit"
            return number
    raise AssertionError("unreachable")


def contents(database: Database, tables: MetaData = METADATA) -> dict[str, list[str]]:
    """Every row of every table that says what was done; of the issuance database, or of another's tables."""
    with database.reading() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in tables.sorted_tables
            if table.name not in NO_EFFECTS
        }


def require_sound(database: Database) -> None:
    """The chain holds, and the figures are those that its steps add up to."""
    before = contents(database)
    with database.reading() as connection:
        recorded_events.verify(connection)
    Recount(database).everything()
    assert contents(database) == before
