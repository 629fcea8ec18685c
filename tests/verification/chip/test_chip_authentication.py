"""Chip authentication, run here and held by somebody without a reader."""

from __future__ import annotations

import hashlib
import os
from time import thread_time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuance_backend.virtual_card.chip_profiles import AgreementOffer, ChipProfile
from issuance_backend.virtual_card.tampering import clone, swap_dg14
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, Interposed, dg14, image, profiled, public_info
from tests.support.explicit_curve import public_key_info
from tests.support.scripted_card import ScriptedRandom, random_for_private_key, seeded
from tests.support.stopwatch import within
from tests.support.textbook_curve import TextbookCurve
from tests.support.textbook_pace import OverCurve, OverFiniteField, TextbookCipher, command_data, der, take
from tests.support.vectors import load
from verification.chip import chip_authentication, remote_chip_authentication
from verification.chip.elliptic_curves import Curve
from verification.chip.finite_field_groups import FiniteFieldGroup
from verification.chip.key_agreement import STANDARDISED
from verification.chip.keys import Can, Suite, session_keys
from verification.chip.reading import DocumentReader
from verification.chip.remote_chip_authentication import RemoteChipAuthentication
from verification.chip.subject_public_keys import STANDARDISED_PARAMETERS
from verification.encoding.object_identifier import build_oid, encode_oid
from verification.encoding.tlv import build_integer
from verification.errors import (
    CardRemoved,
    ChipAuthenticationFailed,
    ChipAuthenticationUnsupported,
    LimitExceeded,
    MalformedDocument,
)
from verification.iso7816.channel import Channel
from verification.lds.files import LdsFile
from verification.lds.public_key_info import EC_PUBLIC_KEY
from verification.lds.security_infos import (
    PUBLIC_KEY_DH,
    PUBLIC_KEY_ECDH,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    SecurityInfos,
    build_dg14,
    parse_dg14,
)

CASE = load("eacv1_ca_ta_synthetic")
DH, ECDH = "0.4.0.127.0.7.2.2.3.1.", "0.4.0.127.0.7.2.2.3.2."
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
    assert agreement.ephemeral.hex() == CASE["comp_pk_pcd_x"]


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


def standardised(
    parameter_id: int, key_id: int | None = None, scalar: int = 7
) -> ChipAuthenticationPublicKey:
    """A chip's public key of any group, by the group's number."""
    group = STANDARDISED[parameter_id]
    public = group.power_of_generator(scalar)
    is_curve = isinstance(group, Curve)
    info = public_key_info(
        build_oid(STANDARDISED_PARAMETERS) + build_integer(parameter_id),
        public if is_curve else build_integer(int.from_bytes(public, "big")),
    )
    return ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH if is_curve else PUBLIC_KEY_DH, info, key_id)


def test_the_strongest_protocol_is_chosen() -> None:
    chosen = chip_authentication.choose_key(build_dg14(infos(f"{ECDH}1", f"{ECDH}4", f"{ECDH}2")))
    assert (chosen.protocol, chosen.suite) == (f"{ECDH}4", Suite.AES_256)


def test_a_key_without_a_named_protocol_is_taken_for_triple_des() -> None:
    assert chip_authentication.choose_key(build_dg14(infos())).suite is Suite.TRIPLE_DES
    chosen = chip_authentication.choose_key(
        build_dg14(SecurityInfos(chip_authentication_keys=(standardised(1, 4),)))
    )
    assert (chosen.protocol, chosen.suite, chosen.key_id) == (f"{DH}1", Suite.TRIPLE_DES, 4)


@pytest.mark.parametrize(
    "offer",
    [
        SecurityInfos(),
        infos(f"{DH}2"),
        infos(f"{ECDH}9"),
        infos(f"{ECDH}2", curve=ec.SECP256K1()),
        SecurityInfos(
            chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 1),),
            chip_authentication_keys=(standardised(1),),
        ),
        SecurityInfos(
            chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 2),),
            chip_authentication_keys=(standardised(13),),
        ),
        SecurityInfos(
            chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 1, 1),),
            chip_authentication_keys=(standardised(13, 2),),
        ),
    ],
    ids=[
        "nothing",
        "finite field and a point",
        "unknown cipher",
        "unknown curve",
        "curve and a number",
        "version 2",
        "another key",
    ],
)
def test_offers_that_are_not_spoken_are_said_to_be_so(offer: SecurityInfos) -> None:
    with pytest.raises(ChipAuthenticationUnsupported):
        chip_authentication.choose_key(build_dg14(offer))


