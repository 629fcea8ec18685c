"""What routes that answer something of an entry say of who is asking."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from flask import request

from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.service_tokens import calling_service
from verification.messages.registry_access import HEADER, Purpose, ReadingFor, read_statement


def note_reading(book: ReadBook, *citizen_numbers: str) -> None:
    """Record that the calling program reads these entries, for whom its statement says."""
    book.note_all(citizen_numbers, calling_service().name, _stated())


def note_commune(book: ReadBook, unit: str) -> None:
    """Record that the calling program takes along the entries of a commune's people."""
    book.note_commune(unit, calling_service().name, _stated())


def noting_by(book: ReadBook, officer: str, purpose: Purpose) -> Callable[[Collection[str]], None]:
    """What records that this officer is shown entries, in order to decide about them."""
    reading = reading_by(officer, purpose)
    return lambda citizen_numbers: book.note_all(citizen_numbers, calling_service().name, reading)


def reading_by(officer: str, purpose: Purpose) -> ReadingFor:
    """For whom something is shown: the calling program names the officer and says where they work."""
    return msgspec.structs.replace(_stated(), purpose=purpose.value, officer=officer)


def _stated() -> ReadingFor:
    return read_statement(request.headers.get(HEADER, ""))
