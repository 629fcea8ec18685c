"""The SQL of forms' pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from issuance_backend.population_registry.dc01.domain import CLEAN_STATES
from issuance_backend.population_registry.dc01.scan_pages import ScanPage
from issuance_backend.population_registry.dc01.tables import FORMS, SCAN_PAGES


def page(connection: Connection, form_id: str, number: int) -> ScanPage | None:
    """One page of a form."""
    question = select(SCAN_PAGES).where(SCAN_PAGES.c.form == form_id, SCAN_PAGES.c.page == number)
    row = connection.execute(question).mappings().one_or_none()
    return ScanPage(**row) if row else None


def replace(connection: Connection, form_id: str, pages: Sequence[ScanPage]) -> set[str]:
    """Write a form's pages in place of former ones; the addresses of contents that nothing names now."""
    former = _addresses(connection, form_id)
    connection.execute(delete(SCAN_PAGES).where(SCAN_PAGES.c.form == form_id))
    connection.execute(
        insert(SCAN_PAGES), [{name: getattr(one, name) for name in ScanPage.__slots__} for one in pages]
    )
    return _unnamed(connection, former)


def erase(connection: Connection, form_id: str) -> set[str]:
    """Name a form's contents no longer; the addresses of those that nothing else names."""
    former = _addresses(connection, form_id)
    connection.execute(update(SCAN_PAGES).where(SCAN_PAGES.c.form == form_id).values(address=None))
    return _unnamed(connection, former)


def due(connection: Connection, before: str, limit: int) -> list[str]:
    """Some forms that are settled and whose pictures were taken before a moment and are still kept."""
    states = [state.value for state in CLEAN_STATES]
    question = (
        select(SCAN_PAGES.c.form)
        .join(FORMS, FORMS.c.id == SCAN_PAGES.c.form)
        .where(SCAN_PAGES.c.address.is_not(None), SCAN_PAGES.c.scanned_at < before, FORMS.c.state.in_(states))
    )
    return list(connection.execute(question.distinct().limit(limit)).scalars())


def _addresses(connection: Connection, form_id: str) -> set[str]:
    question = select(SCAN_PAGES.c.address).where(SCAN_PAGES.c.form == form_id)
    return {address for address in connection.execute(question).scalars() if address is not None}


def _unnamed(connection: Connection, addresses: Collection[str]) -> set[str]:
    question = select(SCAN_PAGES.c.address).where(SCAN_PAGES.c.address.in_(addresses))
    return set(addresses).difference(connection.execute(question).scalars())
