"""Who else a form may speak of, where no number tells: clean forms and persons of the registry."""

from __future__ import annotations

from itertools import islice

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import repository
from issuance_backend.population_registry.dc01.domain import Form, FormEvent, Values
from issuance_backend.population_registry.dc01.likeness import comparable, likeness_key, may_be_one
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.matching.domain import Comparable
from issuance_backend.population_registry.people import repository as people

LIKE_FORM, LIKE_PERSON, NAMES_NOBODY = "LIKE_FORM", "LIKE_PERSON", "NAMES_NOBODY"
_MOST_TOLD = 10
"""A name with a year alone may be like hundreds: so many are told, always the same ones first."""


def alike_conflicts(connection: Connection, form: Form) -> tuple[str, ...]:
    """Why a form may be a second one of somebody: the barcodes of others, and that the registry has one.

    Two forms that both bear a number are told apart by it, so a form with one is compared only with forms
    that bear none; with persons it is compared unless its number is one of theirs. A person's number is told
    to nobody here: :func:`alike_persons` is for who works on it.
    """
    values = form.values or {}
    if form.number is None and not likeness_key(values):
        return (NAMES_NOBODY,)
    found = tuple(f"{LIKE_FORM}:{other.barcode}" for other in _alike_forms(connection, form))
    is_anothers = person_of(connection, form) is None and alike_persons(connection, form)
    return (*found, LIKE_PERSON) if is_anothers else found


def person_of(connection: Connection, form: Form) -> RegistryPerson | None:
    """Whom the form's number means: that of an older card leads to whoever has it."""
    number = form.number
    if number is None:
        return None
    holders = entries.numbers_with_old_id(connection, number) or [number]
    return entries.person(connection, people.reference_number(connection, holders[0]))


def told_apart(connection: Connection, form: Form) -> frozenset[str]:
    """From whom an officer told a form apart when it was last looked at: codes as of its conflicts."""
    steps = recorded_events.of_subject(connection, form.subject)
    looked = [step.detail for step in steps if step.event == FormEvent.RECHECK]
    return frozenset(looked[-1].get("told_apart", "").split(",")) if looked else frozenset()


def is_told_apart(connection: Connection, told: frozenset[str], citizen_number: str) -> bool:
    """Whether a person was told apart already when they were no entry yet, but a form."""
    barcodes = repository.barcodes_of(connection, citizen_number)
    return any(f"{LIKE_FORM}:{barcode}" in told for barcode in barcodes)


def person_in_doubt(connection: Connection, form: Form) -> tuple[str, ...]:
    """LIKE_PERSON where a clean form is like somebody it was never told apart from."""
    alike = alike_persons(connection, form)
    told = told_apart(connection, form) if alike else frozenset()
    if LIKE_PERSON in told or all(is_told_apart(connection, told, number) for number in alike):
        return ()
    return (LIKE_PERSON,)


def may_be_person(values: Values, person: Comparable) -> bool:
    """Whether a form may speak of a person; of two who both have an older card its number tells."""
    old_id = values.get("old_id")
    return may_be_one(comparable(values), person) and (
        not old_id or not person.old_id or old_id == person.old_id
    )


def alike_persons(connection: Connection, form: Form) -> tuple[str, ...]:
    """The numbers of persons who are alike, at most ten; each person once."""
    key = likeness_key(form.values or {})
    if not key:
        return ()
    asked = form.values or {}
    alike = (each for each in matching.of_letters_and_year(connection, key) if may_be_person(asked, each))
    numbers = (people.reference_number(connection, each.citizen_number) for each in alike)
    return tuple(islice(dict.fromkeys(numbers), _MOST_TOLD))


def _alike_forms(connection: Connection, form: Form) -> tuple[Form, ...]:
    key = likeness_key(form.values or {})
    if not key:
        return ()
    asked = comparable(form.values or {})
    only = () if form.number is None else (repository.WITHOUT_NUMBER,)
    others = repository.clean_forms_of_likeness(connection, key, *only)
    alike = (
        other for other in others if other.id != form.id and may_be_one(asked, comparable(other.values or {}))
    )
    return tuple(islice(alike, _MOST_TOLD))
