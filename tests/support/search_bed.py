"""A biometric search on a database of its own: galleries, a desk, a worker, examiners and invented people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from sqlalchemy import select

from issuance_backend.biometric_search import repository
from issuance_backend.biometric_search.domain import GalleryKind, Outcome
from issuance_backend.biometric_search.examiners_desk import Applications, ExaminersDesk, Pictures
from issuance_backend.biometric_search.face_modality import FaceModality, Measure
from issuance_backend.biometric_search.finger_modality import FingerModality
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities, Modality, Sample
from issuance_backend.biometric_search.service import CARD_OFFICE, CRIME_BUREAU, Caller, SearchDesk
from issuance_backend.biometric_search.tables import ADJUDICATION_CASES
from issuance_backend.biometric_search.task_messages import KeptAnswer, sample_message
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.dossiers.acts import worked_on
from issuance_backend.dossiers.case_parts import awaits_examiners
from issuance_backend.dossiers.case_parts import fingers as fingers_of
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import NOW
from tests.support.synthetic_fingers import fingers, records, second_impressions
from verification.fingerprint.nbis_engine import NbisEngine
from verification.messages.biometric_search import (
    Identify,
    Insert,
    InvestigationSearch,
    SampleMessage,
    Verify,
    Warrant,
)

OFFICE = Caller("card-office", CARD_OFFICE)
BUREAU = Caller("crime-bureau", CRIME_BUREAU)
PEOPLE = 24
FINGER_POSITIONS = (2, 7)
WARRANT = Warrant(
    number="12/2026/QĐ-VKS",
    authority="Viện kiểm sát nhân dân thành phố Hà Nội",
    valid_from=date(2026, 11, 1),
    valid_through=date(2026, 12, 31),
)


def officer(name: str, *roles: Role) -> Officer:
    return Officer(name, name.title(), frozenset(roles))


EXAMINERS = tuple(officer(f"examiner.{letter}", Role.EXAMINER) for letter in "abcd")
LEAD = officer("lead", Role.ADJUDICATION_LEAD, Role.EXAMINER)
INVESTIGATORS = tuple(officer(f"investigator.{letter}", Role.INVESTIGATOR) for letter in "ab")


@cache
def face_modality() -> FaceModality:
    return FaceModality("cc0", 128, Measure.DISTANCE)


@cache
def finger_modality() -> FingerModality:
    return FingerModality(NbisEngine())


@cache
def _people(count: int, seed: int) -> tuple[list[np.ndarray], list[list[bytes]], list[list[bytes]]]:
    """Faces, and two impressions of two fingers each."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(0, 0.075, (count, 128)).astype(np.float32) + np.float32(0.05)
    first, second = [], []
    for place, position in enumerate(FINGER_POSITIONS):
        made = fingers(count, seed + 10 + place)
        first.append(records(made, position))
        second.append(records(second_impressions(made, seed + 20 + place), position))
    return list(centres), first, second


def samples_of(person: int, *, touch: int = 1, seed: int = 5) -> tuple[Sample, ...]:
    """Face and two fingers of one invented person, as captured the first or a later time."""
    centres, first, second = _people(PEOPLE, seed)
    chance = np.random.default_rng((seed, person, touch))
    face = centres[person] + chance.normal(0, 0.016, 128).astype(np.float32)
    impressions = first if touch == 1 else second
    finger_samples = (finger_modality().sample(each[person]) for each in impressions)
    return (face_modality().sample(face), *finger_samples)


def messages(samples: Sequence[Sample]) -> tuple[SampleMessage, ...]:
    return tuple(sample_message(each) for each in samples)


