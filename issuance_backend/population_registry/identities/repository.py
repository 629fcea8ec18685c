"""The SQL of identities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from issuance_backend.population_registry.identities.domain import IdentityStatus
from issuance_backend.population_registry.identities.tables import IDENTITIES


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity that was claimed for a number."""

    id: str
    citizen_number: str
    kind: str
    document_number: str | None
    source: str
    status: IdentityStatus
    claimed_at: str

    @property
    def subject(self) -> str:
        """How facts and recorded events name the identity."""
        return f"identity/{self.id}"


def add_identity(connection: Connection, identity: Identity) -> None:
    """Write a new identity."""
    connection.execute(
        insert(IDENTITIES).values(
            id=identity.id,
            citizen_number=identity.citizen_number,
            kind=identity.kind,
            document_number=identity.document_number,
            source=identity.source,
            status=identity.status.value,
            claimed_at=identity.claimed_at,
        )
    )


def set_status(connection: Connection, identity: Identity, status: IdentityStatus) -> None:
    """Write an identity's new status."""
    connection.execute(update(IDENTITIES).where(IDENTITIES.c.id == identity.id).values(status=status.value))


def identity(connection: Connection, identity_id: str) -> Identity | None:
    """The identity with this id."""
    row = connection.execute(select(IDENTITIES).where(IDENTITIES.c.id == identity_id)).one_or_none()
    return _identity(row) if row else None


def identities_of(connection: Connection, numbers: Iterable[str]) -> list[Identity]:
    """Every identity that was claimed for one of these numbers, oldest first."""
    question = (
        select(IDENTITIES)
        .where(IDENTITIES.c.citizen_number.in_(list(numbers)))
        .order_by(IDENTITIES.c.claimed_at, IDENTITIES.c.id)
    )
    return [_identity(row) for row in connection.execute(question)]


def with_document(connection: Connection, kind: str, document_number: str) -> list[Identity]:
    """Every identity that rests on this document."""
    question = select(IDENTITIES).where(
        IDENTITIES.c.kind == kind, IDENTITIES.c.document_number == document_number
    )
    return [_identity(row) for row in connection.execute(question.order_by(IDENTITIES.c.id))]


def _identity(row: Row[Any]) -> Identity:
    return Identity(
        id=row.id,
        citizen_number=row.citizen_number,
        kind=row.kind,
        document_number=row.document_number,
        source=row.source,
        status=IdentityStatus(row.status),
        claimed_at=row.claimed_at,
    )
