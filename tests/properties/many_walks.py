"""Many walks, each through an office of its own, in as many programs as there are cores."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from issuance_backend import recorded_events
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.office_walk import OfficeWalk, real_workshop
from tests.support.engines import Engine

EVENTS_EACH = 4_000
"""So many in one office: long enough for cards to be replaced, short enough for its lists to stay short."""


@dataclass(frozen=True)
class Walk:
    """One walk that is to be made: over which database, from which seed, how far."""

    url: str
    pki: Path
    seed: int
    events: int


@dataclass(frozen=True)
class Walked:
    """What came of walks: how many events were done or refused, lines recorded, and which ones."""

    events: int
    done: int
    lines: int
    happened: Counter[str]

    @classmethod
    def total(cls, walks: Iterable[Walked]) -> Walked:
        """All of them together."""
        made = tuple(walks)
        return cls(
            events=sum(each.events for each in made),
            done=sum(each.done for each in made),
            lines=sum(each.lines for each in made),
            happened=sum((each.happened for each in made), Counter()),
        )


def make(walk: Walk) -> Walked:
    """Walk, judging on the way; the chain of what was recorded is verified at the end."""
    database = Database(walk.url)
    if walk.url.startswith("sqlite"):
        event.listen(database._engine, "connect", sync_nothing)
    try:
        office = OfficeWalk(database, real_workshop(walk.pki, database), walk.seed)
        office.run(walk.events)
        with database.reading() as connection:
            lines = recorded_events.verify(connection)
            asked = text("SELECT event, COUNT(*) FROM events GROUP BY event")
            happened: Counter[str] = Counter(dict(iter(connection.execute(asked).tuples())))
    finally:
        database.close()
    counts = office.counts
    return Walked(counts["done"] + counts["refused"], counts["done"], lines, happened)


def make_all(
    engine: Engine,
    folder: Path,
    seeds: Sequence[int],
    events: int,
    programs: int,
    progress: Callable[[int], None] = lambda _walks: None,
) -> Walked:
    """A walk from each of the seeds; raises InvariantBroken with the seed of the first that breaks one.

    ``progress`` is told how many walks have ended well, each time one has.
    """
    template = engine.new()
    database = Database(template)
    database.migrate(ISSUANCE_MIGRATIONS)
    pki = folder / "pki"
    real_workshop(pki, database)
    database.close()
    _forget_log(template)
    walks = [Walk(engine.copy(template), pki, seed, events) for seed in seeds]
    with ProcessPoolExecutor(programs, mp_context=multiprocessing.get_context("spawn")) as pool:
        return Walked.total(_results(pool, walks, progress))


def _results(
    pool: ProcessPoolExecutor, walks: Sequence[Walk], progress: Callable[[int], None]
) -> Iterator[Walked]:
    for ended, (walk, walked) in enumerate(zip(walks, pool.map(make, walks), strict=True), 1):
        progress(ended)
        yield walked
        if walk.url.startswith("sqlite"):
            Path(walk.url.removeprefix("sqlite:///")).unlink()


def _forget_log(url: str) -> None:
    """The last connection of a file took its write-ahead log in: a copy of the file is the whole."""
    if url.startswith("sqlite") and Path(f"{url.removeprefix('sqlite:///')}-wal").exists():
        raise FileExistsError("the template is still in use")


def sync_nothing(connection: Any, _record: object) -> None:
    # What a power cut would do is not asked here, as on the tests' PostgreSQL: that is asked in tests/faults.
    connection.execute("PRAGMA synchronous=OFF")
