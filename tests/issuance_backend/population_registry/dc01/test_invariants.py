"""What holds whatever happens: I14, and figures that are what the forms say, today and for every past day."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import repository
from issuance_backend.population_registry.dc01.domain import (
    CLEAN_STATES,
    TABLE,
    Form,
    FormEvent,
    FormState,
    advance,
)
from issuance_backend.population_registry.dc01.measures import IndexName, fresh_from
from issuance_backend.population_registry.dc01.tables import FORMS
from issuance_backend.population_registry.identities.domain import Freshness, freshness
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.refusals import Dc01BatchNotReady, SameOfficer, UnitUnknown
from issuance_backend.schema import EVENTS
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, SINCE_2025, WHOLE, Dc01Office, somebody
from tests.support.engines import Engine
from tests.support.recounted_indices import recounted
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dc01 import FormDecision, FormKeyed, FormReview

REFUSED = TransitionRefused, Dc01BatchNotReady, SameOfficer, FieldsRefused


def reachable(without: set[FormEvent]) -> set[FormState]:
    """Every state that a form can come to when some things never happen."""
    found: set[FormState | None] = {None}
    while True:
        more = {
            after
            for (before, event), after in TABLE.transitions.items()
            if before in found and event not in without
        }
        if more <= found:
            return {state for state in found if state is not None}
        found |= more


def test_every_state_can_be_reached_and_none_but_live_records_stay_for_ever() -> None:
    assert reachable(set()) == set(FormState)
    assert {before for before, _ in TABLE.transitions} == {None, *FormState}


def test_no_form_is_clean_without_an_accepted_batch() -> None:
    assert not reachable({FormEvent.ACCEPT_BATCH}) & CLEAN_STATES
    assert not reachable({FormEvent.MATCH}) & CLEAN_STATES


def test_a_rejected_form_has_one_way_on() -> None:
    assert [event for before, event in TABLE.transitions if before is FormState.BATCH_REJECTED] == [
        FormEvent.KEY
    ]


@given(st.lists(st.sampled_from(FormEvent), max_size=60))
def test_a_clean_form_was_accepted_after_it_was_last_keyed_and_rejected(events: list[FormEvent]) -> None:
    state: FormState | None = None
    happened: list[FormEvent] = []
    for event in events:
        try:
            state = advance(state, event)
        except TransitionRefused:
            continue
        happened.append(event)
    if state in CLEAN_STATES:
        last = {event: at for at, event in enumerate(happened)}
        assert last[FormEvent.ACCEPT_BATCH] > max(
            last[FormEvent.KEY], last.get(FormEvent.REJECT_BATCH, -1), last.get(FormEvent.SAMPLE, -1)
        )


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(0, 1_000))
def test_freshness_is_the_registrys_own(day: date, before: int) -> None:
    confirmed = date.fromordinal(day.toordinal() - before)
    assert (confirmed >= fresh_from(day)) == (freshness(confirmed, day) is Freshness.LIVE)


class Walk:
    """Random work of many officers; every refusal that the rules of the office give is taken as such."""

    def __init__(self, office: Dc01Office, seed: int) -> None:
        self.office = office
        self.chance = random.Random(seed)  # noqa: S311 - the same walk in every run
        self.numbers = [office.register(f"00119000000{number}") for number in range(8)]
        self.asked = 0
        self.batches: list[str] = []
        self.forms: list[str] = []
        self.steps: list[Callable[[], object]] = [
            self.new_batch,
            *[self.key] * 6,
            *[self.key_whole_batch] * 3,
            *[self.draw] * 3,
            *[self.second] * 10,
            *[self.third] * 5,
            *[self.match] * 4,
            *[self.register] * 2,
            *[self.correct] * 2,
            *[self.review] * 2,
            *[self.confirm] * 4,
            self.age,
            self.next_day,
        ]

    def step(self) -> None:
        with suppress(*REFUSED):
            self.chance.choice(self.steps)()

    def values(self, form: str, error_rate: float = 0.25) -> dict[str, str]:
        read = {**WHOLE, "citizen_number": self.chance.choice(self.numbers)}
        if self.chance.random() < 0.6:
            # Of three who bear no number two are alike.
            read = somebody(1 + self.forms.index(form) * 2 // 3)
        if self.chance.random() < 0.15:
            del read["religion"]
        if self.chance.random() < error_rate:
            read["mother"] = f"SAI {self.chance.choice('ABCDEF')}"
        if self.chance.random() < 0.1:
            read["sex"] = "X"
        return read

    def new_batch(self) -> None:
        self.asked += 1
        if len(self.batches) < 14 + self.asked // 20:
            is_merged = self.office.now.date() >= date(2025, 7, 1)
            unit = SINCE_2025 if is_merged else self.chance.choice([COMMUNE, NEIGHBOUR])
            batch, ids = self.office.indexed(
                self.chance.randint(1, 5), unit, self.chance.choice(["1.0", "6.5"])
            )
            self.batches.append(batch)
            self.forms += [*ids, *self.office.plan(1, unit)]

    def key(self) -> None:
        self._key(self.chance.choice(self.forms))

    def key_whole_batch(self) -> None:
        batch = self.chance.choice(self.batches)
        for form in self.forms:
            seen = self.office.forms.form(form)
            if seen.batch == batch and seen.state in {"indexed", "batch_rejected"}:
                self._key(form)

    def _key(self, form: str) -> None:
        said = FormKeyed(values=self.values(form), officer=self.chance.choice(["c1", "c2"]))
        self.office.forms.key(form, said)

    def draw(self) -> None:
        self.office.batches.draw(self.chance.choice(self.batches), "leader")

    def second(self) -> None:
        task = self.office.batches.next_keying("second")
        if task is not None:
            with self.office.database.reading() as connection:
                form = repository.form(connection, task.form)
            assert form is not None
            said = dict(form.values or {}) if self.chance.random() < 0.5 else self.values(form.id)
            self.office.batches.key_again(task.form, FormKeyed(values=said, officer="second"))

    def third(self) -> None:
        task = self.office.batches.next_difference("third")
        if task is not None:
            values = {part.field: self.chance.choice(part.readings) for part in task.differences}
            self.office.batches.decide(task.form, FormDecision(values=values, officer="third"))

    def match(self) -> None:
        self.office.forms.match(self.chance.choice(self.batches))

    def register(self) -> None:
        officer = self.chance.choice(["leader", "k1"])
        self.office.registration.register(self.chance.choice(self.batches), officer)

    def correct(self) -> None:
        form = self.one_in("conflict")
        said = FormKeyed(values=self.values(form, 0.0), officer=self.chance.choice(["k1", "k2"]))
        self.office.forms.correct(form, said)

    def review(self) -> None:
        is_right = self.chance.random() < 0.7
        said = FormReview(
            is_right=is_right,
            officer=self.chance.choice(["k1", "k2"]),
            told_apart_by=self.chance.choice([None, "papers_seen"]),
        )
        self.office.forms.review(self.one_in("correction"), said)

    def one_in(self, state: str) -> str:
        found = [form for form in self.forms if self.office.forms.form(form).state == state]
        return self.chance.choice(found or self.forms)

    def confirm(self) -> None:
        self.office.forms.confirm(self.chance.choice(self.numbers), self.office.now.date(), "registry")

    def age(self) -> None:
        self.office.forms.age()

    def next_day(self) -> None:
        self.office.pass_days(self.chance.choice([1, 1, 30, 400]))


def by_hand(forms: list[Form], today: date) -> dict[str, tuple[int, int]]:
    """Every index of the nation out of the forms themselves."""
    keyed = [form for form in forms if form.values is not None]
    checked = [form for form in forms if form.checked_right is not None]
    clean = [form for form in forms if form.state in CLEAN_STATES]
    fresh = [form for form in clean if freshness(form.confirmed_on, today) is Freshness.LIVE]
    return {
        "dung": (sum(bool(form.checked_right) for form in checked), len(checked)),
        "du": (sum(not form.missing for form in keyed), len(keyed)),
        "sach": (len(clean), len(keyed)),
        "song": (len(fresh), len(clean)),
        "thu-thap": (sum(form.state is not FormState.PLANNED for form in forms), len(forms)),
    }


def nation(office: Dc01Office, day: date | None = None) -> dict[str, tuple[int, int]]:
    found = office.indices.indices("", day)
    return {index.index: (index.numerator, index.denominator) for index in found if index.unit == ""}


def all_forms(office: Dc01Office) -> list[Form]:
    with office.database.reading() as connection:
        ids = list(connection.execute(select(FORMS.c.id)).scalars())
        found = [repository.form(connection, form) for form in ids]
    return [form for form in found if form is not None]


def came_to(office: Dc01Office) -> set[FormState]:
    """Every state that any form ever stood in."""
    with office.database.reading() as connection:
        recorded = select(EVENTS.c.state).where(EVENTS.c.subject.like("dc01/%")).distinct()
        return {FormState(state) for state in connection.execute(recorded).scalars()}


def require_i14(office: Dc01Office, forms: list[Form]) -> None:
    with office.database.reading() as connection:
        for form in forms:
            if form.state not in CLEAN_STATES:
                continue
            batch = repository.batch(connection, form.batch or "")
            assert batch is not None
            assert batch.state == "accepted"
            assert batch.wrong is not None
            assert batch.acceptance is not None
            assert batch.wrong <= batch.acceptance
            sample = repository.rechecks(connection, batch.id, batch.round)
            assert sum(bool(recheck.first_wrong) for recheck in sample) == batch.wrong
            assert len(sample) == batch.sample_size
            assert form.keyed_round == batch.round


def require_nobody_twice(office: Dc01Office, forms: list[Form]) -> None:
    """Of clean forms that are alike, where one bears no number, an officer told all but the first apart."""
    clean = [form for form in forms if form.state in CLEAN_STATES]
    with office.database.reading() as connection:
        told_apart = {
            form.id
            for form in clean
            if any(
                "told_apart" in step.detail for step in recorded_events.of_subject(connection, form.subject)
            )
        }
    for one, other in itertools.combinations([form for form in clean if form.id not in told_apart], 2):
        names = [[(form.values or {}).get(name) for name in ("full_name", "mother")] for form in (one, other)]
        assert names[0] != names[1] or (one.number and other.number)


def require_one_entry_a_person(office: Dc01Office, forms: list[Form]) -> None:
    """Of registered forms that were never told apart no two are of one person, and each has its entry."""
    registered = [form for form in forms if form.person is not None]
    made: dict[tuple[str, ...], str] = {}
    with office.database.reading() as connection:
        for form in registered:
            assert entries.person(connection, form.person or "") is not None
            steps = recorded_events.of_subject(connection, form.subject)
            if not any("told_apart" in step.detail for step in steps):
                said = form.values or {}
                who = tuple(said.get(name, "") for name in ("full_name", "date_of_birth", "mother"))
                if who[0] != WHOLE["full_name"]:
                    assert made.setdefault(who, form.person or "") == form.person
    assert made


@pytest.mark.parametrize("seed", [1, 2])
def test_under_random_work_no_rejected_batch_gives_a_clean_record_and_every_figure_is_the_forms_own(
    database_engine: Engine, seed: int
) -> None:
    office = Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS))
    walk = Walk(office, seed)
    walk.new_batch()
    remembered: dict[date, object] = {}
    # A walk that never came to some state would prove nothing of it: it goes on until it did.
    turns = itertools.takewhile(
        lambda turn: turn < 700 or (turn < 5_000 and (turn % 100 or came_to(office) < set(FormState))),
        itertools.count(),
    )
    for turn in turns:
        today = office.now.date()
        walk.step()
        if office.now.date() != today or turn % 40 == 39:
            forms = all_forms(office)
            require_i14(office, forms)
            now = office.now.date()
            assert nation(office) == by_hand(forms, now)
            assert recounted(office) == office.indices.indices("", None)
            for name in IndexName:
                failing = office.indices.failing("", name, None, PageAsked(500)).entries
                numerator, denominator = nation(office)[name.value]
                assert len(failing) == denominator - numerator
        if office.now.date() != today:
            remembered[today] = office.indices.indices("", today)
    require_nobody_twice(office, all_forms(office))
    require_one_entry_a_person(office, all_forms(office))
    assert len(remembered) > 3
    for day, figures in remembered.items():
        assert office.indices.indices("", day) == figures
        assert recounted(office, day) == figures
    with office.database.reading() as connection:
        recorded_events.verify(connection)
    assert came_to(office) == set(FormState)


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    return Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS))


def test_drilling_down_finds_exactly_the_failing_forms_and_says_why(office: Dc01Office) -> None:
    def read(at: int) -> dict[str, str]:
        bad = [{"religion": ""}, {"sex": "X"}]
        return {**somebody(at), **(bad[at] if at < 2 else {})}

    ids = office.accepted(6, read=read)
    (planned,) = office.plan(1)
    office.forms.match(office.forms.form(ids[0]).batch or "")

    def failing(name: IndexName, area: str = COMMUNE) -> dict[str, tuple[str, ...]]:
        found = office.indices.failing(area, name, None, PageAsked(500)).entries
        return {form.form: form.reasons for form in found}

    assert failing(IndexName.DU) == {ids[0]: ("MISSING:religion",)}
    assert failing(IndexName.SACH) == {ids[1]: ("SEX_KNOWN@1",)}
    assert set(failing(IndexName.SONG)) == set(ids) - {ids[1]}
    assert failing(IndexName.DUNG) == {}
    assert set(failing(IndexName.THU_THAP)) == {planned}
    assert failing(IndexName.SACH, NEIGHBOUR) == {}
    assert failing(IndexName.SACH, "001") == failing(IndexName.SACH, "")
    page = office.indices.failing(COMMUNE, IndexName.SONG, None, PageAsked(2))
    rest = office.indices.failing(COMMUNE, IndexName.SONG, None, PageAsked(9, (page.entries[-1].form,)))
    assert len(page.entries) + len(rest.entries) == 5


def test_a_report_for_a_past_day_uses_the_units_of_that_day(office: Dc01Office) -> None:
    office.accepted(4)
    office.accepted(3, NEIGHBOUR)
    past = date(2021, 2, 1)
    office.now = office.now.replace(year=2026)

    def keyed(area: str, day: date | None) -> dict[str, int]:
        found = office.indices.indices(area, day)
        return {index.unit: index.denominator for index in found if index.index == "du"}

    assert keyed("001.005", past) == {"001.005": 7, COMMUNE: 4, NEIGHBOUR: 3}
    assert keyed("", past) == {"": 7, "001": 7}
    assert keyed("01", None) == {"01": 7, SINCE_2025: 7}
    assert keyed("", None) == {"": 7, "01": 7}
    for area, day in (("01", past), ("001", None), (COMMUNE, None)):
        with pytest.raises(UnitUnknown):
            office.indices.indices(area, day)
    now = office.indices.failing(SINCE_2025, IndexName.SACH, None, PageAsked(500)).entries
    assert {form.unit for form in now} == {SINCE_2025}
    assert len(now) == 7
    then = office.indices.failing(NEIGHBOUR, IndexName.SACH, past, PageAsked(500)).entries
    assert len(then) == 3
    with pytest.raises(FieldsRefused):
        office.indices.indices("", date(2027, 1, 1))


def test_where_nothing_is_measured_there_is_no_value(office: Dc01Office) -> None:
    office.plan(2)
    found = {index.index: index for index in office.indices.indices(COMMUNE, None)}
    assert found["dung"].value is None
    assert (found["thu-thap"].numerator, found["thu-thap"].denominator) == (0, 2)
    assert found["thu-thap"].value == 0
    assert {index.definition for index in found.values()} == {f"{name}-1" for name in IndexName}
