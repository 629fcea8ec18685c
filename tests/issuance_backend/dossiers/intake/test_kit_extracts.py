"""A kit asks the office for its commune's people: the registry answers over HTTP, only the kit can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from msgspec import to_builtins
from msgspec.structs import replace
from werkzeug.test import TestResponse

from enrollment_admin.station.gate import Declaration, GateCode, judge
from issuance_backend import intake_composition
from issuance_backend.__main__ import main
from issuance_backend.app import create_issuance_app
from issuance_backend.dossiers.intake import extract_desk
from issuance_backend.dossiers.intake.centre_keys import load_keys
from issuance_backend.dossiers.intake.extract_source import ExtractsOverHttp
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.extracts.api import EXTRACT_ROLE
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.schema import EVENTS
from tests.issuance_backend.test_openapi import Contract
from tests.support.certified import certify
from tests.support.engines import Engine, Sqlite
from tests.support.issuance_office import NOW, PASSWORD, STATUS_TOKEN, Office, citizens, make_office
from tests.support.registry_office import RegistryWorld, make_registry
from tests.support.served_app import serving
from verification.messages.certified_officers import officers_file, read_officers
from verification.messages.commune_extract import (
    CommuneExtract,
    ExtractRequest,
    ExtractWanted,
    extract_file,
    number_key,
    open_extract,
    sign_request,
)
from verification.messages.dc01 import UnitEntry, UnitTables
from verification.messages.kit_refusals import read_refusals, refusals_file
from verification.messages.kit_returns import open_returns, returns_file
from verification.messages.national_time import vietnam_date
from verification.messages.signing_key import PublicKey, SigningKey, public_jwk, public_key_of, thumbprint

KIT, UNIT = "kit-001", "001.02.00013"
ADDRESS = "Tổ 3, Phường Trúc Bạch, Quận Ba Đình, Hà Nội"
OPENING = ec.generate_private_key(ec.SECP256R1())
SERVICE = {"Authorization": f"Bearer {STATUS_TOKEN}"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryWorld]:
    """Two citizens of six live in the kit's commune."""
    world = make_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    entries = [("001.02", "district", "Quận Ba Đình"), (UNIT, "commune", "Phường Trúc Bạch")]
    since, until = date(2008, 8, 1), date(2025, 7, 1)
    units = tuple(
        UnitEntry(code=code, level=level, name=name, valid_from=since, valid_to=until, legal_basis="thử")
        for code, level, name in entries
    )
    UnitOffice(world.database, world.clock).load(UnitTables(units=units, successions=()), "bộ nội vụ")
    with world.database.writing() as connection:
        for citizen in citizens()[:2]:
            repository.update_fields(connection, citizen.citizen_number, {"current_residence": ADDRESS})
    MatchingDesk(world.database, world.clock).refresh()
    yield world
    world.database.close()


@pytest.fixture
def registry_url(registry: RegistryWorld, tmp_path: Path) -> Iterator[str]:
    with serving(registry.client(tmp_path).http.application) as url:
        yield url


class KitAtTheOffice:
    """A registered kit, the office with its real way to the registry, and answers held to the contract."""

    def __init__(self, office: Office, source: ExtractsOverHttp) -> None:
        self.office = office
        self.key: SigningKey = ed25519.Ed25519PrivateKey.generate()
        self.contract = Contract("kit_extracts")
        self.client = create_issuance_app(
            office.settings,
            clock=lambda: office.now[0],
            registry=office.registry,
            units=office.registry,
            extracts=source,
        ).test_client()

    def register(self, unit: str | None = UNIT) -> TestResponse:
        body = {"kit": KIT, "jwk": public_jwk(self.key.public_key()), "unit": unit}
        return self.office.sign_in("son.supervisor").post("/v1/kits", body)

    def wanted(self, at: datetime = NOW, key: PublicKey | None = None) -> ExtractWanted:
        return ExtractWanted(KIT, public_jwk(key or OPENING.public_key()), at.isoformat())

    def ask(self, request: ExtractRequest | None = None) -> TestResponse:
        asked = request or sign_request(self.wanted(), self.key)
        posted = self.client.post("/v1/commune-extracts", json=to_builtins(asked), headers=SERVICE)
        return self.contract.judge(posted)

    def opened(self) -> CommuneExtract:
        answered = self.ask()
        assert answered.status_code == 200, answered.get_data(as_text=True)
        key = public_key_of(self.client.get("/v1/packet-keys", headers=SERVICE).get_json()["receipts"])
        return open_extract(answered.get_json()["extract"], {thumbprint(key): key}, OPENING, NOW)


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """What is refused does not depend on the engine."""
    return make_office(tmp_path, office_pki, Sqlite(tmp_path))


