"""Chip authentication, run here and held by somebody without a reader."""

from __future__ import annotations

import os

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.tampering import clone, swap_dg14
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, Interposed, dg14, image, public_info
from tests.support.explicit_curve import public_key_info
from tests.support.scripted_card import ScriptedRandom, random_for_private_key
from tests.support.vectors import load
from verification.chip import chip_authentication, remote_chip_authentication
from verification.chip.keys import Can, Suite
from verification.chip.reading import DocumentReader
from verification.chip.remote_chip_authentication import RemoteChipAuthentication
from verification.encoding.object_identifier import build_oid
from verification.errors import (
    CardRemoved,
    ChipAuthenticationFailed,
    ChipAuthenticationUnsupported,
    LimitExceeded,
    MalformedDocument,
)
from verification.lds.files import LdsFile
from verification.lds.public_key_info import EC_PUBLIC_KEY
from verification.lds.security_infos import (
    PUBLIC_KEY_ECDH,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    SecurityInfos,
    build_dg14,
    parse_dg14,
)

CASE = load("eacv1_ca_ta_synthetic")
ECDH = "0.4.0.127.0.7.2.2.3.2."
SOD = image().files[LdsFile.SOD]
SUITES = {1: Suite.TRIPLE_DES, 2: Suite.AES_128, 3: Suite.AES_192, 4: Suite.AES_256}


def opened(card: object) -> DocumentReader:
    reader = DocumentReader(card, os.urandom)  # type: ignore[arg-type]
    reader.open(Can(CAN))
    return reader


# -- run here ---------------------------------------------------------------------------------


def test_worked_values_of_eac_version_1() -> None:
    chip_public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.BrainpoolP256R1(), bytes.fromhex(CASE["chip_public"])
    )
    info = build_dg14(
        SecurityInfos(
            chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 1),),
            chip_authentication_keys=(
                ChipAuthenticationPublicKey(
                    PUBLIC_KEY_ECDH,
                    public_info_of(chip_public),
                ),
            ),
        )
    )
    source = ScriptedRandom([random_for_private_key(CASE["pcd_private"], 32)])
    agreement = chip_authentication.agree(chip_authentication.choose_key(info), source)
    assert agreement.keys.encryption.hex() == CASE["ks_enc_aes128"]
    assert agreement.keys.checksum.hex() == CASE["ks_mac_aes128"]
    assert [command.encode().hex() for command in agreement.commands] == [
        CASE["apdu_mse_set_at_ca"],
        CASE["apdu_general_authenticate_ca"],
    ]


def public_info_of(key: ec.EllipticCurvePublicKey) -> bytes:
    class Holder:
        def public_key(self) -> ec.EllipticCurvePublicKey:
            return key

    return public_info(Holder())  # type: ignore[arg-type]


@pytest.mark.parametrize("arc", SUITES)
@pytest.mark.parametrize("key_id", [None, 1, 300])
def test_a_genuine_chip_is_proven_and_can_be_read_on(arc: int, key_id: int | None) -> None:
    files = {LdsFile.DG14: dg14(arc, key_id)}
    reader = opened(VirtualCard(image(files=files)))
    assert chip_authentication.choose_key(files[LdsFile.DG14]).suite is SUITES[arc]
    reader.authenticate_chip(files[LdsFile.DG14])
    assert reader.read_files()[LdsFile.SOD] == SOD


@pytest.mark.parametrize("arc", SUITES)
def test_a_cloned_chip_is_found_out(arc: int) -> None:
    files = {LdsFile.DG14: dg14(arc)}
    reader = opened(VirtualCard(clone(image(files=files))))
    with pytest.raises(ChipAuthenticationFailed):
        reader.authenticate_chip(files[LdsFile.DG14])
    # The next reading starts a session of its own.
    assert LdsFile.DG1 in reader.read_files()


def test_a_chip_without_the_protocol_is_found_out() -> None:
    reader = opened(VirtualCard(image(chip_authentication_key=None)))
    with pytest.raises(ChipAuthenticationFailed):
        reader.authenticate_chip(dg14())


def test_a_pulled_card_is_no_clone() -> None:
    def pull(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] == 0x0C and command[1] == 0x86:
            raise CardRemoved("pulled")
        return answer

    reader = opened(Interposed(VirtualCard(image()), pull))
    with pytest.raises(CardRemoved):
        reader.authenticate_chip(dg14())


