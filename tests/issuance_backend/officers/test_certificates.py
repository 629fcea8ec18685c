"""Who is certified to capture: on which days, by whose word, and what happens to what others sealed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import delete, select, text

from issuance_backend import __main__ as command
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import CaptureDesk
from issuance_backend.officers.certification import may_seal, require_certified
from issuance_backend.officers.domain import Role
from issuance_backend.officers.repository import suspend
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import OfficerNotCertified
from issuance_backend.schema import EVENTS, OFFICER_CERTIFICATES
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.issuance_backend.test_openapi import Contract
from tests.support.application_desk import LAN as AT_THE_DESK
from tests.support.application_desk import MINH, OfficerJudges, capture_of, make_desk
from tests.support.certified import certify
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens, make_office
from tests.support.packet_centre import SUPERVISOR, Centre, PlainDossiers, prepared_database
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import SealedPacket
from verification.messages.packet_intake import PacketRelease

LAN, SON = "lan.capture", "son.supervisor"
GRANT = {
    "officer": LAN,
    "level": "capture",
    "valid_from": "2026-11-21",
    "valid_until": "2026-12-10",
    "issuer": "PC06 Hà Nội",
}
CERTIFICATES = "/v1/officer-certificates"


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Office:
    """Nobody in it is certified."""
    made = make_office(tmp_path, office_pki, database_engine)
    with made.database.writing() as connection:
        connection.execute(delete(OFFICER_CERTIFICATES))
    return made


def prefill(office: Office) -> Any:
    return office.sign_in(LAN).get(f"/v1/prefill/{citizens()[0].citizen_number}")


def at(office: Office, day: date, hour: int) -> None:
    """The office's clock at an hour of a day in Viet Nam."""
    office.now[0] = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 7)


def test_nobody_begins_what_they_could_not_seal(office: Office) -> None:
    refused = prefill(office)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_NOT_CERTIFIED")
    contract = Contract("officers")
    granted = contract.judge(office.sign_in(SON).post(CERTIFICATES, GRANT))
    assert granted.status_code == 201
    assert granted.get_json()["certified_by"] == SON
    assert prefill(office).status_code == 200


def test_nothing_is_captured_or_captured_again_after_the_last_day(database_engine: Engine) -> None:
    """Begun in time, and sealed too late."""
    desk = make_desk(database_engine)
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    checks = CaptureChecks(desk.registry, OfficerJudges())
    late = CaptureDesk(desk.database, checks, desk.pictures, lambda: desk.now[0], require_certified)
    for act in (
        lambda: late.capture(AT_THE_DESK, capture_of(citizens()[1], 2)),
        lambda: late.recapture(AT_THE_DESK, dossier, capture_of(number=3)),
    ):
        with pytest.raises(OfficerNotCertified):
            act()
    desk.database.close()


def test_a_certificate_is_good_on_its_first_and_its_last_day(office: Office) -> None:
    certify(office.database, LAN, since="2026-11-21", until="2026-12-10")
    days = {(20, 23): 403, (21, 0): 200}
    for (day, hour), status in days.items():
        at(office, date(2026, 11, day), hour)
        assert prefill(office).status_code == status, (day, hour)
    for day, status in ((date(2026, 12, 10), 200), (date(2026, 12, 11), 403)):
        at(office, day, 12)
        assert prefill(office).status_code == status, day


def test_a_trainee_seals_nothing(office: Office) -> None:
    assert office.sign_in(SON).post(CERTIFICATES, GRANT | {"level": "trainee"}).status_code == 201
    assert prefill(office).status_code == 403


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"level": "boss"}, {"level": "FIELD_CHARACTERS"}),
        ({"issuer": "  "}, {"issuer": "FIELD_MISSING"}),
        ({"issuer": "x" * 121}, {"issuer": "FIELD_TOO_LONG"}),
        ({"valid_from": "21/11/2026"}, {"valid_from": "FIELD_DATE"}),
        ({"valid_from": "20261121"}, {"valid_from": "FIELD_DATE"}),
        ({"valid_until": "2026-11-20"}, {"valid_until": "FIELD_DATE"}),
        ({"valid_until": "2126-11-20"}, {"valid_until": "FIELD_DATE"}),
        ({"officer": "nobody"}, {"officer": "FIELD_OFFICER_UNKNOWN"}),
    ],
)
def test_what_is_no_certificate_is_refused(
    office: Office, changes: dict[str, str], fields: dict[str, str]
) -> None:
    refused = office.sign_in(SON).post(CERTIFICATES, GRANT | changes)
    assert refused.status_code == 422
    assert refused.get_json()["fields"] == fields


