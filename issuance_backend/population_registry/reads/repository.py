"""The SQL of who read whose entry."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.reads.tables import COMMUNE_READS, PERSON_READS
from verification.messages.registry_access import PersonRead, ReadingFor

_ADD = insert(PERSON_READS)
_AT_ONCE = 5_000
_SAID = ("purpose", "agency", "unit", "roles", "officer")
_SAID_OF_COMMUNE = ("purpose", "kit", "until")


def add(
    connection: Connection,
    citizen_numbers: Collection[str],
    reader: str,
    reading: ReadingFor,
    moment: datetime,
) -> None:
    """Write that entries were read."""
    said = {name: getattr(reading, name) for name in _SAID}
    rows = [
        {"citizen_number": number, "reader": reader, "read_at": rfc3339(moment), **said}
        for number in citizen_numbers
    ]
    connection.execute(_ADD, rows)


def add_commune(
    connection: Connection, commune: str, reader: str, reading: ReadingFor, moment: datetime
) -> None:
    """Write that the entries of a commune's people were read."""
    said = {name: getattr(reading, name) for name in _SAID_OF_COMMUNE}
    row = {"commune": commune, "reader": reader, "read_at": rfc3339(moment), **said}
    connection.execute(insert(COMMUNE_READS).values(**row))


def reads_commune(
    connection: Connection, commune: str, reader: str, reading: ReadingFor, since: datetime
) -> bool:
    """Whether it stands written since a moment, in the same words."""
    columns = COMMUNE_READS.c
    said = [columns[name].is_not_distinct_from(getattr(reading, name)) for name in _SAID_OF_COMMUNE]
    same = (columns.commune == commune, columns.reader == reader, columns.read_at >= rfc3339(since), *said)
    return connection.execute(select(columns.id).where(*same).limit(1)).first() is not None


def of_communes(
    connection: Connection, communes: Collection[str], since: str, before: str, limit: int
) -> list[PersonRead]:
    """The newest times within a period that the entries of one of these communes were read."""
    columns = COMMUNE_READS.c
    question = select(COMMUNE_READS).where(
        columns.commune.in_(communes), columns.read_at >= since, columns.read_at < before
    )
    rows = connection.execute(question.order_by(columns.read_at.desc(), columns.id.desc()).limit(limit))
    return [
        PersonRead(
            id=f"extract-{row.id}",
            read_at=row.read_at,
            reader=row.reader,
            purpose=row.purpose,
            unit=row.commune,
            kit=row.kit,
            until=row.until,
        )
        for row in rows
    ]


def add_of_form(
    connection: Connection, form: str, reader: str, reading: ReadingFor, moment: datetime
) -> None:
    """Write that the picture of a form was looked at, which is nobody's yet."""
    row = {"form": form, "reader": reader, "read_at": rfc3339(moment)}
    connection.execute(_ADD, row | {name: getattr(reading, name) for name in _SAID})


def name_person(connection: Connection, form: str, citizen_number: str) -> None:
    """Put what was read of a form under the person whose form it is found to be."""
    connection.execute(
        update(PERSON_READS).where(PERSON_READS.c.form == form).values(citizen_number=citizen_number)
    )


def newest(connection: Connection, numbers: Collection[str], limit: int) -> list[PersonRead]:
    """The newest readings of a person's entry, the newest first."""
    question = select(PERSON_READS).where(PERSON_READS.c.citizen_number.in_(numbers))
    rows = connection.execute(question.order_by(PERSON_READS.c.id.desc()).limit(limit)).mappings()
    return [_read(row) for row in rows]


def forget(connection: Connection, before: datetime) -> int:
    """Forget some of what was read before a moment; how many there were."""
    return sum(_forget(connection, table, rfc3339(before)) for table in (PERSON_READS, COMMUNE_READS))


def _forget(connection: Connection, table: Table, before: str) -> int:
    oldest = select(table.c.id).where(table.c.read_at < before).limit(_AT_ONCE)
    return connection.execute(delete(table).where(table.c.id.in_(oldest))).rowcount


def _read(row: RowMapping) -> PersonRead:
    said = {name: row[name] for name in ("read_at", "reader", *_SAID)}
    return PersonRead(id=str(row["id"]), **said)
