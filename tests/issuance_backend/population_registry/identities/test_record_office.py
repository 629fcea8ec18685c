from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import pytest

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities.domain import (
    TABLE,
    Freshness,
    IdentityEvent,
    IdentityStatus,
    advance,
    freshness,
)
from issuance_backend.refusals import IdentityUnknown, RegistryPersonUnknown
from tests.support.issuance_office import citizens
from tests.support.registry_office import LOADED_AT, TODAY, RegistryWorld, values
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.life_event import Move
from verification.messages.registry_records import (
    Enrichment,
    IdentityClaim,
    IdentityDecision,
    RecordedIdentity,
)

ONE, OTHER, THIRD = (person.citizen_number for person in citizens()[:3])
HOME = "Số 1 Tràng Tiền, Phường Tràng Tiền, Quận Hoàn Kiếm, Hà Nội"


def claim(registry: RegistryWorld, number: str = ONE) -> RecordedIdentity:
    said = IdentityClaim(
        citizen_number=number, kind="cmnd_9", officer="lan.register", document_number="012345678"
    )
    return registry.records.claim(said)


def decide(registry: RegistryWorld, identity: RecordedIdentity, decision: str) -> RecordedIdentity:
    return registry.records.decide(identity.id, IdentityDecision(decision=decision, officer="lan.register"))


def test_a_loaded_person_has_a_record_with_its_origin(registry: RegistryWorld) -> None:
    history = registry.records.history(ONE)
    assert values(history)["full_name"] == citizens()[0].full_name
    assert {attribute.source for attribute in history.attributes} == {"bulk-load"}
    own = {field.name for field in fields(RegistryPerson)} - {"citizen_number", "birth_known"}
    assert {each.name for each in history.attributes} == own
    assert history.freshness == "stale"
    with pytest.raises(RegistryPersonUnknown):
        registry.records.history(ONE, known_at=LOADED_AT - timedelta(seconds=1))


def test_any_past_instant_can_be_asked_for_in_both_times(registry: RegistryWorld) -> None:
    old = citizens()[0].current_residence
    registry.report(Move(citizen_number=ONE, current_residence=HOME), date(2026, 3, 1))
    told = registry.clock()
    registry.pass_time(days=1)
    registry.report(Move(citizen_number=ONE, current_residence="Xóm Mới"), date(2020, 1, 1))

    def home(day: date, known: datetime) -> str | None:
        return registry.value(ONE, "current_residence", valid_on=day, known_at=known)

    now = registry.pass_time(seconds=1)
    assert home(date(2019, 12, 31), now) == old
    assert home(date(2020, 1, 1), now) == home(date(2026, 2, 28), now) == "Xóm Mới"
    assert home(date(2026, 3, 1), now) == home(TODAY, now) == HOME
    # What was believed before the late report came, and before anybody moved.
    assert home(date(2020, 1, 1), told) == old
    assert home(TODAY, told) == HOME
    assert home(TODAY, LOADED_AT) == old
    assert registry.person(ONE).current_residence == HOME


def test_what_agencies_say_stands_beside_the_registrys_own_data(registry: RegistryWorld) -> None:
    before = registry.person(ONE)
    said = Enrichment(
        attribute="occupation",
        value="Phi công",
        valid_from=date(2026, 1, 1),
        evidence="HĐLĐ 5/2026",
        confidence=100,
    )
    registry.records.enrich("tax-office", ONE, said)
    assert registry.value(ONE, "occupation") == before.occupation
    assert registry.person(ONE) == before
    phone = Enrichment(
        attribute="tax_code", value="0101", valid_from=date(2026, 1, 1), evidence="E1", confidence=60
    )
    registry.records.enrich("tax-office", ONE, phone)
    registry.records.enrich("bank", ONE, Enrichment("tax_code", "0202", date(2026, 1, 1), "E2", 90))
    shown = {a.name: a for a in registry.records.history(ONE).attributes}["tax_code"]
    assert (shown.value, shown.source, shown.confidence) == ("0202", "bank", 90)


def test_where_the_registry_knows_nothing_the_surest_agency_is_shown(registry: RegistryWorld) -> None:
    empty = next(person for person in citizens() if person.spouse is None)
    registry.records.enrich("court", empty.citizen_number, Enrichment("spouse", "Lê A", TODAY, "B1", 70))
    shown = {a.name: a for a in registry.records.history(empty.citizen_number).attributes}["spouse"]
    assert (shown.value, shown.source) == ("Lê A", "court")
    assert registry.person(empty.citizen_number).spouse is None