@pytest.mark.parametrize(
    ("in_info", "in_key", "expected"), [(None, None, None), (1, 1, 1), (1, None, 1), (None, 1, 1), (0, 0, 0)]
)
def test_the_number_of_a_key_may_stand_in_either_place(
    in_info: int | None, in_key: int | None, expected: int | None
) -> None:
    offer = SecurityInfos(
        chip_authentication=(ChipAuthenticationInfo(f"{ECDH}2", 1, in_info),),
        chip_authentication_keys=(standardised(13, in_key),),
    )
    chosen = chip_authentication.choose_key(build_dg14(offer))
    assert chosen.key_id == expected
    first, _ = chip_authentication.agree(chosen, os.urandom).commands
    reference = b"" if expected is None else bytes((0x84, 0x01, expected))
    assert first.data == b"\x80\x0a" + encode_oid(f"{ECDH}2") + reference


def test_the_strongest_of_several_keys_is_chosen() -> None:
    offer = SecurityInfos(
        chip_authentication=(
            ChipAuthenticationInfo(f"{DH}4", 1, 1),
            ChipAuthenticationInfo(f"{ECDH}2", 1, 2),
            ChipAuthenticationInfo(f"{ECDH}4", 1, 3),
            ChipAuthenticationInfo(f"{ECDH}1", 1, 4),
        ),
        chip_authentication_keys=tuple(
            standardised(parameter_id, number) for number, parameter_id in enumerate((2, 18, 14, 17), 1)
        ),
    )
    chosen = chip_authentication.choose_key(build_dg14(offer))
    assert (chosen.key_id, chosen.protocol) == (3, f"{ECDH}4")


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
    public = keys[1].public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert chosen.key.element == public


# -- an independent chip ------------------------------------------------------------------------


class TextbookChip:
    """One static key; after the agreement it answers SELECT under the keys that it came to."""

    def __init__(self, group: OverCurve | OverFiniteField, cipher: TextbookCipher, private: int) -> None:
        self.group, self.cipher, self.private = group, cipher, private
        self.peer = self.secret = b""
        self.seen: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.seen.append(command)
        if command[:4].hex() == "002241a4":
            return b"\x90\x00"
        if command[:4].hex() == "002241a6":
            size = command[4] or int.from_bytes(command[5:7], "big")
            # The reference of the private key follows where there is one.
            self._agree(take(command[-size:].removesuffix(b"\x84\x01\x03"), 0x91))
            return b"\x90\x00"
        if command[1] == 0x86:
            self._agree(take(take(command_data(command), 0x7C), 0x80))
            return b"\x7c\x00\x90\x00"
        assert command[:4].hex() == "0ca4020c"
        return self._protected(b"\x99\x02\x90\x00") + b"\x90\x00"

    def _agree(self, theirs: bytes) -> None:
        self.peer = theirs
        self.secret = self.group.secret(self.group.times(self.private, self.group.decode(theirs)))

    def _protected(self, body: bytes) -> bytes:
        data = (2).to_bytes(self.cipher.block, "big") + body
        if self.cipher.name == "AES":
            data += b"\x80" + bytes(-(len(data) + 1) % 16)
        return body + der(b"\x8e", self.cipher.mac(self.cipher.derive(self.secret, 2), data))


CIPHERS = {1: ("3DES", 16), 2: ("AES", 16), 3: ("AES", 24), 4: ("AES", 32)}


def textbook(parameter_id: int) -> OverCurve | OverFiniteField:
    group = STANDARDISED[parameter_id]
    if isinstance(group, Curve):
        known = group.parameters
        return OverCurve(TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y)))
    assert isinstance(group, FiniteFieldGroup)
    return OverFiniteField(group.p, group.g, group.q)


