"""What must hold in the population registry: its tables, held against what people remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, func, select

from issuance_backend import recorded_events
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01.domain import CLEAN_STATES
from issuance_backend.population_registry.dc01.tables import BATCHES, FORMS
from issuance_backend.population_registry.domain import value_of
from issuance_backend.population_registry.identities.tables import IDENTITIES
from issuance_backend.population_registry.merges.tables import MERGE_PROPOSALS
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS
from issuance_backend.population_registry.people.tables import MERGES, PEOPLE
from issuance_backend.population_registry.publication import domain as publication
from issuance_backend.population_registry.publication.tables import DELIVERIES, PUBLICATIONS, PUBLISHED
from issuance_backend.population_registry.tables import PERSONS
from tests.properties.office_invariants import require
from verification.messages.life_event import LifeEventReport
from verification.messages.registry_numbers import NumberReservation, NumberWanted

ENTRY, CARD = "entry", "card"
"""Who holds a number beside the requests of other programs: an entry of the registry, an older card."""

Handed = tuple[str, str, str]
"""A receiver, a number and an attribute."""

_SAID = [PERSONS.c[name] for name in ("full_name", "date_of_birth", "sex", "father", "mother")]
"""What tells people apart who bear no number."""


@dataclass
class Memory:
    """What the people around the registry remember: whoever has it in writing is not asked again."""

    loaded: frozenset[str]
    holders: dict[str, str] = field(default_factory=dict)
    """Whose a number is, for ever: an entry's, a request's that was confirmed, an older card's."""
    wanted: list[NumberWanted] = field(default_factory=list)
    kept: dict[str, NumberReservation] = field(default_factory=dict)
    """What the last answer to each request was."""
    issued: dict[str, str | None] = field(default_factory=dict)
    """Every number that was seen issued, with the request that it was issued to."""
    leads_to: dict[str, str] = field(default_factory=dict)
    """Merges that were signed and not taken back."""
    proposals: list[str] = field(default_factory=list)
    publications: list[str] = field(default_factory=list)
    signed: dict[str, list[str]] = field(default_factory=dict)
    """Who put a name to a publication: who proposed it, then who signed."""
    handed: dict[Handed, tuple[str | None, int]] = field(default_factory=dict)
    """The last value that a receiver was given, and how often they had been told by then to drop it."""
    identities: list[str] = field(default_factory=list)
    reported: list[tuple[LifeEventReport, str]] = field(default_factory=list)
    """Reports that were registered, with the id that was answered."""
    files: list[tuple[list[str], int]] = field(default_factory=list)
    """Lines of archives, and for how many of them it was clear at once whose they are."""
    couples: list[tuple[str, str]] = field(default_factory=list)
    died: dict[str, date] = field(default_factory=dict)

    def reference(self, number: str) -> str:
        """Where a number leads to by the merges that were signed."""
        for _ in range(len(self.leads_to) + 1):
            if number not in self.leads_to:
                return number
            number = self.leads_to[number]
        require("I3", False, "merges lead in a circle")
        return number

    def give(self, number: str, holder: str) -> None:
        """A number becomes somebody's: it never was anybody else's."""
        former = self.holders.setdefault(number, holder)
        require("I3", former == holder, "given to", holder, "is", former)

    def is_kept(self, number: str, now: str) -> bool:
        """Whether some request may still come for a number."""
        kept = (each for each in self.kept.values() if each.citizen_number == number)
        return any(each.expires_at is not None and each.expires_at > now for each in kept)

    def forget_reservation(self, number: str) -> None:
        """A number turned out to be on somebody's card: whoever it was kept for does not get it."""
        self.kept = {name: each for name, each in self.kept.items() if each.citizen_number != number}


def entry_numbers(connection: Connection) -> set[str]:
    """The numbers of all entries."""
    return set(connection.execute(select(PERSONS.c.citizen_number)).scalars())


def withdrawals(connection: Connection) -> Counter[Handed]:
    """How often each receiver was told that a value is good no more."""
    columns = DELIVERIES.c.receiver, DELIVERIES.c.citizen_number, DELIVERIES.c.attribute
    asked = select(*columns, func.count()).where(DELIVERIES.c.kind == "withdraw").group_by(*columns)
    return Counter({(row[0], row[1], row[2]): row[3] for row in connection.execute(asked)})


