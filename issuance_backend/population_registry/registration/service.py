"""The desk where clean forms of people whom the registry does not hold become its entries."""

from __future__ import annotations

import secrets
from dataclasses import replace

from issuance_backend.population_registry.dc01 import repository
from issuance_backend.population_registry.dc01.alike import person_of
from issuance_backend.population_registry.dc01.domain import CLEAN_STATES, Form, FormEvent
from issuance_backend.population_registry.dc01.form_desk import FormDesk, known
from issuance_backend.population_registry.dc01.recording import Recording
from issuance_backend.population_registry.identities.domain import IdentityKind
from issuance_backend.population_registry.identities.entering import enter
from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.numbers.issuing import DrawKey, Issuing
from issuance_backend.population_registry.reads import repository as reads
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.registration import domain
from issuance_backend.refusals import NumberBlockExhausted, RegistryPersonUnknown
from issuance_backend.steps import SYSTEM
from monitoring.database import Database
from verification.messages.dc01 import FormPerson
from verification.messages.registry_access import ReadingFor
from verification.messages.registry_records import IdentityClaim

_PORTION = 20
"""An entry is some thirty statements: whoever else writes waits for so many forms and no more."""


class RegistrationDesk:
    """Owns the transactions in which a form becomes an entry.

    They hold the journal's head like every other, so that of two forms of one person the second meets the
    entry that the first became.
    """

    def __init__(
        self,
        database: Database,
        forms: FormDesk,
        book: ReadBook,
        draw_key: DrawKey = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._forms = forms
        self._book = book
        self._draw_key = draw_key

    def register(self, batch_id: str, officer: str) -> int:
        """Make entries of a batch's clean forms whose person the registry does not hold; how many.

        Left as they are: forms that the officer keyed or corrected, and those of a block without numbers.
        What speaks against a form by now, or what an entry needs and it does not say, makes it a conflict.
        May be called again after an interruption: what is done stays done. Raises FieldsRefused.
        """
        self._forms.judge_older()
        done, after = 0, ""
        while True:
            with self._forms.acting(officer) as recording:
                found = repository.unregistered(recording.connection, batch_id, after, _PORTION)
                done += sum(self._register(recording, form_id) for form_id in found)
            if len(found) < _PORTION:
                return done
            after = found[-1]

    def person(self, form_id: str, reader: str, reading: ReadingFor) -> FormPerson:
        """Whose form it is; the look is recorded first. Raises Dc01FormUnknown, RegistryPersonUnknown."""
        with self._database.reading() as connection:
            form = known(connection, form_id)
        if form.person is None or form.state not in CLEAN_STATES:
            raise RegistryPersonUnknown("nobody is registered by this form")
        self._book.note(form.person, reader, reading)
        return FormPerson(citizen_number=form.person)

    def _register(self, recording: Recording, form_id: str) -> bool:
        # Anew: an entry that was made just now may have made a doubt of it.
        connection, form = recording.connection, known(recording.connection, form_id)
        if form.state not in CLEAN_STATES or recording.actor in _worked_on(recording, form):
            return False
        entry = person_of(connection, form)
        found = self._forms.judge_again(recording, form)
        found = found if entry is not None else (*found, *domain.obstacles(form))
        if found:
            Recording(connection, recording.moment, SYSTEM).step(form, FormEvent.DOUBT, conflicts=found)
            return False
        if entry is not None:
            _name(recording, form, "found", entry.citizen_number)
            return False
        number = self._number(recording, form)
        if number is None:
            return False
        said = {**(form.values or {}), "citizen_number": number}
        registered = _name(recording, replace(form, values=said), "registered", number)
        claim = IdentityClaim(
            citizen_number=number,
            kind=IdentityKind.DC01_FORM.value,
            officer=recording.actor,
            document_number=form.barcode,
        )
        enter(connection, domain.entry_of(registered, number), claim, domain.SOURCE, recording.moment)
        return True

    def _number(self, recording: Recording, form: Form) -> str | None:
        """The number on the paper, or one that is drawn; None while its block has none."""
        issue = Issuing(recording.connection, recording.actor, recording.moment, self._draw_key)
        if form.bears_own_number:
            number = (form.values or {})["citizen_number"]
            issuing.adopt(issue, number)
            return number
        request = domain.number_request(form)
        try:
            number = issuing.reserve(issue, [request])[0].citizen_number
        except NumberBlockExhausted:
            return None
        issuing.confirm(issue, request.request_id)
        return number


def _name(recording: Recording, form: Form, event: str, number: str) -> Form:
    """Put the form, and who looked at it, under the person whose it is."""
    reads.name_person(recording.connection, form.id, number)
    return recording.amend(form, event, person=number)


def _worked_on(recording: Recording, form: Form) -> set[str | None]:
    """Who said what the form says."""
    recheck = repository.recheck(recording.connection, form.id, form.keyed_round)
    readers = {recheck.second_clerk, recheck.decided_by} if recheck else set()
    return {form.keyed_by, form.corrected_by, *readers}
