"""A form's way from the list of residents to a clean record, on both engines."""

from __future__ import annotations

import itertools
import random
from datetime import date

import pytest
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.dc01 import domain, repository
from issuance_backend.population_registry.dc01.domain import BatchState, FormEvent, FormState
from issuance_backend.population_registry.dc01.sampling import error_interval
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.refusals import (
    Dc01BarcodeTaken,
    Dc01BatchNotReady,
    Dc01BatchUnknown,
    Dc01FormUnknown,
    SameOfficer,
    UnitUnknown,
)
from issuance_backend.schema import EVENTS
from tests.support.dc01_office import COLLECTED, COMMUNE, NEIGHBOUR, PAGES, WHOLE, Dc01Office, somebody
from tests.support.engines import Engine
from tests.support.registry_office import decided_by_two
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dc01 import (
    BatchOpened,
    FormCollected,
    FormDecision,
    FormIndexed,
    FormKeyed,
    FormReview,
    ResidentList,
)
from verification.messages.life_event import LifeEventReport, Move


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    return Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS))


NUMBER = "001190000001"


def events_of(office: Dc01Office, form: str) -> list[str]:
    with office.database.reading() as connection:
        return [step.event for step in recorded_events.of_subject(connection, f"dc01/{form}")]


def test_a_form_goes_from_the_list_to_a_clean_record(office: Dc01Office) -> None:
    ids = office.accepted(20)
    assert set(office.states(ids)) == {"accepted"}
    batch = office.forms.form(ids[0]).batch or ""
    assert office.forms.match(batch) == 20
    assert set(office.states(ids)) == {"clean"}
    assert office.forms.match(batch) == 0
    with office.database.reading() as connection:
        assert recorded_events.verify(connection) > 20 * 8


def test_a_state_is_the_fold_of_what_was_recorded(office: Dc01Office) -> None:
    ids = office.accepted(10)
    office.forms.match(office.forms.form(ids[0]).batch or "")
    for form in ids:
        steps = [FormEvent(name) for name in events_of(office, form) if name in set(FormEvent)]
        assert domain.fold(steps) == office.forms.form(form).state


def test_no_person_stands_in_a_recorded_event(office: Dc01Office) -> None:
    office.register(NUMBER)
    ids = office.accepted(5, read=lambda at: {**WHOLE, "citizen_number": NUMBER} if at == 0 else somebody(at))
    office.forms.match(office.forms.form(ids[0]).batch or "")
    with office.database.reading() as connection:
        lines = [str(tuple(row)) for row in connection.execute(select(EVENTS))]
    assert not [line for line in lines if NUMBER in line or "NGUY" in line or "LAN" in line]


def test_a_list_may_be_sent_twice_and_a_barcode_has_one_commune(office: Dc01Office) -> None:
    residents = ResidentList(unit=COMMUNE, barcodes=("A1", "A2"), officer="lan")
    assert office.forms.plan(residents) == office.forms.plan(residents)
    with pytest.raises(Dc01BarcodeTaken):
        office.forms.plan(ResidentList(unit=NEIGHBOUR, barcodes=("A2",), officer="lan"))
    with pytest.raises(UnitUnknown):
        office.forms.plan(ResidentList(unit="001.005", barcodes=("B1",), officer="lan"))
    with pytest.raises(FieldsRefused):
        office.forms.plan(ResidentList(unit=COMMUNE, barcodes=("B 1",), officer="lan"))
    with pytest.raises(FieldsRefused):
        office.forms.plan(ResidentList(unit=COMMUNE, barcodes=("B1",), officer=" "))


def test_steps_out_of_order_are_refused_and_change_nothing(office: Dc01Office) -> None:
    (form,) = office.plan(1)
    with pytest.raises(TransitionRefused):
        office.scan(form)
    with pytest.raises(TransitionRefused):
        office.forms.key(form, FormKeyed(values=WHOLE, officer="lan"))
    with pytest.raises(FieldsRefused):
        office.forms.collect(form, FormCollected(collected_on=date(2021, 2, 2), officer="lan"))
    with pytest.raises(Dc01FormUnknown):
        office.forms.collect("none", FormCollected(collected_on=COLLECTED, officer="lan"))
    assert events_of(office, form) == ["plan"]


