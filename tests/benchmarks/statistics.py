"""A report of the nation over a million dossiers: 63 provinces, three districts each, a quarter of a year.

The events of some thousand invented dossiers and their cards are counted by the office's own code (SQLite);
their moves are then repeated in the database until they are those of a million, sums and all, and the report
must say so. Time is CPU time of the thread; the database file is warm, as it is in an office.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, text

from issuance_backend.statistics import roll_up
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.benchmarks.figure import Figure, at_most
from verification.identity.administrative_units import provinces

DOSSIERS = 1_000_000
QUICK_DOSSIERS = 25_000
FOLDED = 5_000
DAYS = 90
ROUNDS = 9
_PRINTS = " ".join(f"{finger:02}:{finger % 5 * 20}" for finger in range(1, 11))
_START = datetime(2021, 1, 4, 1, 0, tzinfo=UTC)
_DOSSIER = (("captured", 0), ("validated", 600), ("local_approved", 90_000), ("central_approved", 250_000))
_CARD = (("ordered", 250_060), ("personalised", 300_000), ("qa_passed", 301_000), ("at_office", 500_000))


def run(dossiers: int = DOSSIERS) -> list[Figure]:
    """The report of now, and of a moment in the middle of a day in the middle of the time."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'office.db'}")
        database.migrate(ISSUANCE_MIGRATIONS)
        now = fill(database, dossiers)
        office = StatisticsOffice(database, lambda: now)
        captured = office.report(Asked()).total.to_date["captured"]
        if captured != dossiers:
            raise RuntimeError(f"the report says {captured} dossiers")
        middle = _START + timedelta(days=DAYS // 2, hours=5)
        present = _milliseconds(lambda: office.report(Asked()))
        past = _milliseconds(lambda: office.report(Asked(as_of=middle)))
        database.close()
    return [
        at_most(f"statistics_report_{dossiers}_dossiers", present, "ms", goal=50.0),
        at_most(f"statistics_past_report_{dossiers}_dossiers", past, "ms", goal=150.0),
    ]


def quick() -> list[Figure]:
    """The same units, days and figures out of fewer dossiers: what a report reads is no less for that."""
    return run(QUICK_DOSSIERS)


def fill(database: Database, dossiers: int) -> datetime:
    """Make a history of so many dossiers and return a moment after it."""
    with database.writing() as connection:
        for sequence, (moment, subject, state, detail) in enumerate(_history(), start=1):
            row = {"n": sequence, "s": subject, "state": state, "at": moment.isoformat(), "d": detail}
            connection.execute(_RECORDED, {**row, "h": str(sequence)})
        roll_up.roll_up(connection)
        _repeat(connection, dossiers // FOLDED)
    return _START + timedelta(days=DAYS + 20)


_RECORDED = text(
    "INSERT INTO events (sequence, subject, event, state, actor, at, detail, previous_hash, hash)"
    " VALUES (:n, :s, 'step', :state, 'lan', :at, :d, '', :h)"
)


def _history() -> list[tuple[datetime, str, str, str]]:
    chance = random.Random(2021)  # noqa: S311 - invented dossiers, the same every time
    units = [f"{code}.{district}" for code in provinces() for district in (1, 2, 3)]
    steps = []
    for number in range(FOLDED):
        begins = _START + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(32_000))
        pace = chance.uniform(0.5, 2.5)
        unit = json.dumps(
            {"unit": chance.choice(units), "operator_seconds": "600", "finger_quality": _PRINTS}
        )
        for kind, lives, first in (
            ("dossier", _DOSSIER, unit),
            ("card", _CARD, json.dumps({"dossier": str(number)})),
        ):
            for index, (state, seconds) in enumerate(lives):
                moment = begins + timedelta(seconds=seconds * pace)
                steps.append((moment, f"{kind}/{number}", state, "{}" if index else first))
    return sorted(step for step in steps if step[0] < _START + timedelta(days=DAYS))


def _repeat(connection: Connection, times: int) -> None:
    """Every move again and again, in the order of time, and every sum so many times."""
    # Copies of one move lie beside each other: its number becomes a run of numbers.
    connection.execute(text("CREATE TEMP TABLE copies (n INTEGER PRIMARY KEY)"))
    connection.execute(text("INSERT INTO copies (n) VALUES (:n)"), [{"n": n} for n in range(times)])
    connection.execute(text("CREATE TEMP TABLE one AS SELECT * FROM figure_moves"))
    connection.execute(text("DELETE FROM figure_moves"))
    connection.execute(
        text(
            "INSERT INTO figure_moves SELECT (one.sequence - 1) * :times + copies.n + 1, one.at,"
            " one.subject || '-' || copies.n, one.kind, one.state, one.unit, one.size,"
            " (one.ended_by - 1) * :times + copies.n + 1, one.counted, one.clocks, one.marks,"
            " one.spent, one.measured"
            " FROM one CROSS JOIN copies ORDER BY one.sequence, copies.n"
        ),
        {"times": times},
    )
    connection.execute(
        text("UPDATE figure_days SET amount = amount * :t, balance = balance * :t"), {"t": times}
    )
    connection.execute(text("UPDATE figure_dues SET due = due * :t, cleared = cleared * :t"), {"t": times})


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time_ns()
        work()
        times.append((time.thread_time_ns() - start) / 1e6)
    return median(times)