def infos(*protocols: str, curve: ec.EllipticCurve | None = None) -> SecurityInfos:
    key = ec.derive_private_key(7, curve or ec.SECP256R1())
    return SecurityInfos(
        chip_authentication=tuple(ChipAuthenticationInfo(protocol, 1) for protocol in protocols),
        chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, public_info(key)),),
    )


def test_the_strongest_protocol_is_chosen() -> None:
    chosen = chip_authentication.choose_key(build_dg14(infos(f"{ECDH}1", f"{ECDH}4", f"{ECDH}2")))
    assert (chosen.protocol, chosen.suite) == (f"{ECDH}4", Suite.AES_256)


def test_a_key_without_a_named_protocol_is_taken_for_triple_des() -> None:
    assert chip_authentication.choose_key(build_dg14(infos())).suite is Suite.TRIPLE_DES


@pytest.mark.parametrize(
    "offer",
    [
        SecurityInfos(),
        infos("0.4.0.127.0.7.2.2.3.1.2"),
        infos(f"{ECDH}9"),
        infos(f"{ECDH}2", curve=ec.SECP256K1()),
    ],
    ids=["nothing", "finite field", "unknown cipher", "unknown curve"],
)
def test_offers_that_are_not_spoken_are_said_to_be_so(offer: SecurityInfos) -> None:
    with pytest.raises(ChipAuthenticationUnsupported):
        chip_authentication.choose_key(build_dg14(offer))


@pytest.mark.parametrize(
    "point",
    [
        b"\x00",
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
        b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01",
        b"\x03" + bytes(31) + b"\x05",
    ],
    ids=["infinity", "zero", "above the prime", "beside the curve", "compressed"],
)
def test_a_key_that_is_no_point_of_its_curve_is_never_calculated_with(point: bytes) -> None:
    """A point of a weak curve would give away, octet by octet, what it is multiplied by."""
    info = public_key_info(build_oid(EC_PUBLIC_KEY) + build_oid("1.2.840.10045.3.1.7"), point)
    offer = SecurityInfos(
        chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 1),),
        chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, info),),
    )
    with pytest.raises(ChipAuthenticationUnsupported):
        chip_authentication.choose_key(build_dg14(offer))


def test_a_key_is_used_with_the_protocol_of_its_number() -> None:
    keys = [ec.derive_private_key(scalar, ec.SECP256R1()) for scalar in (7, 8)]
    offer = SecurityInfos(
        chip_authentication=(
            ChipAuthenticationInfo(f"{ECDH}1", 1, 1),
            ChipAuthenticationInfo(f"{ECDH}4", 1, 2),
        ),
        chip_authentication_keys=tuple(
            ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, public_info(key), number)
            for number, key in enumerate(keys, 1)
        ),
    )
    chosen = chip_authentication.choose_key(build_dg14(offer))
    assert (chosen.key_id, chosen.suite) == (2, Suite.AES_256)
    assert chosen.key.key.public_numbers() == keys[1].public_key().public_numbers()


# -- held by the gateway ----------------------------------------------------------------------


def held(reader: DocumentReader, challenged: bytes) -> tuple[RemoteChipAuthentication, tuple[bytes, ...]]:
    session = remote_chip_authentication.begin(challenged, len(SOD), random=os.urandom)
    return session, reader.relay(session.agent_wrapped, session.relayed)


@pytest.mark.parametrize("arc", SUITES)
def test_the_gateway_proves_a_genuine_chip(arc: int) -> None:
    group = dg14(arc)
    reader = opened(VirtualCard(image(files={LdsFile.DG14: group})))
    session, responses = held(reader, group)
    remote_chip_authentication.finish(session.state, responses, dg14=group, sod=SOD)
    # The next customer, or the same one again.
    assert reader.read_files()[LdsFile.SOD] == SOD


@pytest.mark.parametrize("arc", SUITES)
def test_the_gateway_finds_out_a_clone(arc: int) -> None:
    group = dg14(arc)
    session, responses = held(opened(VirtualCard(clone(image(files={LdsFile.DG14: group})))), group)
    with pytest.raises(ChipAuthenticationFailed):
        remote_chip_authentication.finish(session.state, responses, dg14=group, sod=SOD)


def test_an_attackers_own_dg14_passes_here_and_must_fail_passive_authentication() -> None:
    """Documents the limit: the key in this DG14 is the chip's, whoever made it."""
    forged = swap_dg14(image())
    group = forged.files[LdsFile.DG14]
    assert group != dg14()
    session, responses = held(opened(VirtualCard(forged)), group)
    remote_chip_authentication.finish(session.state, responses, dg14=group, sod=SOD)
    with pytest.raises(ChipAuthenticationFailed):
        remote_chip_authentication.finish(session.state, responses, dg14=dg14(), sod=SOD)


