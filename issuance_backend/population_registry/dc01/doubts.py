"""Clean forms that are doubtful all the same: somebody is alike whom nobody held against them before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.population_registry.dc01 import repository
from issuance_backend.population_registry.dc01.alike import (
    LIKE_PERSON,
    alike_conflicts,
    is_told_apart,
    may_be_person,
    told_apart,
)
from issuance_backend.population_registry.dc01.domain import CLEAN_STATES, Form, FormEvent
from issuance_backend.population_registry.dc01.recording import Recording
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.matching.domain import prepare_person
from issuance_backend.population_registry.matching.keys import index_keys
from issuance_backend.steps import SYSTEM


def follow_entry(
    connection: Connection, entry: RegistryPerson, moment: datetime, before: RegistryPerson | None = None
) -> None:
    """Let an entry be found at once, and doubt clean forms of nobody yet that may speak of the same person.

    To be called by whoever writes it, in the same transaction, with what stood ``before``: a form that was
    like that was judged already, and so was one that was told apart from the person's own form. The batch
    of a form stays accepted; the form itself is in conflict, to be corrected (with the person's number) or
    told apart like any other.
    """
    matching.keep(connection, entry)
    person, former = prepare_person(entry), prepare_person(before) if before else None
    recording = Recording(connection, moment, SYSTEM)
    key = index_keys(person).whole_year
    for form in list(repository.clean_forms_of_likeness(connection, key, repository.NOBODYS)):
        read = form.values or {}
        if (
            may_be_person(read, person)
            and not (former and may_be_person(read, former))
            and not is_told_apart(connection, told_apart(connection, form), entry.citizen_number)
        ):
            # All of them, as at a comparison: whoever decides next decides about those told apart as well.
            found = dict.fromkeys((*alike_conflicts(connection, form), LIKE_PERSON))
            recording.step(form, FormEvent.DOUBT, conflicts=tuple(found))


def doubt_if_alike(recording: Recording, form: Form) -> bool:
    """Doubt a clean form of before likeness was compared, if anybody is alike; of two the later one."""
    found = alike_conflicts(recording.connection, form) if form.state in CLEAN_STATES else ()
    if found:
        recording.step(form, FormEvent.DOUBT, conflicts=found)
    return bool(found)