@pytest.fixture
def kit(office: Office, registry_url: str) -> KitAtTheOffice:
    return KitAtTheOffice(office, ExtractsOverHttp(registry_url, EXTRACT_ROLE))


def test_a_kit_takes_along_its_commune_s_people_and_who_else_is_known(
    tmp_path: Path, office_pki: Path, database_engine: Engine, registry_url: str
) -> None:
    office = make_office(tmp_path, office_pki, database_engine)
    kit = KitAtTheOffice(office, ExtractsOverHttp(registry_url, EXTRACT_ROLE))
    kit.register()
    extract = kit.opened()
    inside, outside = citizens()[:2], citizens()[2:]
    assert (extract.unit, extract.unit_name) == (UNIT, "Phường Trúc Bạch, Quận Ba Đình, Hà Nội")
    assert {person.citizen_number for person in extract.people} == {each.citizen_number for each in inside}
    assert all(extract.numbers.holds(number_key(each.citizen_number)) for each in outside)
    assert datetime.fromisoformat(extract.expires_at) == NOW + extract_desk.RELIED_UPON


def test_a_kit_takes_along_who_of_its_province_may_seal(kit: KitAtTheOffice) -> None:
    door = OfficerDoor(kit.office.database, lambda: NOW)
    for officer, unit in (("gan", "001.03"), ("xa", "079.01"), ("blocked", "001")):
        door.enrol(officer, officer, (Role.CAPTURE,), PASSWORD, unit)
    certify(kit.office.database, "gan", "xa", "blocked", since="2026-12-01", until="2026-12-31")
    certify(kit.office.database, "mai.office", until="2026-11-20")
    with kit.office.database.writing() as connection:
        assert officers.suspend(connection, "blocked", NOW)
    kit.register()
    key = public_key_of(kit.client.get("/v1/packet-keys", headers=SERVICE).get_json()["receipts"])
    listed = read_officers(kit.ask().get_json()["officers"], {thumbprint(key): key}, KIT)
    assert [each.officer for each in listed.officers] == ["binh.both", "gan", "lan.capture"]
    assert datetime.fromisoformat(listed.as_of) == NOW
    assert (listed.lets_seal("gan", date(2026, 11, 30)), listed.lets_seal("gan", date(2026, 12, 1))) == (
        False,
        True,
    )


def test_the_gate_judges_by_what_the_kit_took_along(kit: KitAtTheOffice) -> None:
    kit.register()
    extract, today = kit.opened(), vietnam_date(NOW)
    person, stranger = citizens()[0], citizens()[2]
    said = Declaration(person.citizen_number, person.full_name, person.date_of_birth, person.sex)
    assert judge(said, extract, today).is_open
    (stop,) = judge(replace(said, full_name=f"{said.full_name} Khác"), extract, today).stops
    assert stop.code is GateCode.NAME_DIFFERS
    other = Declaration(stranger.citizen_number, stranger.full_name, stranger.date_of_birth, stranger.sex)
    assert judge(other, extract, today).needs_exception


def test_a_dossier_that_is_open_is_told_along(kit: KitAtTheOffice) -> None:
    kit.register()
    assert kit.office.sign_in("lan.capture").capture(citizens()[0]).status_code == 201
    waiting = {person.citizen_number: person.open_dossier for person in kit.opened().people}
    assert waiting[citizens()[0].citizen_number] is not None
    assert waiting[citizens()[1].citizen_number] is None


