"""What a kit takes along: filters of everybody in one pass, an extract sealed and opened, the gate's answer.

The nation is generated and lies in a SQLite registry. The extract is that of a large commune; the gate judges
right declarations of its people, half of them declared as new, for which it must look through everybody.
Processor time; the gate's is that of one answer.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.gate import judge
from issuance_backend.population_registry.extracts.service import ExtractDesk
from issuance_backend.population_registry.nation.people import NationPlan
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.units.service import UnitOffice
from tests.benchmarks.figure import Figure, at_most
from tests.support.gate_trial import TODAY, Citizen, citizens, extract_of, right
from verification.messages.commune_extract import open_extract, seal_extract
from verification.messages.signing_key import thumbprint

PEOPLE, QUICK_PEOPLE = 100_000, 20_000
COMMUNE, QUICK_COMMUNE = 20_000, 5_000
ANSWERS = 400
FILTERS_GOAL_SECONDS = 4.0
EXTRACT_GOAL_SECONDS = 2.0
ANSWER_GOAL_MILLISECONDS = 20.0
_NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def run(people: int = PEOPLE, commune: int = COMMUNE) -> list[Figure]:
    """Seconds for the filters and for one extract, milliseconds for one answer."""
    residents = citizens(commune)
    return [
        at_most(f"known_filters_{people}_people", _filters(people), "s", goal=FILTERS_GOAL_SECONDS),
        at_most(f"commune_extract_{commune}_people", _extract(residents), "s", goal=EXTRACT_GOAL_SECONDS),
        at_most(
            f"gate_answer_{commune}_people", _answer(residents) * 1000, "ms", goal=ANSWER_GOAL_MILLISECONDS
        ),
    ]


def quick() -> list[Figure]:
    """The same with fewer people."""
    return run(QUICK_PEOPLE, QUICK_COMMUNE)


def _filters(people: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        database = migrated(f"sqlite:///{Path(folder) / 'registry.db'}")
        NationOffice(database, lambda: _NOW).seed(NationPlan(people=people, seed=23, today=TODAY))
        desk = ExtractDesk(database, lambda: _NOW, UnitOffice(database, lambda: _NOW))
        seconds = _taken(desk.filters)
        database.close()
    return seconds


def _extract(residents: list[Citizen]) -> float:
    """Sealed by the centre and opened by the kit."""
    extract = extract_of(residents, residents)
    centre, kit = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    trusted = {thumbprint(centre.public_key()): centre.public_key()}
    return _taken(
        lambda: open_extract(seal_extract(extract, centre, kit.public_key(), os.urandom), trusted, kit, _NOW)
    )


def _answer(residents: list[Citizen]) -> float:
    extract = extract_of(residents, residents)
    declared = list(right(residents, ANSWERS))
    declared += [msgspec.structs.replace(each, citizen_number=None) for each in declared]
    return _taken(lambda: [judge(each, extract, TODAY) for each in declared]) / len(declared)


def _taken(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
