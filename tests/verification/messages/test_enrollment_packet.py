"""The packet format: what is sealed opens, everything else is refused by our own errors."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, GuestProtocol, OKPKey

from tests.support.issuance_office import citizens
from tests.support.sealed_packets import MOMENT, PRINT, SIGNED, Kit, stream
from verification.errors import LimitExceeded, VerificationError
from verification.messages import enrollment_packet, packet_encryption
from verification.messages.canonical import canonical_json
from verification.messages.enrollment_packet import (
    CANNOT_SIGN,
    CITIZEN_SIGNATURE,
    MAX_ITEMS,
    CaptureException,
    Consent,
    OpenedPacket,
    PacketKeys,
    PacketReceipt,
    PrintedFormMark,
    from_file,
    open_packet,
    parse_packet,
    read_packet_receipt,
    require_signed,
    seal_packet,
    sign_packet_receipt,
    to_file,
)
from verification.messages.national_time import vietnam_date
from verification.messages.refusals import (
    CitizenConsentInvalid,
    CitizenSignatureMissing,
    PacketAltered,
    PacketMalformed,
    PacketSignatureInvalid,
    PacketSupervisorMissing,
)
from verification.messages.signing_key import SigningKey, public_jwk, thumbprint

CENTRE = ec.generate_private_key(ec.SECP256R1())
SMALL = {"portrait": b"\xff\xd8portrait", "right_thumb": b"\xff\xa0print"}


def opened(kit: Kit, metadata: bytes, content: bytes) -> OpenedPacket:
    """What the centre does, in its order."""
    packet = parse_packet(metadata)
    signing = [kit.officer_key, kit.kit_key, *([kit.supervisor_key] if packet.envelope.supervisor else [])]
    require_signed(packet, *(key.public_key() for key in signing))
    return open_packet(packet, content, CENTRE)


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str | list[str]]:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {**ECKey.import_key(pem).as_dict(private=True)}


@pytest.fixture
def kit() -> Kit:
    return Kit(CENTRE.public_key())


def test_what_was_sealed_is_what_opens(kit: Kit) -> None:
    draft = kit.draft(
        blobs=SMALL, exceptions=(CaptureException("left_thumb", "AMPUTATED"),), supervisor="chief"
    )
    packet = kit.seal(
        blobs=SMALL, exceptions=(CaptureException("left_thumb", "AMPUTATED"),), supervisor="chief"
    )
    found = opened(kit, packet.metadata, packet.content)
    assert found.particulars == draft.particulars
    assert dict(found.blobs) == {**SMALL, **SIGNED}
    assert found.packet_hash == packet.packet_hash
    assert (found.envelope.kit, found.envelope.sequence, found.envelope.happened_at) == ("kit-001", 1, MOMENT)
    assert from_file(to_file(packet.metadata, packet.content)) == (packet.metadata, packet.content)


def test_nothing_in_the_open_names_the_citizen(kit: Kit) -> None:
    packet = kit.seal(blobs=SMALL)
    payload = base64.urlsafe_b64decode(json.loads(packet.metadata)["payload"] + "===")
    whole = packet.metadata + payload + packet.content
    citizen = citizens()[0]
    for secret in (citizen.citizen_number.encode(), citizen.full_name.encode(), *SMALL.values()):
        assert secret not in whole


def test_the_same_capture_and_randomness_make_the_same_bytes(kit: Kit) -> None:
    draft = kit.draft(blobs=SMALL)
    keys = PacketKeys(kit.kit_key, kit.kit_key, CENTRE.public_key())  # Ed25519 signs deterministically
    assert seal_packet(draft, keys, stream("a")) == seal_packet(draft, keys, stream("a"))
    assert seal_packet(draft, keys, stream("a")) != seal_packet(draft, keys, stream("b"))


def test_another_signature_over_the_same_envelope_is_the_same_packet(kit: Kit) -> None:
    draft, keys = kit.draft(blobs=SMALL), PacketKeys(kit.officer_key, kit.kit_key, CENTRE.public_key())
    one, other = (seal_packet(draft, keys, stream("a")) for _ in range(2))
    assert one.metadata != other.metadata, "ECDSA draws a number of its own"
    assert one.packet_hash == other.packet_hash


@pytest.mark.parametrize("supervisor", [None, "chief"])
def test_every_flipped_byte_is_refused_by_our_own_error(kit: Kit, supervisor: str | None) -> None:
    packet = kit.seal(blobs=SMALL, supervisor=supervisor)
    for whole in ("metadata", "content"):
        for position in range(len(getattr(packet, whole))):
            parts = {"metadata": packet.metadata, "content": packet.content}
            altered = bytearray(parts[whole])
            altered[position] ^= 0x01
            parts[whole] = bytes(altered)
            with pytest.raises(VerificationError):
                opened(kit, **parts)


@pytest.mark.parametrize("cut", [0, 1, 60])
def test_a_cut_packet_is_refused(kit: Kit, cut: int) -> None:
    packet = kit.seal(blobs=SMALL)
    with pytest.raises(VerificationError):
        opened(kit, packet.metadata[:cut], packet.content)
    with pytest.raises(PacketAltered):
        opened(kit, packet.metadata, packet.content[:cut])
    with pytest.raises(PacketAltered):
        opened(kit, packet.metadata, packet.content + b"x")


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=400))
def test_junk_is_refused_by_our_own_error(junk: bytes) -> None:
    for read in (parse_packet, from_file):
        with pytest.raises(VerificationError):
            read(junk)


def test_limits_come_before_parsing() -> None:
    with pytest.raises(LimitExceeded):
        parse_packet(b"[" * (enrollment_packet.MAX_METADATA_BYTES + 1))
    with pytest.raises(LimitExceeded):
        from_file(b"x" * (enrollment_packet.MAX_CONTENT_BYTES + enrollment_packet.MAX_METADATA_BYTES + 100))


@pytest.mark.parametrize(
    "change",
    [
        {"exceptions": (CaptureException("left_thumb", "a sentence, not a code"),), "supervisor": "chief"},
        {"items": ()},
    ],
)
def test_a_capture_that_no_centre_would_open_is_not_sealed(kit: Kit, change: dict[str, Any]) -> None:
    with pytest.raises(PacketMalformed):
        kit.seal(blobs=SMALL, **change)


def test_whoever_is_named_as_supervisor_has_signed(kit: Kit) -> None:
    """The capturing officer can write anybody's name; nobody's signature but their own."""
    missing = (CaptureException("left_thumb", "AMPUTATED"),)
    draft = kit.draft(blobs=SMALL, exceptions=missing, supervisor="chief")
    keys = PacketKeys(kit.officer_key, kit.kit_key, CENTRE.public_key())
    with pytest.raises(PacketSupervisorMissing):
        seal_packet(draft, keys, stream("a"))
    signed = json.loads(kit.seal(blobs=SMALL, exceptions=missing, supervisor="chief").metadata)
    officer, machine, chief = signed["signatures"]
    with pytest.raises(PacketMalformed):
        parse_packet(canonical_json({**signed, "signatures": [officer, machine]}))
    keys_of = [key.public_key() for key in (kit.officer_key, kit.kit_key, kit.supervisor_key)]
    require_signed(parse_packet(canonical_json(signed)), *keys_of)
    for marks in ([officer, machine, officer], [chief, machine, chief]):
        packet = parse_packet(canonical_json({**signed, "signatures": marks}))
        with pytest.raises(PacketSignatureInvalid):
            require_signed(packet, *keys_of)
        with pytest.raises(PacketSignatureInvalid):
            require_signed(packet, *keys_of[:2])
    unasked = json.loads(kit.seal(blobs=SMALL).metadata)
    unasked["signatures"].append(chief)
    with pytest.raises(PacketMalformed):
        parse_packet(canonical_json(unasked))


@pytest.mark.parametrize("language", ["", "Vietnamese", "vi\n", "v", "vi_VN"])
def test_the_language_of_consent_is_recorded(kit: Kit, language: str) -> None:
    with pytest.raises(PacketMalformed):
        kit.seal(blobs=SMALL, consent=Consent(language, MOMENT, "ab" * 32))


@pytest.mark.parametrize("begun_at", ["", "this morning", "2026-11-20T08:00:00"])
def test_a_beginning_is_a_moment_with_its_zone(kit: Kit, begun_at: str) -> None:
    with pytest.raises(PacketMalformed):
        kit.seal(blobs=SMALL, begun_at=begun_at)
    kit.seal(blobs=SMALL, begun_at="2026-11-20T08:00:00+07:00")


@pytest.mark.parametrize(
    "consent", [Consent("vi", MOMENT, "cd" * 32), Consent("vi", "2027-01-01T00:00:00Z", "ab" * 32)]
)
def test_the_citizen_agreed_to_the_very_print_before_it_was_sealed(kit: Kit, consent: Consent) -> None:
    with pytest.raises(CitizenConsentInvalid):
        kit.seal(blobs=SMALL, consent=consent)
    kit.seal(blobs=SMALL, consent=Consent("hmn-Latn", "2026-11-20T23:00:00Z", "ab" * 32))


@pytest.mark.parametrize(
    ("limits", "likeness"),
    [("digital-1", None), (None, 1.0), ("", 1.0), ("two words", 1.0), ("digital-1", 1.5)],
)
def test_what_a_form_was_judged_to_be_is_said_whole_or_not_at_all(
    kit: Kit, limits: str | None, likeness: float | None
) -> None:
    with pytest.raises(PacketMalformed):
        kit.seal(blobs=SMALL, printed_form=PrintedFormMark("CC01", "ab" * 32, limits, likeness))
    kit.seal(blobs=SMALL, printed_form=PrintedFormMark("CC01", "ab" * 32, "digital-1", 0.9995))
    assert msgspec.json.encode(PrintedFormMark("CC01", "ab")) == b'{"form":"CC01","sha256":"ab"}'


@pytest.mark.parametrize("supervisor", [None, "lan.capture"])
def test_nobody_answers_alone_for_what_was_not_captured(kit: Kit, supervisor: str | None) -> None:
    missing = (CaptureException("left_thumb", "AMPUTATED"),)
    with pytest.raises(PacketSupervisorMissing):
        kit.seal(blobs=SMALL, exceptions=missing, supervisor=supervisor)


def test_the_citizen_signs_or_a_supervisor_says_why_not(kit: Kit) -> None:
    for blobs in (SMALL, {**SMALL, CITIZEN_SIGNATURE: b""}):
        with pytest.raises(CitizenSignatureMissing):
            kit.seal(blobs=blobs, is_signed=False)
    cannot = (CaptureException(CITIZEN_SIGNATURE, CANNOT_SIGN),)
    packet = kit.seal(blobs=SMALL, is_signed=False, exceptions=cannot, supervisor="chief")
    assert dict(opened(kit, packet.metadata, packet.content).blobs) == SMALL


@pytest.mark.parametrize("moment", ["2026-11-21", "2026-11-21T03:00:00", "yesterday", ""])
def test_a_moment_has_a_zone(kit: Kit, moment: str) -> None:
    with pytest.raises(PacketMalformed):
        kit.seal(blobs=SMALL, happened_at=moment)


AT_THE_ENDS = ("0001-01-01T00:00:00+14:00", "0001-12-31T23:00:00-12:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize("moment", [*AT_THE_ENDS, f"{MOMENT}{' ' * 40}"])
def test_a_moment_that_another_zone_cannot_tell_is_refused_by_kit_and_centre(kit: Kit, moment: str) -> None:
    ours = kit.seal(blobs=SMALL)
    payload = base64.urlsafe_b64decode(json.loads(ours.metadata)["payload"] + "===")
    envelope = msgspec.json.decode(payload, type=enrollment_packet.PacketEnvelope)
    keys = PacketKeys(kit.officer_key, kit.kit_key, CENTRE.public_key())
    sealed = msgspec.structs.replace(envelope, happened_at=moment)
    resigned = enrollment_packet._signed_packet(sealed, keys, ours.content)
    with pytest.raises(PacketMalformed):
        enrollment_packet.parse_packet(resigned.metadata)
    said = {"happened_at": moment}, {"begun_at": moment}, {"consent": Consent("vi", moment, "ab" * 32)}
    for each in said:
        with pytest.raises(PacketMalformed):
            kit.seal(blobs=SMALL, **each)


@pytest.mark.parametrize("moment", ["0002-01-01T00:00:00+14:00", "9998-12-31T23:59:59-14:00"])
def test_of_every_other_moment_the_day_in_vietnam_is_known(kit: Kit, moment: str) -> None:
    early = Consent("vi", "0002-01-01T00:00:00+14:00", PRINT.sha256)
    packet = kit.seal(blobs=SMALL, happened_at=moment, consent=early)
    found = enrollment_packet.parse_packet(packet.metadata).envelope.happened_at
    assert vietnam_date(datetime.fromisoformat(found)).year in {1, 9999}


def test_no_more_items_than_a_capture_has(kit: Kit) -> None:
    with pytest.raises(LimitExceeded):
        kit.seal(blobs={f"item_{number}": b"x" for number in range(MAX_ITEMS + 1)})


def test_content_of_one_packet_opens_in_no_other(kit: Kit) -> None:
    """Another kit that puts our particulars under its own signatures has nothing the centre would open."""
    ours = kit.seal(blobs=SMALL)
    payload = base64.urlsafe_b64decode(json.loads(ours.metadata)["payload"] + "===")
    envelope = msgspec.json.decode(payload, type=enrollment_packet.PacketEnvelope)
    thief = Kit(CENTRE.public_key(), name="kit-666")
    stolen = msgspec.structs.replace(envelope, kit=thief.name)
    keys = PacketKeys(thief.officer_key, thief.kit_key, CENTRE.public_key())
    resigned = enrollment_packet._signed_packet(stolen, keys, ours.content)
    with pytest.raises(PacketAltered):
        opened(thief, resigned.metadata, resigned.content)


def test_signed_by_the_wrong_key_or_in_the_wrong_place(kit: Kit) -> None:
    packet = parse_packet(kit.seal(blobs=SMALL).metadata)
    officer, machine = kit.officer_key.public_key(), kit.kit_key.public_key()
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    for pair in ((machine, officer), (officer, stranger), (stranger, machine), (officer, officer)):
        with pytest.raises(VerificationError):
            require_signed(packet, *pair)
    require_signed(packet, officer, machine)


def test_an_independent_library_verifies_and_opens_it(kit: Kit) -> None:
    """joserfc, which has no code of ours, reads the same JWS and JWE."""
    packet = kit.seal(blobs=SMALL)
    general = json.loads(packet.metadata)
    officer, machine = kit.officer_key.public_key(), kit.kit_key.public_key()
    keys: dict[str, ECKey | OKPKey] = {
        thumbprint(officer): ECKey.import_key({**public_jwk(officer)}),
        thumbprint(machine): OKPKey.import_key({**public_jwk(machine)}),
    }

    def key_of(signed: GuestProtocol) -> ECKey | OKPKey:
        return keys[signed.headers()["kid"]]

    verified = jws.deserialize_json(general, key_of, algorithms=["ES256", "Ed25519"])
    envelope = json.loads(verified.payload)
    secret = jwe.decrypt_compact(
        envelope["particulars"], ECKey.import_key(private_jwk(CENTRE)), algorithms=["ECDH-ES", "A256GCM"]
    )
    assert secret.plaintext is not None
    assert json.loads(secret.plaintext)["particulars"]["citizen_number"] == citizens()[0].citizen_number


def test_ephemeral_keys_are_drawn_from_the_whole_curve() -> None:
    scalar = ec.derive_private_key(packet_encryption._ORDER - 1, ec.SECP256R1())
    generator = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    assert scalar.public_key().public_numbers().x == generator.x, "(n - 1)G is -G"


def test_a_receipt_is_the_centres_and_no_others(kit: Kit) -> None:
    receipt = PacketReceipt(iss="centre", packet="ab" * 32, kit="kit-001", sequence=1, received_at=MOMENT)
    key: SigningKey = ec.generate_private_key(ec.SECP256R1())
    token = sign_packet_receipt(receipt, key)
    trusted = {thumbprint(key.public_key()): key.public_key()}
    assert read_packet_receipt(token, trusted) == receipt
    for position in range(len(token)):
        altered = token[:position] + chr(ord(token[position]) ^ 1) + token[position + 1 :]
        with pytest.raises(VerificationError):
            read_packet_receipt(altered, trusted)
    with pytest.raises(VerificationError):
        read_packet_receipt(token, {})
