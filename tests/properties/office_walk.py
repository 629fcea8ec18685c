"""A walk at random through every desk of a real office: officers with every role press any button.

The same seed walks the same way. Nothing here knows what is allowed: what is refused is counted, and what
was done is judged by ``office_invariants``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np

from issuance_backend.credentials.account_office import AccountOffice
from issuance_backend.credentials.handover_receipts import ReceiptDesk
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.credentials.shipping_desk import ShippingDesk
from issuance_backend.credentials.suspension_desk import SuspensionDesk
from issuance_backend.credentials.undelivered_desk import UndeliveredDesk
from issuance_backend.csca.ceremony import CeremonyPlan
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.batches.service import ProductionDesk, card_destroyed, card_revoked
from issuance_backend.personalization.blank_stock.service import StockOffice
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, PrintJob
from issuance_backend.personalization.composition import workshop
from issuance_backend.personalization.quality_control import ExpectedCard
from issuance_backend.personalization.service import CardLine, Workshop
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.virtual_card.card_image import CardImage
from monitoring.database import Database
from tests.properties.office_acts import NOTHING, Acts
from tests.properties.office_invariants import InvariantBroken, Invariants
from tests.properties.standing import Standing, names_drawn_by
from tests.properties.walked_search import WalkedSearch
from tests.support.application_desk import UNIT, desk_on, officer
from tests.support.issuance_office import KEYS, NOW, citizens
from verification.errors import VerificationError
from verification.messages.enrollment import QualityFinding

OFFICERS = tuple(officer(f"officer.{letter}", *Role, unit=UNIT) for letter in "abcdefgh")
"""Every role each: only what they did before keeps them from the next step."""

PEOPLE = 40
JUDGED_EVERY = 100

T = TypeVar("T")


class Machines:
    """A machine that writes nothing and fails now and then, and the eye that judges what it made."""

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance

    def write(self, card: str, image: CardImage) -> None:
        if self._chance.random() < 0.05:
            raise ProductionUnavailable(f"the machine stopped at {len(image.files)} files of {card}")

    def print_faces(self, card: str, job: PrintJob) -> None: ...

    def written(self, card: str) -> CardImage:
        return CardImage(
            files={}, can="", mrz_information=card, chip_authentication_key=b"", active_authentication_key=b""
        )

    def printed(self, card: str) -> PrintedFaces:
        return PrintedFaces(card.encode(), b"")

    def destroy(self, card: str) -> None: ...

    def inspect(
        self, _insert: object, expected: ExpectedCard, _printed: object, _moment: object
    ) -> tuple[QualityFinding, ...]:
        good = bool(self._chance.random() < 0.85)
        return (QualityFinding(expected.status_key, good, None if good else "QC_SURFACE_DAMAGED"),)


def real_workshop(folder: Path, database: Database) -> Workshop:
    """Card records and signatures as in the centre; what a machine does is left to ``Machines``."""
    if not folder.exists():
        PkiDirectory(folder).create(CeremonyPlan(), NOW - timedelta(days=1))
    machines, pictures = Machines(np.random.default_rng(0)), Pictures(database, None)
    return workshop(folder, machines, pictures, KEYS, lambda: NOW)


class OfficeWalk(Acts):
    """One office, and the next thing that happens in it."""

    machines: type[Machines] = Machines
    searches = True
    """Whether applications are compared with everybody enrolled before the centre approves them."""

    def __init__(self, database: Database, machines: Workshop, seed: int | tuple[int, ...]) -> None:
        self.seed = seed
        self.chance = np.random.default_rng(seed)
        self.database = database
        self.desk = desk_on(database, searches=self.searches)
        self.people = citizens(PEOPLE)
        self.desk.registry.people = {each.citizen_number: each for each in self.people}
        now = self.desk.now

        def clock() -> object:
            return now[0]

        self._make_desks(machines, clock)
        self.shared = False
        self.standing = Standing()
        self.counts: Counter[str] = Counter()
        self.acts: tuple[Callable[[], object], ...] = self.every_act()

    def _make_desks(self, machines: Workshop, clock: Callable[[], object]) -> None:
        machine = self.machines(self.chance)
        database, told = self.database, self.desk.office.complete
        clocked: tuple[Database, Callable[[], object]] = (database, clock)
        self.delivery = DeliveryDesk(*clocked, ReceiptDesk({}), told)  # type: ignore[arg-type]
        self.shipping = ShippingDesk(*clocked, card_revoked)  # type: ignore[arg-type]
        self.suspension = SuspensionDesk(*clocked, card_revoked)  # type: ignore[arg-type]
        self.undelivered = UndeliveredDesk(*clocked, card_destroyed, machine.destroy)  # type: ignore[arg-type]
        self.accounts = AccountOffice(*clocked)  # type: ignore[arg-type]
        self.production = ProductionDesk(*clocked)  # type: ignore[arg-type]
        self.stock = StockOffice(*clocked, machine.destroy)  # type: ignore[arg-type]
        pictures = self.desk.pictures
        own = replace(
            machines,
            writer=machine,
            control=machine,  # type: ignore[arg-type]
            captured_picture=pictures.read,
            chip_portrait=bytes,
            draw_faces=lambda _order: PrintJob(b"", PrintedFaces(b"", b"")),
        )
        self.line = CardLine(database, own, clock)  # type: ignore[arg-type]
        if self.searches:
            self.search = WalkedSearch(database, pictures, clock)  # type: ignore[arg-type]

    def run(self, events: int, invariants: Invariants | None = None) -> int:
        """So many random events, judged now and then; how many lines they were. Raises InvariantBroken."""
        judge = invariants or Invariants()
        with names_drawn_by(np.random.default_rng(self.seed)):
            for number in range(1, events + 1):
                try:
                    self.step()
                    if number % JUDGED_EVERY == 0 or number == events:
                        self.judge(judge)
                except InvariantBroken as broken:
                    raise InvariantBroken(f"{broken} (seed {self.seed}, at event {number})") from None
        return self.recorded()

    def judge(self, invariants: Invariants) -> None:
        """Every invariant of the office."""
        with self.database.reading() as connection:
            invariants.check(connection)

    def step(self) -> None:
        """One random event, done or refused."""
        self.desk.now[0] += timedelta(seconds=1)
        act = self.acts[self.chance.integers(len(self.acts))]
        try:
            act()
        except VerificationError as refused:
            self.counts["refused"] += 1
            self.counts[refused.code] += 1
        else:
            self.counts["done"] += 1

    def who(self) -> Officer:
        """Any officer."""
        return OFFICERS[self.chance.integers(len(OFFICERS))]

    def one(self, of: Sequence[T]) -> T:
        """Any of these."""
        return of[int(self.chance.integers(len(of)))]

    def some(self, kind: str, *states: str) -> str:
        """The name of something in one of these states; now and then of any, or of nothing that is there."""
        guess = self.chance.random()
        if guess < 0.02:
            return NOTHING
        with self.database.reading() as connection:
            found = self.standing.names(connection, kind, states if guess < 0.88 else ())
        return self.one(found) if found else NOTHING
