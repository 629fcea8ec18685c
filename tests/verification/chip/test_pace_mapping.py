"""The pseudo-random function of the integrated mapping, and the nonce lengths it is made for."""

from __future__ import annotations

import pytest

from tests.support.scripted_card import seeded
from tests.support.textbook_pace import TextbookCipher
from tests.support.vectors import load
from verification.chip.key_agreement import STANDARDISED
from verification.chip.keys import Suite
from verification.chip.pace_mapping import integrated_nonce_length, map_integrated, pseudo_random_number
from verification.errors import MalformedDocument

LENGTHS = {Suite.TRIPLE_DES: 16, Suite.AES_128: 16, Suite.AES_192: 32, Suite.AES_256: 32}


@pytest.mark.parametrize("name", ["pace_ecdh_im", "pace_dh_im"])
def test_worked_examples_of_icao_9303_11_h(name: str) -> None:
    case = load(name)
    group = STANDARDISED[case["parameter_id"]]
    nonces = bytes.fromhex(case["s"]), bytes.fromhex(case["t"])
    number = pseudo_random_number(Suite.AES_128, *nonces, group.field_prime)
    assert number == int(case["prf_mod_p"], 16) == int(case["prf"], 16) % group.field_prime
    assert map_integrated(group, Suite.AES_128, *nonces).hex() == case["g_mapped"]


@pytest.mark.parametrize("suite", LENGTHS)
@pytest.mark.parametrize("parameter_id", [0, 8, 13, 18])
def test_every_cipher_and_length_of_prime(suite: Suite, parameter_id: int) -> None:
    source = seeded(parameter_id)
    nonces = source.randbytes(LENGTHS[suite]), source.randbytes(suite.key_length)
    prime = STANDARDISED[parameter_id].field_prime
    book = TextbookCipher("3DES" if suite is Suite.TRIPLE_DES else "AES", suite.key_length)
    assert pseudo_random_number(suite, *nonces, prime) == book.pseudo_random(*nonces, prime)


@pytest.mark.parametrize("suite", LENGTHS)
def test_the_chips_nonce_is_whole_blocks_not_shorter_than_the_key(suite: Suite) -> None:
    assert integrated_nonce_length(suite) == LENGTHS[suite]
    for length in {8, 16, 24, 32, 48} - {LENGTHS[suite]}:
        with pytest.raises(MalformedDocument):
            pseudo_random_number(suite, bytes(length), bytes(suite.key_length), 2**256)