def test_a_form_joins_an_open_batch_of_its_own_commune(office: Dc01Office) -> None:
    (form,) = office.plan(1)
    office.forms.collect(form, FormCollected(collected_on=COLLECTED, officer="lan"))
    office.scan(form)
    elsewhere = office.batches.open(BatchOpened(unit=NEIGHBOUR, officer="lan")).id
    with pytest.raises(FieldsRefused):
        office.forms.index(form, FormIndexed(batch=elsewhere, officer="lan"))
    with pytest.raises(Dc01BatchUnknown):
        office.forms.index(form, FormIndexed(batch="none", officer="lan"))
    batch, ids = office.indexed(2)
    office.key(ids)
    office.batches.draw(batch, "leader")
    with pytest.raises(TransitionRefused):
        office.forms.index(form, FormIndexed(batch=batch, officer="lan"))
    with pytest.raises(UnitUnknown):
        office.batches.open(BatchOpened(unit="001.009.00001", officer="lan"))


def test_forms_of_a_commune_that_is_no_more_are_still_brought_to_an_end(office: Dc01Office) -> None:
    (late,) = office.plan(1)
    office.now = office.now.replace(year=2026)
    with pytest.raises(UnitUnknown):
        office.plan(1)
    batch = office.batches.open(BatchOpened(unit=COMMUNE, officer="lan")).id
    office.forms.collect(late, FormCollected(collected_on=COLLECTED, officer="lan"))
    office.scan(late)
    office.forms.index(late, FormIndexed(batch=batch, officer="lan"))
    # Its addresses are judged by the map of the day on which it was signed.
    office.key([late])
    assert office.forms.form(late).findings == ()


def test_a_batch_is_drawn_when_all_of_it_is_keyed(office: Dc01Office) -> None:
    batch, ids = office.indexed(3)
    with pytest.raises(Dc01BatchNotReady):
        office.batches.draw(batch, "leader")
    office.key(ids)
    drawn = office.batches.draw(batch, "leader")
    assert (drawn.state, drawn.sample_size, drawn.acceptance_number, drawn.wrong) == ("sampled", 3, 0, None)
    with pytest.raises(TransitionRefused):
        office.batches.draw(batch, "leader")
    empty = office.batches.open(BatchOpened(unit=COMMUNE, officer="lan")).id
    with pytest.raises(Dc01BatchNotReady):
        office.batches.draw(empty, "leader")


def test_while_a_sample_is_checked_nobody_mends_a_form(office: Dc01Office) -> None:
    batch, ids = office.indexed(60)
    office.key(ids)
    office.forms.key(ids[0], FormKeyed(values=WHOLE, officer="clerk"))
    office.batches.draw(batch, "leader")
    unsampled = next(form for form in ids if office.forms.form(form).state == "auto_checked")
    with pytest.raises(TransitionRefused):
        office.forms.key(unsampled, FormKeyed(values=WHOLE, officer="clerk"))


def test_the_second_reader_is_another_and_sees_nothing_of_the_first(office: Dc01Office) -> None:
    batch, ids = office.indexed(4)
    office.key(ids)
    office.batches.draw(batch, "leader")
    assert office.batches.next_keying("clerk") is None
    task = office.batches.next_keying("second")
    assert task is not None
    assert (task.pages, task.scan) == (len(PAGES), None)
    assert set(task.__struct_fields__) == {"form", "barcode", "unit", "pages", "scan"}
    with pytest.raises(SameOfficer):
        office.batches.key_again(task.form, FormKeyed(values=WHOLE, officer="clerk"))
    office.batches.key_again(task.form, FormKeyed(values={**WHOLE, "mother": "TRẦN THỊ B"}, officer="second"))
    with pytest.raises(TransitionRefused):
        office.batches.key_again(task.form, FormKeyed(values=WHOLE, officer="fourth"))
    for officer in ("clerk", "second"):
        assert office.batches.next_difference(officer) is None
        with pytest.raises(SameOfficer):
            office.batches.decide(task.form, FormDecision(values={"mother": "X"}, officer=officer))
    difference = office.batches.next_difference("third")
    assert difference is not None
    assert {part.field: set(part.readings) for part in difference.differences} == {
        "mother": {"TRẦN THỊ BÌNH", "TRẦN THỊ B"}
    }
    with pytest.raises(FieldsRefused):
        office.batches.decide(task.form, FormDecision(values={"father": "X"}, officer="third"))
    office.batches.decide(task.form, FormDecision(values={"mother": "TRẦN THỊ BÌNH"}, officer="third"))
    with pytest.raises(TransitionRefused):
        office.batches.decide(task.form, FormDecision(values={"mother": "X"}, officer="third"))
    # The second reader was wrong: nothing counts against the first.
    office.recheck(ids)
    assert office.batches.batch(batch).wrong == 0


