"""Memory of the whole issuance backend: registry, office and workers, after an application became a card.

The programs are those of ``make up``, each a process of its own. What they share (the files of their
libraries) is counted once (PSS). Galleries hold one person here; ``biometric_search`` measures them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.issuing import IssuingOffice
from monitoring.site import Addresses, Site
from monitoring.stack import WORKERS, Stack
from monitoring.staff import OFFICERS, Staff
from monitoring.stand.drawn_people import portrait
from monitoring.supervisor import Supervisor
from tests.benchmarks.figure import Figure, at_most
from tests.support.issuing import approve_all
from tests.support.processes import process_id

GOAL_MB = 512.0
PROGRAMS = ("registry", "issuance", *WORKERS)
_MODELS = Path(os.environ.get("TEST_MODEL_DIR", Path(__file__).parents[2] / ".run" / "models"))


def run() -> list[Figure]:
    """Megabytes of all programs together; none without face models."""
    return (
        [at_most("backend_memory", sum(programs().values()), "MB", goal=GOAL_MB)] if _MODELS.is_dir() else []
    )


def programs() -> dict[str, float]:
    """Megabytes of each program, after each has worked."""
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as (supervisor, office):
        person = json.loads((Path(folder) / "people.json").read_text(encoding="utf-8"))[0]
        dossier = office.capture(str(person["citizen_number"]), portrait(int(person["portrait_seed"])))
        approve_all(office, dossier)
        office.receive_blanks()
        office.make_cards([dossier])
        return {name: _megabytes(process_id(supervisor, name)) for name in PROGRAMS}


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Supervisor, IssuingOffice]]:
    supervisor = Supervisor(folder / "logs")
    stack = Stack(Site(folder=folder, models=_MODELS, addresses=Addresses.free()), supervisor)
    try:
        stack.start()
        passwords = {name: (folder / "keys" / f"{name}.password").read_text().strip() for name in OFFICERS}
        staff = Staff(stack.addresses.url("admin"), stack.addresses.url("issuance"), passwords)
        yield supervisor, IssuingOffice(staff)
    finally:
        stack.stop()


def _megabytes(group: int) -> float:
    """What all processes of a program hold; each program is a process group."""
    members = [entry for entry in Path("/proc").glob("[0-9]*") if _group(entry) == group]
    return sum(_kilobytes(entry) for entry in members) / 1024


def _group(process: Path) -> int | None:
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return None


def _kilobytes(process: Path) -> int:
    rollup = (process / "smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
