"""What a unit approves is a signed list, and the centre goes on with nothing that stands in none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, func, insert, select, update

from issuance_backend import __main__ as command
from issuance_backend import dossier_commands
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.acts import Act, take_steps
from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalKeyUnavailable,
    ApprovalListAltered,
    ApprovalListSignerRevoked,
    ApprovalListSignerUnknown,
    ApprovalListUnknown,
    ApprovalNotListed,
    ApproverKeyUnknown,
)
from issuance_backend.dossiers.approval_lists.service import ListWriter
from issuance_backend.dossiers.approval_lists.tables import APPROVAL_LISTS, APPROVERS_SIGN, LISTED_APPROVALS
from issuance_backend.dossiers.domain import DossierEvent
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.centre_keys import load_key
from issuance_backend.dossiers.intake.domain import SignerKind
from issuance_backend.dossiers.intake.refusals import SignerTaken
from issuance_backend.dossiers.intake.tables import PACKET_SIGNERS
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.paging import PageAsked
from issuance_backend.refusals import (
    RoleMissing,
)
from issuance_backend.schema import EVENTS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import (
    LAN,
    MINH,
    THU,
    UNIT,
    Desk,
    make_desk,
    officer,
)
from tests.support.approval_key import LISTING_KEY, admit
from tests.support.approver_keys import approver_key
from tests.support.deduplication_centre import make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, citizens
from verification.errors import FieldsRefused, TransitionRefused, VerificationError
from verification.messages.approval_list import (
    MAX_LISTED,
    OFFICE,
    ApprovalStatement,
    ApproverSignature,
    ListedDossier,
    read_approvals,
    seal_preparation,
    sign_approvals,
    sign_preparation,
)
from verification.messages.signing_key import thumbprint

AUDITOR = officer("auditor", Role.AUDITOR)
KEY = LISTING_KEY.public_key()


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


def captured(desk: Desk, count: int = 3) -> list[str]:
    return sorted(desk.captured(citizens()[n], number=n + 1) for n in range(count))


def statement(desk: Desk, signed: str) -> ApprovalStatement:
    return read_approvals(desk.office.lists.view(AUDITOR, signed).token, KEY)


def resign(desk: Desk, signed: str, key: ec.EllipticCurvePrivateKey = LISTING_KEY, **changes: Any) -> None:
    """Write another statement into a list's row, signed with a key and by its approver."""
    said = msgspec.structs.replace(statement(desk, signed), **changes, approval=None)
    signature = sign_preparation(seal_preparation(said, key), approver_key(MINH.id))
    approval = ApproverSignature(signature.key, said.as_of, signature.signature)
    write(desk, signed, token=sign_approvals(msgspec.structs.replace(said, approval=approval), key))


def write(desk: Desk, signed: str, **values: Any) -> None:
    with desk.database.writing() as connection:
        connection.execute(update(APPROVAL_LISTS).where(APPROVAL_LISTS.c.id == signed).values(**values))


def refused(desk: Desk, dossier: str, fault: type[VerificationError]) -> None:
    before = desk.state(dossier)
    with pytest.raises(fault):
        desk.office.approvals.approve_centrally(THU, dossier)
    assert desk.state(dossier) == before
    assert dossier not in desk.orders()


def test_an_act_over_several_dossiers_is_one_signed_list(desk: Desk) -> None:
    dossiers = captured(desk)
    signed = desk.approve_list(MINH, [*dossiers, dossiers[0]])
    said = statement(desk, signed)
    assert (said.list, said.unit, said.approver, said.count) == (signed, MINH.unit, "minh", 3)
    assert [each.dossier for each in said.dossiers] == dossiers
    steps = [step for each in dossiers for step in desk.view(each).steps if step.event == "approve_locally"]
    assert {(step.at, step.detail["list"], step.actor) for step in steps} == {(said.as_of, signed, "minh")}
    for dossier in dossiers:
        desk.office.approvals.approve_centrally(THU, dossier)
    assert sorted(desk.orders()) == dossiers
    assert desk.recorded()


