"""Whoever is blocked signs nothing from then on (I15), and coming back does not make it good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.dossiers.intake.kit_office import revoke_keys_of_blocked
from issuance_backend.moments import rfc3339
from issuance_backend.officers import repository as officers
from issuance_backend.officers.service import OfficerRoster
from tests.support.packet_centre import SUPERVISOR, VOUCHING, Centre
from tests.support.sealed_packets import Kit
from verification.errors import FieldsRefused
from verification.messages.enrollment_packet import SealedPacket
from verification.messages.packet_intake import SignerRegistration, SignerRevocation
from verification.messages.signing_key import public_jwk

CHIEF = "chief.hanoi"


def roster(centre: Centre) -> OfficerRoster:
    return OfficerRoster(
        centre.database, lambda: centre.now[0], recorded_events.append, revoke_keys_of_blocked
    )


def sealed_now(centre: Centre, kit: Kit, supervisor: str | None = None) -> SealedPacket:
    centre.pass_time(60)
    return kit.seal(blobs={"portrait": b"p"}, happened_at=centre.now[0], supervisor=supervisor)


def register(centre: Centre, kit: Kit) -> None:
    jwk = dict(public_jwk(kit.officer_key.public_key()))
    centre.intake.kits.register_signer(SUPERVISOR, SignerRegistration("officer", kit.officer, jwk))


def standing(centre: Centre, packet: SealedPacket) -> tuple[str | None, str | None]:
    """Its recorded state, and why it waits."""
    state = centre.recorded(packet)
    return state and state.value, centre.status(packet).code


DOUBTED = ("doubtful", "PACKET_SIGNER_REVOKED")
OPENED = ("opened", None)


def test_what_was_signed_after_the_block_waits_for_a_case(centre: Centre, kit: Kit) -> None:
    before, announced = sealed_now(centre, kit), sealed_now(centre, kit)
    centre.bring(before)
    centre.intake.desk.announce(announced.metadata)
    centre.pass_time(60)
    assert roster(centre).block(kit.officer, CHIEF) == 1
    centre.bring(announced)
    after = sealed_now(centre, kit)
    centre.bring(after)
    assert [standing(centre, each) for each in (before, announced, after)] == [OPENED, OPENED, DOUBTED]


def test_no_word_about_time_gets_past_a_block(centre: Centre, kit: Kit) -> None:
    """Sealed after the block, and said to be from before it."""
    early = centre.now[0]
    centre.pass_time(3600)
    roster(centre).block(kit.officer, CHIEF)
    lying = kit.seal(blobs={"portrait": b"p"}, happened_at=early)
    centre.bring(lying)
    assert standing(centre, lying) == DOUBTED


def test_unblocking_brings_back_no_trust(centre: Centre, kit: Kit) -> None:
    centre.pass_time(60)
    roster(centre).block(kit.officer, CHIEF)
    between = sealed_now(centre, kit)
    roster(centre).unblock(kit.officer, CHIEF)
    centre.bring(between)
    old_key = sealed_now(centre, kit)
    centre.bring(old_key)
    kit.officer_key = ec.generate_private_key(ec.SECP256R1())
    register(centre, kit)
    new_key = sealed_now(centre, kit)
    centre.bring(new_key)
    assert [standing(centre, each) for each in (between, old_key, new_key)] == [DOUBTED, DOUBTED, OPENED]


def test_a_blocked_supervisor_answers_for_nothing(centre: Centre, kit: Kit) -> None:
    centre.register_supervisor(kit)
    before = sealed_now(centre, kit, supervisor=VOUCHING)
    centre.bring(before)
    centre.pass_time(60)
    roster(centre).block(VOUCHING, CHIEF)
    answered, plain = sealed_now(centre, kit, supervisor=VOUCHING), sealed_now(centre, kit)
    centre.bring(answered)
    centre.bring(plain)
    assert [standing(centre, each) for each in (before, answered, plain)] == [OPENED, DOUBTED, OPENED]


def test_nobody_registers_a_key_for_a_blocked_officer(centre: Centre, kit: Kit) -> None:
    roster(centre).block(kit.officer, CHIEF)
    kit.officer_key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(FieldsRefused) as refused:
        register(centre, kit)
    assert refused.value.fields == {"owner": "FIELD_OFFICER_UNKNOWN"}
    roster(centre).unblock(kit.officer, CHIEF)
    register(centre, kit)


def test_a_key_that_is_being_registered_is_revoked_as_well(centre: Centre, kit: Kit) -> None:
    """The block waits for the registration; neither misses the other."""
    with ThreadPoolExecutor(1) as other:
        with centre.database.writing() as connection:
            officers.account(connection, kit.officer, hold=True)
            blocking = other.submit(roster(centre).block, kit.officer, CHIEF)
            with pytest.raises(TimeoutError):
                blocking.result(timeout=0.3)
            further = Signer(
                thumbprint="x" * 43,
                kind=SignerKind.OFFICER,
                owner=kit.officer,
                jwk="{}",
                valid_from=rfc3339(centre.now[0]),
            )
            kit_repository.add_signer(connection, further)
        assert blocking.result(timeout=10) == 2


def test_the_revocation_is_recorded_and_nothing_revokes_it_again(centre: Centre, kit: Kit) -> None:
    roster(centre).block(kit.officer, CHIEF)
    with centre.database.reading() as connection:
        steps = recorded_events.of_subject(connection, "kit")
        recorded_events.verify(connection)
    assert [(each.event, each.actor, each.detail) for each in steps if each.event == "revoke_signer"] == [
        (
            "revoke_signer",
            CHIEF,
            {"kit": kit.officer, "case_id": "officer-blocked", "since": rfc3339(centre.now[0])},
        )
    ]
    roster(centre).unblock(kit.officer, CHIEF)
    centre.pass_time(60)
    assert roster(centre).block(kit.officer, CHIEF) == 0, "revoked already"
    since = rfc3339(centre.now[0])
    answer = centre.intake.kits.revoke(
        SUPERVISOR, SignerRevocation("officer", kit.officer, since, "VV/2026-0117")
    )
    assert answer.keys == 0