def test_the_same_date_in_the_forms_two_ways_is_no_difference(office: Dc01Office) -> None:
    batch, ids = office.indexed(3)
    office.key(ids)
    office.batches.draw(batch, "leader")
    office.recheck(ids, lambda _: {**WHOLE, "date_of_birth": "15/03/1990", "father": "Nguyễn Văn An"})
    assert office.batches.batch(batch).state == "accepted"


def test_a_batch_with_too_many_wrong_forms_is_keyed_again_and_only_then_drawn_again(
    office: Dc01Office,
) -> None:
    batch, ids = office.indexed(30)
    office.key(ids, read=lambda at: {**somebody(at), "mother": "SAI TÊN"} if at % 3 == 0 else somebody(at))
    office.batches.draw(batch, "leader")
    office.recheck(ids, somebody, somebody)
    rejected = office.batches.batch(batch)
    assert rejected.state == "rejected"
    assert (rejected.wrong or 0) > (rejected.acceptance_number or 0)
    assert set(office.states(ids)) == {"batch_rejected"}
    assert office.forms.match(batch) == 0
    office.key(ids[:-1], "other", somebody)
    with pytest.raises(Dc01BatchNotReady):
        office.batches.draw(batch, "leader")
    office.key(ids[-1:], "other", lambda _: somebody(29))
    again = office.batches.draw(batch, "leader")
    assert (again.round, again.severity) == (2, "tightened")
    office.recheck(ids, somebody, somebody)
    office.forms.match(batch)
    assert set(office.states(ids)) == {"clean"}


def test_what_a_sample_finds_wrong_is_put_right_in_a_batch_that_passes(office: Dc01Office) -> None:
    batch, ids = office.indexed(20, aql="6.5")
    office.key(ids)
    office.batches.draw(batch, "leader")
    sampled = next(form for form in ids if office.forms.form(form).state == "recheck_sampled")
    at = ids.index(sampled)
    truth = {**WHOLE, "mother": "TRẦN THỊ BÍCH"}
    office.recheck(ids, *[lambda place: truth if place == at else WHOLE] * 2)
    assert (office.batches.batch(batch).state, office.batches.batch(batch).wrong) == ("accepted", 1)
    with office.database.reading() as connection:
        form = repository.form(connection, sampled)
    assert form is not None
    assert form.values is not None
    assert form.values["mother"] == "TRẦN THỊ BÍCH"
    assert form.checked_right is False


def test_two_rejected_batches_tighten_the_next_one(office: Dc01Office) -> None:
    for _ in range(2):
        batch, ids = office.indexed(3)
        office.key(ids, read=lambda _: {**WHOLE, "mother": "SAI TÊN"})
        assert office.batches.draw(batch, "leader").severity == "normal"
        office.recheck(ids)
    batch, ids = office.indexed(3)
    office.key(ids)
    assert office.batches.draw(batch, "leader").severity == "tightened"
    elsewhere, ids = office.indexed(3, NEIGHBOUR)
    office.key(ids)
    assert office.batches.draw(elsewhere, "leader").severity == "normal"


