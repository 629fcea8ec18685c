from __future__ import annotations

import numpy as np
import pytest

from tests.support.synthetic_fingers import fingers, records, second_impressions
from verification.fingerprint.pair_words import (
    NO_WORD,
    POINTS,
    VOCABULARY,
    asked_words,
    points_of,
    stored_words,
)

PRINTS = fingers(300, 3)[:, :POINTS]


def as_points(print_: np.ndarray) -> np.ndarray:
    return print_[~np.isnan(print_[:, 0])]


def shared(one: np.ndarray, stored: np.ndarray) -> int:
    return int(np.isin(stored[stored != NO_WORD], asked_words(as_points(one))).sum())


def test_every_word_is_in_the_vocabulary() -> None:
    stored = stored_words(PRINTS)
    assert stored.max() <= NO_WORD
    assert asked_words(as_points(PRINTS[0])).max() < VOCABULARY
    assert (stored != NO_WORD).mean() > 0.5


def test_what_was_stored_is_among_what_is_asked() -> None:
    stored = stored_words(PRINTS[:20])
    for print_, words in zip(PRINTS[:20], stored, strict=True):
        assert set(words[words != NO_WORD]) <= set(asked_words(as_points(print_)))


@pytest.mark.parametrize("degrees", [10, 45, 90, 181])
def test_neither_turn_nor_shift_changes_a_word(degrees: float) -> None:
    turn = np.deg2rad(degrees)
    moved = PRINTS[:20].copy()
    x, y = PRINTS[:20, :, 0] - 210, PRINTS[:20, :, 1] - 240
    moved[..., 0] = x * np.cos(turn) + y * np.sin(turn) + 900
    moved[..., 1] = y * np.cos(turn) - x * np.sin(turn) + 700
    moved[..., 2] = (PRINTS[:20, :, 2] + turn) % (2 * np.pi)
    same = (np.sort(stored_words(PRINTS[:20])) == np.sort(stored_words(moved))).mean()
    assert same > 0.98  # the rest lies on the border of a cell


def test_a_second_touch_shares_more_words_than_strangers_do() -> None:
    stored = stored_words(PRINTS[:40])
    again = second_impressions(PRINTS[:40], 9)
    ranks = []
    for number, touched in enumerate(again):
        votes = [shared(touched, words) for words in stored]
        ranks.append(sum(each > votes[number] for each in votes))
    assert np.mean(np.array(ranks) == 0) > 0.8
    assert max(ranks) < 8


def test_a_record_gives_its_best_points() -> None:
    record = records(PRINTS[:1])[0]
    points = points_of(record)
    assert len(points) == min(POINTS, len(as_points(PRINTS[0])))
    assert np.allclose(points[:, :2], as_points(PRINTS[0])[:, :2], atol=0.51)


def test_few_points_have_few_words_and_none_have_none() -> None:
    assert not len(asked_words(np.zeros((0, 3), np.float32)))
    assert not len(asked_words(PRINTS[0][:1]))
    lonely = np.full((2, POINTS, 3), np.nan, np.float32)
    assert (stored_words(lonely) == NO_WORD).all()
