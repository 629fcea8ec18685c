"""Which protocol, group and key the chip agrees to, and in which words it refuses the others."""

from __future__ import annotations

import msgspec
import pytest

from issuance_backend.virtual_card.chip_profiles import AgreementOffer, ChipProfile, PaceOffer
from issuance_backend.virtual_card.icc_chip_authentication import AgreementOffer as Named
from issuance_backend.virtual_card.icc_chip_authentication import ChipAuthentication, ChipKey
from issuance_backend.virtual_card.icc_commands import CommandRefused
from issuance_backend.virtual_card.icc_groups import GROUPS
from issuance_backend.virtual_card.icc_pace import NonceMapping, PaceParameters
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import profiled
from verification.chip.keys import Suite
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build

GENERIC, INTEGRATED, CHIP = NonceMapping
ECDH, DH = "0.4.0.127.0.7.2.2.3.2.", "0.4.0.127.0.7.2.2.3.1."


def set_pace(card: VirtualCard, oid: str, parameter_id: int | None = None, password: int = 2) -> str:
    data = build(0x80, encode_oid(oid)) + build(0x83, bytes((password,)))
    data += b"" if parameter_id is None else build(0x84, bytes((parameter_id,)))
    return card.transmit(bytes.fromhex("0022C1A4") + bytes((len(data),)) + data).hex().upper()


@pytest.mark.parametrize(
    ("oid", "parameter_id"),
    [
        ("0.4.0.127.0.7.2.2.4.2.2", 0),  # a curve's protocol over a prime field
        ("0.4.0.127.0.7.2.2.4.1.2", 13),  # and the other way round
        ("0.4.0.127.0.7.2.2.4.6.1", 13),  # chip authentication mapping with 3DES
        ("0.4.0.127.0.7.2.2.4.5.2", 13),
        ("0.4.0.127.0.7.2.2.4.2.5", 13),
        ("0.4.0.127.0.7.2.2.4.2.2", 7),
        ("0.4.0.127.0.7.2.2.4.2.2", None),
    ],
)
def test_what_does_not_go_together_is_no_offer(oid: str, parameter_id: int | None) -> None:
    assert PaceParameters.of(encode_oid(oid), parameter_id) is None


def test_the_domain_parameters_have_to_be_told_where_there_are_several() -> None:
    offers = (PaceOffer(GENERIC, Suite.AES_128, 12), PaceOffer(GENERIC, Suite.AES_128, 13))
    card = VirtualCard(profiled(ChipProfile(pace=offers)))
    oid = offers[0].info.protocol
    assert set_pace(card, oid) == "6A80"
    assert [set_pace(card, oid, number) for number in (12, 13, 14)] == ["9000", "9000", "6A88"]
    assert set_pace(card, oid, 13, password=4) == "6A88"


def test_the_mapping_that_proves_the_chip_is_refused_without_its_key() -> None:
    image = profiled(ChipProfile(pace=(PaceOffer(CHIP),)))
    oid = PaceOffer(CHIP).info.protocol
    assert set_pace(VirtualCard(image), oid) == "9000"
    assert set_pace(VirtualCard(msgspec.structs.replace(image, mapping_key=None)), oid) == "6A80"


@pytest.mark.parametrize(("suite", "length"), [(Suite.AES_128, 16), (Suite.AES_192, 24), (Suite.AES_256, 32)])
def test_the_nonce_of_integrated_mapping_is_as_long_as_the_key(suite: Suite, length: int) -> None:
    offer = PaceOffer(INTEGRATED, suite)
    card = VirtualCard(profiled(ChipProfile(pace=(offer,))))
    for octets, expected in (
        (length, "7C028200" + "9000"),
        (length - 1, "6A80"),
        (length + 1, "6A80"),
        (0, "6A80"),
    ):
        assert set_pace(card, offer.info.protocol) == "9000"
        first = card.transmit(bytes.fromhex("10860000027C0000"))
        assert len(first) == 4 + (16 if length == 16 else 32) + 2
        data = build(0x7C, build(0x81, b"\x35" * octets))
        step = card.transmit(bytes.fromhex("10860000") + bytes((len(data),)) + data + b"\x00")
        assert step.hex().upper() == expected


