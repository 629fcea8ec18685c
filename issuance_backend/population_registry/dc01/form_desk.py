"""The desk where forms are collected, scanned, keyed, compared with the registry and corrected."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import domain, repository
from issuance_backend.population_registry.dc01.alike import (
    LIKE_FORM,
    LIKE_PERSON,
    alike_conflicts,
    person_in_doubt,
    person_of,
)
from issuance_backend.population_registry.dc01.domain import (
    CLEAN_STATES,
    KEYED_BLINDLY,
    BatchState,
    Form,
    FormEvent,
    FormState,
    Values,
)
from issuance_backend.population_registry.dc01.doubts import doubt_if_alike
from issuance_backend.population_registry.dc01.measures import fresh_from
from issuance_backend.population_registry.dc01.recording import (
    Recording,
    confirm_record,
    new_form,
    numbers_of,
)
from issuance_backend.population_registry.dc01.scan_pages import require_keyed_in
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication.service import require_officer_name
from issuance_backend.population_registry.reads import repository as reads
from issuance_backend.population_registry.rules.domain import Finding, RuleSet, rules_on
from issuance_backend.population_registry.units.domain import UnitLevel, UnitRegister
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import (
    Dc01BarcodeTaken,
    Dc01BatchUnknown,
    Dc01FormUnknown,
    UnitUnknown,
)
from issuance_backend.steps import SYSTEM
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dc01 import (
    FormCollected,
    FormIndexed,
    FormKeyed,
    FormReview,
    FormsWaiting,
    FormView,
    ResidentList,
)
from verification.messages.national_time import vietnam_date

_PORTION = 100
_LIKENESSES = frozenset({LIKE_FORM, LIKE_PERSON})

Change = Callable[[Recording, Form], Form]


class FormDesk:
    """Owns the transactions around single forms."""

    def __init__(self, database: Database, clock: Clock, units: UnitOffice) -> None:
        self._database = database
        self._clock = clock
        self._units = units
        self._rules: tuple[UnitRegister, dict[date, RuleSet]] | None = None

    def plan(self, residents: ResidentList) -> tuple[FormView, ...]:
        """Put residents of a commune on the list; a barcode that stands there for it is left as it is.

        Raises UnitUnknown, FieldsRefused, Dc01BarcodeTaken.
        """
        with self.acting(residents.officer) as recording:
            self._require_commune(recording, residents.unit)
            planned = [self._planned(recording, residents.unit, code) for code in residents.barcodes]
        return tuple(view(form) for form in planned)

    def collect(self, form_id: str, said: FormCollected) -> FormView:
        """The paper is there; raises FieldsRefused for a day to come."""

        def change(recording: Recording, form: Form) -> Form:
            if not date(2016, 1, 1) <= said.collected_on <= vietnam_date(recording.moment):
                raise FieldsRefused({"collected_on": "FIELD_DATE"})
            return recording.step(form, FormEvent.COLLECT, collected_on=said.collected_on)

        return self._changed(form_id, said.officer, change)

    def index(self, form_id: str, said: FormIndexed) -> FormView:
        """It joins an open batch of its own commune; raises Dc01BatchUnknown, FieldsRefused."""

        def change(recording: Recording, form: Form) -> Form:
            batch = repository.batch(recording.connection, said.batch)
            if batch is None:
                raise Dc01BatchUnknown("no batch with this id")
            if batch.state is not BatchState.OPEN:
                raise TransitionRefused("the batch takes no more forms")
            if batch.unit != form.unit:
                raise FieldsRefused({"batch": "FIELD_CHARACTERS"})
            return recording.step(form, FormEvent.INDEX, batch=batch.id)

        return self._changed(form_id, said.officer, change)

    def key(self, form_id: str, said: FormKeyed) -> FormView:
        """What a clerk reads on it; the rules look at once. While a sample is being checked nobody may."""

        def change(recording: Recording, form: Form) -> Form:
            batch = repository.batch(recording.connection, form.batch or "")
            require_keyed_in(batch)
            values = domain.normalised(said.values)
            keyed = recording.step(
                form,
                FormEvent.KEY,
                values=values,
                keyed_by=said.officer,
                keyed_round=batch.round + 1 if batch else 1,
                checked_right=None,
                findings=(),
                missing=domain.missing(values),
                conflicts=(),
            )
            repository.add_keying(
                recording.connection, keyed, said.officer, values, rfc3339(recording.moment)
            )
            recording.actor = SYSTEM
            found = self._contradictions(recording.connection, keyed, values)
            return recording.step(keyed, FormEvent.CHECK, {"findings": str(len(found))}, findings=found)

        return self._changed(form_id, said.officer, change)

    def doubts(self, form_id: str) -> tuple[Finding, ...]:
        """Everything the rules say of a form as it is keyed now, doubts too; raises Dc01FormUnknown."""
        with self._database.reading() as connection:
            form = known(connection, form_id)
            return self._findings(connection, form, form.values or {})

    def match(self, batch_id: str) -> int:
        """Compare the accepted forms of a batch with the registry and each other; returns how many.

        May be called again after an interruption: what is done stays done.
        """
        self.judge_older()
        done = 0
        while True:
            with self.acting(SYSTEM) as recording:
                found = repository.forms_of_batch(
                    recording.connection, batch_id, FormState.ACCEPTED, _PORTION
                )
                for form in found:
                    self._settle(recording, recording.step(form, FormEvent.MATCH))
            done += len(found)
            if len(found) < _PORTION:
                return done

    def correct(self, form_id: str, said: FormKeyed) -> FormView:
        """Correct a form in conflict; another officer has to look at it."""

        def change(recording: Recording, form: Form) -> Form:
            values = domain.normalised(said.values)
            found = self._contradictions(recording.connection, form, values)
            corrected = recording.step(
                form,
                FormEvent.CORRECT,
                values=values,
                corrected_by=said.officer,
                findings=found,
                missing=domain.missing(values),
            )
            repository.add_keying(
                recording.connection, corrected, said.officer, values, rfc3339(recording.moment)
            )
            return corrected

        return self._changed(form_id, said.officer, change)

    def review(self, form_id: str, said: FormReview) -> FormView:
        """Another officer says whether a correction is right; raises SameOfficer, FieldsRefused.

        ``told_apart_by`` says that whoever the form is like is another person, and what showed it.
        """

        def change(recording: Recording, form: Form) -> Form:
            by = said.told_apart_by
            domain.require_other(said.officer, form.corrected_by, form.keyed_by if by else None)
            like = tuple(each for each in form.conflicts if each.partition(":")[0] in _LIKENESSES)
            if by and not (said.is_right and like):
                raise FieldsRefused({"told_apart_by": "FIELD_NOBODY_TOLD_APART"})
            detail = {"told_apart_by": by, "told_apart": ",".join(like)} if by else {}
            looked = recording.step(form, FormEvent.RECHECK, detail)
            if said.is_right:
                return self._settle(recording, looked, like if by else ())
            return recording.step(looked, FormEvent.CONTRADICT, conflicts=("CORRECTION_NOT_RIGHT", *like))

        self.judge_older()
        return self._changed(form_id, said.officer, change)

    def confirm(self, citizen_number: str, day: date, officer: str) -> int:
        """Life confirmed a person's record on a day; returns how many forms became living."""
        with self.acting(officer) as recording:
            return confirm_record(recording, citizen_number, day)

    def age(self) -> int:
        """Mark what nothing confirmed for 24 months as stale; returns how many."""
        done = 0
        while True:
            with self.acting(SYSTEM) as recording:
                since = fresh_from(vietnam_date(recording.moment))
                found = repository.aged_forms(recording.connection, since, _PORTION)
                for form in found:
                    recording.step(form, FormEvent.AGE)
            done += len(found)
            if len(found) < _PORTION:
                return done

    def form(self, form_id: str) -> FormView:
        """Where a form stands; raises Dc01FormUnknown."""
        with self._database.reading() as connection:
            return blind_view(known(connection, form_id))

    def of_barcode(self, barcode: str) -> tuple[FormView, ...]:
        """The form with this barcode, or none."""
        with self._database.reading() as connection:
            form = repository.form_with_barcode(connection, barcode)
        return () if form is None else (blind_view(form),)

    def forms(self, state: FormState, asked: PageAsked, area: str | None = None) -> Page[FormView]:
        """The forms that wait in one state, of an area where it is given."""
        with self._database.reading() as connection:
            found = repository.forms_in(connection, state, asked, self._units.codes_in(connection, area))
        return page_of([blind_view(form) for form in found], asked, lambda form: (form.id,))

    def next_to_key(self, officer: str, area: str | None = None) -> FormView | None:
        """A form for this officer to key."""
        with self._database.reading() as connection:
            found = repository.next_to_key(connection, officer, self._units.codes_in(connection, area))
        return None if found is None else blind_view(found)

    def waiting(self, area: str | None = None) -> FormsWaiting:
        """How many forms stand where, of an area where it is given."""
        with self._database.reading() as connection:
            states = repository.states_in(connection, self._units.codes_in(connection, area))
        return FormsWaiting({state.value: count for state, count in states.items()})

    @contextmanager
    def acting(self, officer: str) -> Iterator[Recording]:
        """A transaction in which an officer does something; raises FieldsRefused for a name that is none."""
        require_officer_name(officer)
        with self._database.writing() as connection:
            yield Recording(connection, journal.begin(connection, self._clock()), officer)

    def rechecked(self, recording: Recording, form: Form, values: Values) -> Form:
        """Write what two later readers found on the paper, in the caller's transaction."""
        found = self._contradictions(recording.connection, form, values)
        return recording.amend(
            form, "read_again", values=values, findings=found, missing=domain.missing(values)
        )

    def _changed(self, form_id: str, officer: str, change: Change) -> FormView:
        with self.acting(officer) as recording:
            return view(change(recording, known(recording.connection, form_id)))

    def _planned(self, recording: Recording, unit: str, barcode: str) -> Form:
        if not barcode.isascii() or not barcode.isalnum():
            raise FieldsRefused({"barcodes": "FIELD_CHARACTERS"})
        there = repository.form_with_barcode(recording.connection, barcode)
        if there is None:
            return recording.plan(new_form(secrets.token_hex(8), barcode, unit))
        if there.unit != unit:
            raise Dc01BarcodeTaken("the barcode stands in another commune's list")
        return there

    def _require_commune(self, recording: Recording, code: str) -> None:
        units = self._units.register_in(recording.connection)
        unit = units.unit(code, vietnam_date(recording.moment))
        if unit is None or unit.level is not UnitLevel.COMMUNE:
            raise UnitUnknown("no such commune today")

    def judge_older(self) -> int:
        """Make what the first comparison needs; returns how many forms of before are doubtful by it.

        That is the index of persons, which is housekeeping's later, and the keys of forms that are older than
        such comparisons. Of these the clean ones are compared, with persons and with each other.
        """
        MatchingDesk(self._database, self._clock).begin()
        with self._database.reading() as connection:
            has_older = repository.lacks_likeness(connection)
        doubtful = 0
        while has_older:
            with self.acting(SYSTEM) as recording:
                found = repository.make_likeness(recording.connection, _PORTION)
                doubtful += sum(doubt_if_alike(recording, form) for form in found)
            has_older = len(found) == _PORTION
        return doubtful

    def _settle(self, recording: Recording, form: Form, told_apart: tuple[str, ...] = ()) -> Form:
        values = form.values or {}
        found = self._conflicts(recording, form, values)
        found = (*found, *alike_conflicts(recording.connection, form))
        if form.findings or not set(found) <= set(told_apart):
            # All of them: whoever decides next decides about those that were told apart as well.
            return recording.step(form, FormEvent.CONTRADICT, conflicts=found)
        entry = person_of(recording.connection, form)
        number = None if entry is None else entry.citizen_number
        if number is not None:
            reads.name_person(recording.connection, form.id, number)
        return recording.step(form, FormEvent.SETTLE, conflicts=(), person=number)

    def judge_again(self, recording: Recording, form: Form) -> tuple[str, ...]:
        """What speaks against a clean form now: the registry may have changed since it was settled."""
        found = self._conflicts(recording, form, form.values or {})
        if person_of(recording.connection, form) is None:
            found = (*found, *person_in_doubt(recording.connection, form))
        return found

    def _conflicts(self, recording: Recording, form: Form, values: Values) -> tuple[str, ...]:
        connection = recording.connection
        if form.number is None:
            return ()
        entry = person_of(connection, form)
        numbers = {form.number} if entry is None else numbers_of(connection, entry) | {form.number}
        others = repository.forms_of_numbers(connection, numbers)
        is_second = any(other.id != form.id and other.state in CLEAN_STATES for other in others)
        if entry is not None:
            found = domain.registry_conflicts(values, entry)
        else:
            # Numbers of before stand on older cards; one that was drawn here is whoever's it was drawn for.
            is_drawn = issuing.is_drawn_for_somebody(connection, form.number, recording.moment)
            found = ("NUMBER_OF_ANOTHER",) if is_drawn else ()
        if _is_anothers(connection, values.get("old_id", ""), entry):
            found = (*found, "REGISTRY_DIFFERS:old_id")
        return (*found, "DUPLICATE_FORM") if is_second else found

    def _contradictions(self, connection: Connection, form: Form, values: Values) -> tuple[str, ...]:
        return domain.contradictions(self._findings(connection, form, values))

    def _findings(self, connection: Connection, form: Form, values: Values) -> tuple[Finding, ...]:
        if form.collected_on is None:
            return ()
        units = self._units.register_in(connection)
        if self._rules is None or self._rules[0] is not units:
            self._rules = units, {}
        by_day = self._rules[1]
        if form.collected_on not in by_day:
            by_day[form.collected_on] = rules_on(form.collected_on, units)
        return by_day[form.collected_on].check(values)


def _is_anothers(connection: Connection, old_id: str, entry: RegistryPerson | None) -> bool:
    holders = entries.numbers_with_old_id(connection, old_id)
    own = entry.citizen_number if entry else None
    return any(people.reference_number(connection, each) != own for each in holders)


def known(connection: Connection, form_id: str) -> Form:
    """The form with this id; raises Dc01FormUnknown."""
    form = repository.form(connection, form_id)
    if form is None:
        raise Dc01FormUnknown("no form with this id")
    return form


def blind_view(form: Form) -> FormView:
    """Where a form stands, for anybody: while it may be keyed blindly nothing tells what was keyed first."""
    return view(form if form.state not in KEYED_BLINDLY else replace(form, findings=(), missing=()))


def view(form: Form) -> FormView:
    """Where a form stands, for whoever keyed it just now or works with what was keyed."""
    return FormView(
        id=form.id,
        barcode=form.barcode,
        unit=form.unit,
        state=form.state.value,
        batch=form.batch,
        pages=form.pages,
        scan=form.scan,
        findings=(*form.missing, *form.findings),
        conflicts=form.conflicts,
        registered=form.person is not None,
    )