def test_what_was_given_out_is_recorded_and_names_nobody(kit: KitAtTheOffice) -> None:
    kit.register()
    as_of = kit.opened().as_of
    with kit.office.database.reading() as connection:
        rows = connection.execute(EVENTS.select().where(EVENTS.c.event == "take_extract")).mappings().all()
    (row,) = rows
    assert row["actor"] == KIT
    assert json.loads(row["detail"]) == {"kit": KIT, "unit": UNIT, "people": "2", "as_of": as_of}


def test_whoever_lives_there_is_told_which_kit_took_their_entry_along(
    kit: KitAtTheOffice, registry: RegistryWorld
) -> None:
    kit.register()
    until = kit.opened().expires_at
    log = AccessLog(registry.database, registry.clock)
    for citizen in citizens()[:2]:
        (told,) = log.of_person(citizen.citizen_number)
        assert (told.purpose, told.unit, told.kit, told.until) == ("commune_extract", UNIT, KIT, until)
    assert log.of_person(citizens()[2].citizen_number) == ()


def test_who_is_no_registered_kit_is_refused(kit: KitAtTheOffice) -> None:
    assert kit.ask().get_json()["code"] == "KIT_UNKNOWN"
    kit.register()
    for request in (
        sign_request(kit.wanted(), OPENING),
        sign_request(replace(kit.wanted(), kit="kit-002"), kit.key),
        ExtractRequest(KIT, "no.signature.at.all"),
        ExtractRequest(KIT, "x" * 5_000),
    ):
        refused = kit.ask(replace(request, kit=KIT))
        assert (refused.status_code, refused.get_json()["code"]) == (403, "COMMUNE_EXTRACT_REFUSED")


@pytest.mark.parametrize("late", [timedelta(days=-8), timedelta(days=2)])
def test_an_old_request_and_one_of_tomorrow_are_refused(kit: KitAtTheOffice, late: timedelta) -> None:
    kit.register()
    assert kit.ask(sign_request(kit.wanted(NOW + late), kit.key)).status_code == 403


def test_an_opening_key_that_cannot_open_is_refused(kit: KitAtTheOffice) -> None:
    kit.register()
    none = kit.wanted(key=ed25519.Ed25519PrivateKey.generate().public_key())
    for wanted in (none, replace(none, opening={"kty": "EC"})):
        assert kit.ask(sign_request(wanted, kit.key)).status_code == 403


def test_a_revoked_kit_is_refused(kit: KitAtTheOffice) -> None:
    """Also one that says it asked before."""
    kit.register()
    kit.opened()
    case = {"kind": "kit", "owner": KIT, "revoked_at": NOW.isoformat(), "case_id": "VV-1"}
    revoked = kit.office.sign_in("son.supervisor").post("/v1/packet-signers/revocation", case)
    assert revoked.status_code == 200
    assert kit.ask(sign_request(kit.wanted(NOW - timedelta(days=1)), kit.key)).status_code == 403


@pytest.mark.parametrize("unit", ["001/../../known-filters", "Trúc Bạch", ""])
def test_a_unit_that_is_none_gets_no_kit(kit: KitAtTheOffice, unit: str) -> None:
    refused = kit.register(unit)
    assert (refused.status_code, refused.get_json()["fields"]) == (422, {"unit": "FIELD_CHARACTERS"})


def test_a_kit_of_no_unit_has_no_extract(kit: KitAtTheOffice) -> None:
    kit.register(None)
    assert kit.ask().get_json()["code"] == "COMMUNE_EXTRACT_REFUSED"


def test_a_unit_that_is_no_commune_is_refused(kit: KitAtTheOffice) -> None:
    kit.register(unit="001")
    assert kit.ask().get_json()["code"] == "UNIT_UNKNOWN"


