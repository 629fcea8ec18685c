"""The desk where batches are judged: a blind second keying of a sample, a third person where two differ."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry.dc01 import domain, repository, sampling
from issuance_backend.population_registry.dc01.domain import (
    Batch,
    BatchEvent,
    BatchState,
    Form,
    FormEvent,
    FormState,
    Recheck,
)
from issuance_backend.population_registry.dc01.form_desk import FormDesk, known
from issuance_backend.population_registry.dc01.recording import Recording
from issuance_backend.population_registry.dc01.sampling import SamplingPlan, Severity
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import Dc01BatchNotReady, Dc01BatchUnknown, UnitUnknown
from issuance_backend.steps import SYSTEM
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dc01 import (
    BatchOpened,
    BatchView,
    ClerkRate,
    FormDecision,
    FormKeyed,
    KeyingDifference,
    OpenDifference,
    SecondKeying,
)

Seed = Callable[[], str]


class BatchDesk:
    """Owns the transactions around batches. ``seed`` decides samples and comes from a secure source."""

    def __init__(
        self,
        database: Database,
        forms: FormDesk,
        units: UnitOffice,
        seed: Seed = lambda: secrets.token_hex(16),
    ) -> None:
        self._database = database
        self._forms = forms
        self._units = units
        self._seed = seed

    def open(self, wanted: BatchOpened) -> BatchView:
        """Open a batch for the forms of one commune; raises UnitUnknown."""
        with self._forms.acting(wanted.officer) as recording:
            # Forms of a commune that is no more are still worked on.
            if not self._units.register_in(recording.connection).is_known(wanted.unit):
                raise UnitUnknown("there never was such a unit")
            batch = Batch(
                id=secrets.token_hex(8),
                unit=wanted.unit,
                state=BatchState.OPEN,
                version=1,
                aql=wanted.aql,
                level=wanted.level,
                severity=Severity.NORMAL.value,
            )
            return _batch_view(recording.connection, recording.open(batch))

    def draw(self, batch_id: str, officer: str) -> BatchView:
        """Close the batch and draw its sample; raises Dc01BatchNotReady while a form waits to be keyed."""
        with self._forms.acting(officer) as recording:
            batch = _known(recording.connection, batch_id)
            domain.advance_batch(batch.state, BatchEvent.DRAW)
            forms = repository.forms_of_batch(recording.connection, batch.id)
            if not forms or any(form.state is not FormState.AUTO_CHECKED for form in forms):
                raise Dc01BatchNotReady("forms of the batch are not all keyed")
            drawn, severity = self._plan(recording, batch, len(forms))
            seed = self._seed()
            batch = recording.step_batch(
                batch,
                BatchEvent.DRAW,
                {"seed": seed, "lot": str(len(forms)), "size": str(drawn.size), "letter": drawn.letter},
                round=batch.round + 1,
                severity=severity.value,
                sample_size=drawn.size,
                acceptance=drawn.acceptance,
                wrong=None,
            )
            self._sample(recording, batch, forms, seed)
            return _batch_view(recording.connection, batch)

    def next_keying(self, officer: str, area: str | None = None) -> SecondKeying | None:
        """A drawn form for this officer to key; never one he keyed first, and nothing of what was keyed."""
        with self._database.reading() as connection:
            units = self._units.codes_in(connection, area)
            found = repository.next_for(connection, officer, differing=False, units=units)
        if found is None:
            return None
        _, form = found
        return SecondKeying(
            form=form.id, barcode=form.barcode, unit=form.unit, pages=form.pages, scan=form.scan
        )

    def key_again(self, form_id: str, said: FormKeyed) -> None:
        """Take the blind second keying of a drawn form; raises SameOfficer, TransitionRefused."""
        with self._forms.acting(said.officer) as recording:
            form = known(recording.connection, form_id)
            recheck = self._open_recheck(recording, form)
            if recheck.second_clerk is not None:
                raise TransitionRefused("the form was keyed a second time already")
            domain.require_other(said.officer, recheck.first_clerk)
            second = domain.normalised(said.values)
            differing = domain.differences(form.values or {}, second)
            done = replace(
                recheck,
                second_clerk=said.officer,
                second_values=second,
                differing=differing,
                first_wrong=None if differing else (),
            )
            self._finish(recording, form, done)

    def next_difference(self, officer: str, area: str | None = None) -> OpenDifference | None:
        """A form of which two clerks read something else, for this third officer to decide."""
        with self._database.reading() as connection:
            units = self._units.codes_in(connection, area)
            found = repository.next_for(connection, officer, differing=True, units=units)
        if found is None:
            return None
        recheck, form = found
        first, second = form.values or {}, recheck.second_values or {}
        pairs = ((name, first.get(name, ""), second.get(name, "")) for name in recheck.differing)
        # In the order of their hash: who keyed which of the two is nobody's to guess.
        differences = (
            KeyingDifference(field=name, readings=_shuffled(form.id, one, other))
            for name, one, other in pairs
        )
        return OpenDifference(
            form=form.id,
            barcode=form.barcode,
            unit=form.unit,
            pages=form.pages,
            scan=form.scan,
            differences=tuple(differences),
        )

    def decide(self, form_id: str, said: FormDecision) -> None:
        """Take what the paper says in the differing fields; raises SameOfficer, FieldsRefused."""
        with self._forms.acting(said.officer) as recording:
            form = known(recording.connection, form_id)
            recheck = self._open_recheck(recording, form)
            if recheck.is_done or recheck.second_clerk is None:
                raise TransitionRefused("nothing is to be decided about the form")
            domain.require_other(said.officer, recheck.first_clerk, recheck.second_clerk)
            if said.values.keys() != set(recheck.differing):
                raise FieldsRefused({"values": "FIELD_MISSING"})
            right = domain.normalised(said.values)
            first = form.values or {}
            kept = {name: text for name, text in first.items() if name not in recheck.differing}
            first_read = {name: first[name] for name in recheck.differing if name in first}
            done = replace(
                recheck, decided_by=said.officer, first_wrong=domain.differences(first_read, right)
            )
            self._finish(recording, self._forms.rechecked(recording, form, {**kept, **right}), done)

    def batch(self, batch_id: str) -> BatchView:
        """Where a batch stands; raises Dc01BatchUnknown."""
        with self._database.reading() as connection:
            return _batch_view(connection, _known(connection, batch_id))

    def batches(
        self, asked: PageAsked, state: BatchState | None, unit: str | None, area: str | None = None
    ) -> Page[BatchView]:
        """Batches, of one state, unit or area where these are given."""
        with self._database.reading() as connection:
            found = repository.batches(connection, asked, state, unit, self._units.codes_in(connection, area))
            views = [_batch_view(connection, batch) for batch in found]
        return page_of(views, asked, lambda batch: (batch.id,))

    def clerk_rates(self, area: str) -> tuple[ClerkRate, ...]:
        """How often each clerk's forms were wrong, out of the samples of judged batches of an area."""
        with self._database.reading() as connection:
            judged = repository.judged_rechecks(connection, self._units.codes_in(connection, area))
        by_clerk: dict[str, list[Recheck]] = {}
        for recheck in judged:
            by_clerk.setdefault(recheck.first_clerk, []).append(recheck)
        return tuple(_rate(clerk, rechecks) for clerk, rechecks in by_clerk.items())

    def _plan(self, recording: Recording, batch: Batch, lot: int) -> tuple[SamplingPlan, Severity]:
        verdicts = repository.first_verdicts(recording.connection, batch.unit)
        severity = sampling.severity_after(verdicts)
        if batch.first_verdict is not None:
            # What comes back after a rejection is looked at more strictly.
            severity = Severity.TIGHTENED
        return sampling.plan(lot, batch.aql, batch.level, severity), severity

    def _sample(self, recording: Recording, batch: Batch, forms: list[Form], seed: str) -> None:
        by_id = {form.id: form for form in forms}
        recording.actor = SYSTEM
        for form_id in sampling.draw(list(by_id), batch.sample_size or 0, seed):
            form = recording.step(by_id[form_id], FormEvent.SAMPLE)
            recheck = Recheck(
                form=form.id, batch=batch.id, round=batch.round, first_clerk=form.keyed_by or SYSTEM
            )
            repository.add_recheck(recording.connection, recheck)

    def _open_recheck(self, recording: Recording, form: Form) -> Recheck:
        if form.state is not FormState.RECHECK_SAMPLED:
            raise TransitionRefused("the form is not in a sample")
        recheck = repository.recheck(recording.connection, form.id, form.keyed_round)
        if recheck is None:
            raise TransitionRefused("the form is not in this round's sample")
        return recheck

    def _finish(self, recording: Recording, form: Form, recheck: Recheck) -> None:
        repository.save_recheck(recording.connection, recheck)
        if not recheck.is_done:
            recording.amend(form, "second_keying")
            return
        recording.amend(form, "rechecked", checked_right=not recheck.first_wrong)
        batch = _known(recording.connection, recheck.batch)
        sample = repository.rechecks(recording.connection, batch.id, batch.round)
        if all(one.is_done for one in sample):
            self._judge(recording, batch, sample)

    def _judge(self, recording: Recording, batch: Batch, sample: list[Recheck]) -> None:
        wrong = sum(1 for recheck in sample if recheck.first_wrong)
        accepted = wrong <= (batch.acceptance or 0)
        recording.actor = SYSTEM
        state = BatchState.ACCEPTED if accepted else BatchState.REJECTED
        recording.step_batch(
            batch,
            BatchEvent.ACCEPT if accepted else BatchEvent.REJECT,
            {"wrong": str(wrong), "acceptance": str(batch.acceptance)},
            wrong=wrong,
            first_verdict=batch.first_verdict or state.value,
        )
        event = FormEvent.ACCEPT_BATCH if accepted else FormEvent.REJECT_BATCH
        for form in repository.forms_of_batch(recording.connection, batch.id):
            recording.step(form, event)


