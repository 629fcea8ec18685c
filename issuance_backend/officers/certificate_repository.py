"""The SQL of officers' certificates."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, exists, insert, select, update

from issuance_backend.listing import lies_in, read_page
from issuance_backend.officers.certificates import Certificate, Level
from issuance_backend.paging import Page, PageAsked
from issuance_backend.schema import OFFICER_CERTIFICATES, OFFICERS

LIST_KEY = 2
"""Certificates go by their last day, and by id where that is the same."""

_KEPT = OFFICER_CERTIFICATES.c
_OF_OFFICER = select(OFFICER_CERTIFICATES).where(_KEPT.officer == bindparam("who")).order_by(_KEPT.id)
# Whoever withdraws one waits for what is being opened under it, and the other way round.
_HELD = _OF_OFFICER.with_for_update(read=True)


def add(connection: Connection, certificate: Certificate) -> None:
    """Write a new certificate; those before it stay."""
    connection.execute(insert(OFFICER_CERTIFICATES), asdict(certificate))


def of_officer(connection: Connection, officer: str, *, hold: bool = False) -> list[Certificate]:
    """Every certificate of an officer; who holds them keeps them from being withdrawn until they are done."""
    rows = connection.execute(_HELD if hold else _OF_OFFICER, {"who": officer}).mappings()
    return [_certificate(row) for row in rows]


def withdraw(connection: Connection, officer: str, since: str, by: str) -> int:
    """End an officer's certificates from a moment on; an earlier end stays. How many that met."""
    is_later = _KEPT.withdrawn_from.is_(None) | (_KEPT.withdrawn_from > since)
    ended = update(OFFICER_CERTIFICATES).where(_KEPT.officer == officer, is_later)
    return connection.execute(ended.values(withdrawn_from=since, withdrawn_by=by)).rowcount


def ending(
    connection: Connection, area: str | None, first: str, last: str, asked: PageAsked
) -> Page[Certificate]:
    """Certificates of an area's officers whose last day is one of these, the next to end first.

    What was withdrawn is not among them, nor what a later one follows.
    """
    later = OFFICER_CERTIFICATES.alias("later")
    is_renewed = exists().where(
        later.c.officer == _KEPT.officer,
        later.c.level == _KEPT.level,
        later.c.withdrawn_from.is_(None),
        later.c.valid_until > _KEPT.valid_until,
    )
    question = select(OFFICER_CERTIFICATES).where(
        _KEPT.withdrawn_from.is_(None), _KEPT.valid_until.between(first, last), ~is_renewed
    )
    if area is not None:
        question = question.join(OFFICERS, OFFICERS.c.id == _KEPT.officer).where(
            lies_in(OFFICERS.c.unit, area)
        )
    return read_page(connection, question, (_KEPT.valid_until, _KEPT.id), asked, _certificate)


def for_capture(connection: Connection, province: str | None, today: str) -> list[Certificate]:
    """Standing certificates for capture that are not over, of a province's officers and those of no unit."""
    question = (
        select(OFFICER_CERTIFICATES)
        .join(OFFICERS, OFFICERS.c.id == _KEPT.officer)
        .where(_KEPT.level == Level.CAPTURE.value, _KEPT.withdrawn_from.is_(None), _KEPT.valid_until >= today)
        .where(OFFICERS.c.suspended_at.is_(None))
    )
    if province is not None:
        question = question.where(OFFICERS.c.unit.is_(None) | lies_in(OFFICERS.c.unit, province))
    rows = connection.execute(question.order_by(_KEPT.officer, _KEPT.valid_from)).mappings()
    return [_certificate(row) for row in rows]


def _certificate(row: RowMapping) -> Certificate:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    return Certificate(**{**values, "level": Level(row["level"])})
