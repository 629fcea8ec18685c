"""Takes over the archives of older cards: nine-digit CMND and twelve-digit bar code cards."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities import holding
from issuance_backend.population_registry.identities import repository as identities
from issuance_backend.population_registry.identities.domain import IdentityEvent, IdentityKind
from issuance_backend.population_registry.legacy_import import domain, repository
from issuance_backend.population_registry.legacy_import.domain import (
    COLUMNS,
    LegacyRecord,
    LineMalformed,
    Outcome,
    Tally,
)
from issuance_backend.population_registry.legacy_import.repository import Classified
from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.numbers.issuing import Issuing
from issuance_backend.population_registry.people import repository as people
from issuance_backend.refusals import LegacyFileMalformed
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.messages.national_time import vietnam_date
from verification.messages.registry_records import IdentityClaim

AT_ONCE = 50
"""Lines of one transaction, a fraction of a second: on SQLite whoever reads an entry waits for it.

Whoever was interrupted imports the whole file again and goes on there.
"""

_SOURCE = "archive"
_MAX_FIELD = 1_000


class LegacyImport:
    """Owns the transactions of an import, one for every ``AT_ONCE`` lines."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def take_over(self, lines: Iterable[str], officer: str) -> Tally:
        """Import the lines of a CSV file; a record that was imported before is left alone.

        Of whom the registry knew nobody by then, it is looked for again.

        Raises LegacyFileMalformed when the first line does not name the columns.
        """
        tally = Tally()
        for portion in _portions(lines, tally, vietnam_date(self._clock())):
            with self._database.writing() as connection:
                moment = journal.begin(connection, self._clock())
                classified = []
                for each in _classify(connection, portion, {}):
                    # One after the other: a later line of the same document meets the earlier one.
                    if each.outcome is not Outcome.REPEATED:
                        _take(connection, each, officer, moment)
                    classified.append(each)
                new = [each for each in classified if each.outcome is not Outcome.REPEATED]
                repository.add(connection, new, rfc3339(moment))
                _record(connection, classified, officer, moment)
            self._database.give_way()
            _count(tally, classified)
        return tally

    def rehearse(self, lines: Iterable[str]) -> Tally:
        """Say what an import would do; nothing is written. Raises LegacyFileMalformed."""
        tally, seen = Tally(), dict[str, Outcome]()
        for portion in _portions(lines, tally, vietnam_date(self._clock())):
            with self._database.reading() as connection:
                _count(tally, _classify(connection, portion, seen))
        return tally

    def recapture_list(self) -> Iterator[tuple[str, str | None]]:
        """Number on the card and citizen number of every record whose pictures must be taken again."""
        after = ""
        while True:
            with self._database.reading() as connection:
                found = repository.to_recapture(connection, after, AT_ONCE)
            if not found:
                return
            after = found[-1][0]
            for _, number, citizen_number in found:
                yield number, citizen_number


def _portions(lines: Iterable[str], tally: Tally, today: date) -> Iterator[list[LegacyRecord]]:
    """The records of a file, some at a time; lines that are none are counted."""
    if csv.field_size_limit() > _MAX_FIELD:
        csv.field_size_limit(_MAX_FIELD)
    reader = csv.DictReader(lines, strict=True)
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise LegacyFileMalformed("the first line does not name the columns")
        while rows := list(islice(reader, AT_ONCE)):
            portion = []
            for row in rows:
                tally.lines += 1
                try:
                    portion.append(domain.parse(row, today))
                except LineMalformed as fault:
                    tally.outcomes[Outcome.MALFORMED] += 1
                    tally.faults[str(fault)] += 1
            yield portion
    except (csv.Error, UnicodeDecodeError) as fault:
        raise LegacyFileMalformed(f"after {tally.lines} lines: {type(fault).__name__}") from None


def _classify(
    connection: Connection, portion: list[LegacyRecord], seen: dict[str, Outcome]
) -> Iterator[Classified]:
    # What this file said before weighs more than what stood here before it.
    seen |= repository.known(connection, [record.digest for record in portion]) | seen
    for record in portion:
        former = seen.get(record.digest)
        each = Classified(record, Outcome.REPEATED, None)
        # Somebody whom nobody knew at the first import may have been registered since.
        if former in {None, Outcome.UNKNOWN}:
            found = _whose(connection, record)
            each = each if found.outcome is former else found
        seen[record.digest] = each.outcome
        yield each


def _whose(connection: Connection, record: LegacyRecord) -> Classified:
    holders = _holders(connection, record)
    is_by_number = bool(holders)
    if not holders:
        holders = repository.namesakes(connection, record) if record.kind is IdentityKind.CMND_9 else []
    numbers = sorted({people.reference_number(connection, number) for number in holders})
    if not numbers:
        return Classified(record, Outcome.UNKNOWN, None)
    if len(numbers) > 1:
        return Classified(record, Outcome.AMBIGUOUS, None)
    person = entries.person(connection, numbers[0])
    others = {
        each.citizen_number for each in identities.with_document(connection, record.kind.value, record.number)
    } - {numbers[0]}
    # Without its number a card is somebody's by name and day; by name and year it may be anybody's.
    is_certain = is_by_number or (record.date_of_birth.day > 0 and _is_whole(person))
    agrees = is_certain and person is not None and record.agrees_with(person) and not others
    # A person with another nine-digit number has two, or this is somebody else of the same name.
    if (
        person is not None
        and record.kind is IdentityKind.CMND_9
        and person.old_id not in {None, record.number}
    ):
        agrees = False
    return Classified(record, Outcome.LINKED if agrees else Outcome.CONFLICT, numbers[0])


def _is_whole(person: RegistryPerson | None) -> bool:
    return person is not None and person.birth_known == "day"


def _holders(connection: Connection, record: LegacyRecord) -> list[str]:
    if record.kind is IdentityKind.CMND_9:
        return entries.numbers_with_old_id(connection, record.number)
    return [record.number] if entries.person(connection, record.number) is not None else []


def _take(connection: Connection, each: Classified, officer: str, moment: datetime) -> None:
    record = each.record
    if record.kind is IdentityKind.BARCODE_CARD:
        # Whoever it belongs to, this number is on somebody's card: it is never drawn for another.
        issuing.adopt(Issuing(connection, officer, moment, secrets.token_bytes), record.number)
    if each.citizen_number is None:
        return
    claim = IdentityClaim(
        citizen_number=each.citizen_number,
        kind=record.kind.value,
        officer=officer,
        document_number=record.number,
    )
    identity = holding.new_identity(claim, _SOURCE, moment)
    holding.claim_identity(connection, identity, officer, moment)
    if each.outcome is Outcome.LINKED:
        holding.step_identity(connection, identity, IdentityEvent.VALIDATE, officer, moment)


def _count(tally: Tally, classified: Iterable[Classified]) -> None:
    for each in classified:
        tally.outcomes[each.outcome] += 1
        tally.recapture += each.record.needs_recapture and each.outcome is not Outcome.REPEATED


def _record(connection: Connection, classified: Iterable[Classified], officer: str, moment: datetime) -> None:
    portion = Tally()
    _count(portion, classified)
    step = Step(
        subject="legacy-import",
        event="import",
        state="imported",
        actor=officer,
        at=rfc3339(moment),
        detail={outcome.value: str(amount) for outcome, amount in sorted(portion.outcomes.items())},
    )
    journal.record(connection, step)
