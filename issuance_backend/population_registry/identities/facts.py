"""The SQL of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from issuance_backend.population_registry.identities.tables import FACTS
from issuance_backend.population_registry.identities.timeline import STANDING, Fact, Origin, Revision


def about(
    connection: Connection, subject: str, attribute: str | None = None, *, layer: str | None = None
) -> list[tuple[str, str, Fact]]:
    """Attribute, layer and fact of all that was ever held about a subject."""
    question = select(FACTS).where(FACTS.c.about == subject)
    if attribute is not None:
        question = question.where(FACTS.c.attribute == attribute)
    if layer is not None:
        question = question.where(FACTS.c.layer == layer)
    rows = connection.execute(question.order_by(FACTS.c.id))
    return [(row.attribute, row.layer, _fact(row)) for row in rows]


def standing(connection: Connection, subject: str, attribute: str, layer: str) -> list[Fact]:
    """What is held now about one attribute in one layer."""
    question = select(FACTS).where(
        FACTS.c.about == subject,
        FACTS.c.attribute == attribute,
        FACTS.c.layer == layer,
        FACTS.c.superseded_at == STANDING,
    )
    return [_fact(row) for row in connection.execute(question)]


def reported_for(
    connection: Connection, subject: str, numbers: Sequence[str], between: tuple[str, str]
) -> list[str]:
    """The attributes of a subject that were reported under one of these numbers between two moments."""
    question = (
        select(FACTS.c.attribute)
        .where(FACTS.c.about == subject, FACTS.c.reported_for.in_(numbers))
        .where(FACTS.c.recorded_at.between(*between))
        .distinct()
        .order_by(FACTS.c.attribute)
    )
    return list(connection.execute(question).scalars())


def keep(
    connection: Connection, subject: str, attribute: str, layer: str, revision: Revision, moment: str
) -> None:
    """Write what a statement did to a timeline."""
    ended = [fact.id for fact in revision.superseded]
    if ended:
        connection.execute(update(FACTS).where(FACTS.c.id.in_(ended)).values(superseded_at=moment))
    connection.execute(insert(FACTS), list(_rows(subject, attribute, layer, revision.added)))


def _rows(subject: str, attribute: str, layer: str, added: Iterable[Fact]) -> Iterable[dict[str, object]]:
    for fact in added:
        yield {
            "about": subject,
            "attribute": attribute,
            "layer": layer,
            "value": fact.value,
            "valid_from": fact.valid_from,
            "valid_to": fact.valid_to,
            "recorded_at": fact.recorded_at,
            "superseded_at": fact.superseded_at,
            "source": fact.origin.source,
            "evidence": fact.origin.evidence,
            "confidence": fact.origin.confidence,
            "reported_for": fact.origin.reported_for,
        }


def _fact(row: Row[Any]) -> Fact:
    return Fact(
        id=row.id,
        value=row.value,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        recorded_at=row.recorded_at,
        superseded_at=row.superseded_at,
        origin=Origin(
            source=row.source,
            evidence=row.evidence,
            confidence=row.confidence,
            reported_for=row.reported_for,
        ),
    )