@dataclass
class SearchBed:
    """Everything, put together as the office does."""

    database: Database
    keys: KeyRoom
    desk: SearchDesk
    worker: SearchWorker
    examiners: ExaminersDesk
    now: list[datetime]
    searched: list[tuple[str, Outcome]] = field(default_factory=list)

    @property
    def settled(self) -> list[tuple[str, tuple[str, ...]]]:
        """The applications of which every real case is decided, and how, the first found first."""
        with self.database.reading() as connection:
            real = select(ADJUDICATION_CASES).where(ADJUDICATION_CASES.c.truth.is_(None))
            rows = connection.execute(real.order_by(ADJUDICATION_CASES.c.opened_at)).mappings().all()
        found: dict[str, tuple[str | None, ...]] = {}
        for row in rows:
            found[row["probe_encounter"]] = (*found.get(row["probe_encounter"], ()), row["outcome"])
        return [(name, tuple(map(str, said))) for name, said in found.items() if None not in said]

    def found(self, task_id: str) -> list[str | None]:
        """Who the candidates of a task are, which no program is told."""
        return found_inside(self.database, self.keys, task_id)

    def enrol(self, person: int, gallery: str = "national", subject: str = "", **changes: object) -> str:
        """Enrol an invented person and return the task."""
        task_id = f"insert-{gallery}-{person}-{len(changes)}"
        request = Insert(
            task_id=task_id,
            gallery=gallery,
            subject=subject or f"subject-{person}",
            encounter=f"dossier-{person}",
            legal_basis="Luật 26/2023/QH15",
            samples=messages(samples_of(person)),
            **changes,
        )
        self.desk.submit(BUREAU if gallery == "crime" else OFFICE, request)
        return task_id


def found_inside(database: Database, keys: KeyRoom, task_id: str) -> list[str | None]:
    """Who the candidates of a task are, by its answer as it is kept under the gallery's key."""
    with database.reading() as connection:
        task = repository.task(connection, task_id)
    assert task
    assert task.sealed_answer
    content = keys.key(task.gallery).open(task.sealed_answer, f"answer/{task_id}")
    return [each.subject for each in msgspec.json.decode(content, type=KeptAnswer).candidates]


def identify(person: int, task_id: str = "", **changes: object) -> Identify:
    """A later application of an invented person."""
    values: dict[str, object] = {
        "task_id": task_id or f"identify-{person}",
        "gallery": "national",
        "encounter": f"later-{person}",
        "officers": ("lan.capture",),
        "samples": messages(samples_of(person, touch=2)),
        **changes,
    }
    return Identify(**values)  # type: ignore[arg-type]


def verify(person: int, subject: str, task_id: str = "") -> Verify:
    return Verify(
        task_id=task_id or f"verify-{person}-{subject}",
        gallery="national",
        subject=subject,
        samples=messages(samples_of(person, touch=2)),
    )


def investigation(person: int, **changes: object) -> InvestigationSearch:
    values: dict[str, object] = {
        "task_id": f"investigation-{person}",
        "warrant": WARRANT,
        "gallery": "crime",
        "samples": messages(samples_of(person, touch=2)),
        **changes,
    }
    return InvestigationSearch(**values)  # type: ignore[arg-type]


def make_bed(folder: Path, engine: Engine, *more: Modality) -> SearchBed:
    """A search with a gallery of each kind."""
    database = Database(engine.migrated(ISSUANCE_MIGRATIONS))
    bed = bed_on(database, folder, *more)
    bed.desk.open_gallery("national", GalleryKind.NATIONAL)
    bed.desk.open_gallery("province-01", GalleryKind.PROVINCE, "01")
    bed.desk.open_gallery("crime", GalleryKind.CRIME)
    return bed


def bed_on(database: Database, folder: Path, *more: Modality) -> SearchBed:
    """A search over a database that has its tables."""
    now = [NOW]
    keys = KeyRoom(folder / "gallery-keys")
    modalities = Modalities((finger_modality(), face_modality(), *more))
    desk = SearchDesk(database, keys, modalities, lambda: now[0])
    bed: SearchBed

    def searched(_connection: object, encounter: str, outcome: Outcome, _moment: datetime) -> None:
        bed.searched.append((encounter, outcome))

    worker = SearchWorker(database, keys, modalities, lambda: now[0], searched)
    examiners = ExaminersDesk(
        database,
        lambda: now[0],
        Pictures(str.encode, lambda encounter, position: f"{encounter} {position}".encode()),
        applications=Applications(awaits_examiners, worked_on, fingers_of),
    )
    bed = SearchBed(database, keys, desk, worker, examiners, now)
    return bed
