"""A registry with two communes, a clock that can be set, and clerks who key forms for tests."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from PIL import Image

from issuance_backend.blob_store.keys import KeyFile, KeyRing
from issuance_backend.blob_store.objects import Objects
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.dc01.batch_desk import BatchDesk
from issuance_backend.population_registry.dc01.form_desk import FormDesk
from issuance_backend.population_registry.dc01.index_desk import IndexDesk
from issuance_backend.population_registry.dc01.scan_desk import ScanDesk
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.registration.service import RegistrationDesk
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import BlobUnknown
from monitoring.database import Database
from tests.support.issuance_office import citizens
from verification.messages.dc01 import (
    BatchOpened,
    FormCollected,
    FormDecision,
    FormIndexed,
    FormKeyed,
    FormScanned,
    FormView,
    ResidentList,
    SuccessionEntry,
    UnitEntry,
    UnitTables,
)


def scan_of(number: int, size: tuple[int, int] = (1240, 1754), kind: str = "PNG") -> bytes:
    """A sheet of A4 at 150 pixels an inch with a line at a place of its own: what a scanner sends."""
    sheet = Image.new("L", size, 255)
    sheet.paste(0, (100, 100 * number, size[0] - 100, 100 * number + 20))
    written = io.BytesIO()
    sheet.save(written, kind)
    return written.getvalue()


COMMUNE, NEIGHBOUR, SINCE_2025 = "001.005.00157", "001.005.00160", "01.00157"
COLLECTED = date(2021, 1, 10)
PAGES = (scan_of(1), scan_of(2))
"""Both sides of a form, as they come from a scanner."""

WHOLE = {
    "full_name": "NGUYỄN THỊ LAN",
    "date_of_birth": "15/3/1990",
    "sex": "F",
    "birth_registration_place": "Hà Nội",
    "place_of_origin": "Hà Nội",
    "ethnicity": "Kinh",
    "religion": "Không",
    "nationality": "Việt Nam",
    "marital_status": "Chưa kết hôn",
    "permanent_residence": "Hà Nội",
    "permanent_unit": COMMUNE,
    "current_residence": "Hà Nội",
    "current_unit": COMMUNE,
    "father": "NGUYỄN VĂN AN",
    "mother": "TRẦN THỊ BÌNH",
    "household_head": "NGUYỄN VĂN AN",
    "relation_to_head": "Con",
}
"""A form without a number that breaks no rule."""


def somebody(place: int) -> dict[str, str]:
    """What the form of this place in a batch says: each is of another person, the first of WHOLE's."""
    letters = "".join(chr(ord("A") + int(digit)) for digit in str(place))
    return WHOLE if not place else {**WHOLE, "full_name": f"NGUYỄN {letters} LAN"}


Read = Callable[[int], dict[str, str]]
"""What a clerk reads on the form of this place in the batch."""


def _entry(code: str, level: str, since: date, until: date | None) -> UnitEntry:
    return UnitEntry(
        code=code, level=level, name="Phường thử", valid_from=since, valid_to=until, legal_basis="thử nghiệm"
    )


_OLD, _NEW = date(2008, 8, 1), date(2025, 7, 1)
UNITS = UnitTables(
    units=(
        _entry("001.005", "district", _OLD, _NEW),
        _entry(COMMUNE, "commune", _OLD, _NEW),
        _entry(NEIGHBOUR, "commune", _OLD, _NEW),
        _entry(SINCE_2025, "commune", _NEW, None),
    ),
    successions=tuple(
        # Both became one commune in July 2025.
        SuccessionEntry(code=code, successor=SINCE_2025, on=_NEW, legal_basis="thử nghiệm")
        for code in (COMMUNE, NEIGHBOUR)
    ),
)


