"""The chip's protocols against the worked examples of ICAO 9303-11 and TR-03110."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.icc_commands import Answer, CommandRefused, parse_command
from issuance_backend.virtual_card.icc_curves import (
    CURVES,
    add,
    decode_point,
    mapped_generator,
    product,
    public_point,
)
from issuance_backend.virtual_card.icc_protocols import (
    BasicAccess,
    ChipAuthentication,
    Pace,
    PaceParameters,
    agreement_key,
    pace_token,
)
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import vectors
from tests.support.chip_terminal import SELECT_APPLICATION, image, scripted
from verification.chip.keys import SessionKeys, Suite, mrz_seed, session_keys
from verification.encoding.object_identifier import encode_oid
from verification.lds.files import LdsFile

BAC = vectors.load("bac")
PACE = vectors.load("pace_ecdh_gm")
SM_3DES = vectors.load("secure_messaging_3des")
SM_AES = vectors.load("secure_messaging_aes")["own_exchanges"]
EAC = vectors.load("eacv1_ca_ta_synthetic")


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


PARAMETERS = PaceParameters(encode_oid(PACE["protocol_oid"]), PACE["parameter_id"])
CURVE = PARAMETERS.curve
# The example does not print the chip's second private key; the steps before it are pinned whole,
# the steps after it part by part.
ANY_KEY = "11" * 32


def test_pace_gives_nonce_and_mapping_key_of_the_worked_example() -> None:
    random = scripted(PACE["s"], PACE["map_ic_priv"], ANY_KEY)
    pace = Pace([PARAMETERS], {1: mrz_seed(PACE["mrz_information"])}, random)
    (select, _), *steps = PACE["apdus"]
    pace.start(parse_command(bytes.fromhex(select)).data)
    for sent, expected in steps[:2]:
        answer = pace.step(parse_command(bytes.fromhex(sent)).data, last=False)
        assert isinstance(answer, bytes)
        assert (answer + b"\x90\x00").hex().upper() == expected


def test_pace_maps_to_the_generator_of_the_worked_example() -> None:
    mapping_key = ec.derive_private_key(int(PACE["map_ic_priv"], 16), CURVE.named)
    shared = product(mapping_key, decode_point(CURVE, bytes.fromhex(PACE["map_ifd_pub"])))
    assert shared.encoded.hex() == PACE["h_point"]
    assert mapped_generator(CURVE, int(PACE["s"], 16), shared).encoded.hex() == PACE["g_mapped"]


def test_pace_session_keys_and_tokens_of_the_worked_example() -> None:
    keys = session_keys(bytes.fromhex(PACE["shared_x"]), Suite.AES_128)
    assert (keys.encryption.hex(), keys.checksum.hex()) == (PACE["ks_enc"], PACE["ks_mac"])
    for token, key in (("t_ifd", "ic_pub"), ("t_ic", "ifd_pub")):
        point = decode_point(CURVE, bytes.fromhex(PACE[key]))
        assert pace_token(PARAMETERS, keys, point).hex() == PACE[token]


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


def test_chip_authentication_agrees_on_the_keys_of_the_worked_example() -> None:
    key = ec.derive_private_key(int(EAC["chip_ca_private"], 16), ec.BrainpoolP256R1())
    command = parse_command(bytes.fromhex(EAC["apdu_general_authenticate_ca"]))
    session = ChipAuthentication(key, CURVES[13]).agree(agreement_key(command.data), Suite.AES_128)
    keys = SessionKeys(bytes.fromhex(EAC["ks_enc_aes128"]), bytes.fromhex(EAC["ks_mac_aes128"]))
    assert session.close(Answer(b"x")) == CardSecureMessaging(Suite.AES_128, keys).close(Answer(b"x"))


@pytest.mark.parametrize("number", sorted(CURVES))
def test_the_field_of_every_curve_is_the_one_that_openssl_uses(number: int) -> None:
    curve = CURVES[number]
    one, two, three = (public_point(curve, ec.derive_private_key(k, curve.named)) for k in (1, 2, 3))
    assert add(one, two) == three
    assert decode_point(curve, three.encoded) == three