def test_a_form_that_breaks_a_rule_is_a_conflict_until_somebody_else_sees_it_corrected(
    office: Dc01Office,
) -> None:
    broken = {**WHOLE, "marital_status": "Đã kết hôn"}
    ids = office.accepted(3, read=lambda at: broken if at == 0 else somebody(at))
    office.forms.match(office.forms.form(ids[0]).batch or "")
    assert office.states(ids) == ["conflict", "clean", "clean"]
    assert office.forms.form(ids[0]).findings == ("SPOUSE_AGREES@1",)
    mended = FormKeyed(values={**broken, "spouse": "PHẠM VĂN TÁM"}, officer="dung")
    assert office.forms.correct(ids[0], mended).state == "correction"
    with pytest.raises(SameOfficer):
        office.forms.review(ids[0], FormReview(is_right=True, officer="dung"))
    refused = office.forms.review(ids[0], FormReview(is_right=False, officer="mai"))
    assert (refused.state, refused.conflicts) == ("conflict", ("CORRECTION_NOT_RIGHT",))
    office.forms.correct(ids[0], mended)
    assert office.forms.review(ids[0], FormReview(is_right=True, officer="mai")).state == "clean"


def test_a_correction_that_still_breaks_a_rule_stays_a_conflict(office: Dc01Office) -> None:
    broken = {**WHOLE, "sex": "X"}
    ids = office.accepted(2, read=lambda at: broken)
    office.forms.match(office.forms.form(ids[0]).batch or "")
    office.forms.correct(ids[0], FormKeyed(values={**WHOLE, "sex": "Y"}, officer="dung"))
    assert office.forms.review(ids[0], FormReview(is_right=True, officer="mai")).state == "conflict"


def test_the_registry_and_a_second_form_of_one_number_contradict(office: Dc01Office) -> None:
    number = {"citizen_number": office.register(NUMBER)}
    right, other = {**WHOLE, **number}, {**WHOLE, **number, "mother": "LÊ THỊ TƯ"}
    unknown = {**WHOLE, "citizen_number": "001190999999"}
    ids = office.accepted(4, read=lambda at: [other, right, right, unknown][at])
    office.forms.match(office.forms.form(ids[0]).batch or "")
    by_place = {form: office.forms.form(form) for form in ids}
    assert by_place[ids[0]].conflicts[0] == "REGISTRY_DIFFERS:mother"
    assert by_place[ids[3]].conflicts == ("LIKE_PERSON",), "the same woman under a number that is no entry's"
    same = [by_place[form] for form in ids[1:3]]
    assert sorted(form.state for form in same) == ["clean", "conflict"]
    assert [form.conflicts for form in same if form.state == "conflict"] == [("DUPLICATE_FORM",)]


def test_the_number_of_an_older_card_leads_to_the_same_person(office: Dc01Office) -> None:
    number, old = office.register(NUMBER, old_id="012345678"), {"old_id": "012345678"}
    by_old, by_new, unknown = {**WHOLE, **old}, {**WHOLE, "citizen_number": number}, "087654321"

    def settled(said: dict[str, str]) -> tuple[str, ...]:
        (form,) = office.accepted(1, read=lambda _: said)
        office.forms.match(office.forms.form(form).batch or "")
        return (office.forms.form(form).state, *office.forms.form(form).conflicts)

    assert settled({**by_old, "mother": "LÊ THỊ TƯ"}) == ("conflict", "REGISTRY_DIFFERS:mother")
    assert settled(by_old) == ("clean",)
    assert settled(by_new) == settled(by_old) == ("conflict", "DUPLICATE_FORM")
    assert settled({**WHOLE, "old_id": unknown}) == ("clean",)
    assert settled({**WHOLE, "old_id": unknown}) == ("conflict", "DUPLICATE_FORM")
    assert office.forms.confirm(number, date(2021, 1, 20), "registry") == 1


def test_two_numbers_of_one_person_have_one_form(office: Dc01Office) -> None:
    kept, merged = office.register(NUMBER), office.register("001190000002")
    decided_by_two(MergeDesk(office.database, office.clock), kept, merged)
    for number, conflicts in ((merged, ()), (kept, ("DUPLICATE_FORM",))):
        said = {**WHOLE, "citizen_number": number}
        (form,) = office.accepted(1, read=lambda _, said=said: said)
        office.forms.match(office.forms.form(form).batch or "")
        assert office.forms.form(form).conflicts == conflicts


