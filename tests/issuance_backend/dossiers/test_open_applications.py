"""One person under two numbers, both under way: whatever comes first, two cards need examiners' word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from issuance_backend.biometric_search import repository as tasks
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.deduplication import DeduplicationDesk, Queued
from issuance_backend.dossiers.domain import CLOSED, COMPARED, DossierState
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.refusals import HitStillOpen
from tests.support.application_desk import CHIEF, LAN, MINH, SON, THU, capture_of
from tests.support.deduplication_centre import Centre, InventedTemplates, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from tests.support.search_bed import PEOPLE
from verification.errors import DossierAlreadyOpen, TransitionRefused
from verification.messages.biometric_search import SampleMessage
from verification.messages.dossier_decisions import CaseHold, RejectionReason
from verification.messages.enrollment import DossierReturn

REFUSED = (TransitionRefused, HitStillOpen, DossierAlreadyOpen)
HOLD = CaseHold("KN-2026-8")
FRAUD = RejectionReason("duplicate_person", "Luật 26/2023/QH15, điều 7", "Hai số định danh")
STEPS = 45


class Pair:
    """One invented person who applies under two numbers, and everything that may happen to both."""

    def __init__(self, centre: Centre, person: int, chance: np.random.Generator) -> None:
        self.centre = centre
        self.person = person
        self.chance = chance
        self.who: Sequence[RegistryPerson] = citizens(2 * PEOPLE)[2 * person : 2 * person + 2]
        self.dossiers: list[str | None] = [None, None]
        self.captures = 0
        self.workers = [centre.bed.worker, another_worker(centre)]

    def capture(self, which: int) -> None:
        captures = self.centre.desk.office.captures
        self.captures += 1
        number = 1000 * (self.person + 1) + self.captures
        portrait = picture(number)
        self.centre.biometry.shown[portrait] = (self.person, 1 + self.captures % 2)
        made = capture_of(self.who[which], number, portrait=portrait)
        dossier = self.dossiers[which]
        if dossier is not None and self.centre.desk.view(dossier).state == DossierState.RETURNED:
            captures.recapture(LAN, dossier, made)
        else:
            self.dossiers[which] = captures.capture(LAN, made)

    def approve_locally(self, which: int) -> None:
        self.centre.desk.approve_locally(MINH, self.at(which))

    def approve_centrally(self, which: int) -> None:
        self.centre.desk.office.approvals.approve_centrally(THU, self.at(which))

    def send_back(self, which: int) -> None:
        reasons = DossierReturn(("portrait",), "chụp lại")
        self.centre.desk.office.approvals.send_back(THU, self.at(which), reasons)

    def withdraw(self, which: int) -> None:
        self.centre.desk.office.captures.withdraw(LAN, self.at(which))

    def reject(self, which: int) -> None:
        self.centre.desk.office.legal.propose_rejection(THU, self.at(which), FRAUD)
        self.centre.desk.office.legal.confirm_rejection(SON, self.at(which))

    def hold(self, which: int) -> None:
        legal = self.centre.desk.office.legal
        is_held = self.centre.desk.view(self.at(which)).state == DossierState.SUSPENDED
        (legal.resume if is_held else legal.suspend)(CHIEF, self.at(which), HOLD)

    def lead(self, _which: int) -> None:
        self.centre.work.run_once()

    def search(self, which: int) -> None:
        self.workers[which].run_once()

    def at(self, which: int) -> str:
        return self.dossiers[which] or "0" * 16

    def walk(self) -> None:
        """Anything in any order; then programs and officers do all that is left to do."""
        onward = [self.capture, self.approve_locally, self.lead, self.search, self.approve_centrally]
        back = [self.send_back, self.withdraw, self.reject, self.hold]
        for _ in range(STEPS):
            kind = back if self.chance.random() < 0.12 else onward
            self.step(kind[self.chance.integers(len(kind))], int(self.chance.integers(2)))
        self.finish()

    def step(self, act: Callable[[int], None], which: int) -> None:
        dossier = self.dossiers[which]
        if dossier is None and act not in (self.capture, self.lead, self.search):
            return
        # Who has a card, or whose application ended, is not asked again: the two numbers stay one try.
        if act == self.capture and dossier and self.centre.desk.view(dossier).state in CLOSED:
            return
        try:
            act(which)
        except REFUSED:
            return

    def finish(self) -> None:
        for which in self.chance.permutation(2).tolist():
            for act in (self.capture, self.hold, self.capture, self.approve_locally):
                is_held = self.is_in(which, DossierState.SUSPENDED)
                if act != self.hold or is_held:
                    self.step(act, which)
        self.centre.run()
        for which in self.chance.permutation(2).tolist():
            self.step(self.approve_centrally, which)
        self.centre.run()

    def is_in(self, which: int, state: DossierState) -> bool:
        dossier = self.dossiers[which]
        return dossier is not None and self.centre.desk.view(dossier).state == state

    @property
    def cards(self) -> int:
        return len({each for each in self.dossiers if each} & set(self.centre.desk.orders()))

    def expected_members(self) -> set[str]:
        """Who has a card by number, whose search is not over by encounter, and nobody else."""
        names = set()
        for dossier in [each for each in self.dossiers if each]:
            with self.centre.desk.database.reading() as connection:
                found = repository.find(connection, dossier)
            assert found is not None
            if found.state is DossierState.CENTRAL_APPROVED:
                names.add(found.citizen_number)
            elif found.state in COMPARED and found.search is not None:
                names.add(found.encounter)
        return names


def another_worker(centre: Centre) -> SearchWorker:
    bed = centre.bed
    return SearchWorker(bed.database, bed.keys, bed.desk._modalities, lambda: bed.now[0])


def another_program(centre: Centre) -> DeduplicationDesk:
    gallery = InventedTemplates(centre.bed, centre.desk, centre.biometry)
    return DeduplicationDesk(centre.desk.database, gallery, lambda: centre.desk.now[0])


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    made = make_centre(tmp_path, database_engine)
    made.desk.registry.people = {each.citizen_number: each for each in citizens(2 * PEOPLE)}
    return made


@pytest.mark.parametrize("seed", range(2))
def test_two_cards_for_one_person_need_examiners_in_whatever_order_all_happens(
    centre: Centre, seed: int
) -> None:
    members: set[str] = set()
    carded = 0
    for person in range(PEOPLE // 2):
        pair = Pair(centre, person, np.random.default_rng((seed, person)))
        pair.walk()
        assert pair.cards <= 1, (seed, person)
        members |= pair.expected_members()
        assert centre.members() == members, (seed, person)
        carded += pair.cards
    # The walks come somewhere: else the promise would be kept by nobody ever having a card.
    assert carded >= PEOPLE // 6
    assert centre.desk.recorded() > 0


def test_programs_and_workers_at_once_never_let_both_pass(centre: Centre) -> None:
    for person in range(3):
        pair = Pair(centre, person, np.random.default_rng(person))
        for which in range(2):
            pair.capture(which)
            pair.approve_locally(which)
        desks = [another_program(centre) for _ in range(2)]
        ended = threading.Barrier(4)

        def work(run: Callable[[], object], ended: threading.Barrier = ended) -> None:
            ended.wait()
            for _ in range(8):
                run()

        runs = [desk.run_once for desk in desks] + [worker.run_once for worker in pair.workers]
        threads = [threading.Thread(target=work, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pair.finish()
        assert pair.cards <= 1


class ForgetfulGallery(InventedTemplates):
    """As it was before: nobody is compared with an application before its approval."""

    def search(
        self,
        connection: Connection,
        dossier: Dossier,
        samples: tuple[SampleMessage, ...],
        officers: Sequence[str],
        moment: datetime,
    ) -> Queued:
        queued = super().search(connection, dossier, samples, officers, moment)
        self.forget(connection, dossier.encounter, moment)
        return queued

    def forget(self, connection: Connection, member: str, moment: datetime) -> None:
        if not self._desk_knows(connection, member):
            super().forget(connection, member, moment)

    @staticmethod
    def _desk_knows(connection: Connection, member: str) -> bool:
        return tasks.task(connection, f"forget-{member}") is not None


def test_without_pending_members_both_would_have_a_card(centre: Centre) -> None:
    """What the tests above would say if it were so."""
    gallery = ForgetfulGallery(centre.bed, centre.desk, centre.biometry)
    now = centre.desk.now
    centre.work = DeduplicationDesk(centre.desk.database, gallery, lambda: now[0])
    pair = Pair(centre, 0, np.random.default_rng(0))
    for which in range(2):
        pair.capture(which)
        pair.approve_locally(which)
        centre.run()
    for which in range(2):
        pair.approve_centrally(which)
    assert pair.cards == 2


def test_of_two_applications_searched_one_after_the_other_the_second_waits_for_examiners(
    centre: Centre,
) -> None:
    pair = Pair(centre, 0, np.random.default_rng(0))
    for which in range(2):
        pair.capture(which)
        pair.approve_locally(which)
        centre.run()
    assert [centre.desk.view(pair.at(which)).search for which in range(2)] == ["clear", "hit"]
    pair.withdraw(1)
    centre.run()
    assert centre.members() == {centre.encounter(pair.at(0))}
