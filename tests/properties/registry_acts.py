"""What happens in the population registry: every way in, and everything that is done to who is in it.

An act goes through the real desks, by officers who are now and then the wrong ones and in states that
often forbid it. What a desk answers is held against what its people remember.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from copy import copy, deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from issuance_backend.moments import rfc3339
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01.domain import CLEAN_STATES
from issuance_backend.population_registry.dc01.form_desk import known
from issuance_backend.population_registry.dc01.tables import BATCHES, FORMS
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.legacy_import.domain import Outcome
from issuance_backend.population_registry.life_events.domain import MARRIED, SINGLE
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.merges.domain import REASONS, REFUSALS, MergeAct
from issuance_backend.population_registry.numbers.domain import serials
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.publication.tables import PUBLICATIONS
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.registration.service import RegistrationDesk
from issuance_backend.population_registry.tables import PERSONS
from issuance_backend.schema import EVENT_HEAD
from tests.issuance_backend.population_registry.dc01.test_invariants import Walk
from tests.issuance_backend.population_registry.legacy_import.test_legacy_import import HEADER, line
from tests.properties.office_invariants import require
from tests.properties.registry_invariants import (
    CARD,
    ENTRY,
    Memory,
    entry_numbers,
    judge,
    require_nobody_twice,
    withdrawals,
)
from tests.support.dc01_office import WHOLE, Dc01Office, somebody
from tests.support.issuance_office import citizens
from tests.support.registry_office import CIVIL_REGISTER, RegistryWorld, life_report
from verification.errors import Refused, TransitionRefused
from verification.messages.dc01 import FormDecision, FormKeyed
from verification.messages.life_event import (
    Birth,
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Divorce,
    Found,
    LifeEvent,
    Marriage,
    Move,
)
from verification.messages.national_time import vietnam_date
from verification.messages.publication import PublicationProposal, Receiver, SignOff
from verification.messages.registry_merge import MergeDecision, MergeProposal
from verification.messages.registry_numbers import NumberWanted
from verification.messages.registry_records import IdentityClaim, IdentityDecision

T = TypeVar("T")

OFFICERS = ("an", "binh", "chi", "dung")
RECEIVERS = ("health", "tax")
ATTRIBUTES = ("full_name", "current_residence", "life_status", "spouse")
PARTICULARS = (
    *("nationality", "ethnicity", "religion", "birth_registration_place", "place_of_origin"),
    *("permanent_residence", "current_residence", "father", "mother", "household_head", "relation_to_head"),
)
MAKE_ENTRIES = frozenset({"birth", "register"})
PREFIX = "001190"
"""Hà Nội, a woman of 1990: of this block are the forms' numbers, most reservations and the older cards."""


def one_order(size: int) -> bytes:
    """The key of every block: the numbers on older cards are those that would be drawn next."""
    return bytes(size)


PAPER = tuple(f"{PREFIX}{serial:06d}" for serial in islice(serials(one_order(32), 0), 16))


class OneClock(RegistryWorld):
    """The registry's other desks, over the database and by the clock of the office of forms."""

    def __init__(self, office: Dc01Office) -> None:
        self._office = office
        super().__init__(office.database, [])

    def clock(self) -> datetime:
        return self._office.now