def test_an_older_number_of_somebody_else_contradicts(office: Dc01Office) -> None:
    number = office.register(NUMBER)
    office.register("001190000002", old_id="012345678")
    said = {**WHOLE, "citizen_number": number, "old_id": "012345678"}
    ids = office.accepted(1, read=lambda _: said)
    office.forms.match(office.forms.form(ids[0]).batch or "")
    assert office.forms.form(ids[0]).conflicts == ("REGISTRY_DIFFERS:old_id",)


def test_where_a_keyboard_puts_the_tone_is_no_difference(office: Dc01Office) -> None:
    number = office.register(NUMBER, mother="Trần Thị Hòa")
    said = {**WHOLE, "citizen_number": number, "mother": "TRẦN THỊ HOÀ"}
    assert domain.differences(said, {**said, "mother": "Trần Thị Hòa"}) == ()
    assert domain.differences(said, {**said, "mother": "Trần Thị Hoa"}) == ("mother",)
    assert domain.differences({"mother": "Lý"}, {"mother": "Lí"}) == ("mother",)
    ids = office.accepted(1, read=lambda _: said)
    office.forms.match(office.forms.form(ids[0]).batch or "")
    assert office.states(ids) == ["clean"]


def test_a_year_alone_does_not_contradict_the_registrys_date(office: Dc01Office) -> None:
    number = {"citizen_number": office.register(NUMBER)}
    ids = office.accepted(2, read=lambda at: {**WHOLE, **number, "date_of_birth": ["1990", "4/1990"][at]})
    office.forms.match(office.forms.form(ids[0]).batch or "")
    assert office.forms.form(ids[0]).state == "clean"
    assert "REGISTRY_DIFFERS:date_of_birth" in office.forms.form(ids[1]).conflicts


def test_life_confirms_a_clean_record_and_time_makes_it_stale(office: Dc01Office) -> None:
    number = office.register(NUMBER)
    ids = office.accepted(1, read=lambda _: {**WHOLE, "citizen_number": number})
    assert office.forms.confirm(number, date(2021, 1, 20), "registry") == 0
    office.forms.match(office.forms.form(ids[0]).batch or "")
    assert office.forms.confirm(number, date(2018, 1, 1), "registry") == 0
    assert office.forms.confirm(number, date(2022, 1, 1), "registry") == 0
    assert office.forms.confirm(number, date(2021, 1, 20), "registry") == 1
    assert office.states(ids) == ["live"]
    office.pass_days(718)
    assert office.now.date() == date(2023, 1, 20)
    assert office.forms.age() == 0
    office.pass_days(1)
    assert office.forms.age() == 1
    assert office.states(ids) == ["stale"]
    assert office.forms.confirm(number, date(2023, 1, 21), "registry") == 1
    assert office.states(ids) == ["live"]


def test_a_registered_life_event_confirms_the_form_in_the_same_transaction(office: Dc01Office) -> None:
    number = office.register(NUMBER)
    ids = office.accepted(1, read=lambda _: {**WHOLE, "citizen_number": number})
    office.forms.match(office.forms.form(ids[0]).batch or "")
    move = Move(citizen_number=number, current_residence="Số 1, Phường thử, Hà Nội")
    report = LifeEventReport(
        report_id="report-0001", occurred_on=date(2021, 1, 25), document="01/GCN", officer="mai", event=move
    )
    LifeEventOffice(office.database, office.clock).report("commune", report)
    assert office.states(ids) == ["live"]
    assert events_of(office, ids[0])[-1] == "confirm"
    (index,) = [i for i in office.indices.indices(COMMUNE, None) if i.index == "song"]
    assert (index.numerator, index.denominator) == (1, 1)