def test_all_of_a_list_or_none_and_each_that_is_in_the_way_is_named(desk: Desk) -> None:
    both = officer("both", Role.CAPTURE, Role.APPROVER, unit=UNIT)
    good, own, gone = captured(desk, 2)[0], desk.captured(citizens()[2], both, 3), "0" * 16
    with pytest.raises(FieldsRefused) as met:
        desk.approve_list(both, [good, own, gone])
    assert met.value.fields == {own: "SAME_OFFICER", gone: "DOSSIER_UNKNOWN"}
    assert desk.state(good) == "validated"
    desk.approve_locally(MINH, good)
    with pytest.raises(FieldsRefused) as met:
        desk.approve_list(MINH, [good, gone])
    assert met.value.fields == {good: "STATE_NOT_ALLOWED", gone: "DOSSIER_UNKNOWN"}
    with pytest.raises(TransitionRefused):
        desk.approve_list(MINH, [good])


def test_whoever_was_quicker_with_one_dossier_refuses_all_that_are_written_with_it(desk: Desk) -> None:
    dossiers = captured(desk)
    with desk.database.reading() as connection:
        read = repository.find_all(connection, dossiers)
    desk.approve_locally(MINH, dossiers[1])

    def states() -> list[str]:
        return [desk.state(each) for each in dossiers]

    before = states()
    with pytest.raises(TransitionRefused), desk.database.writing() as connection:
        take_steps([Act(connection, each, NOW) for each in read.values()], DossierEvent.RETURN, MINH.id)
    assert states() == before
    with desk.database.writing() as connection:
        repository.save(connection, read[dossiers[0]], read[dossiers[2]])
    with pytest.raises(TransitionRefused), desk.database.writing() as connection:
        repository.save(connection, read[dossiers[2]])


def test_a_list_has_dossiers_and_an_end_and_an_approver(desk: Desk) -> None:
    for wrong, code in (([], "FIELD_MISSING"), (["x"] * (MAX_LISTED + 1), "FIELD_TOO_LONG")):
        with pytest.raises(FieldsRefused) as met:
            desk.approve_list(MINH, wrong)
        assert met.value.fields == {"dossiers": code}
    with pytest.raises(RoleMissing):
        desk.approve_list(LAN, captured(desk, 1))


# -- what goes on, and what does not


@pytest.mark.parametrize("altered", ["approver", "as_of", "unit", "id", "count", "token"])
def test_an_altered_list_lets_nothing_go_on(desk: Desk, altered: str) -> None:
    dossier = captured(desk, 1)[0]
    signed = desk.approve_list(MINH, [dossier])
    token = desk.office.lists.view(AUDITOR, signed).token
    values = {
        "approver": "somebody", "as_of": rfc3339(NOW - timedelta(days=1)), "unit": "079", "count": 2,
        "token": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "id": "f" * 16,
    }  # fmt: skip
    if altered == "id":
        with desk.database.writing() as connection:
            row = connection.execute(select(APPROVAL_LISTS)).mappings().one()
            connection.execute(insert(APPROVAL_LISTS).values(**{**row, "id": "f" * 16}))
            connection.execute(update(LISTED_APPROVALS).values(list="f" * 16))
    else:
        write(desk, signed, **{altered: values[altered]})
    refused(desk, dossier, ApprovalListAltered)


def test_a_dossier_that_is_taken_out_of_its_list_or_put_into_another_does_not_go_on(desk: Desk) -> None:
    first, second, third = captured(desk)
    signed = desk.approve_list(MINH, [first, second])
    other = desk.approve_list(MINH, [third])
    with desk.database.writing() as connection:
        connection.execute(delete(LISTED_APPROVALS).where(LISTED_APPROVALS.c.dossier == second))
        moved = LISTED_APPROVALS.c.dossier == third
        connection.execute(update(LISTED_APPROVALS).where(moved).values(list=signed))
    refused(desk, second, ApprovalNotListed)
    refused(desk, third, ApprovalNotListed)
    assert desk.office.lists.view(AUDITOR, other).fault is None
    desk.office.approvals.approve_centrally(THU, first)