def require_nobody_twice(connection: Connection, made: Set[str], memory: Memory) -> None:
    """I3: forms make entries of nobody who has one, by all that is known, whom no officer told apart."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for number, *said in connection.execute(select(PERSONS.c.citizen_number, *_SAID)):
        if number not in memory.leads_to:
            alike.setdefault(tuple(str(value).casefold() for value in said), []).append(number)
    for numbers in alike.values():
        if not made.isdisjoint(numbers):
            taken_for_one = [number for number in numbers if not _was_told_apart(connection, number)]
            is_twice = len(taken_for_one) > 1 and not made.isdisjoint(taken_for_one)
            require("I3", not is_twice, "an entry was made of somebody who has one")


def _was_told_apart(connection: Connection, number: str) -> bool:
    """Whether an officer said of a form that it speaks of another person than those it is like."""
    forms = connection.execute(select(FORMS.c.id).where(FORMS.c.person == number)).scalars()
    steps = recorded_events.of_subjects(connection, [f"dc01/{form}" for form in forms])
    return any("told_apart_by" in step.detail for each in steps.values() for step in each)


def judge(connection: Connection, memory: Memory) -> None:
    """Raise InvariantBroken unless everything holds."""
    held = entry_numbers(connection)
    _numbers(connection, memory, held)
    _merges(connection, memory, held)
    _publications(connection)
    _told(connection, memory)
    _forms(connection, held)
    _people(connection, memory)


def _numbers(connection: Connection, memory: Memory, held: set[str]) -> None:
    """I3: a number is one person's for ever, and what may still be drawn is nobody's."""
    columns = CITIZEN_NUMBERS.c
    rows = connection.execute(select(columns.citizen_number, columns.state, columns.request_id)).all()
    issued = {row.citizen_number: row.request_id for row in rows if row.state == "issued"}
    stock = {row.citizen_number for row in rows if row.state != "issued"}
    require("I3", held - memory.loaded <= issued.keys(), "an entry under a number that is not issued")
    require("I3", not stock & (held | memory.holders.keys()), "somebody's number may be drawn")
    require("I3", memory.issued.items() <= issued.items(), "an issued number changed hands")
    require("I3", memory.holders.keys() >= held, "an entry that nobody made")
    memory.issued = issued


def _merges(connection: Connection, memory: Memory, held: set[str]) -> None:
    """I3: merges are what two officers signed, lead to one reference, and take nothing away."""
    aliases = select(PEOPLE.c.citizen_number, PEOPLE.c.merged_into).where(PEOPLE.c.merged_into.is_not(None))
    standing = select(MERGES.c.merged, MERGES.c.kept).where(MERGES.c.state == "merged")
    for asked in (aliases, standing):
        found = dict(iter(connection.execute(asked)))
        require("I3", found == memory.leads_to, "merges stand that nobody signed, or do not that were")
    for number in memory.leads_to:
        require("I3", {number, memory.reference(number)} <= held, "a merged entry is gone")
    columns = MERGE_PROPOSALS.c
    alone = select(columns.id).where(columns.state == "signed", columns.decided_by == columns.proposed_by)
    require("I3", connection.execute(alone).first() is None, "merged by one officer alone")


def _publications(connection: Connection) -> None:
    """I11: what is published is what two others than the proposer signed for."""
    asked = select(
        PUBLISHED.c.citizen_number, PUBLISHED.c.attribute, PUBLISHED.c.value_digest,
        PUBLICATIONS.c.state, PUBLICATIONS.c.proposed_by, PUBLICATIONS.c.signed_by,
    ).join(PUBLICATIONS, PUBLICATIONS.c.id == PUBLISHED.c.publication)  # fmt: skip
    for row in connection.execute(asked.where(PUBLISHED.c.state == "current")):
        signers = set(row.signed_by.split(",")) - {row.proposed_by}
        require("I11", row.state == "published", "handed out before it was published")
        require("I11", len(signers) == 2, "published without two other officers")
        entry = entries.person(connection, row.citizen_number)
        good = entry is not None and publication.value_digest(entry, row.attribute) == row.value_digest
        require("I11", good, "another value than the one signed for is current")


def _told(connection: Connection, memory: Memory) -> None:
    """I11: whoever has a value that is true no more was told so, whether they heard it or not."""
    told = withdrawals(connection)
    for handed, (value, before) in memory.handed.items():
        _, number, attribute = handed
        entry = entries.person(connection, number)
        require("I11", entry is not None, "an entry of whom something was published is gone")
        is_good = entry is not None and value_of(entry, attribute) == value
        if number in memory.leads_to or not is_good:
            require("I11", told[handed] > before, "a receiver goes on with what was corrected", attribute)


def _forms(connection: Connection, held: set[str]) -> None:
    """I14: clean forms, and entries made of forms, are of batches that passed."""
    asked = select(FORMS.c.person, BATCHES.c.state, BATCHES.c.wrong, BATCHES.c.acceptance)
    asked = asked.outerjoin(BATCHES, BATCHES.c.id == FORMS.c.batch)
    good = FORMS.c.state.in_([state.value for state in CLEAN_STATES]) | FORMS.c.person.is_not(None)
    for row in connection.execute(asked.where(good)):
        passed = row.state == "accepted" and row.wrong <= row.acceptance
        require("I14", passed, "a record of a batch that was rejected")
        require("I14", row.person is None or row.person in held, "a registered form without an entry")


def _people(connection: Connection, memory: Memory) -> None:
    """Who is dead was reported dead, and whom a person is known by is an identity of theirs that is valid."""
    dead = select(PERSONS.c.citizen_number).where(PERSONS.c.life_status == "deceased")
    require("I3", set(connection.execute(dead).scalars()) == memory.died.keys(), "nobody reported this death")
    own = (IDENTITIES.c.id == PEOPLE.c.reference_identity) & (IDENTITIES.c.status == "valid")
    own &= IDENTITIES.c.citizen_number == PEOPLE.c.citizen_number
    lost = select(PEOPLE.c.citizen_number).outerjoin(IDENTITIES, own)
    lost = lost.where(PEOPLE.c.reference_identity.is_not(None), IDENTITIES.c.id.is_(None))
    require("I3", connection.execute(lost).first() is None, "known by an identity that is not valid")
