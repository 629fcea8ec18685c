"""The SQL of publications, receivers and deliveries."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, tuple_, update

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.publication.domain import (
    OPEN_STATES,
    DeliveryKind,
    PublicationState,
)
from issuance_backend.population_registry.publication.tables import (
    DELIVERIES,
    PUBLICATIONS,
    PUBLISHED,
    RECEIVERS,
)

CURRENT, WITHDRAWN = "current", "withdrawn"


@dataclass(frozen=True, slots=True)
class Publication:
    """Attributes of one person on their way to receivers."""

    id: str
    citizen_number: str
    attributes: tuple[str, ...]
    values_digest: str
    state: PublicationState
    proposed_by: str
    signed_by: tuple[str, ...]
    faults: tuple[str, ...]
    changed_at: str

    @property
    def subject(self) -> str:
        """How recorded events name it."""
        return f"publication/{self.id}"


@dataclass(frozen=True, slots=True)
class PublishedAttribute:
    """An attribute that went out; its value is good only while it is current."""

    citizen_number: str
    attribute: str
    publication: str
    value_digest: str
    state: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing that one receiver was sent."""

    id: str
    receiver: str
    citizen_number: str
    attribute: str
    kind: DeliveryKind
    publication: str
    sent_at: str
    acknowledged_at: str | None


def add(connection: Connection, publication: Publication) -> None:
    """Write a new publication."""
    connection.execute(insert(PUBLICATIONS).values(**_values(publication)))


def save(connection: Connection, publication: Publication) -> None:
    """Write a publication's changes."""
    connection.execute(
        update(PUBLICATIONS).where(PUBLICATIONS.c.id == publication.id).values(**_values(publication))
    )


def find(connection: Connection, publication_id: str) -> Publication | None:
    """The publication with this id."""
    row = connection.execute(select(PUBLICATIONS).where(PUBLICATIONS.c.id == publication_id)).one_or_none()
    return _publication(row) if row else None


PUBLICATION_KEY = 2
"""Publications of a state go by the moment they came there, and by id where that is the same."""


def in_state(connection: Connection, state: PublicationState, asked: PageAsked) -> list[Publication]:
    """Publications that stand in a state, one more than a page."""
    columns = PUBLICATIONS.c
    question = select(PUBLICATIONS).where(columns.state == state.value)
    if asked.after is not None:
        question = question.where(tuple_(columns.changed_at, columns.id) > asked.after)
    question = question.order_by(columns.changed_at, columns.id).limit(asked.limit + 1)
    return [_publication(row) for row in connection.execute(question)]


def ended(connection: Connection, publications: Iterable[Publication]) -> dict[str, tuple[str, ...]]:
    """By publication that went out: which attributes were withdrawn, or published anew, since."""
    out = [each for each in publications if each.state is PublicationState.PUBLISHED]
    columns = PUBLISHED.c
    question = select(columns.publication, columns.attribute).where(
        columns.citizen_number.in_({each.citizen_number for each in out}), columns.state == CURRENT
    )
    good = {(row.publication, row.attribute) for row in connection.execute(question)}
    return {each.id: tuple(name for name in each.attributes if (each.id, name) not in good) for each in out}


def open_ones(connection: Connection, citizen_number: str) -> list[Publication]:
    """Publications of a person that still wait for a signature."""
    question = select(PUBLICATIONS).where(
        PUBLICATIONS.c.citizen_number == citizen_number,
        PUBLICATIONS.c.state.in_([state.value for state in OPEN_STATES]),
    )
    return [_publication(row) for row in connection.execute(question.order_by(PUBLICATIONS.c.id))]


def published(connection: Connection, citizen_number: str) -> dict[str, PublishedAttribute]:
    """What ever went out of a person, by attribute."""
    rows = connection.execute(select(PUBLISHED).where(PUBLISHED.c.citizen_number == citizen_number))
    return {row.attribute: PublishedAttribute(*row) for row in rows}


def publish(connection: Connection, entry: PublishedAttribute) -> None:
    """Write that an attribute is published now."""
    same = (PUBLISHED.c.citizen_number == entry.citizen_number) & (PUBLISHED.c.attribute == entry.attribute)
    again = (
        update(PUBLISHED)
        .where(same)
        .values(publication=entry.publication, value_digest=entry.value_digest, state=entry.state)
    )
    if connection.execute(again).rowcount == 0:
        connection.execute(
            insert(PUBLISHED).values(
                citizen_number=entry.citizen_number,
                attribute=entry.attribute,
                publication=entry.publication,
                value_digest=entry.value_digest,
                state=entry.state,
            )
        )


def withdraw(connection: Connection, citizen_number: str, attributes: Iterable[str]) -> None:
    """Write that what went out of these attributes is no longer good."""
    connection.execute(
        update(PUBLISHED)
        .where(PUBLISHED.c.citizen_number == citizen_number, PUBLISHED.c.attribute.in_(list(attributes)))
        .values(state=WITHDRAWN)
    )