@pytest.mark.parametrize(
    ("agency", "said", "field"),
    [
        ("root", Enrichment("phone", "1", TODAY, "E", 1), "agency"),
        ("bank", Enrichment("secrets", "1", TODAY, "E", 1), "attribute"),
        ("bank", Enrichment("phone", " ", TODAY, "E", 1), "value"),
        ("bank", Enrichment("phone", "1" * 201, TODAY, "E", 1), "value"),
        ("bank", Enrichment("phone", "1", TODAY + timedelta(days=1), "E", 1), "valid_from"),
        ("bank", Enrichment("phone", "1", TODAY, "", 1), "evidence"),
        ("bank", Enrichment("phone", "1", TODAY, "E", 101), "confidence"),
    ],
)
def test_an_enrichment_that_says_nothing_usable_is_refused(
    registry: RegistryWorld, agency: str, said: Enrichment, field: str
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        registry.records.enrich(agency, ONE, said)
    assert set(refused.value.fields) == {field}


def test_the_life_of_an_identity_is_remembered(registry: RegistryWorld) -> None:
    identity = claim(registry)
    claimed = registry.clock()
    registry.pass_time(hours=1)
    with pytest.raises(TransitionRefused):
        decide(registry, identity, "refer")
    decide(registry, identity, "validate")
    assert decide(registry, identity, "refer").is_reference
    valid = registry.pass_time(hours=1)
    registry.pass_time(days=40)
    assert decide(registry, identity, "revoke").is_reference is False
    now = registry.pass_time(seconds=1)

    def seen(**at: object) -> list[tuple[str, bool]]:
        found = registry.records.history(ONE, **at).identities  # type: ignore[arg-type]
        return [(each.status, each.is_reference) for each in found]

    assert seen(known_at=claimed) == [("claimed", False)]
    assert seen(known_at=valid, valid_on=TODAY) == [("valid", True)]
    assert seen(known_at=now) == [("revoked", False)]
    assert seen(known_at=now, valid_on=TODAY + timedelta(days=5)) == [("valid", True)]
    assert seen(known_at=now, valid_on=TODAY - timedelta(days=1)) == []


def test_only_one_identity_is_the_reference(registry: RegistryWorld) -> None:
    for _ in range(2):
        identity = claim(registry)
        decide(registry, identity, "validate")
        decide(registry, identity, "refer")
        registry.pass_time(seconds=1)
    found = registry.records.history(ONE).identities
    assert [each.is_reference for each in found] == [False, True]


def test_what_is_no_decision_or_no_identity_is_refused(registry: RegistryWorld) -> None:
    identity = claim(registry)
    with pytest.raises(FieldsRefused):
        decide(registry, identity, "claim")
    with pytest.raises(IdentityUnknown):
        registry.records.decide("0" * 16, IdentityDecision(decision="validate", officer="lan"))
    with pytest.raises(RegistryPersonUnknown):
        claim(registry, "001099000000")


@pytest.mark.parametrize("status", [None, *IdentityStatus])
@pytest.mark.parametrize("event", IdentityEvent)
def test_every_pair_that_is_not_in_the_table_is_refused(
    status: IdentityStatus | None, event: IdentityEvent
) -> None:
    if (status, event) in TABLE.transitions:
        assert advance(status, event) is TABLE.transitions[status, event]
    else:
        with pytest.raises(TransitionRefused):
            advance(status, event)


def test_moments_of_recording_never_run_backwards(registry: RegistryWorld) -> None:
    registry.report(Move(citizen_number=ONE, current_residence=HOME))
    registry.now[0] = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=173, hours=2)
    assert registry.now[0] < datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    second = registry.report(Move(citizen_number=ONE, current_residence="Xóm Mới"))
    assert second.registered_at > "2026-11-21T03:00:00.000000Z"
    registry.now[0] = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    assert registry.value(ONE, "current_residence") == "Xóm Mới"


@pytest.mark.parametrize(
    ("confirmed", "is_live"),
    [
        (None, False),
        (date(2024, 11, 21), True),
        (date(2024, 11, 20), False),
        (date(2026, 11, 21), True),
        (date(2024, 12, 31), True),
    ],
)
def test_a_record_is_stale_after_twenty_four_months(confirmed: date | None, is_live: bool) -> None:
    assert (freshness(confirmed, TODAY) is Freshness.LIVE) == is_live
