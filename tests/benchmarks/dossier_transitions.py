"""Durable dossier transitions: lists of local approvals, as an approver signs them (SQLite, FULL).

What moves many dossiers at once is a list of approvals: it is prepared, signed by its approver and sent. Each
dossier is looked at twice for who did what in it, then approved and sent to the centre. That makes two
transitions, each with its chained event, its notice to subscribers and its figures; one commit serves a list.
``dossier_transition_durable`` is wall time of the median list, disk included; ``dossier_transition_cpu`` is
the office's own processor time for the same work, which neighbours on the machine do not change. A counter's
single capture is a commit of its own and slower.

``dossier_capture_over_bare_insert`` says what the office's rules add to a capture where many go into one
commit: beside it stands a bare INSERT of the same rows into the same tables, committed as often. The
registry is an invented one in memory, the portrait is the same for all (pictures have figures of their own).

``python -m tests.benchmarks.dossier_transitions --dossiers 20000`` takes more.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from issuance_backend.dossiers.approval_desk import ApprovalTerms
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.service import ApplicationOffice, Neighbours
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.batches.service import order_ended
from issuance_backend.population_registry.domain import RegistryPerson, extract
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support.application_desk import OfficerJudges, everybody_is
from tests.support.approval_key import listing_key
from tests.support.approver_keys import approver_key, register
from tests.support.issuance_office import REASON, InventedRegistry, picture
from verification.messages.approval_list import sign_preparation
from verification.messages.capture_terms import FIRST_CARD
from verification.messages.enrollment import DossierCapture

DOSSIERS = 3_000
BATCH = 250
STEPS = 2
MICROSECONDS_GOAL = 1e6 / 3_000
"""3,000 transitions a second."""
FLOOR_GOAL = 5.0
_NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_CAPTOR = Officer("captor", "Captor", frozenset({Role.CAPTURE}))
_APPROVER = Officer("approver", "Approver", frozenset({Role.APPROVER}))
_KEY = approver_key(_APPROVER.id)
# Rows go in before the rows that name them.
_TABLES = ("portraits", "dossiers", "captures", "events", "notices", "figure_moves", "figure_days")


def run(dossiers: int = DOSSIERS) -> list[Figure]:
    """Microseconds a transition on the clock and of the processor; captures against their floor."""
    with tempfile.TemporaryDirectory() as folder:
        office_file, bare_file = Path(folder) / "office.db", Path(folder) / "bare.db"
        database = _migrated(office_file)
        register(database, _APPROVER.id)
        living = _living(dossiers)
        office = _office(database, living)
        lists, captured = _taken_in(office, living)
        floor = _bare(office_file, bare_file, len(lists)) / (BATCH * STEPS) * 1e6
        spent, worked = (each / (BATCH * STEPS) * 1e6 for each in _approved(office, lists))
        database.close()
    over = captured / (BATCH * STEPS) * 1e6
    return [
        at_most("dossier_transition_durable", spent, "us", goal=MICROSECONDS_GOAL),
        at_most("dossier_transition_cpu", worked, "us", goal=MICROSECONDS_GOAL),
        against_floor("dossier_capture_over_bare_insert", over, "us", floor=floor, goal=FLOOR_GOAL),
    ]


def quick() -> list[Figure]:
    """What a loaded machine tells as well: the processor's time, and the ratio."""
    return [figure for figure in run() if figure["name"] != "dossier_transition_durable"]


def _living(dossiers: int) -> list[RegistryPerson]:
    plan = NationPlan(people=dossiers + dossiers // 10, seed=4, today=date(2026, 11, 21))
    people = (person.entry for person in make_nation(plan))
    return [entry for entry in people if entry.life_status == "alive"][: dossiers - dossiers % BATCH]


def _office(database: Database, living: Sequence[RegistryPerson]) -> ApplicationOffice:
    registry = InventedRegistry({entry.citizen_number: entry for entry in living})
    return ApplicationOffice(
        database,
        CaptureChecks(registry, OfficerJudges()),
        Pictures(database, None),
        lambda: _NOW,
        neighbours=Neighbours(order_ended, everybody_is),
        terms=ApprovalTerms(listing_key(database, _NOW)),
    )


def _taken_in(office: ApplicationOffice, living: Sequence[RegistryPerson]) -> tuple[list[list[str]], float]:
    """The dossiers of captures, batch by batch, and the seconds that the median batch took."""
    captures = [_capture(entry) for entry in living]
    lists, times = [], []
    for first in range(0, len(captures), BATCH):
        began = time.perf_counter()
        lists.append(office.captures.capture_all(_CAPTOR, captures[first : first + BATCH]))
        times.append(time.perf_counter() - began)
    return lists, median(times)


def _approved(office: ApplicationOffice, lists: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Seconds in which the median list was approved: on the clock, and of the processor."""
    times, worked = [], []
    for dossiers in lists:
        began, began_working = time.perf_counter(), time.thread_time()
        prepared = office.approvals.prepare(_APPROVER, dossiers)
        office.approvals.approve(_APPROVER, sign_preparation(prepared.preparation, _KEY))
        times.append(time.perf_counter() - began)
        worked.append(time.thread_time() - began_working)
    return median(times), median(worked)


def _capture(entry: RegistryPerson) -> DossierCapture:
    return DossierCapture(
        capture_id=f"capture-{entry.citizen_number}",
        citizen_number=entry.citizen_number,
        person=extract(entry).person,
        portrait=picture(),
        manual_portrait_reason=REASON,
        terms=FIRST_CARD,
        exceptions=("no_scanner",),
    )


def _bare(source: Path, target: Path, commits: int) -> float:
    """Seconds in which the driver alone writes the rows of a batch."""
    _migrated(target).close()
    with closing(sqlite3.connect(source)) as office, closing(sqlite3.connect(target)) as bare:
        rows = {table: office.execute(f"SELECT * FROM {table}").fetchall() for table in _TABLES}  # noqa: S608 - names above
        bare.execute("PRAGMA synchronous=FULL")
        times = []
        for part in range(commits):
            began = time.perf_counter()
            for table, all_rows in rows.items():
                _insert(bare, table, all_rows[part::commits])
            bare.commit()
            times.append(time.perf_counter() - began)
        return median(times)


def _insert(bare: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        bare.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names above


def _migrated(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    database.migrate(ISSUANCE_MIGRATIONS)
    return database


def main() -> int:
    """Take as many as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dossier_transitions")
    parser.add_argument("--dossiers", type=int, default=DOSSIERS)
    figures = run(parser.parse_args().dossiers)
    for figure in figures:
        print(json.dumps(figure))
    return 0 if all(figure["met"] for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
