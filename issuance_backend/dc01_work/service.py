"""The office where DC01 forms are worked on: role and unit are looked at here, the work is the registry's."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from issuance_backend.dc01_work import domain
from issuance_backend.dc01_work.domain import LEADERS, READERS, TOLD_NUMBERS, WAITING, FormStep
from issuance_backend.dc01_work.registry_forms import FormPicture, RegistryForms
from issuance_backend.officers.domain import Officer
from issuance_backend.paging import Page, PageAsked
from issuance_backend.registry_relay import in_name_of, reading_of, there
from verification.messages.dc01 import (
    Acting,
    BatchOpened,
    BatchView,
    BatchWanted,
    ClerkRate,
    CorrectionReview,
    FormCollected,
    FormDecision,
    FormIndexed,
    FormKeyed,
    FormPerson,
    FormReview,
    FormScanned,
    FormsWaiting,
    FormValues,
    FormView,
    FormWork,
    OpenDifference,
    PaperCollected,
    PaperIndexed,
    PaperRead,
    PaperScanned,
    ResidentList,
    ResidentsListed,
    SecondKeying,
)
from verification.messages.registry_access import Purpose

Answer = TypeVar("Answer")

FORMS, BATCHES = "forms", "batches"


class FormOffice:
    """What officers do with forms of their area.

    Everything raises RoleMissing, Dc01FormElsewhere, RegistryUnavailable and what the registry refuses.
    """

    def __init__(self, registry: RegistryForms) -> None:
        self._registry = registry

    def work(self, officer: Officer) -> tuple[FormWork, ...]:
        """The officer's steps in their order, and how much waits for each."""
        officer.require(*READERS)
        states = there(self._registry.read(FormsWaiting, "waiting", area=officer.area)).states
        blind = {FormStep.KEY_AGAIN: self.next_second_keying, FormStep.DECIDE: self.next_difference}
        steps = [step for step in FormStep if officer.roles.intersection(domain.ROLES[step])]
        return tuple(
            FormWork(step.value, int(blind[step](officer) is not None))
            if step in blind
            else FormWork(step.value, sum(states.get(state, 0) for state in WAITING[step]))
            for step in steps
            if step in blind or step in WAITING
        )

    def plan(self, officer: Officer, said: ResidentsListed) -> tuple[FormView, ...]:
        """Put residents of a commune on the list."""
        domain.require_step(officer, FormStep.LIST)
        self._require_area(officer, said.unit)
        return self._send(tuple[FormView, ...], in_name_of(officer, ResidentList, said), FORMS)

    def forms(self, officer: Officer, state: str, asked: PageAsked) -> Page[FormView]:
        """Forms of the officer's area that stand in a state."""
        officer.require(*READERS)
        return self._registry.listed(FormView, asked, FORMS, state=state, area=officer.area)

    def form(self, officer: Officer, form_id: str) -> FormView:
        """Where a form stands."""
        officer.require(*READERS)
        return self._form(officer, form_id)

    def of_barcode(self, officer: Officer, barcode: str) -> tuple[FormView, ...]:
        """The form with this barcode, or none."""
        officer.require(*READERS)
        found = there(self._registry.read(tuple[FormView, ...], FORMS, barcode=barcode))
        for form in found:
            self._require_area(officer, form.unit)
        return found

    def collect(self, officer: Officer, form_id: str, said: PaperCollected) -> FormView:
        """The paper is there."""
        return self._step(
            officer, FormStep.COLLECT, form_id, in_name_of(officer, FormCollected, said), "collection"
        )

    def scan(self, officer: Officer, form_id: str, said: PaperScanned) -> FormView:
        """Keep the pictures of its pages."""
        return self._step(officer, FormStep.SCAN, form_id, in_name_of(officer, FormScanned, said), "scan")

    def index(self, officer: Officer, form_id: str, said: PaperIndexed) -> FormView:
        """Picture and barcode belong together; it joins a batch of its commune."""
        return self._step(officer, FormStep.INDEX, form_id, in_name_of(officer, FormIndexed, said), "index")

    def key(self, officer: Officer, form_id: str, said: PaperRead) -> FormView:
        """What a clerk read, and what the rules say of it."""
        return self._step(officer, FormStep.KEY, form_id, in_name_of(officer, FormKeyed, said), "keying")

    def correct(self, officer: Officer, form_id: str, said: PaperRead) -> FormView:
        """Correct a form in conflict."""
        return self._step(
            officer, FormStep.CORRECT, form_id, in_name_of(officer, FormKeyed, said), "correction"
        )

    def review(self, officer: Officer, form_id: str, said: CorrectionReview) -> FormView:
        """Whether another officer finds a correction right."""
        return self._step(officer, FormStep.REVIEW, form_id, in_name_of(officer, FormReview, said), "review")

    def key_again(self, officer: Officer, form_id: str, said: PaperRead) -> None:
        """The blind second keying."""
        self._blind_step(
            officer, FormStep.KEY_AGAIN, form_id, in_name_of(officer, FormKeyed, said), "second-keying"
        )

    def decide(self, officer: Officer, form_id: str, said: PaperRead) -> None:
        """What the paper says where two readings differ."""
        self._blind_step(
            officer, FormStep.DECIDE, form_id, in_name_of(officer, FormDecision, said), "decision"
        )

    def next_keying(self, officer: Officer) -> FormView | None:
        """A form for this clerk to key."""
        return self._next(officer, FormStep.KEY, FormView, "keyings")

    def next_second_keying(self, officer: Officer) -> SecondKeying | None:
        """A drawn form for this clerk to key blindly."""
        return self._next(officer, FormStep.KEY_AGAIN, SecondKeying, "second-keyings")

    def next_difference(self, officer: Officer) -> OpenDifference | None:
        """Two readings for this third clerk to decide between."""
        return self._next(officer, FormStep.DECIDE, OpenDifference, "differences")

    def picture(self, officer: Officer, form_id: str, page: str) -> FormPicture:
        """One page, for who may take the step that the form waits for."""
        domain.require_at_work(officer, self._form(officer, form_id).state)
        return self._registry.picture(form_id, page, reading_of(officer, Purpose.POPULATION_FORM))

    def values(self, officer: Officer, form_id: str) -> FormValues:
        """What is keyed now, for who mends, corrects or reviews it."""
        domain.require_at_work(officer, self._form(officer, form_id).state)
        reading = reading_of(officer, Purpose.POPULATION_FORM)
        return self._registry.looked_at(FormValues, form_id, "values", reading)

    def open_batch(self, officer: Officer, said: BatchWanted) -> BatchView:
        """Open a batch for the forms of one commune."""
        domain.require_step(officer, FormStep.LEAD)
        self._require_area(officer, said.unit)
        return self._send(BatchView, in_name_of(officer, BatchOpened, said), BATCHES)

    def batches(
        self, officer: Officer, asked: PageAsked, state: str | None, unit: str | None
    ) -> Page[BatchView]:
        """Batches of the officer's area."""
        officer.require(*READERS)
        only = {"state": state, "unit": unit, "area": officer.area}
        return self._registry.listed(BatchView, asked, BATCHES, **only)

    def batch(self, officer: Officer, batch_id: str) -> BatchView:
        """Where a batch stands."""
        officer.require(*READERS)
        return self._batch(officer, batch_id)

    def draw(self, officer: Officer, batch_id: str) -> BatchView:
        """Close a batch and draw its sample."""
        domain.require_step(officer, FormStep.LEAD)
        self._batch(officer, batch_id)
        return self._send(BatchView, Acting(officer=officer.id), BATCHES, batch_id, "sample")

    def match(self, officer: Officer, batch_id: str) -> BatchView:
        """Compare what was accepted with the registry."""
        domain.require_step(officer, FormStep.LEAD)
        self._batch(officer, batch_id)
        self._send(dict[str, int], None, BATCHES, batch_id, "matching")
        return self._batch(officer, batch_id)

    def register(self, officer: Officer, batch_id: str) -> BatchView:
        """Have whoever the registry does not hold become its entries, in the officer's name."""
        domain.require_step(officer, FormStep.LEAD)
        self._batch(officer, batch_id)
        self._send(dict[str, int], Acting(officer=officer.id), BATCHES, batch_id, "registration")
        return self._batch(officer, batch_id)

    def person(self, officer: Officer, form_id: str) -> FormPerson:
        """Whose form it is."""
        officer.require(*TOLD_NUMBERS)
        self._form(officer, form_id)
        reading = reading_of(officer, Purpose.POPULATION_FORM)
        return self._registry.looked_at(FormPerson, form_id, "person", reading)

    def clerk_rates(self, officer: Officer) -> tuple[ClerkRate, ...]:
        """How often each clerk of the officer's area read wrong."""
        officer.require(*LEADERS)
        return there(self._registry.read(tuple[ClerkRate, ...], "clerk-rates", area=officer.area))

    def _require_area(self, officer: Officer, unit: str) -> None:
        """As ``domain`` does; what was filed under a unit that is no more is its successor's."""
        if not domain.is_of_area(officer, unit):
            domain.require_area(officer, self._registry.line(unit))

    def _form(self, officer: Officer, form_id: str) -> FormView:
        form = there(self._registry.read(FormView, FORMS, form_id))
        self._require_area(officer, form.unit)
        return form

    def _batch(self, officer: Officer, batch_id: str) -> BatchView:
        batch = there(self._registry.read(BatchView, BATCHES, batch_id))
        self._require_area(officer, batch.unit)
        return batch

    def _step(
        self, officer: Officer, step: FormStep, form_id: str, message: msgspec.Struct, name: str
    ) -> FormView:
        domain.require_step(officer, step)
        self._form(officer, form_id)
        return self._send(FormView, message, FORMS, form_id, name)

    def _blind_step(
        self, officer: Officer, step: FormStep, form_id: str, message: msgspec.Struct, name: str
    ) -> None:
        domain.require_step(officer, step)
        self._form(officer, form_id)
        self._registry.send(FormView, message, FORMS, form_id, name)

    def _send(self, kind: type[Answer], message: msgspec.Struct | None, *path: str) -> Answer:
        return there(self._registry.send(kind, message, *path))

    def _next(self, officer: Officer, step: FormStep, kind: type[Answer], name: str) -> Answer | None:
        domain.require_step(officer, step)
        return self._registry.read(kind, name, "next", officer=officer.id, area=officer.area)