def test_what_was_captured_again_is_not_what_was_listed(desk: Desk) -> None:
    dossier = captured(desk, 1)[0]
    signed = desk.approve_list(MINH, [dossier])
    (listed,) = statement(desk, signed).dossiers
    resign(desk, signed, dossiers=(ListedDossier(listed.dossier, "0" * 64),))
    refused(desk, dossier, ApprovalNotListed)


def test_who_holds_the_key_dates_no_list_back_and_lends_no_name(desk: Desk) -> None:
    dossier = captured(desk, 1)[0]
    signed = desk.approve_list(MINH, [dossier])
    earlier = rfc3339(NOW - timedelta(days=1))
    resign(desk, signed, as_of=earlier)
    write(desk, signed, as_of=earlier)
    refused(desk, dossier, ApprovalNotListed)
    resign(desk, signed, as_of=rfc3339(NOW), approver="somebody")
    write(desk, signed, as_of=rfc3339(NOW), approver="somebody")
    refused(desk, dossier, ApproverKeyUnknown)
    with desk.database.writing() as connection:
        is_minhs = PACKET_SIGNERS.c.owner == MINH.id
        connection.execute(update(PACKET_SIGNERS).where(is_minhs).values(owner="somebody"))
    refused(desk, dossier, ApprovalNotListed)


def test_a_foreign_key_signs_no_list(desk: Desk) -> None:
    dossier, foreign = captured(desk, 1)[0], ec.generate_private_key(ec.SECP256R1())
    signed = desk.approve_list(MINH, [dossier])
    resign(desk, signed, foreign)
    refused(desk, dossier, ApprovalListAltered)
    thumbprint = admit(desk.database, foreign, NOW)
    with desk.database.writing() as connection:
        named = PACKET_SIGNERS.c.thumbprint == thumbprint
        connection.execute(update(PACKET_SIGNERS).where(named).values(kind="officer"))
    write(desk, signed, signer=thumbprint)
    refused(desk, dossier, ApprovalListSignerUnknown)


def test_a_revoked_key_takes_what_it_signed_since_with_it(desk: Desk) -> None:
    before, after = captured(desk, 2)
    desk.approve_locally(MINH, before)
    desk.now[0] += timedelta(hours=1)
    signed = desk.approve_list(MINH, [after])
    with desk.database.writing() as connection:
        since = rfc3339(desk.now[0])
        assert kit_repository.revoke(connection, SignerKind.OFFICE, OFFICE, since, "VA-7") == 1
    refused(desk, after, ApprovalListSignerRevoked)
    assert desk.office.lists.view(AUDITOR, signed).fault == ApprovalListSignerRevoked.code
    desk.office.approvals.approve_centrally(THU, before)
    with pytest.raises(ApprovalKeyUnavailable):
        desk.approve_locally(MINH, desk.captured(citizens()[2], number=3))


def test_without_a_key_that_the_centre_knows_nobody_approves(desk: Desk) -> None:
    dossier = captured(desk, 1)[0]
    for key in (None, ec.generate_private_key(ec.SECP256R1())):
        desk.office.approvals._lists = ListWriter(key)
        with pytest.raises(ApprovalKeyUnavailable):
            desk.approve_locally(MINH, dossier)
    assert desk.state(dossier) == "validated"


def test_the_search_does_not_begin_either_and_the_dossiers_behind_are_searched(
    database_engine: Engine, tmp_path: Path
) -> None:
    centre = make_centre(tmp_path, database_engine)
    lost, good = centre.apply(0, 1), centre.apply(1, 2)
    with centre.desk.database.writing() as connection:
        connection.execute(delete(LISTED_APPROVALS).where(LISTED_APPROVALS.c.dossier == lost))
    centre.run()
    assert (centre.desk.state(lost), centre.desk.state(good)) == ("local_approved", "dedup_1n")