@pytest.mark.parametrize("parameter_id", STANDARDISED)
@pytest.mark.parametrize("arc", CIPHERS)
def test_every_group_and_cipher_with_an_independent_chip(parameter_id: int, arc: int) -> None:
    family = ECDH if parameter_id > 7 else DH
    group = build_dg14(
        SecurityInfos(
            chip_authentication=(ChipAuthenticationInfo(f"{family}{arc}", 1, 3),),
            chip_authentication_keys=(standardised(parameter_id, 3, scalar=4711),),
        )
    )
    book = textbook(parameter_id)
    card = TextbookChip(book, TextbookCipher(*CIPHERS[arc]), 4711)
    ephemeral = chip_authentication.authenticate(Channel(card), group, seeded(parameter_id).randbytes)
    # One command names key and public value for 3DES, two for AES; then comes the proof.
    assert len(card.seen) == (2 if arc == 1 else 3)
    # Comp() of the public key that was sent: x, or the SHA-1 hash of the number.
    hashed = hashlib.new("sha1", card.peer, usedforsecurity=False).digest()
    assert ephemeral == (hashed if parameter_id < 8 else card.peer[1 : (len(card.peer) + 1) // 2])


@pytest.mark.parametrize("parameter_id", STANDARDISED)
def test_a_chip_with_another_key_is_found_out(parameter_id: int) -> None:
    group = build_dg14(SecurityInfos(chip_authentication_keys=(standardised(parameter_id, scalar=4711),)))
    card = TextbookChip(textbook(parameter_id), TextbookCipher("3DES", 16), 4712)
    with pytest.raises(ChipAuthenticationFailed):
        chip_authentication.authenticate(Channel(card), group, seeded(1).randbytes)


@pytest.mark.parametrize("parameter_id", [0, 8, 9, 12])
def test_a_shared_secret_with_a_leading_zero(parameter_id: int) -> None:
    """The chip's key is moved on until the secret with our first ephemeral key begins with zero."""
    book, source = textbook(parameter_id), seeded(6)
    drawn = source.randbytes(40)
    ours = STANDARDISED[parameter_id].key(lambda size: drawn[:size]).public
    peer, private = book.decode(ours), 4711
    shared = book.times(private, peer)
    while book.secret(shared)[0]:
        private, shared = private + 1, book.combine(shared, peer)
    group = build_dg14(SecurityInfos(chip_authentication_keys=(standardised(parameter_id, scalar=private),)))
    card = TextbookChip(book, TextbookCipher("3DES", 16), private)
    chip_authentication.authenticate(Channel(card), group, lambda size: drawn[:size])
    assert card.secret[0] == 0


@pytest.mark.parametrize("name", ["tr03110_eac_ecdh", "tr03110_eac_dh"])
def test_worked_example_of_the_bsi(name: str) -> None:
    """Version 2 derives its keys from a nonce too; the agreement itself is that of version 1."""
    case = load(name)
    values, group = case["values"], STANDARDISED[case["parameter_id"]]
    order = textbook(case["parameter_id"]).order
    length = (order.bit_length() + 7) // 8
    private = random_for_private_key(int(values["ca_pcd_priv_key"], 16) % order, length)
    key = group.key(ScriptedRandom([private]))
    assert key.public.hex() == values["ca_pcd_pub_key"]
    secret = key.shared_secret(bytes.fromhex(values["ca_picc_pub_key"]))
    assert secret.hex() == values["ca_shared_secret_k"]
    keys = session_keys(secret + bytes.fromhex(values["ca_nonce"]), Suite.AES_128)
    assert (keys.encryption.hex(), keys.checksum.hex()) == (values["ca_k_enc"], values["ca_k_mac"])
    # What terminal authentication signs ends in our compressed key.
    assert case["ta_signed_data"].endswith(group.compress(key.public).hex())


def test_a_chips_number_outside_its_group_is_never_calculated_with() -> None:
    group = STANDARDISED[1]
    info = public_key_info(build_oid(STANDARDISED_PARAMETERS) + build_integer(1), build_integer(3))
    offer = SecurityInfos(chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_DH, info),))
    assert pow(3, getattr(group, "q"), group.field_prime) != 1  # noqa: B009
    chosen = chip_authentication.choose_key(build_dg14(offer))
    with pytest.raises(MalformedDocument):
        chip_authentication.agree(chosen, os.urandom)


@pytest.mark.timed
def test_as_many_long_keys_as_a_file_holds_cost_no_time() -> None:
    """Membership costs a power and is tested for the chosen key alone."""
    keys = tuple(standardised(2, number, scalar=5) for number in range(60))
    with within(0.2, thread_time):
        chip_authentication.choose_key(build_dg14(SecurityInfos(chip_authentication_keys=keys)))


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


@pytest.mark.parametrize("parameter_id", [0, 2, 9, 14])
@pytest.mark.parametrize("suite", [Suite.TRIPLE_DES, Suite.AES_256])
def test_the_gateway_proves_a_chip_of_any_group(parameter_id: int, suite: Suite) -> None:
    """Keys of 2048 bits go to the chip in extended commands, in the agent's session too."""
    carried = profiled(ChipProfile(agreement=(AgreementOffer(suite, parameter_id),)))
    group, sod = carried.files[LdsFile.DG14], carried.files[LdsFile.SOD]
    reader = opened(VirtualCard(carried))
    session = remote_chip_authentication.begin(group, len(sod), random=os.urandom)
    responses = reader.relay(session.agent_wrapped, session.relayed)
    remote_chip_authentication.finish(session.state, responses, dg14=group, sod=sod)


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
