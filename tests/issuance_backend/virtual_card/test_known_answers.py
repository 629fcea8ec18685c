"""The chip's protocols against the worked examples of ICAO 9303-11 and TR-03110."""

from __future__ import annotations

from typing import Any

import pytest

from issuance_backend.virtual_card.icc_basic_access import BasicAccess
from issuance_backend.virtual_card.icc_commands import Answer, CommandRefused, parse_command
from issuance_backend.virtual_card.icc_data_objects import Established
from issuance_backend.virtual_card.icc_groups import Group
from issuance_backend.virtual_card.icc_integrated_mapping import integrated_generator, pseudo_random
from issuance_backend.virtual_card.icc_pace import (
    Pace,
    PaceChip,
    PaceParameters,
    encrypted_chip_data,
    encrypted_nonce,
    pace_token,
)
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import vectors
from tests.support.chip_terminal import SELECT_APPLICATION, image, scripted
from verification.chip.keys import SessionKeys, Suite, mrz_seed, session_keys
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build, children, only
from verification.lds.files import LdsFile

BAC = vectors.load("bac")
SM_3DES = vectors.load("secure_messaging_3des")
SM_AES = vectors.load("secure_messaging_aes")["own_exchanges"]
GENERIC = vectors.load("pace_ecdh_gm")
CHIP_MAPPING = vectors.load("pace_ecdh_cam")

# The examples that print the chip's private keys are TR-03110's; ICAO's are pinned part by part.
WHOLE_RUNS = ("tr03110_eac_ecdh", "tr03110_eac_dh")
BY_PARTS = ("pace_ecdh_gm", "pace_dh_gm", "pace_ecdh_im", "pace_dh_im", "pace_ecdh_cam")
# After Kπ, a nonce: the examples of integrated mapping print a Kπ that no MRZ of theirs leads to.
INTEGRATED = ("pace_ecdh_im", "pace_dh_im")
AUTHORITIES = (b"DECVCAAT00002", b"DECVCAAT00001")


def octets(example: dict[str, Any], *names: str) -> bytes:
    """The first of these names that the example has."""
    return bytes.fromhex(next(example[name] for name in names if name in example))


def parameters_of(example: dict[str, Any]) -> PaceParameters:
    found = PaceParameters.of(encode_oid(example["protocol_oid"]), example["parameter_id"])
    assert found is not None
    return found


def number(example: dict[str, Any], name: str, group: Group) -> int:
    return int(example[name], 16) % group.order


def test_bac_answers_as_in_the_worked_example() -> None:
    chip = VirtualCard(image(mrz_information=BAC["mrz_information"]), scripted(BAC["rnd_ic"], BAC["k_ic"]))
    chip.transmit(bytes.fromhex(SELECT_APPLICATION))
    for name in ("get_challenge", "external_authenticate"):
        assert chip.transmit(bytes.fromhex(BAC[f"apdu_{name}"])).hex() == BAC[f"rapdu_{name}"]


def test_bac_session_starts_with_the_keys_and_counter_of_the_example() -> None:
    access = BasicAccess(BAC["mrz_information"], scripted(BAC["rnd_ic"], BAC["k_ic"]))
    access.challenge()
    established = access.authenticate(bytes.fromhex(BAC["e_ifd"] + BAC["m_ifd"]))
    expected = CardSecureMessaging(
        Suite.TRIPLE_DES,
        SessionKeys(bytes.fromhex(BAC["ks_enc"]), bytes.fromhex(BAC["ks_mac"])),
        int(BAC["ssc"], 16),
    )
    assert established.session.close(Answer(b"same")) == expected.close(Answer(b"same"))


@pytest.mark.parametrize("name", BY_PARTS)
def test_pace_encrypts_the_nonce_as_in_the_worked_example(name: str) -> None:
    example = vectors.load(name)
    nonce = encrypted_nonce(parameters_of(example).suite, octets(example, "k_pi"), octets(example, "s"))
    assert nonce.hex() == example["z"]


@pytest.mark.parametrize("name", [name for name in BY_PARTS if name not in INTEGRATED])
def test_pace_maps_to_the_generator_of_the_worked_example(name: str) -> None:
    example = vectors.load(name)
    group = parameters_of(example).group
    # Either side computes the same: the examples print the terminal's key, or both.
    key = group.key(int(example["map_ifd_priv"], 16))
    assert group.encode(key.public).hex() == example["map_ifd_pub"]
    shared = key.times(group.decode(octets(example, "map_ic_pub")))
    assert shared == octets(example, "h_point", "h")
    by_nonce = group.key(int(example["s"], 16)).public
    assert group.combine(by_nonce, shared).hex() == example["g_mapped"]