class MemoryObjects:
    """Sealed objects that end with the test."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        assert not self.held.keys() & objects.keys(), "an object is written once"
        self.held |= objects

    def get(self, name: str, limit: int) -> bytes:
        if name not in self.held:
            raise BlobUnknown("no such object")
        return self.held[name][: limit + 1]

    def delete(self, name: str) -> None:
        self.held.pop(name, None)

    def listed(self) -> Iterator[tuple[str, datetime]]:
        return ((name, datetime.min.replace(tzinfo=UTC)) for name in sorted(self.held))

    def remove_unfinished(self, before: datetime) -> int:
        return 0


@dataclass
class Dc01Office:
    """The desks over one database; ``now`` may be moved."""

    url: str
    now: datetime = datetime(2021, 2, 1, 3, tzinfo=UTC)
    seeds: Iterable[int] = field(default_factory=itertools.count)
    objects: Objects = field(default_factory=MemoryObjects)
    scanner: ContentScanner = UNSCANNED
    _codes: Iterable[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.database: Database = migrated(self.url)
        self.units = UnitOffice(self.database, self.clock)
        self.units.load(UNITS, "bộ nội vụ")
        self.forms = FormDesk(self.database, self.clock, self.units)
        seeds = iter(self.seeds)
        self.batches = BatchDesk(self.database, self.forms, self.units, lambda: str(next(seeds)))
        keys = KeyRing(KeyFile(bytes(32), "test", {"test": bytes(32)}))
        self.store = BlobStore(self.database, self.objects, keys, self.clock)
        self.scans = ScanDesk(self.database, self.clock, self.forms, self.store, self.scanner)
        self.indices = IndexDesk(self.database, self.clock, self.units)
        self.registration = RegistrationDesk(self.database, self.forms, ReadBook(self.database, self.clock))

    def register(self, citizen_number: str, old_id: str | None = None, mother: str = "Trần Thị Bình") -> str:
        """Somebody of whom the registry says what the form says; returns the number."""
        entry = replace(
            citizens()[0],
            citizen_number=citizen_number,
            old_id=old_id,
            full_name="Nguyễn Thị Lan",
            date_of_birth=date(1990, 3, 15),
            sex="F",
            ethnicity="Kinh",
            place_of_origin="Hà Nội",
            father="Nguyễn Văn An",
            mother=mother,
        )
        with self.database.writing() as connection:
            repository.add(connection, [entry], self.now)
        return citizen_number

    def clock(self) -> datetime:
        return self.now

    def scan(self, form: str, officer: str = "lan", pages: tuple[bytes, ...] = PAGES) -> FormView:
        return self.scans.scan(form, FormScanned(pages=pages, officer=officer))

    def scanned(self, count: int = 1, unit: str = COMMUNE) -> list[str]:
        """Forms that wait to be indexed."""
        ids = self.plan(count, unit)
        for form in ids:
            self.forms.collect(form, FormCollected(collected_on=COLLECTED, officer="lan"))
            self.scan(form)
        return ids

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)

    def plan(self, count: int, unit: str = COMMUNE) -> list[str]:
        """Residents on the list; the ids of their forms."""
        codes = iter(self._codes)
        ids: list[str] = []
        while len(ids) < count:
            part = tuple(f"DC{next(codes):08d}" for _ in range(min(200, count - len(ids))))
            ids += [
                form.id for form in self.forms.plan(ResidentList(unit=unit, barcodes=part, officer="lan"))
            ]
        return ids

    def indexed(self, count: int, unit: str = COMMUNE, aql: str = "1.0") -> tuple[str, list[str]]:
        """A batch of forms that wait to be keyed."""
        batch = self.batches.open(BatchOpened(unit=unit, officer="lan", aql=aql)).id
        ids = self.plan(count, unit)
        for form in ids:
            self.forms.collect(form, FormCollected(collected_on=COLLECTED, officer="lan"))
            self.scan(form)
            self.forms.index(form, FormIndexed(batch=batch, officer="lan"))
        return batch, ids

    def key(self, ids: Iterable[str], clerk: str = "clerk", read: Read = lambda _: WHOLE) -> None:
        for place, form in enumerate(ids):
            self.forms.key(form, FormKeyed(values=read(place), officer=clerk))

    def recheck(self, ids: list[str], read: Read = lambda _: WHOLE, truth: Read = lambda _: WHOLE) -> None:
        """The blind check of a drawn sample: ``second`` keys, ``third`` decides what the paper says."""
        place = {form: at for at, form in enumerate(ids)}
        while task := self.batches.next_keying("second"):
            self.batches.key_again(task.form, FormKeyed(values=read(place[task.form]), officer="second"))
        while open_one := self.batches.next_difference("third"):
            right = truth(place[open_one.form])
            values = {part.field: right.get(part.field, "") for part in open_one.differences}
            self.batches.decide(open_one.form, FormDecision(values=values, officer="third"))

    def accepted(self, count: int, unit: str = COMMUNE, read: Read = somebody) -> list[str]:
        """Forms of a batch that passed without a wrong one, each of another person."""
        batch, ids = self.indexed(count, unit)
        self.key(ids, read=read)
        self.batches.draw(batch, "leader")
        self.recheck(ids, read, read)
        return ids

    def states(self, ids: Iterable[str]) -> list[str]:
        return [self.forms.form(form).state for form in ids]
