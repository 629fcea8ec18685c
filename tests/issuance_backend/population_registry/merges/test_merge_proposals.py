"""Nothing is merged or taken apart but by a second officer, who was shown both entries as they are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import IntegrityError

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.identities.domain import ATTRIBUTES
from issuance_backend.population_registry.merges import repository
from issuance_backend.population_registry.merges.domain import REFUSALS, MergeAct, ProposalState
from issuance_backend.population_registry.merges.repository import Proposal
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.refusals import MergeUnknown, SameOfficer
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from tests.support.old_databases import add_person, migrate
from tests.support.registry_office import LOADED_AT, NOW, RegistryWorld, decided_by_two, make_registry
from verification.errors import FieldsRefused, TransitionRefused, VerificationError
from verification.messages.life_event import Correction, Move
from verification.messages.registry_merge import MergeDecision, MergeProposal

ONE, OTHER, THIRD = (person.citizen_number for person in citizens()[:3])
LAN, MINH, HOA = "lan.register", "minh.register", "hoa.register"


def proposed(
    registry: RegistryWorld,
    kept: str = ONE,
    merged: str = OTHER,
    act: str = "merge",
    reason: str = "registered_twice",
) -> str:
    return registry.merges.propose(MergeProposal(act, kept, merged, reason, LAN)).id


def shown(registry: RegistryWorld, proposal: str, officer: str = MINH) -> str:
    return registry.merges.entries(proposal, officer, lambda _: None).entries_digest


def signing(registry: RegistryWorld, proposal: str, officer: str = MINH) -> MergeDecision:
    return MergeDecision(shown(registry, proposal, officer), True, officer=officer)


def leads_to(registry: RegistryWorld, number: str) -> str:
    return RegistryDesk(registry.database).extract(number).citizen_number


def faults_of(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as refused:
        act()
    return dict(refused.value.fields)


def test_nothing_changes_before_another_officer_signs(registry: RegistryWorld) -> None:
    made = proposed(registry)
    assert leads_to(registry, OTHER) == OTHER
    signed = registry.merges.decide(made, signing(registry, made))
    assert (signed.state, signed.proposed_by, signed.decided_by) == ("signed", LAN, MINH)
    assert leads_to(registry, OTHER) == ONE
    assert registry.merges.view(made) == signed
    asked = PageAsked()
    assert registry.merges.in_state(ProposalState.SIGNED, asked).entries == (signed,)
    assert registry.merges.in_state(ProposalState.PROPOSED, asked).entries == ()


def test_who_proposed_it_neither_looks_nor_decides(registry: RegistryWorld) -> None:
    made = proposed(registry)
    digest = shown(registry, made)
    with pytest.raises(SameOfficer):
        registry.merges.entries(made, LAN, lambda _: None)
    for approves, refusal in ((True, None), (False, "not_proven")):
        with pytest.raises(SameOfficer):
            registry.merges.decide(made, MergeDecision(digest, approves, refusal, officer=LAN))
    assert leads_to(registry, OTHER) == OTHER
    assert registry.merges.view(made).state == "proposed"


def test_what_is_signed_is_what_was_shown(registry: RegistryWorld) -> None:
    made = proposed(registry)
    before = signing(registry, made)
    registry.report(Move(OTHER, "Số 1 Tràng Tiền, Phường Tràng Tiền, Quận Hoàn Kiếm, Hà Nội"))
    fault = {"entries_digest": "FIELD_NOT_AS_REGISTERED"}
    assert faults_of(lambda: registry.merges.decide(made, before)) == fault
    other = proposed(registry, OTHER, THIRD)
    # The two entries of another proposal, and the same two the other way round, are not these.
    assert shown(registry, other) != shown(registry, made)
    swapped = MergeDecision(shown(registry, other), True, officer=MINH)
    assert faults_of(lambda: registry.merges.decide(made, swapped)) == fault
    assert leads_to(registry, OTHER) == OTHER
    registry.merges.decide(made, signing(registry, made))


def test_of_a_birth_that_is_known_by_its_year_no_day_is_shown(database_engine: Engine) -> None:
    whole, partly = citizens()[:2]
    partly = replace(partly, date_of_birth=date(1950, 1, 1), birth_known="year")
    registry = make_registry(database_engine.migrated(MIGRATIONS), [whole, partly])
    made = proposed(registry)
    both = registry.merges.entries(made, MINH, lambda _: None)
    assert both.merged["date_of_birth"] == "1950"
    assert both.kept["date_of_birth"] == whole.date_of_birth.isoformat()
    assert both.kept.keys() == both.merged.keys() == set(ATTRIBUTES)


def test_a_refusal_says_why_and_changes_nothing(registry: RegistryWorld) -> None:
    made = proposed(registry)
    for refusal, code in ((None, "FIELD_MISSING"), ("", "FIELD_MISSING"), ("so", "FIELD_CHARACTERS")):
        said = MergeDecision("", False, refusal, officer=MINH)
        assert faults_of(lambda said=said: registry.merges.decide(made, said)) == {"refusal": code}
    both = MergeDecision(shown(registry, made), True, REFUSALS[0], officer=MINH)
    assert "refusal" in faults_of(lambda: registry.merges.decide(made, both))
    refused = registry.merges.decide(made, MergeDecision("", False, "not_proven", officer=MINH))
    assert (refused.state, refused.refusal, refused.decided_by) == ("refused", "not_proven", MINH)
    assert leads_to(registry, OTHER) == OTHER
    with pytest.raises(TransitionRefused):
        registry.merges.entries(made, HOA, lambda _: None)
    assert proposed(registry) != made, "it may be proposed again"


@pytest.mark.parametrize(
    ("kept", "merged", "act", "reason", "faults"),
    [
        (ONE, OTHER, "join", "registered_twice", {"act": "FIELD_CHARACTERS"}),
        (ONE, OTHER, "", "", {"act": "FIELD_MISSING"}),
        (ONE, OTHER, "merge", "", {"reason": "FIELD_MISSING"}),
        (ONE, OTHER, "merge", "two_people", {"reason": "FIELD_CHARACTERS"}),
        (ONE, OTHER, "separate", "registered_twice", {"reason": "FIELD_CHARACTERS"}),
        (ONE, ONE, "merge", "registered_twice", {"merged": "MERGE_NOT_POSSIBLE"}),
        (ONE, "0", "merge", "registered_twice", {"merged": "REGISTRY_PERSON_UNKNOWN"}),
        ("0", "1", "merge", "registered_twice", dict.fromkeys(("kept", "merged"), "REGISTRY_PERSON_UNKNOWN")),
        (ONE, OTHER, "separate", "two_people", {"merged": "MERGE_NOT_STANDING"}),
    ],
)
def test_what_cannot_be_is_not_proposed(
    registry: RegistryWorld, kept: str, merged: str, act: str, reason: str, faults: dict[str, str]
) -> None:
    assert faults_of(lambda: proposed(registry, kept, merged, act, reason)) == faults
    assert faults_of(
        lambda: registry.merges.propose(MergeProposal(act, kept, merged, reason, "lan register"))
    ) == {"officer": "FIELD_CHARACTERS"}


def test_of_one_alias_one_thing_is_decided_at_a_time(registry: RegistryWorld) -> None:
    made = proposed(registry)
    assert faults_of(lambda: proposed(registry, THIRD, OTHER)) == {"merged": "MERGE_PROPOSED"}
    again = Proposal(
        id="0" * 16,
        act=MergeAct.MERGE,
        kept=THIRD,
        merged=OTHER,
        reason="registered_twice",
        state=ProposalState.PROPOSED,
        proposed_by=LAN,
        changed_at="",
    )
    with pytest.raises(IntegrityError), registry.database.writing() as connection:
        repository.add(connection, again)
    registry.merges.decide(made, MergeDecision("", False, "wrong_number", officer=MINH))
    proposed(registry, THIRD, OTHER)


def test_what_became_of_the_numbers_since_stops_a_signature(registry: RegistryWorld) -> None:
    made, back = proposed(registry), proposed(registry, OTHER, ONE)
    late = signing(registry, back)
    registry.merges.decide(made, signing(registry, made))
    with pytest.raises(TransitionRefused):
        registry.merges.decide(back, late)
    assert (leads_to(registry, ONE), leads_to(registry, OTHER)) == (ONE, ONE)
    registry.merges.decide(back, MergeDecision("", False, "wrong_reference", officer=MINH))


def test_of_signatures_at_once_one_does_it(registry: RegistryWorld) -> None:
    made = proposed(registry)
    decisions = [signing(registry, made, name) for name in (MINH, HOA, MINH, HOA)]

    def outcome(decision: MergeDecision) -> str:
        try:
            return registry.merges.decide(made, decision).state
        except VerificationError as fault:
            return fault.code

    with ThreadPoolExecutor(len(decisions)) as pool:
        outcomes = sorted(pool.map(outcome, decisions))
    assert outcomes == ["STATE_NOT_ALLOWED"] * 3 + ["signed"]
    with registry.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM merges").scalar_one() == 1


def test_both_who_decided_it_stand_in_the_journal(registry: RegistryWorld) -> None:
    decided_by_two(registry.merges, ONE, OTHER)
    with registry.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT event, actor FROM events ORDER BY sequence").all()
    assert [tuple(row) for row in rows] == [("propose", LAN), ("merge", LAN), ("sign", MINH)]


def test_a_merged_number_leads_to_the_reference_and_back(registry: RegistryWorld) -> None:
    before = {number: registry.records.history(number) for number in (ONE, OTHER)}
    merged_at = registry.clock()
    decided_by_two(registry.merges, ONE, OTHER)
    registry.pass_time(days=1)
    merged = registry.records.history(OTHER)
    assert (merged.citizen_number, merged.aliases) == (ONE, (OTHER,))
    decided_by_two(registry.merges, ONE, OTHER, MergeAct.SEPARATE)
    assert leads_to(registry, OTHER) == OTHER
    for number, history in before.items():
        again = registry.records.history(number, valid_on=history.valid_on)
        assert (again.citizen_number, again.aliases, again.attributes, again.identities) == (
            history.citizen_number,
            history.aliases,
            history.attributes,
            history.identities,
        )
    # History is not rewritten by the reversal: between the two they were one person.
    between = merged_at + timedelta(hours=5)
    assert registry.records.history(OTHER, known_at=between).citizen_number == ONE


def test_what_was_reported_under_an_alias_is_named_when_the_two_part(registry: RegistryWorld) -> None:
    decided_by_two(registry.merges, ONE, OTHER)
    registry.report(Correction(citizen_number=OTHER, attributes={"father": "Lê Văn Tám"}))
    assert registry.person(ONE).father == "Lê Văn Tám"
    assert registry.person(OTHER).father == citizens()[1].father
    parted = decided_by_two(registry.merges, ONE, OTHER, MergeAct.SEPARATE)
    assert parted.to_review == ("father",)
    # What is reported under a later merge of the two is not of this one.
    registry.report(Correction(citizen_number=OTHER, attributes={"mother": "Lê Thị Chín"}))
    decided_by_two(registry.merges, ONE, OTHER)
    registry.report(Correction(citizen_number=OTHER, attributes={"religion": "Phật giáo"}))
    assert registry.merges.view(parted.id).to_review == ("father",)


def test_merges_make_a_forest_and_never_a_circle(registry: RegistryWorld) -> None:
    decided_by_two(registry.merges, ONE, OTHER)
    for kept, merged in [(OTHER, THIRD), (THIRD, OTHER), (OTHER, ONE), (THIRD, THIRD)]:
        assert (
            "MERGE_NOT_POSSIBLE"
            in faults_of(lambda kept=kept, merged=merged: proposed(registry, kept, merged)).values()
        )
    decided_by_two(registry.merges, THIRD, ONE)
    history = registry.records.history(OTHER)
    assert (history.citizen_number, history.aliases) == (THIRD, tuple(sorted((ONE, OTHER))))
    decided_by_two(registry.merges, ONE, OTHER, MergeAct.SEPARATE)
    again = faults_of(lambda: proposed(registry, ONE, OTHER, "separate", "two_people"))
    assert again == {"merged": "MERGE_NOT_STANDING"}
    assert registry.records.history(OTHER).citizen_number == OTHER
    assert registry.records.history(ONE).citizen_number == THIRD


def test_both_entries_are_read_under_the_officers_name(registry: RegistryWorld, tmp_path: Path) -> None:
    client, made = registry.client(tmp_path), proposed(registry)
    path = f"/v1/merge-proposals/{made}/entries"
    looked = client.call("person.merge", "GET", f"{path}?officer={MINH}").get_json()
    assert (looked["kept"]["full_name"], looked["merged"]["full_name"]) == (
        registry.person(ONE).full_name,
        registry.person(OTHER).full_name,
    )
    assert client.call("person.merge", "GET", f"{path}?officer={LAN}").status_code == 403
    with registry.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT citizen_number, officer, purpose FROM person_reads").all()
    assert {tuple(row) for row in rows} == {(number, MINH, "merge_check") for number in (ONE, OTHER)}
    with pytest.raises(MergeUnknown):
        registry.merges.view("0" * 16)


def test_a_merge_of_before_is_taken_back_like_any_other(database_engine: Engine) -> None:
    url = database_engine.new()
    database = Database(url)
    migrate(database, command.upgrade, "0015", MIGRATIONS)
    with database.writing() as connection:
        for person in citizens()[:2]:
            add_person(connection, person, LOADED_AT)
        people.person_named(connection, OTHER)
        people.add_merge(connection, people.new_merge(ONE, OTHER, "2026-01-02T00:00:00.000000Z"))
        people.set_merged_into(connection, OTHER, ONE)
    migrate(database, command.upgrade, "head", MIGRATIONS)
    registry = RegistryWorld(database, [NOW])
    assert leads_to(registry, OTHER) == ONE
    decided_by_two(registry.merges, ONE, OTHER, MergeAct.SEPARATE)
    assert leads_to(registry, OTHER) == OTHER
    with pytest.raises(RuntimeError):
        migrate(database, command.downgrade, "0015", MIGRATIONS)
    with database.writing() as connection:
        connection.execute(sa.text("DELETE FROM merge_proposals"))
    migrate(database, command.downgrade, "0015", MIGRATIONS)
    with database.reading() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM merges")).scalar_one() == 1
    database.close()


@pytest.mark.parametrize("table", ["publications", "merge_proposals"])
def test_a_list_by_state_has_an_index_in_its_order(registry: RegistryWorld, table: str) -> None:
    with registry.database.reading() as connection:
        indexes = sa.inspect(connection).get_indexes(table)
    assert ["state", "changed_at", "id"] in [each["column_names"] for each in indexes]