@pytest.mark.parametrize("name", INTEGRATED)
def test_integrated_mapping_of_the_worked_example(name: str) -> None:
    example = vectors.load(name)
    parameters = parameters_of(example)
    group, suite = parameters.group, parameters.suite
    drawn = pseudo_random(group.prime, suite, octets(example, "s"), octets(example, "t"))
    assert drawn.to_bytes(len(octets(example, "prf")), "big").hex() == example["prf"]
    assert f"{drawn % group.prime:x}" == example["prf_mod_p"].lstrip("0")
    generator = integrated_generator(group, suite, octets(example, "s"), octets(example, "t"))
    assert generator.hex() == example["g_mapped"]


@pytest.mark.parametrize("name", BY_PARTS)
def test_pace_session_keys_and_tokens_of_the_worked_example(name: str) -> None:
    example = vectors.load(name)
    parameters = parameters_of(example)
    group = parameters.group
    key = group.key(int(example["ifd_priv"], 16))
    assert group.encode(key.times(octets(example, "g_mapped"))).hex() == example["ifd_pub"]
    secret = key.agree(group.decode(octets(example, "ic_pub")))
    assert secret == octets(example, "shared_x", "shared")
    keys = session_keys(secret, parameters.suite)
    assert (keys.encryption.hex(), keys.checksum.hex()) == (example["ks_enc"], example["ks_mac"])
    for token, public in (("t_ifd", "ic_pub"), ("t_ic", "ifd_pub")):
        element = group.decode(octets(example, public))
        assert pace_token(parameters, keys, element).hex() == example[token]


def test_chip_authentication_data_of_the_worked_example() -> None:
    group = parameters_of(CHIP_MAPPING).group
    keys = SessionKeys(octets(CHIP_MAPPING, "ks_enc"), octets(CHIP_MAPPING, "ks_mac"))
    chip_data = int(CHIP_MAPPING["ca_ic"], 16)
    assert encrypted_chip_data(keys, chip_data, group.order) == octets(CHIP_MAPPING, "encrypted_ca_data")
    # CA_IC leads from the static key to the key of the mapping, which is what a terminal checks.
    static = group.decode(octets(CHIP_MAPPING, "pk_ic_derived"))
    assert group.key(chip_data).times(static) == octets(CHIP_MAPPING, "map_ic_pub")


def test_pace_gives_nonce_and_mapping_key_of_the_worked_example_byte_for_byte() -> None:
    random = scripted(GENERIC["s"], GENERIC["map_ic_priv"], "11" * 32)
    chip = PaceChip(
        offered=[parameters_of(GENERIC)], passwords={1: mrz_seed(GENERIC["mrz_information"])}, random=random
    )
    pace = Pace(chip)
    (select, _), *steps = GENERIC["apdus"]
    pace.start(parse_command(bytes.fromhex(select)).data)
    for sent, expected in steps[:2]:
        answer = pace.step(parse_command(bytes.fromhex(sent)).data, last=False)
        assert isinstance(answer, bytes)
        assert (answer + b"\x90\x00").hex().upper() == expected