def set_receiver(connection: Connection, receiver: str, attributes: Iterable[str], moment: str) -> None:
    """Write which attributes a program receives from now on; none of them ends it."""
    values = {"attributes": ",".join(sorted(attributes)), "changed_at": moment}
    again = update(RECEIVERS).where(RECEIVERS.c.receiver == receiver).values(**values)
    if connection.execute(again).rowcount == 0:
        connection.execute(insert(RECEIVERS).values(receiver=receiver, **values))


def receivers(connection: Connection) -> dict[str, frozenset[str]]:
    """Who receives which attributes."""
    rows = connection.execute(
        select(RECEIVERS.c.receiver, RECEIVERS.c.attributes).order_by(RECEIVERS.c.receiver)
    )
    return {row.receiver: frozenset(filter(None, row.attributes.split(","))) for row in rows}


def who_was_sent(connection: Connection, citizen_number: str, attribute: str) -> list[str]:
    """Every program that was ever sent this attribute of this person."""
    question = (
        select(DELIVERIES.c.receiver)
        .where(
            DELIVERIES.c.citizen_number == citizen_number,
            DELIVERIES.c.attribute == attribute,
            DELIVERIES.c.kind == DeliveryKind.PUBLISH.value,
        )
        .distinct()
        .order_by(DELIVERIES.c.receiver)
    )
    return list(connection.execute(question).scalars())


def sent_since(connection: Connection, numbers: Collection[str], moment: str) -> list[Sent]:
    """What was handed out of these people since a moment; what was withdrawn told nobody anything."""
    question = select(DELIVERIES).where(
        DELIVERIES.c.citizen_number.in_(numbers),
        DELIVERIES.c.kind == DeliveryKind.PUBLISH.value,
        DELIVERIES.c.sent_at >= moment,
    )
    rows = connection.execute(question.order_by(DELIVERIES.c.receiver, DELIVERIES.c.id))
    return [_sent(row) for row in rows]


def send(connection: Connection, deliveries: Iterable[Sent]) -> None:
    """Write what is sent."""
    rows = [
        {
            "id": sent.id,
            "receiver": sent.receiver,
            "citizen_number": sent.citizen_number,
            "attribute": sent.attribute,
            "kind": sent.kind.value,
            "publication": sent.publication,
            "sent_at": sent.sent_at,
        }
        for sent in deliveries
    ]
    if rows:
        connection.execute(insert(DELIVERIES), rows)


def delivery(connection: Connection, delivery_id: str) -> Sent | None:
    """The delivery with this id."""
    row = connection.execute(select(DELIVERIES).where(DELIVERIES.c.id == delivery_id)).one_or_none()
    return _sent(row) if row else None


def acknowledge(connection: Connection, delivery_id: str, moment: str) -> None:
    """Write that a delivery arrived; the first time counts."""
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.acknowledged_at.is_(None))
        .values(acknowledged_at=moment)
    )


DELIVERY_KEY = 2
"""Deliveries go by the moment they were sent, and by id where that is the same."""


def unacknowledged(
    connection: Connection, asked: PageAsked, *, receiver: str | None = None, sent_before: str | None = None
) -> list[Sent]:
    """What has not been acknowledged, oldest first: one receiver's, or what is overdue of everybody's."""
    question = select(DELIVERIES).where(DELIVERIES.c.acknowledged_at.is_(None))
    if receiver is not None:
        question = question.where(DELIVERIES.c.receiver == receiver)
    if sent_before is not None:
        question = question.where(DELIVERIES.c.sent_at < sent_before)
    if asked.after is not None:
        question = question.where(tuple_(DELIVERIES.c.sent_at, DELIVERIES.c.id) > asked.after)
    question = question.order_by(DELIVERIES.c.sent_at, DELIVERIES.c.id).limit(asked.limit + 1)
    return [_sent(row) for row in connection.execute(question)]


def new_id() -> str:
    """The id of a publication or a delivery."""
    return secrets.token_hex(8)


def _values(publication: Publication) -> dict[str, object]:
    return {
        "id": publication.id,
        "citizen_number": publication.citizen_number,
        "attributes": ",".join(publication.attributes),
        "values_digest": publication.values_digest,
        "state": publication.state.value,
        "proposed_by": publication.proposed_by,
        "signed_by": ",".join(publication.signed_by),
        "faults": ",".join(publication.faults),
        "changed_at": publication.changed_at,
    }


def _publication(row: Row[Any]) -> Publication:
    return Publication(
        id=row.id,
        citizen_number=row.citizen_number,
        attributes=tuple(row.attributes.split(",")),
        values_digest=row.values_digest,
        state=PublicationState(row.state),
        proposed_by=row.proposed_by,
        signed_by=tuple(filter(None, row.signed_by.split(","))),
        faults=tuple(filter(None, row.faults.split(","))),
        changed_at=row.changed_at,
    )


def _sent(row: Row[Any]) -> Sent:
    return Sent(
        id=row.id,
        receiver=row.receiver,
        citizen_number=row.citizen_number,
        attribute=row.attribute,
        kind=DeliveryKind(row.kind),
        publication=row.publication,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
    )
