"""What is remembered of a type of card, for how long, and of how many."""

from __future__ import annotations

from verification.chip.card_types import CardLimits, CardTypeMemory

SHORT = CardLimits(0xA0, past_the_end=False)
LONG = CardLimits(4096, past_the_end=True)


def test_each_type_has_its_own_limits() -> None:
    memory = CardTypeMemory()
    assert memory.recall(b"one") is None
    memory.remember(b"one", SHORT)
    memory.remember(b"two", LONG)
    assert (memory.recall(b"one"), memory.recall(b"two"), memory.recall(b"three")) == (SHORT, LONG, None)


def test_what_one_card_said_is_not_believed_for_ever() -> None:
    """A card that pretends to be of a type must not slow down all others of it for good."""
    memory = CardTypeMemory()
    memory.remember(b"type", SHORT)
    recalled = 0
    while memory.recall(b"type") == SHORT:
        memory.remember(b"type", SHORT)  # the next card was read with what was remembered
        recalled += 1
        assert recalled <= 1000
    assert recalled == 50
    memory.remember(b"type", LONG)
    assert memory.recall(b"type") == LONG


def test_new_limits_replace_the_old_ones() -> None:
    memory = CardTypeMemory()
    memory.remember(b"type", LONG)
    memory.remember(b"type", SHORT)
    assert memory.recall(b"type") == SHORT


def test_it_stays_small_and_keeps_the_types_met_lately() -> None:
    memory = CardTypeMemory()
    memory.remember(b"usual", SHORT)
    for number in range(500):
        memory.remember(number.to_bytes(2, "big"), LONG)
        if number % 40 == 0:
            memory.recall(b"usual")
    held = [number for number in range(500) if memory.recall(number.to_bytes(2, "big"))]
    assert len(held) < 64
    assert held[-1] == 499
    assert memory.recall(b"usual") == SHORT


def test_no_file_of_a_card_is_kept() -> None:
    memory = CardTypeMemory()
    memory.remember(b"a file of a card", SHORT)
    assert b"a file" not in repr(vars(memory)).encode()
