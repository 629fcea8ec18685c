"""The one way a form or a batch changes: its new state, the recorded event and every count, together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import domain, index_repository, repository
from issuance_backend.population_registry.dc01.domain import (
    CLEAN_STATES,
    Batch,
    BatchEvent,
    Form,
    FormEvent,
    FormState,
)
from issuance_backend.population_registry.dc01.measures import changes, fresh_from, standing_of
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.people import repository as people
from issuance_backend.steps import Step
from verification.messages.national_time import vietnam_date


class Recording:
    """What one officer does in one transaction, at the moment that the journal gave it when it began."""

    def __init__(self, connection: Connection, moment: datetime, actor: str) -> None:
        self.connection = connection
        self.moment = moment
        self.actor = actor

    def plan(self, form: Form) -> Form:
        """Put a new form on the list."""
        repository.add_form(self.connection, form)
        self._record(form.subject, FormEvent.PLAN, form.state, {})
        self._count(None, form)
        return form

    def step(
        self, form: Form, event: FormEvent, detail: dict[str, str] | None = None, **changed: Any
    ) -> Form:
        """Let something happen to a form; raises TransitionRefused."""
        state = domain.advance(form.state, event)
        after = replace(form, state=state, version=form.version + 1, **changed)
        repository.save_form(self.connection, after)
        self._record(form.subject, event, state, detail or {})
        self._count(form, after)
        return after

    def amend(self, form: Form, event: str, **changed: Any) -> Form:
        """Record something about a form that leaves it where it stands."""
        after = replace(form, version=form.version + 1, **changed)
        repository.save_form(self.connection, after)
        self._record(form.subject, event, form.state, {})
        self._count(form, after)
        return after

    def open(self, batch: Batch) -> Batch:
        """Open a batch."""
        repository.add_batch(self.connection, batch, rfc3339(self.moment))
        self._record(batch.subject, BatchEvent.OPEN, batch.state, {"aql": batch.aql, "level": batch.level})
        return batch

    def step_batch(self, batch: Batch, event: BatchEvent, detail: dict[str, str], **changed: Any) -> Batch:
        """Let something happen to a batch; raises TransitionRefused."""
        state = domain.advance_batch(batch.state, event)
        after = replace(batch, state=state, version=batch.version + 1, **changed)
        is_first = batch.first_verdict is None and after.first_verdict is not None
        repository.save_batch(self.connection, after, rfc3339(self.moment) if is_first else None)
        self._record(batch.subject, event, state, detail)
        return after

    def _record(self, subject: str, event: str, state: str, detail: dict[str, str]) -> None:
        step = Step(
            subject=subject,
            event=str(event),
            state=str(state),
            actor=self.actor,
            at=rfc3339(self.moment),
            detail=detail,
        )
        journal.record(self.connection, step)

    def _count(self, before: Form | None, after: Form) -> None:
        former, standing = standing_of(before) if before else None, standing_of(after)
        if standing == former:
            return
        day = vietnam_date(self.moment)
        index_repository.stand(self.connection, after.id, standing, day)
        index_repository.count(self.connection, changes(former, standing), day)


def new_form(form_id: str, barcode: str, unit: str) -> Form:
    """A form that is on the list and not collected."""
    state = domain.advance(None, FormEvent.PLAN)
    return Form(id=form_id, barcode=barcode, unit=unit, state=FormState(state), version=1)


def numbers_of(connection: Connection, entry: RegistryPerson) -> set[str]:
    """Every number by which a person's forms are found: their own, those merged into it, an older card's."""
    own = {entry.citizen_number, *people.aliases_now(connection, entry.citizen_number)}
    return own if entry.old_id is None else own | {entry.old_id}


def confirm_record(recording: Recording, citizen_number: str, day: date) -> int:
    """Life confirmed a person's record on a day: his clean forms are living; returns how many.

    A day older than 24 months, or one to come, confirms nothing. Whoever registers a life event calls
    this in the same transaction.
    """
    today = vietnam_date(recording.moment)
    if not fresh_from(today) <= day <= today:
        return 0
    entry = entries.person(recording.connection, citizen_number)
    numbers = {citizen_number} if entry is None else numbers_of(recording.connection, entry)
    found = repository.forms_of_numbers(recording.connection, numbers)
    clean = [form for form in found if form.state in CLEAN_STATES]
    for form in clean:
        newest = max(day, form.confirmed_on or day)
        recording.step(form, FormEvent.CONFIRM, confirmed_on=newest)
    return len(clean)