class Clerks(Walk):
    """The work on forms: some bear an older card's number or one that was drawn for somebody, or of the birth
    the year alone, and three people fill in one form after the other.
    """

    memory: Memory

    def values(self, form: str, error_rate: float = 0.1) -> dict[str, str]:
        read = super().values(form, error_rate)
        if "citizen_number" not in read and self.chance.random() < 0.5:
            read = somebody(1 + self.chance.randrange(3))
        elif "citizen_number" not in read and self.chance.random() < 0.6:
            kept = [each.citizen_number for each in self.memory.kept.values()]
            drawn = [number for number in kept if number.startswith(PREFIX)]
            read["citizen_number"] = self.chance.choice(self.chance.choice((PAPER, drawn or PAPER)))
        if self.chance.random() < 0.1:
            read["date_of_birth"] = "1990"
        return read

    def new_batch(self) -> None:
        if len(self._found(select(BATCHES.c.id).where(BATCHES.c.state == "open"))) < 3:
            super().new_batch()

    def one_in(self, state: str) -> str:
        found = self._found(select(FORMS.c.id).where(FORMS.c.state == state).order_by(FORMS.c.id))
        return self.chance.choice(found or self.forms)

    def key_whole_batch(self) -> None:
        waiting = FORMS.c.state.in_(["indexed", "batch_rejected"])
        asked = select(FORMS.c.id).where(waiting, FORMS.c.batch == self._batch(waiting))
        for form in self._found(asked.order_by(FORMS.c.id)):
            self._key(form)

    def draw(self) -> None:
        self.office.batches.draw(self._batch(FORMS.c.state == "auto_checked"), "leader")

    def check_sample(self) -> None:
        """All that is drawn is read again, most of it as the first clerk did."""
        while task := self.office.batches.next_keying("second"):
            with self.office.database.reading() as connection:
                said = dict(known(connection, task.form).values or {})
            if self.chance.random() < 0.15:
                said["father"] = "ĐỌC KHÁC"
            self.office.batches.key_again(task.form, FormKeyed(values=said, officer="second"))
        self._decide_differences()

    def _decide_differences(self) -> None:
        while found := self.office.batches.next_difference("third"):
            right = {part.field: self.chance.choice(part.readings) for part in found.differences}
            self.office.batches.decide(found.form, FormDecision(values=right, officer="third"))

    def match(self) -> None:
        self.office.forms.match(self._batch(FORMS.c.state == "accepted"))

    def register(self) -> None:
        """Whatever is registered of a batch is registered once."""
        ready = FORMS.c.state.in_([state.value for state in CLEAN_STATES]) & FORMS.c.person.is_(None)
        batch, officer = self._batch(ready), self.chance.choice(["leader", "k1"])
        self.office.registration.register(batch, officer)
        if self.chance.random() < 0.2:
            again = self.office.registration.register(batch, officer)
            require("I3", again == 0, "a form was registered again")

    def _batch(self, ready: ColumnElement[bool]) -> str:
        """One with forms that are ready for what is to be done, or now and then any."""
        found = self._found(select(FORMS.c.batch).where(ready).distinct().order_by(FORMS.c.batch))
        return self.chance.choice(found if found and self.chance.random() < 0.9 else self.batches)

    def _found(self, asked: Select[tuple[str]]) -> list[str]:
        with self.office.database.reading() as connection:
            return list(connection.execute(asked).scalars())


