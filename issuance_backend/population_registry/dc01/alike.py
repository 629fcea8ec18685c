"""Who else a form may speak of, where no number tells: clean forms and persons of the registry."""

from __future__ import annotations

from itertools import islice

from sqlalchemy import Connection

from issuance_backend.population_registry.dc01 import repository
from issuance_backend.population_registry.dc01.domain import Form
from issuance_backend.population_registry.dc01.likeness import comparable, likeness_key, may_be_one
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.people import repository as people

LIKE_FORM, LIKE_PERSON, NAMES_NOBODY = "LIKE_FORM", "LIKE_PERSON", "NAMES_NOBODY"
_MOST_TOLD = 10
"""A name with a year alone may be like hundreds: so many are told, always the same ones first."""


def alike_conflicts(connection: Connection, form: Form) -> tuple[str, ...]:
    """Why a form may be a second one of somebody: the barcodes of others, and that the registry has one.

    Two forms that both bear a number are told apart by it, so a form with one is compared only with forms
    that bear none. A person's number is told to nobody here: :func:`alike_persons` is for who works on it.
    """
    values = form.values or {}
    if form.number is None and not likeness_key(values):
        return (NAMES_NOBODY,)
    found = tuple(f"{LIKE_FORM}:{other.barcode}" for other in _alike_forms(connection, form))
    return (*found, LIKE_PERSON) if form.number is None and alike_persons(connection, form) else found


def alike_persons(connection: Connection, form: Form) -> tuple[str, ...]:
    """The numbers of persons who are alike, at most ten; each person once."""
    key = likeness_key(form.values or {})
    if not key:
        return ()
    asked = comparable(form.values or {})
    alike = (each for each in matching.of_letters_and_year(connection, key) if may_be_one(asked, each))
    numbers = (people.reference_number(connection, each.citizen_number) for each in alike)
    return tuple(islice(dict.fromkeys(numbers), _MOST_TOLD))


def _alike_forms(connection: Connection, form: Form) -> tuple[Form, ...]:
    key = likeness_key(form.values or {})
    if not key:
        return ()
    asked = comparable(form.values or {})
    others = repository.clean_forms_of_likeness(connection, key, without_number=form.number is not None)
    alike = (
        other for other in others if other.id != form.id and may_be_one(asked, comparable(other.values or {}))
    )
    return tuple(islice(alike, _MOST_TOLD))
