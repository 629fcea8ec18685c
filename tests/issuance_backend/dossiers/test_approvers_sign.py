"""Whoever approves signs the list with a key of their own, and nothing else is taken for their word."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import alembic.command
import msgspec
import pytest
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from sqlalchemy import text, update

from issuance_backend.dossiers.approval_lists.domain import SIGNED_WITHIN
from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalAltered,
    ApprovalExpired,
    ApprovalListAltered,
    ApproverKeyRevoked,
    ApproverKeyUnknown,
    ApproverSignatureMissing,
)
from issuance_backend.dossiers.approval_lists.tables import APPROVAL_LISTS, APPROVERS_SIGN, LISTED_APPROVALS
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.case_holds import holding
from issuance_backend.dossiers.intake.domain import SignerKind
from issuance_backend.dossiers.intake.kit_office import admit_signer
from issuance_backend.dossiers.intake.refusals import KeyInOwnName
from issuance_backend.moments import rfc3339
from issuance_backend.officers import certificate_repository
from issuance_backend.officers.certificates import Held, Level, Withdrawal
from issuance_backend.officers.certification import require_certified
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import (
    ApproverNotCertified,
    RoleMissing,
)
from issuance_backend.schema import OFFICER_CERTIFICATES
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import LAN, MINH, THU, UNIT, Desk, capture_of, make_desk, officer
from tests.support.approval_key import LISTING_KEY
from tests.support.approver_keys import LONG_AGO, approver_key, register
from tests.support.certified import certify
from tests.support.engines import Engine
from tests.support.issuance_office import PASSWORD, citizens, picture
from verification.errors import FieldsRefused, VerificationError
from verification.messages.approval_list import (
    ApprovalStatement,
    ListedDossier,
    SignedApproval,
    read_approvals,
    require_approval,
    seal_preparation,
    sign_approvals,
    sign_preparation,
)
from verification.messages.enrollment import DossierReturn
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import public_jwk

AUDITOR = officer("auditor", Role.AUDITOR)
SUPERVISOR = officer("son", Role.SUPERVISOR)
KEY = approver_key(MINH.id)


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    made = make_desk(database_engine)
    register(made.database, MINH.id)
    return made


def prepared(desk: Desk, *dossiers: str, by: Officer = MINH) -> str:
    return desk.office.approvals.prepare(by, dossiers).preparation


def refused(desk: Desk, signed: SignedApproval, fault: type[VerificationError], by: Officer = MINH) -> None:
    """What is refused leaves nothing behind: no list, no step."""
    with pytest.raises(fault):
        desk.office.approvals.approve(by, signed)
    with desk.database.reading() as connection:
        assert connection.execute(APPROVAL_LISTS.select()).all() == []
        assert connection.execute(LISTED_APPROVALS.select()).all() == []
        approved = text("SELECT count(*) FROM events WHERE event = 'approve_locally'")
        assert connection.execute(approved).scalar() == 0


def test_a_list_is_signed_by_its_approver_and_by_the_office(desk: Desk) -> None:
    dossiers = sorted(desk.captured(citizens()[n], number=n + 1) for n in range(3))
    found = desk.office.approvals.prepare(MINH, [*dossiers, dossiers[0]])
    assert [each.dossier for each in found.dossiers] == dossiers
    assert (found.dossiers[0].captured_by, found.dossiers[0].checked_by) == (LAN.id, None)
    assert (found.unit, found.approver) == (MINH.unit, MINH.id)
    assert found.expires_at == rfc3339(desk.now[0] + SIGNED_WITHIN)
    assert {desk.state(each) for each in dossiers} == {"validated"}, "preparing changes nothing"
    desk.now[0] += timedelta(minutes=9)
    name = desk.office.approvals.approve(MINH, sign_preparation(found.preparation, KEY))
    view = desk.office.lists.view(AUDITOR, name)
    assert (view.fault, view.approver_key) == (None, found.keys[0])
    said = read_approvals(view.token, LISTING_KEY.public_key())
    require_approval(said, KEY.public_key())
    assert said.approval is not None
    assert said.as_of == rfc3339(desk.now[0]) > said.approval.as_of
    for dossier in dossiers:
        desk.office.approvals.approve_centrally(THU, dossier)


def test_what_is_sent_again_is_the_same_list(desk: Desk) -> None:
    signed = sign_preparation(prepared(desk, desk.captured()), KEY)
    first = desk.office.approvals.approve(MINH, signed)
    desk.now[0] += timedelta(days=1)
    assert desk.office.approvals.approve(MINH, signed) == first
    again = sign_preparation(signed.preparation, KEY)
    assert again.signature != signed.signature
    assert desk.office.approvals.approve(MINH, again) == first, "signed again, it is the same list"
    with pytest.raises(ApprovalAltered):
        desk.office.approvals.approve(MINH, msgspec.structs.replace(signed, signature="AA"))


def test_sent_twice_at_once_it_is_one_list(desk: Desk) -> None:
    signed = sign_preparation(prepared(desk, desk.captured(), desk.captured(citizens()[1], number=2)), KEY)
    answers: list[object] = []

    def send() -> None:
        try:
            answers.append(desk.office.approvals.approve(MINH, signed))
        except VerificationError as fault:
            answers.append(fault.code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    with desk.database.reading() as connection:
        assert len(connection.execute(APPROVAL_LISTS.select()).all()) == 1


def test_nothing_but_what_was_prepared_and_signed_is_taken(desk: Desk) -> None:
    dossier, other = desk.captured(), desk.captured(citizens()[1], number=2)
    signed, another = (sign_preparation(prepared(desk, each), KEY) for each in (dossier, other))
    header, _content, seal = signed.preparation.split(".")
    for wrong in ("", ".", "a.b.c", header, f"{header}.{another.preparation.split('.')[1]}.{seal}"):
        refused(desk, msgspec.structs.replace(signed, preparation=wrong), ApprovalAltered)
    for changed in (another.signature, "", "A" * 86, signed.signature[:-2] + "!!"):
        refused(desk, msgspec.structs.replace(signed, signature=changed), ApprovalAltered)
    # A list of the approver's own making, under the office's name by a foreign key.
    said = ApprovalStatement(
        "0" * 16, MINH.unit, MINH.id, rfc3339(desk.now[0]), 1, (ListedDossier(dossier, "0"),)
    )
    foreign = ec.generate_private_key(ec.SECP256R1())
    refused(desk, sign_preparation(seal_preparation(said, foreign), KEY), ApprovalAltered)
    # What the office signed as a list is no preparation.
    refused(desk, sign_preparation(sign_approvals(said, LISTING_KEY), KEY), ApprovalAltered)


def test_every_octet_of_what_comes_back_counts(desk: Desk) -> None:
    signed = sign_preparation(prepared(desk, desk.captured()), KEY)
    for field in ("preparation", "signature"):
        whole = getattr(signed, field)
        for place in range(0, len(whole), 7):
            flipped = whole[:place] + ("B" if whole[place] == "A" else "A") + whole[place + 1 :]
            with pytest.raises(ApprovalAltered):
                desk.office.approvals.approve(MINH, msgspec.structs.replace(signed, **{field: flipped}))


def test_no_key_but_the_approvers_own_signs(desk: Desk) -> None:
    preparation = prepared(desk, desk.captured())
    for foreign in (approver_key("vu"), ed25519.Ed25519PrivateKey.generate()):
        refused(desk, sign_preparation(preparation, foreign), ApproverKeyUnknown)
    register(desk.database, "vu")
    refused(desk, sign_preparation(preparation, approver_key("vu")), ApproverKeyUnknown)
    stolen = msgspec.structs.replace(sign_preparation(preparation, approver_key("vu")), key=MINH.id)
    refused(desk, stolen, ApproverKeyUnknown)
    office = sign_preparation(preparation, LISTING_KEY)
    refused(desk, office, ApproverKeyUnknown)
    mixed = sign_preparation(preparation, KEY)
    refused(
        desk,
        msgspec.structs.replace(mixed, key=sign_preparation(preparation, LISTING_KEY).key),
        ApproverKeyUnknown,
    )


def test_a_list_that_was_prepared_for_one_is_not_anothers(desk: Desk) -> None:
    preparation, vu = prepared(desk, desk.captured()), officer("vu", Role.APPROVER, unit=MINH.unit)
    register(desk.database, vu.id)
    refused(desk, sign_preparation(preparation, approver_key(vu.id)), ApprovalAltered, by=vu)
    moved = officer(MINH.id, Role.APPROVER, unit="001")
    refused(desk, sign_preparation(preparation, KEY), ApprovalAltered, by=moved)
    with pytest.raises(RoleMissing):
        desk.office.approvals.approve(officer(MINH.id, Role.CAPTURE), sign_preparation(preparation, KEY))


def test_a_preparation_is_good_for_ten_minutes(desk: Desk) -> None:
    signed = sign_preparation(prepared(desk, desk.captured()), KEY)
    began = desk.now[0]
    for late in (SIGNED_WITHIN, timedelta(days=1), -timedelta(seconds=1)):
        desk.now[0] = began + late
        refused(desk, signed, ApprovalExpired)
    desk.now[0] = began + SIGNED_WITHIN - timedelta(seconds=1)
    desk.office.approvals.approve(MINH, signed)


@pytest.mark.parametrize("moment", [timedelta(0), timedelta(minutes=3)])
def test_a_key_that_is_revoked_meanwhile_signs_nothing(desk: Desk, moment: timedelta) -> None:
    signed = sign_preparation(prepared(desk, desk.captured()), KEY)
    with desk.database.writing() as connection:
        since = rfc3339(desk.now[0] + moment)
        assert kit_repository.revoke(connection, SignerKind.OFFICER, MINH.id, since, "VA-7") == 1
    desk.now[0] += timedelta(minutes=5)
    refused(desk, signed, ApproverKeyRevoked)
    assert desk.office.approvals.prepare(MINH, [desk.captured(citizens()[1], number=2)]).keys == ()


def test_a_key_signs_between_its_days(desk: Desk) -> None:
    tomorrow = rfc3339(desk.now[0] + timedelta(days=1))
    later = ec.generate_private_key(ec.SECP256R1())
    register(desk.database, MINH.id, later, since=tomorrow)
    preparation = prepared(desk, desk.captured())
    refused(desk, sign_preparation(preparation, later), ApproverKeyRevoked)


def test_a_revocation_of_the_past_stops_the_lists_since_then(desk: Desk) -> None:
    before, after = desk.captured(), desk.captured(citizens()[1], number=2)
    desk.approve_locally(MINH, before)
    desk.now[0] += timedelta(hours=1)
    since = rfc3339(desk.now[0])
    signed = desk.approve_list(MINH, [after])
    with desk.database.writing() as connection:
        kit_repository.revoke(connection, SignerKind.OFFICER, MINH.id, since, "VA-7")
        assert kit_repository.approved_since(connection, MINH.id, since, "", 10) == (after,)
        assert kit_repository.approved_since(connection, "vu", since, "", 10) == ()
    assert desk.office.lists.view(AUDITOR, signed).fault == ApproverKeyRevoked.code
    with pytest.raises(ApproverKeyRevoked):
        desk.office.approvals.approve_centrally(THU, after)
    desk.office.approvals.approve_centrally(THU, before)


def test_a_dossier_that_changed_is_not_what_was_signed_for(desk: Desk) -> None:
    dossier, other = desk.captured(), desk.captured(citizens()[1], number=2)
    alone, both = (sign_preparation(prepared(desk, *each), KEY) for each in ((dossier,), (dossier, other)))
    vu = officer("vu", Role.APPROVER, unit=MINH.unit)
    desk.office.approvals.send_back(vu, dossier, DossierReturn(("portrait",), "mờ"))
    with pytest.raises(FieldsRefused) as met:
        desk.office.approvals.approve(MINH, both)
    assert met.value.fields == {dossier: "STATE_NOT_ALLOWED"}
    desk.office.captures.recapture(LAN, dossier, capture_of(number=3, portrait=picture(3)))
    for signed in (alone, both):
        with pytest.raises(FieldsRefused) as met:
            desk.office.approvals.approve(MINH, signed)
        assert met.value.fields == {dossier: "APPROVAL_OUTDATED"}
    assert (desk.state(dossier), desk.state(other)) == ("validated", "validated")


def test_the_centre_takes_no_list_without_its_approvers_signature(desk: Desk) -> None:
    dossier = desk.captured()
    name = desk.approve_list(MINH, [dossier])
    whole = read_approvals(desk.office.lists.view(AUDITOR, name).token, LISTING_KEY.public_key())
    bare = sign_approvals(msgspec.structs.replace(whole, approval=None), LISTING_KEY)

    def written(**values: object) -> Callable[[], None]:
        with desk.database.writing() as connection:
            connection.execute(update(APPROVAL_LISTS).values(**values))
        return lambda: desk.office.approvals.approve_centrally(THU, dossier)

    with pytest.raises(ApprovalListAltered):
        written(approver_key=None)()
    with pytest.raises(ApproverSignatureMissing):
        written(token=bare)()
    assert whole.approval is not None
    forged = msgspec.structs.replace(
        whole, approval=msgspec.structs.replace(whole.approval, signature="A" * 86)
    )
    with pytest.raises(ApprovalListAltered):
        written(token=sign_approvals(forged, LISTING_KEY), approver_key=whole.approval.key)()
    early = rfc3339(desk.now[0] - SIGNED_WITHIN)
    backdated = msgspec.structs.replace(whole, as_of=early, approval=None)
    signature = sign_preparation(seal_preparation(backdated, LISTING_KEY), KEY).signature
    approval = msgspec.structs.replace(whole.approval, as_of=early, signature=signature)
    stale = msgspec.structs.replace(whole, approval=approval)
    with pytest.raises(ApprovalListAltered):
        written(token=sign_approvals(stale, LISTING_KEY))()


def test_a_list_from_before_stands_with_the_offices_signature_alone(desk: Desk) -> None:
    dossier = desk.captured()
    name = desk.approve_list(MINH, [dossier])
    said = read_approvals(desk.office.lists.view(AUDITOR, name).token, LISTING_KEY.public_key())
    before = sign_approvals(msgspec.structs.replace(said, approval=None), LISTING_KEY)
    with desk.database.writing() as connection:
        connection.execute(update(APPROVAL_LISTS).values(token=before, approver_key=None))
        newest = connection.execute(text("SELECT max(sequence) FROM events")).scalar_one()
        connection.execute(update(APPROVERS_SIGN).values(after_event=newest))
    view = desk.office.lists.view(AUDITOR, name)
    assert (view.fault, view.approver_key) == (None, None)
    desk.office.approvals.approve_centrally(THU, dossier)


# -- certificates, and who admits a key


def test_only_who_is_certified_to_approve_does(desk: Desk) -> None:
    OfficerDoor(desk.database, lambda: desk.now[0]).enrol(MINH.id, "Minh", (Role.APPROVER,), PASSWORD, UNIT)
    desk.office.approvals._certified = require_certified
    dossier = desk.captured()
    for level in (None, Level.TRAINEE, Level.CAPTURE):
        if level:
            certify(desk.database, MINH.id, level=level)
        with pytest.raises(ApproverNotCertified):
            desk.office.approvals.prepare(MINH, [dossier])
    certify(desk.database, MINH.id, level=Level.APPROVAL, until="2026-11-20")
    with pytest.raises(ApproverNotCertified):
        desk.office.approvals.prepare(MINH, [dossier])
    certify(desk.database, MINH.id, level=Level.APPROVAL)
    signed = sign_preparation(prepared(desk, dossier), KEY)
    with desk.database.writing() as connection:
        certificate_repository.withdraw(connection, MINH.id, rfc3339(desk.now[0]), "son")
    refused(desk, signed, ApproverNotCertified)
    with desk.database.writing() as connection:
        connection.execute(update(OFFICER_CERTIFICATES).values(withdrawn_from=None))
    desk.office.approvals.approve(MINH, signed)


def test_a_withdrawal_of_the_past_holds_what_was_approved_since(desk: Desk) -> None:
    before, after = desk.captured(), desk.captured(citizens()[1], number=2)
    desk.approve_locally(MINH, before)
    desk.now[0] += timedelta(hours=1)
    desk.approve_locally(MINH, after)
    hold = holding(desk.database, lambda: desk.now[0])
    said = Withdrawal(officer=MINH.id, since=rfc3339(desk.now[0]), case_id="VA-7", by=SUPERVISOR.id)
    assert hold(said) == Held(1, ())
    assert (desk.state(before), desk.state(after)) == ("dedup_1n", "suspended")
    assert hold(said) == Held(1, ()), "asked again, it is held already"


def test_another_supervisor_admits_an_approvers_key(desk: Desk) -> None:
    door = OfficerDoor(desk.database, lambda: desk.now[0])
    vu = officer("vu", Role.APPROVER, Role.SUPERVISOR, unit=MINH.unit)
    for each in (vu, officer("tho", Role.COURIER)):
        door.enrol(each.id, each.id, tuple(each.roles), PASSWORD, each.unit)
    asked = SignerRegistration("officer", vu.id, public_jwk(approver_key(vu.id).public_key()))
    with desk.database.writing() as connection:
        with pytest.raises(KeyInOwnName):
            admit_signer(connection, vu, asked, desk.now[0])
        with pytest.raises(RoleMissing):
            admit_signer(connection, MINH, asked, desk.now[0])
        with pytest.raises(FieldsRefused):
            admit_signer(connection, SUPERVISOR, msgspec.structs.replace(asked, owner="tho"), desk.now[0])
        admit_signer(connection, SUPERVISOR, asked, desk.now[0])
    signed = sign_preparation(prepared(desk, desk.captured(), by=vu), approver_key(vu.id))
    desk.office.approvals.approve(vu, signed)


# -- from before


def test_what_was_there_before_stays_and_approvers_are_certified_for_half_a_year(
    database_engine: Engine,
) -> None:
    database = Database(database_engine.new())

    def migrate(step: Any, version: str) -> None:
        configuration = Config()
        configuration.set_main_option("script_location", str(ISSUANCE_MIGRATIONS))
        with database.writing() as connection:
            configuration.attributes["connection"] = connection
            step(configuration, version)

    migrate(alembic.command.upgrade, "0030")
    with database.writing() as connection:
        for name, roles in (("minh", "approver,capture"), ("lan", "capture"), ("x", "central_approver")):
            connection.execute(
                text(
                    "INSERT INTO officers (id, name, roles, password_hash, failed_sign_ins, added_at)"
                    " VALUES (:id, :id, :roles, '', 0, :at)"
                ),
                {"id": name, "roles": roles, "at": LONG_AGO},
            )
        connection.execute(
            text(
                "INSERT INTO approval_lists (id, unit, approver, as_of, count, signer, token)"
                " VALUES ('0123456789abcdef', '001.02', 'minh', :at, 1, 'key', 'a.b.c')"
            ),
            {"at": LONG_AGO},
        )
    migrate(alembic.command.upgrade, "head")
    with database.reading() as connection:
        (kept,) = connection.execute(APPROVAL_LISTS.select()).mappings()
        assert (kept["token"], kept["approver_key"]) == ("a.b.c", None)
        certified = connection.execute(OFFICER_CERTIFICATES.select()).mappings().all()
        assert [(each["officer"], each["level"]) for each in certified] == [("minh", "approval")]
        assert connection.execute(APPROVERS_SIGN.select()).scalars().all() == [0]
    migrate(alembic.command.downgrade, "0030")
    migrate(alembic.command.upgrade, "head")
    database.close()
