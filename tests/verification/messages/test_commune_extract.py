"""Extracts for kits: for one key of one kit, every byte counts, and a filter never denies whom it holds."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.gate_trial import citizens, extract_of
from verification.errors import LimitExceeded, VerificationError
from verification.messages import commune_extract, packet_encryption
from verification.messages.commune_extract import (
    FALSE_RATE,
    CommuneExtract,
    FilterMaker,
    KnownFilter,
    name_key,
    number_key,
    open_extract,
    seal_extract,
)
from verification.messages.refusals import CommuneExtractExpired, CommuneExtractForeign, CommuneExtractInvalid
from verification.messages.signing_key import thumbprint

CENTRE, KIT, OTHER_KIT = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
TRUSTED = {thumbprint(CENTRE.public_key()): CENTRE.public_key()}
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NATION = citizens(40)
EXTRACT = extract_of(NATION, NATION[:2])
SALT = b"\x05" * 16


def sealed(extract: CommuneExtract = EXTRACT) -> str:
    return seal_extract(extract, CENTRE, KIT.public_key(), os.urandom)


def test_an_extract_opens_with_the_kit_s_key_and_is_the_one_that_was_sealed() -> None:
    assert open_extract(sealed(), TRUSTED, KIT, NOW) == EXTRACT


def test_a_sealed_extract_shows_no_name_and_no_number() -> None:
    token = sealed().encode()
    person = EXTRACT.people[0]
    assert person.citizen_number.encode() not in token
    assert person.person.full_name.encode() not in token


def test_every_altered_character_is_refused() -> None:
    token = sealed()
    for position, character in enumerate(token):
        altered = f"{token[:position]}{'A' if character != 'A' else 'B'}{token[position + 1 :]}"
        with pytest.raises(VerificationError):
            open_extract(altered, TRUSTED, KIT, NOW)


@pytest.mark.parametrize("token", ["", ".", "....", "a.b.c.d.e", "é" * 40])
def test_what_is_no_extract_is_refused(token: str) -> None:
    with pytest.raises(CommuneExtractInvalid):
        open_extract(token, TRUSTED, KIT, NOW)


def test_an_extract_of_another_kit_is_refused_also_when_it_was_encrypted_anew() -> None:
    with pytest.raises(CommuneExtractForeign):
        open_extract(sealed(), TRUSTED, OTHER_KIT, NOW)
    content = packet_encryption.decrypt(sealed(), b"commune extract", KIT)
    passed_on = packet_encryption.encrypt(content, b"commune extract", OTHER_KIT.public_key(), os.urandom)
    with pytest.raises(CommuneExtractForeign):
        open_extract(passed_on, TRUSTED, OTHER_KIT, NOW)


def test_an_extract_that_somebody_else_signed_is_refused() -> None:
    forged = seal_extract(EXTRACT, OTHER_KIT, KIT.public_key(), os.urandom)
    with pytest.raises(CommuneExtractInvalid):
        open_extract(forged, TRUSTED, KIT, NOW)


def test_an_extract_that_is_over_is_refused() -> None:
    token = sealed(replace(EXTRACT, expires_at="2026-11-23T00:00:00Z"))
    open_extract(token, TRUSTED, KIT, NOW)
    with pytest.raises(CommuneExtractExpired):
        open_extract(token, TRUSTED, KIT, NOW + timedelta(days=2))


def test_a_token_longer_than_any_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commune_extract, "MAX_TOKEN", 100)
    with pytest.raises(LimitExceeded):
        open_extract(sealed(), TRUSTED, KIT, NOW)


def test_content_longer_than_was_signed_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commune_extract, "MAX_CONTENT", 100)
    with pytest.raises(CommuneExtractInvalid):
        open_extract(sealed(), TRUSTED, KIT, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"people": EXTRACT.people[::-1]},
        {"people": EXTRACT.people[:1] * 2},
        {"numbers": KnownFilter(b"", 9, SALT)},
        {"numbers": KnownFilter(b"\0", 0, SALT)},
        {"names": KnownFilter(b"\0", 10_000, SALT)},
        {"names": KnownFilter(b"\0", 9, b"")},
        {"as_of": "yesterday"},
        {"expires_at": "2026-12-01T00:00:00"},
    ],
)
def test_an_extract_that_the_gate_could_not_rely_upon_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CommuneExtractInvalid):
        open_extract(sealed(replace(EXTRACT, **changes)), TRUSTED, KIT, NOW)


def test_people_are_found_by_their_numbers() -> None:
    extract = extract_of(NATION, NATION)
    for citizen in NATION:
        assert extract.person(citizen.entry.citizen_number) == citizen.entry
    assert extract.person("000000000000") is extract.person("999999999999") is None


@given(st.lists(st.binary(max_size=40), max_size=60), st.binary(min_size=16, max_size=16))
def test_a_filter_never_denies_what_it_holds(keys: list[bytes], salt: bytes) -> None:
    maker = FilterMaker(len(keys), salt)
    for key in keys:
        maker.add(key)
    made = maker.made()
    assert all(made.holds(key) for key in keys)


def test_a_filter_takes_strangers_for_known_as_seldom_as_it_was_built_for() -> None:
    count, asked = 20_000, 100_000
    maker = FilterMaker(count, SALT)
    for value in range(count):
        maker.add(number_key(f"{value:012d}"))
    made = maker.made()
    taken = sum(made.holds(number_key(f"{value:012d}")) for value in range(count, count + asked))
    # Four standard deviations of a draw of so many.
    assert abs(taken / asked - FALSE_RATE) < 4 * (FALSE_RATE / asked) ** 0.5
    assert len(made.bits) * 8 / count == pytest.approx(12.94, abs=0.01)


def test_another_salt_makes_another_filter_of_the_same_people() -> None:
    made = []
    for salt in (SALT, b"\x06" * 16):
        maker = FilterMaker(1, salt)
        maker.add(number_key("001190000001"))
        made.append(maker.made().bits)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    "name", ["NGUYEN THUY  LINH", "nguyễn thuỳ linh", "Nguyễn Thùy Linh", "Nguyen Thuilinh"]
)
def test_habits_and_lost_marks_make_the_same_key(name: str) -> None:
    assert name_key(name, "1990-02-03", "F") == name_key("Nguyễn Thùy Linh", "1990-02-03", "F")
    assert name_key(name, "1990-03-02", "F") != name_key("Nguyễn Thùy Linh", "1990-02-03", "F")
    assert name_key(name, "1990-02-03", "M") != name_key("Nguyễn Thùy Linh", "1990-02-03", "F")
