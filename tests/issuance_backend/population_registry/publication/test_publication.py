from __future__ import annotations

import itertools
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import update

from issuance_backend.outbox.domain import Ask, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.publication import repository
from issuance_backend.population_registry.publication.domain import (
    TABLE,
    PublicationEvent,
    PublicationState,
    advance,
    entry_faults,
)
from issuance_backend.population_registry.publication.service import PublicationOffice
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.population_registry.tables import PERSONS
from issuance_backend.refusals import DeliveryUnknown, PublicationUnknown, RegistryPersonUnknown, SameOfficer
from tests.support.engines import Sqlite
from tests.support.issuance_office import citizens
from tests.support.registry_office import TODAY, RegistryWorld, decided_by_two, make_registry
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.life_event import Correction, Death, Move
from verification.messages.publication import (
    Delivery,
    PublicationProposal,
    PublicationView,
    Receiver,
    SignOff,
)

NUMBER, OTHER = (each.citizen_number for each in citizens()[:2])
NAME_AND_HOME = ("current_residence", "full_name")


def propose(
    registry: RegistryWorld, number: str = NUMBER, attributes: tuple[str, ...] = NAME_AND_HOME
) -> PublicationView:
    return registry.publications.propose(PublicationProposal(number, attributes, "lan.proposes"))


def sign(registry: RegistryWorld, view: PublicationView, officer: str, **changes: object) -> PublicationView:
    values = {"values_digest": view.values_digest, **changes}
    return registry.publications.sign(view.id, SignOff(officer=officer, **values))  # type: ignore[arg-type]


def publish(
    registry: RegistryWorld, number: str = NUMBER, attributes: tuple[str, ...] = NAME_AND_HOME
) -> PublicationView:
    view = propose(registry, number, attributes)
    sign(registry, view, "minh.signs")
    return sign(registry, view, "hoa.signs")


def subscribe(registry: RegistryWorld, receiver: str, *attributes: str) -> None:
    registry.publications.subscribe("admin", Receiver(receiver, attributes))


def waiting(registry: RegistryWorld, receiver: str) -> list[Delivery]:
    return list(registry.publications.deliveries(receiver, PageAsked()).entries)