def test_values_that_no_form_asks_for_are_refused(office: Dc01Office) -> None:
    _, ids = office.indexed(1)
    for values in ({"phone": "0"}, {"father": "A\x00B"}):
        with pytest.raises(FieldsRefused):
            office.forms.key(ids[0], FormKeyed(values=values, officer="clerk"))
    # What is keyed is kept in one form whatever the keyboard made of it.
    decomposed = FormKeyed(
        values={**WHOLE, "mother": "  TRA\u0302\u0300N   THI\u0323 BI\u0300NH "}, officer="clerk"
    )
    assert office.forms.key(ids[0], decomposed).findings == ()


def test_what_the_rules_only_doubt_stops_nothing(office: Dc01Office) -> None:
    _, ids = office.indexed(1)
    office.key(ids, read=lambda _: {**WHOLE, "citizen_number": "840190123456"})
    assert office.forms.form(ids[0]).findings == ()
    assert [finding.rule for finding in office.forms.doubts(ids[0])] == ["CITIZEN_NUMBER_PLACE@1"]


def test_a_clerks_rate_counts_what_he_read_wrong_and_nothing_of_the_second_reader(office: Dc01Office) -> None:
    """Two clerks err at 2 and 30 percent, the second reader at 20; the paper says who was wrong."""
    chance = random.Random(7)  # noqa: S311 - the same clerks in every run
    slips = itertools.count()

    def slip(rate: float) -> dict[str, str]:
        # No two slips are alike: two readers who err the same way look right to each other.
        wrong = "SAI " + "".join(chr(ord("A") + int(digit)) for digit in str(next(slips)))
        return {**WHOLE, "mother": wrong} if chance.random() < rate else WHOLE

    for clerk, rate in {"careful": 0.02, "hasty": 0.30}.items():
        batch, ids = office.indexed(50)
        read = [slip(rate) for _ in ids]
        office.key(ids, clerk, read.__getitem__)
        size = office.batches.draw(batch, "leader").sample_size or 0
        sampled = {form for form in ids if office.forms.form(form).state == "recheck_sampled"}
        made = sum(text is not WHOLE for form, text in zip(ids, read, strict=True) if form in sampled)
        assert clerk not in {found.clerk for found in office.batches.clerk_rates(COMMUNE)}
        office.recheck(ids, lambda _: slip(0.20))
        found = {found.clerk: found for found in office.batches.clerk_rates(COMMUNE)}[clerk]
        interval = error_interval(made, size)
        assert (found.forms, found.wrong_forms, found.wrong_fields) == (size, made, made)
        assert (found.low, found.high) == (round(interval.low, 6), round(interval.high, 6))
    assert office.batches.clerk_rates(NEIGHBOUR) == ()
    assert len(office.batches.clerk_rates("001")) == 2


def test_until_the_verdict_nothing_tells_how_a_sample_goes(office: Dc01Office) -> None:
    batch, ids = office.indexed(4)
    office.key(ids)
    size = office.batches.draw(batch, "leader").sample_size
    task = office.batches.next_keying("second")
    assert task is not None
    office.batches.key_again(task.form, FormKeyed(values=WHOLE, officer="second"))
    going_on = office.batches.batch(batch)
    assert (going_on.checked, going_on.wrong) == (1, None)
    assert office.batches.clerk_rates("") == ()
    office.recheck(ids)
    assert [rate.forms for rate in office.batches.clerk_rates("")] == [size]


def test_work_lists_come_in_pages(office: Dc01Office) -> None:
    ids = sorted(office.plan(5))
    first = office.forms.forms(FormState.PLANNED, PageAsked(2))
    assert [form.id for form in first.entries] == ids[:2]
    rest = office.forms.forms(FormState.PLANNED, PageAsked(5, (ids[1],)))
    assert [form.id for form in rest.entries] == ids[2:]
    batches = sorted(office.batches.open(BatchOpened(unit=COMMUNE, officer="lan")).id for _ in range(3))
    page = office.batches.batches(PageAsked(2), BatchState.OPEN, COMMUNE)
    assert [batch.id for batch in page.entries] == batches[:2]
    assert page.cursor is not None
    assert office.batches.batches(PageAsked(2), None, NEIGHBOUR).entries == ()