def chip(*keys: tuple[int | None, int], offers: tuple[tuple[str, int | None], ...]) -> ChipAuthentication:
    return ChipAuthentication(
        [ChipKey(key_id, GROUPS[number], GROUPS[number].key(5)) for key_id, number in keys],
        [Named(encode_oid(oid), key_id) for oid, key_id in offers],
    )


def status(call: object, objects: dict[int, bytes]) -> int:
    try:
        call(objects)  # type: ignore[operator]
    except CommandRefused as refusal:
        return refusal.status_word
    return 0x9000


def test_of_several_keys_one_has_to_be_named() -> None:
    two = chip((1, 13), (2, 12), offers=((f"{ECDH}2", 1), (f"{ECDH}4", 2)))
    protocol = build_choice(f"{ECDH}2")
    assert status(two.select, protocol) == 0x6A80
    assert status(two.select, protocol | {0x84: b"\x01"}) == 0x9000
    assert status(two.select, protocol | {0x84: b"\x00\x01"}) == 0x9000
    # The second key goes with another protocol, the third is not there.
    assert status(two.select, protocol | {0x84: b"\x02"}) == 0x6A80
    assert status(two.select, protocol | {0x84: b"\x03"}) == 0x6A88


def test_a_single_key_needs_no_name_and_takes_one() -> None:
    one = chip((None, 13), offers=((f"{ECDH}2", None),))
    assert status(one.select, build_choice(f"{ECDH}2")) == 0x9000
    assert status(one.select, build_choice(f"{ECDH}2") | {0x84: b"\x09"}) == 0x9000
    assert status(one.select, build_choice(f"{ECDH}3")) == 0x6A80
    assert status(one.select, build_choice(f"{DH}2")) == 0x6A80
    assert status(one.select, {}) == 0x6A80
    assert status(chip(offers=()).select, build_choice(f"{ECDH}2")) == 0x6A88


def test_a_key_goes_with_the_protocols_of_its_kind() -> None:
    prime_field = chip((None, 0), offers=((f"{DH}2", None), (f"{ECDH}2", None)))
    assert status(prime_field.select, build_choice(f"{DH}2")) == 0x9000
    assert status(prime_field.select, build_choice(f"{ECDH}2")) == 0x6A80


def test_set_kat_is_for_3des_and_for_chips_that_say_nothing() -> None:
    point = {0x91: GROUPS[13].key(9).public}
    assert status(chip((None, 13), offers=((f"{ECDH}2", None),)).agree_at_once, point) == 0x6A80
    assert status(chip((None, 13), offers=((f"{ECDH}1", None),)).agree_at_once, point) == 0x9000
    assert status(chip((None, 13), offers=()).agree_at_once, point) == 0x9000
    assert status(chip((None, 13), offers=()).agree_at_once, {}) == 0x6A80
    assert status(chip((None, 13), offers=()).agree_at_once, {0x91: b"\x04" + bytes(64)}) == 0x6A80


def test_nothing_is_agreed_without_a_choice_and_a_choice_is_good_once() -> None:
    one = chip((None, 13), offers=((f"{ECDH}2", None),))
    data = build(0x7C, build(0x80, GROUPS[13].key(9).public))
    assert one.agree(data) is None
    one.select(build_choice(f"{ECDH}2"))
    assert one.agree(data) is not None
    assert one.agree(data) is None
    one.select(build_choice(f"{ECDH}2"))
    one.abort()
    assert one.agree(data) is None


def build_choice(oid: str) -> dict[int, bytes]:
    return {0x80: encode_oid(oid)}


def test_a_profile_names_every_key_of_the_card() -> None:
    offers = (AgreementOffer(Suite.AES_128, 13, 1), AgreementOffer(Suite.TRIPLE_DES, 2, 2))
    assert [offer.info.protocol for offer in offers] == [f"{ECDH}2", f"{DH}1"]
    assert set(profiled(ChipProfile(agreement=offers)).further_agreement_keys) == {2}
    for numbers in ((None, 1), (1, 1)):
        with pytest.raises(ValueError, match="number"):
            ChipProfile(agreement=tuple(AgreementOffer(key_id=number) for number in numbers))
    with pytest.raises(KeyError):
        _ = PaceOffer(CHIP, Suite.AES_128, 0).info
