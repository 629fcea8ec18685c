"""The SQL of who read whose entry."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.reads.tables import PERSON_READS
from verification.messages.registry_access import PersonRead, ReadingFor

_ADD = insert(PERSON_READS)
_AT_ONCE = 5_000


def add(
    connection: Connection, citizen_number: str, reader: str, reading: ReadingFor, moment: datetime
) -> None:
    """Write that an entry was read."""
    row = {"citizen_number": citizen_number, "reader": reader, "read_at": rfc3339(moment)}
    connection.execute(_ADD, row | msgspec.structs.asdict(reading))


def newest(connection: Connection, numbers: Collection[str], limit: int) -> list[PersonRead]:
    """The newest readings of a person's entry, the newest first."""
    question = select(PERSON_READS).where(PERSON_READS.c.citizen_number.in_(numbers))
    rows = connection.execute(question.order_by(PERSON_READS.c.id.desc()).limit(limit)).mappings()
    return [_read(row) for row in rows]


def forget(connection: Connection, before: datetime) -> int:
    """Forget some of what was read before a moment; how many there were."""
    oldest = select(PERSON_READS.c.id).where(PERSON_READS.c.read_at < rfc3339(before)).limit(_AT_ONCE)
    return connection.execute(delete(PERSON_READS).where(PERSON_READS.c.id.in_(oldest))).rowcount


def _read(row: RowMapping) -> PersonRead:
    said = {name: row[name] for name in PersonRead.__struct_fields__}
    return PersonRead(**{**said, "id": str(row["id"])})