def test_two_officers_sign_and_receivers_get_what_they_subscribed_to(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name", "current_residence")
    subscribe(registry, "tax", "full_name")
    subscribe(registry, "bank", "occupation")
    published = publish(registry)
    assert (published.state, published.signed_by) == ("published", ("minh.signs", "hoa.signs"))
    assert {d.attribute: d.value for d in waiting(registry, "health")} == {
        "full_name": citizens()[0].full_name,
        "current_residence": citizens()[0].current_residence,
    }
    assert [d.attribute for d in waiting(registry, "tax")] == ["full_name"]
    assert waiting(registry, "bank") == []


def test_nothing_goes_out_with_one_signature(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name")
    view = propose(registry)
    assert sign(registry, view, "minh.signs").state == "signed_once"
    for officer in ("minh.signs", "lan.proposes"):
        with pytest.raises(SameOfficer):
            sign(registry, view, officer)
    assert waiting(registry, "health") == []


def test_an_officer_signs_for_the_values_he_saw(registry: RegistryWorld) -> None:
    view = propose(registry)
    with pytest.raises(FieldsRefused):
        sign(registry, view, "minh.signs", values_digest="0" * 64)
    assert registry.publications.view(view.id).state == "checked"


def test_a_rejected_publication_is_over(registry: RegistryWorld) -> None:
    view = propose(registry)
    assert sign(registry, view, "minh.signs", approves=False).state == "rejected"
    with pytest.raises(TransitionRefused):
        sign(registry, view, "hoa.signs")


def test_the_gate_stops_what_is_wrong(registry: RegistryWorld) -> None:
    wrong = "F" if citizens()[0].sex == "M" else "M"
    registry.report(Correction(NUMBER, {"sex": wrong}))
    view = propose(registry)
    assert (view.state, view.faults) == ("refused", ("CITIZEN_NUMBER_SEX_DIFFERS",))
    with pytest.raises(TransitionRefused):
        sign(registry, view, "minh.signs")


def test_the_gate_is_asked_again_at_each_signature(registry: RegistryWorld) -> None:
    view = registry.publications.propose(PublicationProposal(NUMBER, ("full_name",), "lan.proposes"))
    sign(registry, view, "minh.signs")
    registry.report(Correction(NUMBER, {"sex": "F" if citizens()[0].sex == "M" else "M"}))
    assert sign(registry, view, "hoa.signs").state == "outdated", "its own value stands, the entry does not"


def test_another_gate_can_be_handed_in(registry: RegistryWorld) -> None:
    office = PublicationOffice(registry.database, registry.clock, lambda _entry, _today: ("RULE_17",))
    view = office.propose(PublicationProposal(NUMBER, NAME_AND_HOME, "lan.proposes"))
    assert (view.state, view.faults) == ("refused", ("RULE_17",))


def test_a_change_between_the_signatures_starts_again(registry: RegistryWorld) -> None:
    view = propose(registry)
    sign(registry, view, "minh.signs")
    registry.report(Move(NUMBER, "Xóm Mới"))
    assert registry.publications.view(view.id).state == "outdated"
    with pytest.raises(TransitionRefused):
        sign(registry, view, "hoa.signs")
    untouched = propose(registry, attributes=("full_name",))
    registry.report(Move(NUMBER, "Xóm Đông"))
    assert registry.publications.view(untouched.id).state == "checked"


def test_a_value_that_was_changed_behind_the_registrys_back_is_not_signed_and_not_sent(
    registry: RegistryWorld,
) -> None:
    subscribe(registry, "health", "full_name")
    publish(registry, attributes=("full_name",))
    again = propose(registry)
    with registry.database.writing() as connection:
        connection.execute(
            update(PERSONS).where(PERSONS.c.citizen_number == NUMBER).values(full_name="Kẻ Lạ")
        )
    assert sign(registry, again, "minh.signs").state == "outdated"
    [sent] = waiting(registry, "health")
    assert (sent.value, sent.is_current) == (None, False)


def test_every_receiver_of_a_corrected_attribute_is_told_and_missing_answers_are_listed(
    registry: RegistryWorld,
) -> None:
    for receiver in ("health", "tax", "bank"):
        subscribe(registry, receiver, "full_name")
    publish(registry)
    for receiver in ("health", "tax", "bank"):
        registry.publications.acknowledge(receiver, waiting(registry, receiver)[0].id)
    # Whoever is no receiver any more still has the wrong name.
    subscribe(registry, "bank")
    registry.report(Correction(NUMBER, {"full_name": "Đỗ Thị Bưởi"}))
    for receiver in ("health", "tax", "bank"):
        [told] = waiting(registry, receiver)
        assert (told.kind, told.attribute, told.value) == ("withdraw", "full_name", None)
    registry.publications.acknowledge("health", waiting(registry, "health")[0].id)
    registry.pass_time(hours=3)
    asked = PageAsked(limit=1)
    first = registry.publications.missing(asked, timedelta(hours=2))
    assert first.cursor is not None
    assert {m.receiver for m in registry.publications.missing(PageAsked(), timedelta(hours=2)).entries} == {
        "tax",
        "bank",
    }
    assert registry.publications.missing(PageAsked(), timedelta(hours=4)).entries == ()


def test_a_corrected_value_goes_out_by_a_new_publication_only(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name")
    publish(registry)
    registry.report(Correction(NUMBER, {"full_name": "Đỗ Thị Bưởi"}))
    publish(registry)
    seen = [(d.kind, d.value, d.is_current) for d in waiting(registry, "health")]
    assert sorted(seen, key=str) == sorted(
        [("publish", None, False), ("withdraw", None, False), ("publish", "Đỗ Thị Bưởi", True)], key=str
    )
    assert seen[-1] == ("publish", "Đỗ Thị Bưởi", True)


def test_a_correction_that_changes_nothing_published_tells_nobody(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name")
    publish(registry)
    registry.report(Correction(NUMBER, {"father": "Lê Văn Tám"}))
    registry.report(Correction(NUMBER, {"full_name": citizens()[0].full_name}))
    registry.report(Move(NUMBER, "Xóm Cũ"), date(2001, 1, 1))
    assert [d.kind for d in waiting(registry, "health")] == ["publish"]


def test_a_death_and_a_merge_withdraw_what_went_out(registry: RegistryWorld) -> None:
    other = citizens()[1].citizen_number
    subscribe(registry, "health", "life_status", "full_name")
    publish(registry, attributes=("life_status",))
    publish(registry, other, ("full_name",))
    registry.report(Death(NUMBER))
    decided_by_two(registry.merges, NUMBER, other)
    withdrawn = [d for d in waiting(registry, "health") if d.kind == "withdraw"]
    assert {(d.citizen_number, d.attribute) for d in withdrawn} == {
        (NUMBER, "life_status"),
        (other, "full_name"),
    }
    assert propose(registry, other).citizen_number == NUMBER


def test_receivers_are_called_by_a_notice_that_names_nobody(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name")
    board, ask = NoticeBoard(registry.database, registry.clock), Ask(topics=(Topic.PERSON_CHANGE,), after=0)
    publish(registry)
    [told] = board.after("health", ask).events
    assert told.data == {"deliveries": "1"}
    registry.report(Correction(NUMBER, {"full_name": "Đỗ Thị Bưởi"}))
    assert len(board.after("health", ask).events) == 2
    assert NUMBER not in repr(board.after("health", ask))


def test_an_acknowledgement_is_the_receivers_own_and_counts_once(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name")
    publish(registry)
    [sent] = waiting(registry, "health")
    with pytest.raises(DeliveryUnknown):
        registry.publications.acknowledge("tax", sent.id)
    for _ in range(2):
        registry.publications.acknowledge("health", sent.id)
    assert waiting(registry, "health") == []


def test_an_operator_says_who_receives_and_the_program_acknowledges(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", registry.database.url)
    assert command.main(["receiver", "--name", "health", "--attributes", "full_name", "sex"]) == 0
    assert capsys.readouterr().out == "health receives: full_name, sex\n"
    publish(registry)
    (delivery,) = waiting(registry, "health")
    registry.publications.acknowledge("health", delivery.id)
    assert not waiting(registry, "health")
    assert command.main(["receiver", "--name", "health", "--attributes"]) == 0
    publish(registry, OTHER)
    assert not waiting(registry, "health")


@pytest.mark.parametrize("attributes", [["phone"], ["citizen_number"], ["full_name", "no_such"]])
def test_what_nobody_may_receive_is_said_at_once(
    attributes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(["receiver", "--name", "health", "--attributes", *attributes])
    assert "invalid choice" in capsys.readouterr().err


def test_a_name_that_is_none_is_told_with_its_fault(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", registry.database.url)
    assert command.main(["receiver", "--name", "bảo hiểm", "--attributes", "sex"]) == 1
    assert capsys.readouterr().err == "population_registry: not accepted: receiver (FIELD_CHARACTERS)\n"


def test_deliveries_come_in_pages(registry: RegistryWorld) -> None:
    subscribe(registry, "health", "full_name", "current_residence", "sex")
    publish(registry, attributes=("full_name", "current_residence", "sex"))
    first = registry.publications.deliveries("health", PageAsked(limit=2))
    assert (len(first.entries), first.cursor is not None) == (2, True)
    last = first.entries[-1]
    rest = registry.publications.deliveries("health", PageAsked(limit=2, after=(last.sent_at, last.id)))
    assert (len(rest.entries), rest.cursor) == (1, None)


@pytest.mark.parametrize("attributes", [(), ("phone",), ("citizen_number",), ("secrets",)])
def test_what_may_not_be_published_is_refused(registry: RegistryWorld, attributes: tuple[str, ...]) -> None:
    with pytest.raises(FieldsRefused):
        propose(registry, attributes=attributes)


def test_unknown_things_are_said_to_be_unknown(registry: RegistryWorld) -> None:
    with pytest.raises(PublicationUnknown):
        registry.publications.view("0" * 16)
    with pytest.raises(RegistryPersonUnknown):
        propose(registry, "001099000000")
    for officer in ("", "a,b", "x" * 41):
        with pytest.raises(FieldsRefused):
            registry.publications.propose(PublicationProposal(NUMBER, NAME_AND_HOME, officer))


@pytest.mark.parametrize("state", [None, *PublicationState])
@pytest.mark.parametrize("event", PublicationEvent)
def test_every_pair_that_is_not_in_the_table_is_refused(
    state: PublicationState | None, event: PublicationEvent
) -> None:
    if (state, event) in TABLE.transitions:
        assert advance(state, event) is TABLE.transitions[state, event]
    else:
        with pytest.raises(TransitionRefused):
            advance(state, event)


def test_the_gate_names_each_fault() -> None:
    assert entry_faults(citizens()[0], TODAY) == ()
    assert entry_faults(citizens()[0], date(1900, 1, 1)) == ("FIELD_DATE",)


class PublishedInAnyOrder(RuleBasedStateMachine):
    """Invariant I11: what a receiver may use is the present value, and two others signed for it;
    whoever was sent a value that changed has been told."""

    engine: Sqlite
    people = tuple(person.citizen_number for person in citizens()[:2])
    attributes = ("full_name", "father")
    receivers = ("health", "tax")
    officers = ("an", "binh", "chi")

    def __init__(self) -> None:
        super().__init__()
        self.world = make_registry(self.engine.migrated(REGISTRY_MIGRATIONS))
        self.names = itertools.count()
        self.open: list[PublicationView] = []

    @rule(receiver=st.sampled_from(receivers), wanted=st.sets(st.sampled_from(attributes)))
    def subscribe(self, receiver: str, wanted: set[str]) -> None:
        subscribe(self.world, receiver, *wanted)

    @rule(
        number=st.sampled_from(people),
        wanted=st.sets(st.sampled_from(attributes), min_size=1),
        officer=st.sampled_from(officers),
    )
    def propose(self, number: str, wanted: set[str], officer: str) -> None:
        self.open.append(self.world.publications.propose(PublicationProposal(number, tuple(wanted), officer)))

    @rule(which=st.integers(0, 5), officer=st.sampled_from(officers))
    def sign(self, which: int, officer: str) -> None:
        if self.open:
            view = self.open[which % len(self.open)]
            try:
                sign(self.world, view, officer)
            except (SameOfficer, TransitionRefused):
                return

    @rule(number=st.sampled_from(people), attribute=st.sampled_from(attributes))
    def correct(self, number: str, attribute: str) -> None:
        name = "Lê Thị " + "abcdefghij"[next(self.names) % 10].upper()
        self.world.report(Correction(number, {attribute: name}))

    @rule(receiver=st.sampled_from(receivers))
    def acknowledge(self, receiver: str) -> None:
        for sent in waiting(self.world, receiver)[:1]:
            self.world.publications.acknowledge(receiver, sent.id)

    @invariant()
    def what_may_be_used_is_true_and_signed_twice(self) -> None:
        for receiver in self.receivers:
            for sent in waiting(self.world, receiver):
                if sent.is_current:
                    assert sent.value == getattr(self.world.person(sent.citizen_number), sent.attribute)

    @invariant()
    def whoever_holds_an_old_value_was_told(self) -> None:
        with self.world.database.reading() as connection:
            for number in self.people:
                entry = entries.person(connection, number)
                for attribute, good in repository.published(connection, number).items():
                    view = repository.find(connection, good.publication)
                    assert entry is not None
                    assert view is not None
                    assert len(set(view.signed_by) - {view.proposed_by}) == 2
                    sent = connection.exec_driver_sql(
                        "select receiver, kind from deliveries where citizen_number = ? and attribute = ?"
                        " and publication = ? order by sent_at",
                        (number, attribute, good.publication),
                    ).all()
                    got = {row.receiver for row in sent if row.kind == "publish"}
                    told = {row.receiver for row in sent if row.kind == "withdraw"}
                    assert (got <= told) == (good.state == "withdrawn" or not got)

    def teardown(self) -> None:
        self.world.chain_length()
        self.world.database.close()


def test_i11_holds_in_any_order(tmp_path: Path) -> None:
    PublishedInAnyOrder.engine = Sqlite(tmp_path)
    machine = PublishedInAnyOrder.TestCase
    machine.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
    machine().runTest()
