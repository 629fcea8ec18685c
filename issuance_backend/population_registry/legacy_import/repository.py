"""The SQL of records from older archives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.legacy_import.domain import LegacyRecord, Outcome
from issuance_backend.population_registry.legacy_import.tables import LEGACY_RECORDS

_AT_ONCE = 500
_MOST_NAMESAKES = 20
"""A common name has thousands of people in a year: two of them say as much."""


@dataclass(frozen=True, slots=True)
class Classified:
    """A record, what became of it, and whose it is."""

    record: LegacyRecord
    outcome: Outcome
    citizen_number: str | None


def known(connection: Connection, digests: Sequence[str]) -> dict[str, Outcome]:
    """Which of these records were imported before, and what became of them."""
    found: dict[str, Outcome] = {}
    for start in range(0, len(digests), _AT_ONCE):
        some = digests[start : start + _AT_ONCE]
        columns = (LEGACY_RECORDS.c.digest, LEGACY_RECORDS.c.outcome)
        rows = connection.execute(select(*columns).where(LEGACY_RECORDS.c.digest.in_(some)))
        found |= {row.digest: Outcome(row.outcome) for row in rows}
    return found


def namesakes(connection: Connection, record: LegacyRecord) -> list[str]:
    """People of this name whose day of birth it may be, at most so many; archives often write capitals."""
    spellings = {record.full_name, " ".join(word.capitalize() for word in record.full_name.split())}
    days = record.date_of_birth.first_day, record.date_of_birth.last_day
    found = {
        number
        for spelling in spellings
        for number in entries.numbers_by_name(connection, spelling, days, _MOST_NAMESAKES)
    }
    return sorted(found)


def add(connection: Connection, classified: Iterable[Classified], moment: str) -> None:
    """Write imported records; one that nobody was known for takes the place of itself."""
    classified = list(classified)
    again = LEGACY_RECORDS.c.digest.in_([each.record.digest for each in classified])
    connection.execute(delete(LEGACY_RECORDS).where(again))
    rows = [
        {
            "digest": each.record.digest,
            "kind": each.record.kind.value,
            "number": each.record.number,
            "full_name": each.record.full_name,
            "date_of_birth": each.record.date_of_birth.text,
            "sex": each.record.sex,
            "issued_on": each.record.issued_on,
            "scan_quality": each.record.scan_quality,
            "needs_recapture": each.record.needs_recapture,
            "outcome": each.outcome.value,
            "citizen_number": each.citizen_number,
            "imported_at": moment,
        }
        for each in classified
    ]
    if rows:
        connection.execute(insert(LEGACY_RECORDS), rows)


def counted(connection: Connection) -> dict[Outcome, int]:
    """How many imported records came out how."""
    question = select(LEGACY_RECORDS.c.outcome, func.count()).group_by(LEGACY_RECORDS.c.outcome)
    return {Outcome(outcome): amount for outcome, amount in connection.execute(question)}


def to_recapture(connection: Connection, after: str, limit: int) -> list[tuple[str, str, str | None]]:
    """Digest, number on the card and citizen number of records whose pictures must be taken again."""
    columns = (LEGACY_RECORDS.c.digest, LEGACY_RECORDS.c.number, LEGACY_RECORDS.c.citizen_number)
    question = (
        select(*columns)
        .where(LEGACY_RECORDS.c.needs_recapture.is_(True), LEGACY_RECORDS.c.digest > after)
        .order_by(LEGACY_RECORDS.c.digest)
        .limit(limit)
    )
    return [(row.digest, row.number, row.citizen_number) for row in connection.execute(question)]