class RegistryActs(Clerks):
    """Everybody who works on the registry, each with what they remember."""

    def __init__(self, office: Dc01Office) -> None:
        super().__init__(office, 0)
        with office.database.writing() as connection:
            entries.add(connection, [_unmarried(person) for person in citizens()[:6]], office.now)
            found = sorted(entry_numbers(connection))
            self.recorded = _newest(connection)
        self.memory = Memory(frozenset(found), dict.fromkeys(found, ENTRY))
        self._take_places()

    def at(self, office: Dc01Office) -> RegistryActs:
        """The same people, who go on in a copy of the registry."""
        others = copy(self)
        others.office, others.chance = office, random.Random(0)  # noqa: S311 - the same walk in every run
        others.batches, others.forms = list(self.batches), list(self.forms)
        others.memory = deepcopy(self.memory)
        others._take_places()
        return others

    def act(self, name: str, seed: int) -> bool:
        """One act; whether anything was recorded. Whom it is about and who does it follows from the seed."""
        self.chance.seed(seed)
        before = self.recorded
        with suppress(Refused):
            getattr(self, name)()
        with self.office.database.reading() as connection:
            found, self.recorded = entry_numbers(connection), _newest(connection)
        self._meet(found, name)
        return self.recorded > before

    def judge(self) -> None:
        """Raise InvariantBroken unless everything holds."""
        with self.office.database.reading() as connection:
            judge(connection, self.memory)

    # Numbers that other programs ask for.

    def reserve(self) -> None:
        wanted = NumberWanted(
            request_id=f"request-{len(self.memory.wanted):010d}",
            province="001",
            date_of_birth=date(1990, 3, 15),
            sex=self.chance.choice("FFFM"),
        )
        self.memory.wanted.append(wanted)
        self._reserve(wanted)

    def reserve_again(self) -> None:
        self._reserve(self._one(self.memory.wanted))

    def confirm_number(self) -> None:
        request = self._one(self.memory.wanted).request_id
        answer = self.world.numbers.confirm("office", request)
        self.memory.give(answer.citizen_number, request)
        mine = [number for number, holder in self.memory.holders.items() if holder == request]
        require("I3", len(mine) == 1, "a request has two numbers")

    def release(self) -> None:
        request = self._one(self.memory.wanted).request_id
        self.world.numbers.release("office", request)
        self.memory.kept.pop(request, None)
        require("I3", request not in self.memory.holders.values(), "a number that was issued went back")

    def pass_days(self) -> None:
        self.office.pass_days(self.chance.choice((1, 1, 3, 8, 30, 400)))
        self.office.forms.age()

    # Archives of older cards.

    def import_archive(self) -> None:
        lines = [self._card() for _ in range(self.chance.randint(1, 3))]
        outcomes = self._import(lines)
        settled = outcomes[Outcome.LINKED] + outcomes[Outcome.CONFLICT] + outcomes[Outcome.AMBIGUOUS]
        self.memory.files.append((lines, settled))

    def import_again(self) -> None:
        lines, settled = self._one(self.memory.files)
        # Of whom nobody was known at first may have been registered since.
        require("I6", self._import(lines)[Outcome.REPEATED] >= settled, "a line was imported twice")

    # Two numbers that are one person, or are not after all.

    def propose_merge(self) -> None:
        self._propose(MergeAct.MERGE, self._number(), self._number())

    def propose_separation(self) -> None:
        merged = self._one(list(self.memory.leads_to))
        self._propose(MergeAct.SEPARATE, self.memory.leads_to[merged], merged)

    def decide_merge(self) -> None:
        proposal, officer = self._one(self.memory.proposals), self._officer()
        shown_to = officer if self.chance.random() < 0.5 else "inspector"
        shown = self.world.merges.entries(proposal, shown_to, lambda _: None)
        approves = self.chance.random() < 0.8
        refusal = None if approves else REFUSALS[0]
        before = self._records()
        done = self.world.merges.decide(
            proposal, MergeDecision(shown.entries_digest, approves, refusal, officer=officer)
        )
        require("I3", self._records() == before, "a merge or a separation wrote into a record")
        if approves and done.act == MergeAct.MERGE:
            self.memory.leads_to[done.merged] = done.kept
        elif approves:
            require("I3", self.memory.leads_to.pop(done.merged, None) == done.kept, "nothing to separate")

    # What happens in a life.

    def birth(self) -> None:
        day = self._today() - timedelta(days=self.chance.randint(0, 3))
        particulars: dict[str, str | None] = {
            **dict.fromkeys(PARTICULARS, "Hà Nội"),
            "full_name": self.chance.choice(("Lê Minh An", "Trần Thu Hà")),
            "date_of_birth": day.isoformat(),
            "sex": self.chance.choice("FM"),
        }
        self._report(Birth("001", particulars), day)

    def death(self) -> None:
        number = self._number()
        day = self._report(Death(number))
        entry = self.memory.reference(number)
        require("I3", entry not in self.memory.died, "a second death of one person")
        self.memory.died[entry] = day

    def annul_death(self) -> None:
        number = self._one(sorted(self.memory.died))
        self._report(DeathAnnulled(number))
        died = self.memory.died.pop(self.memory.reference(number), None)
        require("I3", died is not None, "who was alive rose")

    def declare_missing(self) -> None:
        self._report(DeclaredMissing(self._number()))

    def find(self) -> None:
        gone = select(PERSONS.c.citizen_number).where(PERSONS.c.life_status == "missing")
        self._report(Found(self._one(self._found(gone.order_by(PERSONS.c.citizen_number)))))

    def marry(self) -> None:
        grown = PERSONS.c.date_of_birth < date(2000, 1, 1)
        single = select(PERSONS.c.citizen_number).where(grown, PERSONS.c.marital_status != MARRIED)
        found = self._found(single.order_by(PERSONS.c.citizen_number))
        one, other = self._one(found), self._one(found)
        day = self._report(Marriage(one, other))
        self.memory.couples.append((one, other))
        for number in (one, other):
            died = self.memory.died.get(self.memory.reference(number))
            require("I3", died is None or day <= died, "a dead person married")

    def divorce(self) -> None:
        self._report(Divorce(*self._one(self.memory.couples)))

    def move(self) -> None:
        self._report(Move(self._number(), self.chance.choice(("Xóm Mới", "Xóm Đông", "Phố Cổ"))))

    def correct_record(self) -> None:
        names = ("Lê Thị Đào", "Lê Thị Mận", "Nguyễn Thị Lan")
        attribute = self.chance.choice(("full_name", "full_name", "mother", "sex"))
        value = self.chance.choice("MF") if attribute == "sex" else self.chance.choice(names)
        self._report(Correction(self._number(), {attribute: value}))

    def report_again(self) -> None:
        report, answered = self._one(self.memory.reported)
        view = self.world.life.report(CIVIL_REGISTER, report)
        with self.office.database.reading() as connection:
            is_same = (view.id, _newest(connection)) == (answered, self.recorded)
        require("I6", is_same, "a report was registered twice")

    def claim_identity(self) -> None:
        kind = self.chance.choice(("cmnd_9", "passport"))
        said = IdentityClaim(self._number(), kind, self._officer(), "012345678")
        self.memory.identities.append(self.world.records.claim(said).id)

    def judge_identity(self) -> None:
        decision = self.chance.choice(("validate", "validate", "invalidate", "revoke", "reopen", "refer"))
        said = IdentityDecision(decision, self._officer())
        self.world.records.decide(self._one(self.memory.identities), said)

    # What is handed to others.

    def subscribe(self) -> None:
        wanted = self.chance.sample(ATTRIBUTES, self.chance.randint(1, len(ATTRIBUTES)))
        self.world.publications.subscribe("admin", Receiver(self.chance.choice(RECEIVERS), tuple(wanted)))

    def propose_publication(self) -> None:
        officer, wanted = self._officer(), self.chance.sample(ATTRIBUTES, 2)
        made = self.world.publications.propose(PublicationProposal(self._number(), tuple(wanted), officer))
        self.memory.publications.append(made.id)
        self.memory.signed[made.id] = [officer]

    def sign_publication(self) -> None:
        waiting = select(PUBLICATIONS.c.id).where(PUBLICATIONS.c.state.in_(["checked", "signed_once"]))
        name = self._one(self._found(waiting.order_by(PUBLICATIONS.c.id)) or self.memory.publications)
        officer = self._officer()
        digest = self.world.publications.view(name).values_digest
        approves = self.chance.random() < 0.95
        signed = self.world.publications.sign(name, SignOff(officer, digest, approves=approves))
        if approves and signed.state != "outdated":
            self.memory.signed[name].append(officer)
            names = self.memory.signed[name]
            require("I11", len(set(names)) == len(names), "one officer signs twice")
            require("I11", (signed.state == "published") == (len(names) == 3), "published too early")

    def fetch(self) -> None:
        """A receiver takes what waits, and says of the first of it that it arrived."""
        receiver = self.chance.choice(RECEIVERS)
        waiting = self.world.publications.deliveries(receiver, PageAsked()).entries
        with self.office.database.reading() as connection:
            told = withdrawals(connection)
        for sent in waiting:
            if sent.is_current:
                handed = receiver, sent.citizen_number, sent.attribute
                self.memory.handed[handed] = sent.value, told[handed]
        self.world.publications.acknowledge(receiver, self._one(waiting).id)

    def _take_places(self) -> None:
        database, clock = self.office.database, self.office.clock
        # Nobody else waits to write.
        database.give_way = lambda: None  # type: ignore[method-assign]
        self.world = OneClock(self.office)
        self.world.numbers = NumberOffice(database, clock, one_order)
        self.world.life = LifeEventOffice(database, clock, one_order)
        book = ReadBook(database, clock)
        self.office.registration = RegistrationDesk(database, self.office.forms, book, one_order)

    def _reserve(self, wanted: NumberWanted) -> None:
        answer = self.world.numbers.reserve("office", wanted)
        self.memory.kept[wanted.request_id] = answer
        holder = self.memory.holders.get(answer.citizen_number, wanted.request_id)
        require("I3", holder == wanted.request_id, "kept for a request is the number of", holder)

    def _import(self, lines: list[str]) -> Counter[Outcome]:
        outcomes = self.world.legacy.take_over([HEADER, *lines], "archivist").outcomes
        for number in (text.split(",")[1] for text in lines):
            if len(number) == len(PAPER[0]):
                self.memory.holders.setdefault(number, CARD)
                self.memory.forget_reservation(number)
        return outcomes

    def _card(self) -> str:
        if self.chance.random() < 0.5:
            with self.office.database.reading() as connection:
                entry = entries.person(connection, self._number())
            assert entry is not None
            return line(entry, self.chance.choice(("cmnd_9", "barcode_card")))
        names = {"full_name": WHOLE["full_name"], "date_of_birth": "1990", "sex": "F"}
        return line(citizens()[0], "barcode_card", number=self.chance.choice(PAPER), **names)

    def _propose(self, act: MergeAct, kept: str, merged: str) -> None:
        said = MergeProposal(act, kept, merged, REASONS[act][0], self._officer())
        self.memory.proposals.append(self.world.merges.propose(said).id)

    def _report(self, event: LifeEvent, day: date | None = None) -> date:
        occurred_on = day or self._today() - timedelta(days=self.chance.choice((0, 0, 2, 20)))
        report = life_report(len(self.memory.reported), event, occurred_on)
        view = self.world.life.report(CIVIL_REGISTER, report)
        self.memory.reported.append((report, view.id))
        return occurred_on

    def _meet(self, found: set[str], name: str) -> None:
        """An entry is made by a birth or of a form, which may bear the number of the person's older card."""
        holders = self.memory.holders
        made = found - {each for each, holder in holders.items() if holder == ENTRY}
        for number in sorted(made):
            require("I3", name in MAKE_ENTRIES, name, "made an entry")
            # What is recorded is moments later than the clock says.
            is_kept = self.memory.is_kept(number, rfc3339(self.office.now + timedelta(seconds=1)))
            require("I3", not is_kept, "an entry has the number that is kept for a request")
            if name == "register" and holders.get(number) == CARD:
                holders[number] = ENTRY
            self.memory.give(number, ENTRY)
        if name == "register" and made:
            with self.office.database.reading() as connection:
                require_nobody_twice(connection, made, self.memory)

    def _records(self) -> dict[str, Row[Any]]:
        with self.office.database.reading() as connection:
            return {row.citizen_number: row for row in connection.execute(select(PERSONS))}

    def _today(self) -> date:
        return vietnam_date(self.office.now)

    def _number(self) -> str:
        """Somebody's, of those with an entry; the newest and those who were merged more often."""
        held = [number for number, holder in self.memory.holders.items() if holder == ENTRY]
        return self.chance.choice([*held, *held[-4:], *self.memory.leads_to])

    def _officer(self) -> str:
        return self.chance.choice(OFFICERS)

    def _one(self, of: Sequence[T]) -> T:
        """One of these, of the last more often; nobody comes where there is none."""
        if not of:
            raise TransitionRefused("there is none yet")
        return self.chance.choice([*of, *of[-3:]])


def _newest(connection: Connection) -> int:
    """How many events are recorded."""
    return int(connection.execute(select(EVENT_HEAD.c.sequence)).scalar_one())


def _unmarried(person: RegistryPerson) -> RegistryPerson:
    return replace(person, marital_status=SINGLE, spouse=None)