def test_who_certifies_whom(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("both", "Both", (Role.CAPTURE, Role.SUPERVISOR), PASSWORD)
    door.enrol("xa", "Xa", (Role.SUPERVISOR,), PASSWORD, "079.01")
    own = office.sign_in("both").post(CERTIFICATES, GRANT | {"officer": "both"})
    assert own.get_json()["code"] == "CERTIFICATE_IN_OWN_NAME"
    assert office.sign_in("xa").post(CERTIFICATES, GRANT).status_code == 422
    assert office.sign_in(LAN).post(CERTIFICATES, GRANT).status_code == 403
    assert office.sign_in(LAN).get(CERTIFICATES).status_code == 403


def ending(office: Office, who: str = SON, question: str = "") -> list[tuple[str, str]]:
    answer = Contract("officers").judge(office.sign_in(who).get(f"{CERTIFICATES}{question}"))
    return [(each["officer"], each["valid_until"]) for each in answer.get_json()]


def test_those_that_end_within_thirty_days_and_that_no_other_follows(office: Office) -> None:
    for officer, until in (("binh.both", "2026-12-21"), (LAN, "2026-12-10"), ("mai.office", "2026-12-22")):
        certify(office.database, officer, until=until)
    certify(office.database, "son.supervisor", until="2026-11-20")
    assert ending(office) == [(LAN, "2026-12-10"), ("binh.both", "2026-12-21")]
    assert ending(office, question="?within=31&limit=2") == [(LAN, "2026-12-10"), ("binh.both", "2026-12-21")]
    certify(office.database, LAN, until="2027-12-10")
    assert ending(office) == [("binh.both", "2026-12-21")]
    assert office.sign_in(SON).get(f"{CERTIFICATES}?within=soon").status_code == 422


def test_a_withdrawn_certificate_is_good_for_nothing_from_then_on(office: Office) -> None:
    certify(office.database, LAN)
    since = (NOW - timedelta(minutes=1)).isoformat()
    asked = {"since": since, "case_id": "VV-2026-1"}
    path, contract = f"{CERTIFICATES}/{LAN}/withdrawal", Contract("officers")
    withdrawn = contract.judge(office.sign_in(SON).post(path, asked))
    assert withdrawn.get_json() == {"certificates": 1, "held": 0, "others": []}
    assert prefill(office).status_code == 403
    with office.database.reading() as connection:
        recorded = select(EVENTS.c.event).where(EVENTS.c.subject == "officer")
        assert list(connection.execute(recorded).scalars()) == ["withdraw_certificate"]
    moments = ("yesterday", "2026-11-21T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00")
    for wrong in ({"case_id": "?"}, *({"since": each} for each in moments)):
        assert office.sign_in(SON).post(path, asked | wrong).status_code == 422


def test_a_blocked_officers_certificate_is_withdrawn_and_none_is_given_to_them(office: Office) -> None:
    """Readmitted later, they may not seal for that."""
    certify(office.database, LAN)
    with office.database.writing() as connection:
        assert suspend(connection, LAN, NOW)
    assert office.sign_in(SON).post(CERTIFICATES, GRANT).get_json()["fields"] == {
        "officer": "FIELD_OFFICER_UNKNOWN"
    }
    asked = {"since": (NOW - timedelta(minutes=1)).isoformat(), "case_id": "VV-2026-1"}
    withdrawn = office.sign_in(SON).post(f"{CERTIFICATES}/{LAN}/withdrawal", asked)
    assert withdrawn.get_json() == {"certificates": 1, "held": 0, "others": []}
    with office.database.reading() as connection:
        assert not may_seal(connection, LAN, NOW, NOW)


@pytest.fixture
def centre(database_engine: Engine, tmp_path: Path) -> Centre:
    return Centre(prepared_database(database_engine.migrated(ISSUANCE_MIGRATIONS)), tmp_path, PlainDossiers())


def certified_until(centre: Centre, until: str, withdrawn: datetime | None = None) -> None:
    with centre.database.writing() as connection:
        connection.execute(delete(OFFICER_CERTIFICATES))
    certify(centre.database, LAN, until=until)
    if withdrawn is not None:
        with centre.database.writing() as connection:
            ended = withdrawn.isoformat()
            connection.execute(OFFICER_CERTIFICATES.update().values(withdrawn_from=ended, withdrawn_by=SON))


def standing(centre: Centre, packet: SealedPacket) -> tuple[str, str | None]:
    status = centre.status(packet)
    return status.state, status.code


UNCERTIFIED = "PACKET_OFFICER_NOT_CERTIFIED"


def test_what_was_sealed_without_a_certificate_waits_for_a_case_and_is_not_lost(centre: Centre) -> None:
    certified_until(centre, "2026-11-20")
    packet = centre.kit(officer=LAN).seal(blobs={"portrait": b"p"}, happened_at=NOW)
    centre.bring(packet)
    assert standing(centre, packet) == ("doubtful", UNCERTIFIED)
    centre.intake.kits.decide(SUPERVISOR, packet.packet_hash, PacketRelease("VV-1", True))
    assert standing(centre, packet) == ("opened", None)


def test_what_was_sealed_in_time_may_come_late(centre: Centre) -> None:
    certified_until(centre, "2026-11-21")
    packet = centre.kit(officer=LAN).seal(blobs={"portrait": b"p"}, happened_at=NOW)
    centre.pass_time(5 * 86_400)
    centre.bring(packet)
    assert standing(centre, packet) == ("opened", None)


def test_no_word_about_time_gets_past_a_withdrawal(centre: Centre) -> None:
    """Announced after it, and said to be from before it."""
    kit = centre.kit(officer=LAN)
    certified_until(centre, "2035-12-31", withdrawn=NOW + timedelta(hours=1))
    centre.pass_time(7200)
    packet = kit.seal(blobs={"portrait": b"p"}, happened_at=NOW)
    centre.bring(packet)
    assert standing(centre, packet) == ("doubtful", UNCERTIFIED)


def test_what_was_announced_before_a_withdrawal_is_opened_after_it(centre: Centre) -> None:
    kit = centre.kit(officer=LAN)
    packet = kit.seal(blobs={"portrait": b"p"}, happened_at=NOW)
    offsets = centre.intake.desk.announce(packet.metadata).missing
    certified_until(centre, "2035-12-31", withdrawn=NOW + timedelta(minutes=1))
    centre.pass_time(3600)
    centre.send(packet, offsets)
    centre.intake.desk.complete(packet.packet_hash)
    assert standing(centre, packet) == ("opened", None)


def test_the_command_certifies_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", f"sqlite:///{tmp_path / 'i.db'}")
    secret = tmp_path / "password"
    secret.write_text("long-enough-password\n")
    add = ["officer", "add", "--id", "lan", "--role", "capture", "--password-file", str(secret)]
    assert command.main(add) == 0
    today = datetime.now(UTC).date()
    until = (today + timedelta(days=20)).isoformat()
    days = ["--from", today.isoformat(), "--until", until, "--issuer", "PC06", "--by", "chief"]
    assert command.main(["officer", "certify", "--id", "lan", *days]) == 0
    assert command.main(["officer", "certify", "--id", "nobody", *days]) == 1
    assert command.main(["officer", "certify", "--id", "lan", *days[:2], "--until", "soon", *days[4:]]) == 1
    capsys.readouterr()
    assert command.main(["officer", "certificates"]) == 0
    assert f"{until}  lan  capture  PC06" in capsys.readouterr().out
    assert command.main(["verify-events"]) == 0


def test_who_captured_before_there_were_certificates_has_half_a_year(database_engine: Engine) -> None:
    database = Database(database_engine.new())

    def migrate(step: Any, version: str) -> None:
        configuration = Config()
        configuration.set_main_option("script_location", str(ISSUANCE_MIGRATIONS))
        with database.writing() as connection:
            configuration.attributes["connection"] = connection
            step(configuration, version)

    migrate(alembic.upgrade, "0026")
    with database.writing() as connection:
        for officer, roles in (("lan", "approver,capture"), ("minh", "approver"), ("x", "recapture")):
            connection.execute(
                text(
                    "INSERT INTO officers (id, name, roles, password_hash, failed_sign_ins, added_at)"
                    " VALUES (:id, :id, :roles, '', 0, '2026-01-01T00:00:00.000000Z')"
                ),
                {"id": officer, "roles": roles},
            )
    migrate(alembic.upgrade, "0027")
    now = datetime.now(UTC)
    with database.reading() as connection:
        for officer, days, expected in (
            ("lan", 0, True), ("lan", 180, True), ("lan", 190, False), ("minh", 0, False), ("x", 0, False),
        ):  # fmt: skip
            moment = now + timedelta(days=days)
            assert may_seal(connection, officer, moment, moment) is expected, (officer, days)
    migrate(alembic.downgrade, "0026")
    migrate(alembic.upgrade, "head")
    database.close()