@pytest.mark.parametrize("name", WHOLE_RUNS)
def test_a_whole_run_of_pace_is_that_of_the_technical_guideline(name: str) -> None:
    """PACE with the chip's own private keys; the password there is the PIN, which our chip has not."""
    example = vectors.load(name)
    values, parameters = example["values"], parameters_of(example)
    group = parameters.group
    length = (group.order.bit_length() + 7) // 8
    drawn = [f"{number(values, key, group):0{2 * length}x}" for key in ("map_picc_priv_key", "picc_priv_key")]
    random = scripted(values["nonce"], *drawn)
    chip = PaceChip(
        offered=[parameters],
        passwords={3: example["password"].encode("ascii")},
        random=random,
        authorities=lambda: AUTHORITIES,
    )
    pace = Pace(chip)
    authorization = build(0x7F4C, bytes.fromhex("060904007F0007030102015301FF"))
    pace.start(build(0x80, parameters.protocol) + build(0x83, b"\x03") + authorization)

    def step(tag: int | None, value: bytes, answer_tag: int) -> str:
        sent = b"" if tag is None else build(tag, value)
        answer = pace.step(build(0x7C, sent), last=False)
        assert isinstance(answer, bytes)
        return only(only(answer, 0x7C), answer_tag).hex()

    assert step(None, b"", 0x80) == values["nonce_enc"]
    assert step(0x81, octets(values, "map_pcd_pub_key"), 0x82) == values["map_picc_pub_key"]
    # The guideline writes it with the sign octet of an INTEGER; in a data object there is none.
    terminal_key = octets(values, "pcd_pub_key").lstrip(b"\x00")
    assert step(0x83, terminal_key, 0x84) == values["picc_pub_key"]
    token = build(0x85, octets(values, "authentication_token_pcd"))
    established = pace.step(build(0x7C, token), last=True)
    assert isinstance(established, Established)
    # The terminal announced its authorization, so it is told whose certificates the chip takes.
    told = [(part.tag, part.value) for part in children(only(established.answer, 0x7C))]
    assert told == [
        (0x86, octets(values, "authentication_token_picc")),
        *zip((0x87, 0x88), AUTHORITIES, strict=True),
    ]
    assert established.card_identity == group.compress(octets(values, "picc_pub_key"))
    # Generic mapping proves no chip, so nothing binds a terminal yet.
    assert established.terminal_key is None


@pytest.mark.parametrize("name", WHOLE_RUNS)
def test_the_static_key_agreement_is_that_of_the_technical_guideline(name: str) -> None:
    """Version 2 derives its session keys otherwise; the shared secret is that of version 1."""
    example = vectors.load(name)
    group, values = parameters_of(example).group, example["values"]
    key = group.key(int(values["ca_picc_priv_key"], 16))
    assert group.encode(key.public).hex() == values["ca_picc_pub_key"]
    shared = key.agree(group.decode(octets(values, "ca_pcd_pub_key")))
    assert shared.hex() == values["ca_shared_secret_k"]
    # The compressed key is the end of what the terminal signs there, the chip's its beginning.
    signed = bytes.fromhex(example["ta_signed_data"])
    assert signed.startswith(group.compress(group.decode(octets(values, "picc_pub_key"))))
    assert signed.endswith(group.compress(group.decode(octets(values, "ca_pcd_pub_key"))))


def test_protected_reading_after_bac_is_the_worked_example_byte_for_byte() -> None:
    content = bytes.fromhex("".join(exchange["plain"] for exchange in SM_3DES["exchanges"]))
    chip = VirtualCard(
        image(mrz_information=BAC["mrz_information"], files={LdsFile.COM: content}),
        scripted(BAC["rnd_ic"], BAC["k_ic"]),
    )
    opening = (SELECT_APPLICATION, BAC["apdu_get_challenge"], BAC["apdu_external_authenticate"])
    for command in opening:
        chip.transmit(bytes.fromhex(command))
    for exchange in SM_3DES["exchanges"]:
        assert chip.transmit(bytes.fromhex(exchange["protected"])).hex() == exchange["rapdu"]


@pytest.mark.parametrize("exchange", SM_AES["exchanges"], ids=lambda exchange: exchange["name"])
def test_aes_secure_messaging_of_the_chip(exchange: dict[str, str]) -> None:
    session = session_before(exchange, SM_AES["exchanges"])
    session.open(parse_command(bytes.fromhex(exchange["protected"])))
    assert session.close(Answer(bytes.fromhex(exchange["plain"]))).hex() == exchange["rapdu"]


def session_before(exchange: dict[str, str], exchanges: list[dict[str, str]]) -> CardSecureMessaging:
    keys = SessionKeys(bytes.fromhex(SM_AES["ks_enc"]), bytes.fromhex(SM_AES["ks_mac"]))
    return CardSecureMessaging(Suite.AES_128, keys, 2 * exchanges.index(exchange))


def test_aes_secure_messaging_refuses_a_replayed_command() -> None:
    first = parse_command(bytes.fromhex(SM_AES["exchanges"][0]["protected"]))
    session = session_before(SM_AES["exchanges"][0], SM_AES["exchanges"])
    session.open(first)
    session.close(Answer())
    with pytest.raises(CommandRefused) as refused:
        session.open(first)
    assert refused.value.status_word == 0x6988
