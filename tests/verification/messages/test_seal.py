"""Sealed tokens: opened only unaltered, in their context, in time, under a known key."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import SealBroken
from verification.messages.seal import Sealer, derive_key

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=60)
OLD, NEW = os.urandom(32), os.urandom(32)


def sealer(*secrets: bytes, use: str = "test") -> Sealer:
    return Sealer(secrets or (NEW,), use, os.urandom)


@given(st.binary(max_size=500), st.text(max_size=30))
def test_what_was_sealed_opens(content: bytes, context: str) -> None:
    assert sealer().open(sealer().seal(content, context, SOON), context, NOW) == content


def test_every_byte_of_a_token_counts() -> None:
    token = sealer().seal(b"state", "session:1", SOON)
    for position in range(len(token)):
        altered = bytearray(token)
        altered[position] ^= 1
        with pytest.raises(SealBroken):
            sealer().open(bytes(altered), "session:1", NOW)
    for length in range(len(token)):
        with pytest.raises(SealBroken):
            sealer().open(token[:length], "session:1", NOW)


def test_a_token_opens_in_its_context_and_use_only() -> None:
    token = sealer().seal(b"state", "session:1", SOON)
    with pytest.raises(SealBroken):
        sealer().open(token, "session:2", NOW)
    with pytest.raises(SealBroken):
        sealer(use="other").open(token, "session:1", NOW)


def test_a_token_runs_out() -> None:
    token = sealer().seal(b"state", "c", SOON)
    with pytest.raises(SealBroken, match="run out"):
        sealer().open(token, "c", SOON)
    assert sealer().open(token, "c", SOON - timedelta(seconds=1)) == b"state"


def test_an_older_key_opens_and_the_newest_seals() -> None:
    token = sealer(OLD).seal(b"state", "c", SOON)
    assert sealer(NEW, OLD).open(token, "c", NOW) == b"state"
    with pytest.raises(SealBroken, match="unknown key"):
        sealer(OLD).open(sealer(NEW, OLD).seal(b"state", "c", SOON), "c", NOW)


@pytest.mark.parametrize("secrets", [(), (b"short",), (bytes(33),)])
def test_only_whole_keys_are_taken(secrets: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(secrets, "test", os.urandom)


def test_uses_of_one_secret_have_different_keys() -> None:
    assert len({derive_key(NEW, "a"), derive_key(NEW, "b"), derive_key(OLD, "a")}) == 3