# -- approved before there were lists


def test_what_was_approved_before_is_signed_for_once_and_what_names_a_list_never(desk: Desk) -> None:
    former, cheated, open_one = captured(desk)
    for dossier in (former, cheated):
        desk.approve_locally(MINH, dossier)
    with desk.database.writing() as connection:
        connection.execute(delete(LISTED_APPROVALS))
        approval = EVENTS.c.subject == f"dossier/{former}", EVENTS.c.event == "approve_locally"
        connection.execute(update(EVENTS).where(*approval).values(detail="{}"))
        connection.execute(
            update(APPROVERS_SIGN).values(after_event=select(func.max(EVENTS.c.sequence)).scalar_subquery())
        )
    refused(desk, former, ApprovalNotListed)
    desk.now[0] += timedelta(days=1)
    assert ListWriter(LISTING_KEY).close_former(desk.database, lambda: desk.now[0]) == 1
    assert ListWriter(LISTING_KEY).close_former(desk.database, lambda: desk.now[0]) == 0
    refused(desk, cheated, ApprovalNotListed)
    desk.office.approvals.approve_centrally(THU, former)
    assert desk.state(open_one) == "validated"


# -- the key


def refuse_signer(*_: object) -> None:
    raise SignerTaken("somebody else's")


def test_the_key_is_made_once_and_admitted_by_a_supervisor(
    database_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, key = database_engine.new(), tmp_path / "approval_key.pem"
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", url)
    monkeypatch.setenv("ISSUANCE_APPROVAL_KEY_FILE", str(key))
    database = Database(url)
    database.migrate(ISSUANCE_MIGRATIONS)
    door = OfficerDoor(database, lambda: NOW)
    for name, role in (("son", Role.SUPERVISOR), ("minh", Role.APPROVER)):
        door.enrol(name, name, (role,), PASSWORD)
    new_key = ["dossiers", "new-list-key", "--key", str(key), "--by"]
    for nobody in ("nobody", "minh"):
        assert command.main([*new_key, nobody]) != 0
        assert not key.exists()
    with monkeypatch.context() as patched:
        patched.setattr(dossier_commands, "admit_signer", refuse_signer)
        assert command.main([*new_key, "son"]) != 0
        assert not key.exists(), "a key that nobody admitted is none"
    assert command.main([*new_key, "son"]) == 0
    made = key.read_bytes()
    assert command.main([*new_key, "son"]) != 0
    assert key.read_bytes() == made, "a second one takes no other's place"
    assert command.main(["dossiers", "list-former"]) == 0
    assert "0 dossiers listed" in capsys.readouterr().out
    with database.reading() as connection:
        (signer,) = kit_repository.signers_of(connection, SignerKind.OFFICE, OFFICE)
    assert signer.thumbprint == thumbprint(load_key(key).public_key())


# -- looking


def test_lists_are_seen_in_their_area_by_those_who_approve_and_audit(desk: Desk) -> None:
    dossiers = captured(desk)
    signed = [desk.approve_list(MINH, [dossiers[0]])]
    desk.now[0] += timedelta(minutes=1)
    signed.append(desk.approve_list(MINH, dossiers[1:]))
    for reader in (AUDITOR, MINH, THU):
        seen = desk.office.lists.lists(reader, PageAsked()).entries
        assert [(each.id, each.count) for each in seen] == [(signed[1], 2), (signed[0], 1)]
    first = desk.office.lists.lists(AUDITOR, PageAsked(limit=1))
    assert first.cursor
    elsewhere = officer("xa", Role.APPROVER, unit="079.01")
    assert not desk.office.lists.lists(elsewhere, PageAsked()).entries
    with pytest.raises(ApprovalListUnknown):
        desk.office.lists.view(elsewhere, signed[0])
    with pytest.raises(ApprovalListUnknown):
        desk.office.lists.view(AUDITOR, "0" * 16)
    with pytest.raises(RoleMissing):
        desk.office.lists.view(LAN, signed[0])