def test_recorded_answers_of_the_same_card_are_refused() -> None:
    card = VirtualCard(image())
    _, recorded = held(opened(card), dg14())
    card.power_on()
    fresh, _ = held(opened(card), dg14())
    with pytest.raises(ChipAuthenticationFailed):
        remote_chip_authentication.finish(fresh.state, recorded, dg14=dg14(), sod=SOD)


def test_every_altered_octet_of_the_answers_is_refused() -> None:
    session, responses = held(opened(VirtualCard(image())), dg14())
    for which, answer in enumerate(responses):
        for position in range(len(answer)):
            altered = list(responses)
            altered[which] = answer[:position] + bytes((answer[position] ^ 1,)) + answer[position + 1 :]
            with pytest.raises(ChipAuthenticationFailed):
                remote_chip_authentication.finish(session.state, altered, dg14=dg14(), sod=SOD)


def test_answers_out_of_order_missing_or_added_are_refused() -> None:
    session, responses = held(opened(VirtualCard(image())), dg14())
    first, second = responses
    for answers in ((), (second,), (second, first), (first, first), (first, second, second), (first, b"")):
        with pytest.raises(ChipAuthenticationFailed):
            remote_chip_authentication.finish(session.state, answers, dg14=dg14(), sod=SOD)


def test_another_security_object_is_refused() -> None:
    session, responses = held(opened(VirtualCard(image())), dg14())
    kept = msgspec.json.decode(session.state)
    altered = bytearray(SOD)
    altered[kept["offset"]] ^= 1
    for other in (bytes(altered), SOD[: kept["offset"] + 5], b""):
        with pytest.raises(ChipAuthenticationFailed):
            remote_chip_authentication.finish(session.state, responses, dg14=dg14(), sod=other)


@pytest.mark.parametrize("state", [b"", b"{}", b"[]", b"\xff"])
def test_a_state_that_is_not_ours_is_refused(state: bytes) -> None:
    with pytest.raises(ChipAuthenticationFailed):
        remote_chip_authentication.finish(state, (b"", b""), dg14=dg14(), sod=SOD)


def test_a_state_with_an_unknown_cipher_is_refused() -> None:
    session, responses = held(opened(VirtualCard(image())), dg14())
    altered = session.state.replace(b"AES_128", b"AES_129")
    with pytest.raises(ChipAuthenticationFailed):
        remote_chip_authentication.finish(altered, responses, dg14=dg14(), sod=SOD)


@pytest.mark.parametrize("length", [0, -1, 65_536])
def test_an_impossible_size_is_refused(length: int) -> None:
    with pytest.raises(LimitExceeded):
        remote_chip_authentication.begin(dg14(), length, random=os.urandom)


@pytest.mark.parametrize("length", [1, 0xDF, 0xE0, 32_990, 65_535])
def test_the_window_never_passes_the_end_of_the_file(length: int) -> None:
    for draw in (bytes, lambda size: b"\xff" * size, os.urandom):
        kept = msgspec.json.decode(
            remote_chip_authentication.begin(dg14(), length, random=draw).state  # type: ignore[arg-type]
        )
        assert 0 < kept["length"] <= 0xDF
        assert 0 <= kept["offset"] <= 0x7FFF
        assert kept["offset"] + kept["length"] <= length


def test_a_relayed_command_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        opened(VirtualCard(image())).relay((b"\x00\x22",), ())


def test_a_refused_step_in_our_session_is_a_failed_authentication() -> None:
    reader = opened(VirtualCard(image(chip_authentication_key=None)))
    with pytest.raises(ChipAuthenticationFailed):
        held(reader, dg14())


def test_what_is_prepared_shows_no_key() -> None:
    session = remote_chip_authentication.begin(dg14(), len(SOD), random=os.urandom)
    kept = msgspec.json.decode(session.state)
    assert kept["encryption"] not in repr(session)
    assert parse_dg14(dg14()).chip_authentication


def test_kept_keys_do_not_show() -> None:
    prepared = remote_chip_authentication.begin(dg14(), len(SOD), random=os.urandom)
    kept = remote_chip_authentication._read_state(prepared.state)
    assert repr(kept) == "_State(...)"
