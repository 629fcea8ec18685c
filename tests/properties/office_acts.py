"""Everything that officers, citizens, machines and other programs do in the office, one method each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.credentials import holds
from issuance_backend.credentials.older_cards import Fate, fate_of
from issuance_backend.credentials.tables import CARD_BOXES
from issuance_backend.credentials.undelivered_desk import age as age_cards
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.packet_desk import OpenedPacket
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer
from issuance_backend.paging import PageAsked
from issuance_backend.personalization.tables import BLANK_DESTRUCTIONS
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.schema import CREDENTIALS, DOSSIERS
from issuance_backend.unit_codes import province_of
from monitoring.database import Database
from tests.properties.office_invariants import require
from tests.properties.walked_search import FACES, WalkedSearch, portrait_of
from tests.support.application_desk import UNIT, Desk, capture_of, packet_of
from verification.errors import Unavailable, VerificationError
from verification.messages.biometric_search import BaitCase, CaseDecision
from verification.messages.capture_terms import FIRST_CARD, OldCard, Reason, StatedTerms
from verification.messages.delivery import (
    AccountOrder,
    AccountSuspension,
    BoxPacking,
    BoxScan,
    BoxSeal,
    CardSuspension,
    ConfirmationReason,
    HandOver,
    HolderConfirmation,
)
from verification.messages.dossier_decisions import CaseHold, LookupAnswer, LookupRequest, RejectionReason
from verification.messages.enrollment import DossierCapture, DossierReturn
from verification.messages.production import (
    BatchOrder,
    BlankDelivery,
    BlankSerials,
    FaultReport,
    StockCount,
)

FRAUD = RejectionReason("fraud", "Luật 26/2023/QH15", "Giấy tờ giả")
SEEN = HolderConfirmation(ConfirmationReason.CHIP_UNREADABLE)
CASES = (CaseHold("case-1"), CaseHold("case-2"))
TERMS = (
    FIRST_CARD,
    StatedTerms(Reason.EXCHANGE, OldCard.TAKEN, None, "BL-1"),
    StatedTerms(Reason.EXCHANGE, OldCard.KEPT, None, "BL-2"),
    StatedTerms(Reason.LOST, OldCard.LOST, "poor_household"),
)
ITEMS = ("portrait", "form", "identification")
FINDINGS = (*["different_persons"] * 6, *["same_person"] * 2, "poor_data", "fraud")
"""What an examiner finds, as often as it comes up."""

NOTHING = "0" * 16
"""A name that nothing has."""


class Acts:
    """The acts of a walk; each is refused or done, and none asks before whether it may be."""

    chance: np.random.Generator
    database: Database
    desk: Desk
    people: Sequence[RegistryPerson]
    delivery: Any
    shipping: Any
    suspension: Any
    undelivered: Any
    accounts: Any
    production: Any
    stock: Any
    line: Any
    search: WalkedSearch
    who: Callable[[], Officer]
    some: Callable[..., str]
    one: Callable[[Sequence[Any]], Any]
    captures: list[tuple[Officer, DossierCapture, str]]
    packets: list[tuple[OpenedPacket, str]]
    blanks: int
    brought: int
    shared: bool
    """Others act in the same office at the same time."""

    def every_act(self) -> tuple[Callable[[], object], ...]:
        """Every act, as often as it comes up."""
        self.captures, self.packets, self.blanks, self.brought = [], [], 0, 0
        often = (self.capture, self.approve_locally, self.approve_centrally, self.make_card, self.hand_over)
        programs = (self.lead_to_search, self.search_gallery)
        now_and_then = (
            *(self.receive_packet, self.recapture, self.send_back, self.confirm, self.batch, self.pack),
            *(self.dispatch, self.receive_box, self.confirm_rejection, self.capture_again, self.resume),
            *(self.approve_account, self.use_account, self.order_account, self.archive),
            *(self.check, self.approve_at_province, self.examine, self.examine),
        )
        seldom = (
            *(self.packet_again, self.propose_rejection, self.suspend, self.withdraw, self.refuse_card),
            *(self.deliver_blanks, self.write_off, self.count, self.propose_destruction, self.lose),
            *(self.confirm_destruction, self.cancel_destruction, self.resume_card, self.revoke, self.age),
            *(self.return_to_centre, self.destroy, self.close_account, self.die, self.release, self.lay_bait),
        )
        return (*often * 8, *programs * 8, *now_and_then * 3, *seldom)

    # The counters.

    def capture(self) -> object:
        who, made = self.who(), self._capture(self.one(self.people))
        dossier = self.desk.office.captures.capture(who, made)
        self.captures.append((who, made, dossier))
        return dossier

    def capture_again(self) -> object:
        """The same request once more."""
        if not self.captures:
            return None
        who, made, dossier = self.one(self.captures)
        return self._nothing_new(lambda: self.desk.office.captures.capture(who, made), dossier)

    def recapture(self) -> object:
        dossier = self.dossier("returned")
        person = self._person_of(dossier)
        face = int(self.chance.integers(FACES))
        portrait = portrait_of(face) if self.chance.random() < 0.5 else b""
        return self.desk.office.captures.recapture(self.who(), dossier, self._capture(person, portrait))

    def receive_packet(self) -> object:
        self.brought += 1
        number = self.brought
        sealed_at = rfc3339(self.desk.now[0])
        person = self.one(self.people)
        packet = packet_of(
            person,
            number,
            officer=self.who().id,
            happened_at=sealed_at,
            portrait=portrait_of(self.people.index(person)),
        )
        dossier = self.desk.received(packet)
        self.packets.append((packet, dossier))
        return dossier

    def packet_again(self) -> object:
        """The same packet once more, over another way."""
        if not self.packets:
            return None
        packet, dossier = self.one(self.packets)
        return self._nothing_new(lambda: self.desk.received(packet), dossier)

    def _nothing_new(self, again: Callable[[], object], former: object) -> object:
        """I6: what comes again is answered as before, and nothing is recorded for it."""
        before = self.recorded()
        try:
            answer = again()
        except VerificationError as refused:
            require("I6", self.shared and isinstance(refused, Unavailable), "refused", refused.code)
            raise
        require("I6", answer == former, answer, former)
        require("I6", self.shared or self.recorded() == before, "something was recorded")
        return answer

    def recorded(self) -> int:
        with self.database.reading() as connection:
            return recorded_events.newest(connection)

    def withdraw(self) -> object:
        return self.desk.office.captures.withdraw(self.who(), self.dossier("validated", "returned"))

    # Approval, archive, law.

    def approve_locally(self) -> object:
        return self.desk.approve_locally(self.who(), self.dossier("validated"))

    def check(self) -> object:
        """At a province whoever approves has somebody else check before."""
        return self.desk.office.checks.check(self._at_province(), self.dossier("validated"))

    def approve_at_province(self) -> object:
        return self.desk.approve_locally(self._at_province(), self.dossier("validated"))

    def _at_province(self) -> Officer:
        return replace(self.who(), unit=province_of(UNIT))

    def approve_centrally(self) -> object:
        return self.desk.office.approvals.approve_centrally(self.who(), self.dossier("dedup_1n"))

    def send_back(self) -> object:
        reasons = DossierReturn((self.one(ITEMS),), "làm lại")
        return self.desk.office.approvals.send_back(
            self.who(), self.dossier("validated", "dedup_1n", "returned"), reasons
        )

    def archive(self) -> object:
        archive = self.desk.office.archive
        dossier = self.dossier("validated", "archive_lookup")
        steps: tuple[Callable[[], object], ...] = (
            lambda: archive.ask(self.who(), dossier, LookupRequest("no_data")),
            lambda: archive.approve(self.who(), dossier),
            lambda: archive.answer(self.who(), dossier, LookupAnswer("agrees")),
        )
        return self.one(steps)()

    def propose_rejection(self) -> object:
        return self.desk.office.legal.propose_rejection(
            self.who(), self.dossier("validated", "dedup_1n", "adjudication", "central_approved"), FRAUD
        )

    def confirm_rejection(self) -> object:
        return self.desk.office.legal.confirm_rejection(
            self.who(), self.dossier("validated", "dedup_1n", "adjudication", "returned", "central_approved")
        )

    def suspend(self) -> object:
        dossier = self.dossier("validated", "dedup_1n", "adjudication", "central_approved")
        return self.desk.office.legal.suspend(self.who(), dossier, self.one(CASES))

    def resume(self) -> object:
        return self.desk.office.legal.resume(self.who(), self.dossier("suspended"), self.one(CASES))

    # The search, and examiners.

    def lead_to_search(self) -> object:
        return self.search.leading.run_once()

    def search_gallery(self) -> object:
        """Some of the tasks that wait."""
        return all(self.search.worker.run_once() for _ in range(4))

    def examine(self) -> object:
        case = self.some("adjudication", "open", "one", "differ")
        said = CaseDecision(self.one(FINDINGS))
        return self.search.examiners.decide(self.who(), case, said)

    def lay_bait(self) -> object:
        bait = BaitCase(
            probe_encounter=self._encounter(),
            candidate_encounter=self._encounter(),
            are_same_person=bool(self.chance.integers(2)),
        )
        return self.search.examiners.lay_bait(self.who(), bait)

    def _encounter(self) -> str:
        dossier = self.dossier("dedup_1n", "central_approved", "completed")
        with self.database.reading() as connection:
            found = dossiers.find(connection, dossier)
        return found.encounter if found else NOTHING

    # Production and blanks.

    def batch(self) -> object:
        return self.production.make_batch(self.who(), BatchOrder(limit=int(self.chance.integers(1, 6))))

    def make_card(self) -> object:
        return self.line.run_once()

    def release(self) -> object:
        held = self.some("production-order", "held")
        return self.production.queue(self.who(), held)

    def refuse_card(self) -> object:
        return self.production.refuse_card(
            self.who(), self.card("qa_passed", "packed"), FaultReport(fault="surface_damaged")
        )

    def deliver_blanks(self) -> object:
        first, count = self.blanks + 1, int(self.chance.integers(1, 30))
        self.blanks += count
        delivery = BlankDelivery(first=f"VN{first:09}", last=f"VN{self.blanks:09}")
        return self.stock.receive(self.who(), delivery)

    def write_off(self) -> object:
        serial = f"VN{int(self.chance.integers(1, self.blanks + 2)):09}"
        return self.stock.write_off(self.who(), BlankSerials(serials=(serial,)))

    def count(self) -> object:
        return self.stock.count(self.who(), StockCount(counted=int(self.chance.integers(0, 100))))

    def propose_destruction(self) -> object:
        page = self.stock.spoiled(self.who(), PageAsked(limit=20))
        serials = sorted(each.serial for each in page.entries)[: int(self.chance.integers(1, 3))]
        return self.stock.propose_destruction(self.who(), BlankSerials(serials=tuple(serials)))

    def confirm_destruction(self) -> object:
        return self.stock.confirm_destruction(self.who(), self.destruction())

    def cancel_destruction(self) -> object:
        return self.stock.cancel_destruction(self.who(), self.destruction())

    # On the way.

    def pack(self) -> object:
        cards = {self.card("qa_passed") for _ in range(int(self.chance.integers(1, 4)))}
        return self.shipping.pack(self.who(), BoxPacking(unit=UNIT, cards=tuple(sorted(cards))))

    def dispatch(self) -> object:
        box, digest, _ = self.box("sealed")
        seal = digest if self.chance.random() < 0.95 else "0" * 64
        return self.shipping.dispatch(self.who(), box, BoxSeal(seal))

    def receive_box(self) -> object:
        box, _, cards = self.box("dispatched")
        scanned = cards if self.chance.random() < 0.9 else cards[1:] or (self.card("packed"),)
        return self.shipping.receive(self.who(), box, BoxScan(scanned, bool(self.chance.random() < 0.1)))

    def confirm(self) -> object:
        return self.delivery.confirm_holder(self.who(), self.card("at_office", "undelivered"), SEEN)

    def hand_over(self) -> object:
        """Mostly right after another officer confirmed the holder."""
        card = self.card("at_office", "undelivered")
        if self.chance.random() < 0.7:
            self.delivery.confirm_holder(self.who(), card, SEEN)
        with self.database.reading() as connection:
            asked = select(CREDENTIALS.c.dossier).where(CREDENTIALS.c.id == card)
            fate = fate_of(connection, connection.execute(asked).scalar() or NOTHING)
        taken = OldCard.TAKEN if fate is Fate.KEPT and self.chance.random() < 0.8 else None
        return self.delivery.hand_over(self.who(), card, HandOver(old_card=taken))

    def age(self) -> object:
        if self.chance.random() < 0.1:
            self.desk.now[0] += timedelta(days=1)
        return age_cards(self.database, lambda: self.desk.now[0], int(self.chance.integers(0, 2)))

    def return_to_centre(self) -> object:
        return self.undelivered.return_to_centre(self.who(), self.card("undelivered"))

    def destroy(self) -> object:
        return self.undelivered.destroy(self.who(), self.card("returned_to_centre", "replaced"))

    # In the citizen's hands.

    def lose(self) -> object:
        return self.suspension.report_lost(self.who(), self.card("active"))

    def resume_card(self) -> object:
        return self.suspension.resume(self.who(), self.card("suspended"))

    def revoke(self) -> object:
        why = CardSuspension(self.one(("fraud", "missing")), "KN-2026-1")
        return self.suspension.revoke(self.who(), self.card("active", "suspended", "at_office"), why)

    def die(self) -> object:
        """A death is told, or taken back."""
        number, moment = self.one(self.people).citizen_number, self.desk.now[0]
        act = holds.put if self.chance.random() < 0.5 else holds.lift
        with self.database.writing() as connection:
            return act(connection, number, "life-event", moment)

    def order_account(self) -> object:
        dossier = self.dossier("validated") if self.chance.random() < 0.5 else None
        number = self._person_of(dossier).citizen_number if dossier else self.one(self.people).citizen_number
        return self.accounts.order(self.who(), AccountOrder(number, dossier))

    def approve_account(self) -> object:
        return self.accounts.approve(self.who(), self.account("captured", "sent_with_card"))

    def use_account(self) -> object:
        return self.accounts.activate(self.account("approved"), "e-id")

    def close_account(self) -> object:
        account = self.account("approved", "active", "suspended")
        why = AccountSuspension("fraud")
        acts = (
            lambda: self.accounts.suspend(self.who(), account, why),
            lambda: self.accounts.resume(self.who(), account),
            lambda: self.accounts.close(self.who(), account, why),
        )
        return self.one(acts)()

    # What the acts are done to.

    def dossier(self, *states: str) -> str:
        return self.some("dossier", *states)

    def card(self, *states: str) -> str:
        return self.some("card", *states)

    def account(self, *states: str) -> str:
        return self.some("account", *states)

    def destruction(self) -> str:
        proposed = BLANK_DESTRUCTIONS.c.state == "proposed"
        with self.database.reading() as connection:
            asked = select(BLANK_DESTRUCTIONS.c.id).where(proposed).order_by(BLANK_DESTRUCTIONS.c.id)
            found = list(connection.execute(asked).scalars())
        return str(self.one(found)) if found else NOTHING

    def box(self, *states: str) -> tuple[str, str, tuple[str, ...]]:
        box = self.some("box", *states)
        with self.database.reading() as connection:
            digest = connection.execute(select(CARD_BOXES.c.digest).where(CARD_BOXES.c.id == box)).scalar()
            asked = select(CREDENTIALS.c.id).where(CREDENTIALS.c.box == box)
            return box, digest or "", tuple(sorted(connection.execute(asked).scalars()))

    def _person_of(self, dossier: str) -> RegistryPerson:
        with self.database.reading() as connection:
            asked = select(DOSSIERS.c.citizen_number).where(DOSSIERS.c.id == dossier)
            number = connection.execute(asked).scalar()
        return next((each for each in self.people if each.citizen_number == number), self.people[0])

    def _capture(self, person: RegistryPerson, portrait: bytes | None = None) -> DossierCapture:
        number = int(self.chance.integers(10**9))
        own = portrait_of(self.people.index(person)) if portrait is None else portrait
        changes: dict[str, Any] = {"portrait": own}
        if self.chance.random() < 0.8:
            changes["terms"] = self.one(TERMS)
        return capture_of(person, number, **changes)