def _known(connection: Connection, batch_id: str) -> Batch:
    batch = repository.batch(connection, batch_id)
    if batch is None:
        raise Dc01BatchUnknown("no batch with this id")
    return batch


def _batch_view(connection: Connection, batch: Batch) -> BatchView:
    rechecks = repository.rechecks(connection, batch.id, batch.round)
    states = repository.states_in_batch(connection, batch.id)
    found = None if batch.wrong is None else sampling.error_interval(batch.wrong, batch.sample_size or 0)
    return BatchView(
        id=batch.id,
        unit=batch.unit,
        state=batch.state.value,
        round=batch.round,
        aql=batch.aql,
        level=batch.level,
        severity=batch.severity,
        forms=sum(states.values()),
        sample_size=batch.sample_size,
        acceptance_number=batch.acceptance,
        checked=sum(1 for recheck in rechecks if recheck.is_done),
        wrong=batch.wrong,
        low=round(found.low, 6) if found else None,
        high=round(found.high, 6) if found else None,
        states={state.value: count for state, count in states.items()},
        unregistered=repository.count_unregistered(connection, batch.id),
    )


def _rate(clerk: str, rechecks: list[Recheck]) -> ClerkRate:
    wrong = sum(1 for recheck in rechecks if recheck.first_wrong)
    interval = sampling.error_interval(wrong, len(rechecks))
    return ClerkRate(
        clerk=clerk,
        forms=len(rechecks),
        wrong_forms=wrong,
        rate=round(wrong / len(rechecks), 6),
        low=round(interval.low, 6),
        high=round(interval.high, 6),
        wrong_fields=sum(len(recheck.first_wrong or ()) for recheck in rechecks),
    )


def _shuffled(form_id: str, one: str, other: str) -> tuple[str, str]:
    def place(text: str) -> bytes:
        return hashlib.sha256(f"{form_id} {text}".encode()).digest()

    first, second = sorted((one, other), key=place)
    return first, second