def test_more_people_than_any_commune_has_are_refused(
    kit: KitAtTheOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.register()
    monkeypatch.setattr(extract_desk, "MAX_PEOPLE", 1)
    assert kit.ask().get_json()["code"] == "COMMUNE_EXTRACT_TOO_LARGE"


def test_without_the_registry_the_office_says_so(office: Office) -> None:
    kit = KitAtTheOffice(office, ExtractsOverHttp("http://127.0.0.1:9", EXTRACT_ROLE))
    kit.register()
    refused = kit.ask()
    assert (refused.status_code, refused.get_json()["code"]) == (503, "REGISTRY_UNAVAILABLE")


def test_a_program_without_the_role_is_refused(kit: KitAtTheOffice) -> None:
    kit.register()
    asked = to_builtins(sign_request(kit.wanted(), kit.key))
    assert kit.client.post("/v1/commune-extracts", json=asked).status_code == 401


def test_what_was_asked_on_a_stick_is_sealed_for_the_way_back(
    kit: KitAtTheOffice, registry_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.register()
    token, made = tmp_path / "registry_token", kit.office.settings
    token.write_text(EXTRACT_ROLE)
    named = {
        "SERVICE_TOKENS": made.service_tokens, "REGISTRY_URL": registry_url, "REGISTRY_TOKEN_FILE": token,
        "PKI_DIR": made.pki_dir, "CARD_DIR": made.card_dir, "DATABASE_URL": made.database_url,
        "INTAKE_KEY_DIR": made.intake_key_dir, "INTAKE_DIR": made.intake_dir,
    }  # fmt: skip
    for name, value in named.items():
        monkeypatch.setenv(f"ISSUANCE_{name}", str(value))
    monkeypatch.setattr(intake_composition, "utc_now", lambda: NOW)
    request, none = tmp_path / "request.json", tmp_path / "none.json"
    request.write_bytes(msgspec.json.encode(sign_request(kit.wanted(), kit.key)))
    none.write_bytes(b"{}")
    command = ["packets", "extract", "--to", str(tmp_path)]
    assert main([*command, str(none)]) == 1
    assert main([*command, str(request)]) == 0
    assert (tmp_path / officers_file(KIT)).exists()
    sealed = (tmp_path / extract_file(KIT)).read_text()
    receipts = load_keys(named["INTAKE_KEY_DIR"]).receipts.public_key()
    extract = open_extract(sealed, {thumbprint(receipts): receipts}, OPENING, NOW)
    assert [person.citizen_number for person in extract.people] == sorted(
        citizen.citizen_number for citizen in citizens()[:2]
    )
    assert main(["packets", "returns", "--to", str(tmp_path), str(request)]) == 0
    returns = open_returns(
        (tmp_path / returns_file(KIT)).read_text(), {thumbprint(receipts): receipts}, OPENING, KIT
    )
    assert returns.returned == (), "the same request is answered with what came back"
    signed = (tmp_path / refusals_file(KIT)).read_text()
    assert read_refusals(signed, {thumbprint(receipts): receipts}, KIT).refused == ()


def test_returns_are_sealed_for_a_registered_kit_alone(kit: KitAtTheOffice) -> None:
    def ask(request: ExtractRequest) -> TestResponse:
        posted = kit.client.post("/v1/kit-returns", json=to_builtins(request), headers=SERVICE)
        return kit.contract.judge(posted)

    assert ask(sign_request(kit.wanted(), kit.key)).get_json()["code"] == "KIT_UNKNOWN"
    kit.register()
    assert ask(sign_request(kit.wanted(), kit.key)).status_code == 200
    stranger = sign_request(kit.wanted(), ed25519.Ed25519PrivateKey.generate())
    stale = sign_request(kit.wanted(NOW - timedelta(days=8)), kit.key)
    for refused in (stranger, stale):
        assert ask(refused).get_json()["code"] == "COMMUNE_EXTRACT_REFUSED"
    with kit.office.database.reading() as connection:
        recorded = connection.execute(EVENTS.select().where(EVENTS.c.event == "take_returns")).all()
    assert recorded == [], "a list that names nobody is no disclosure"
