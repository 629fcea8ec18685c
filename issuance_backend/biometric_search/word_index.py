"""An inverted index from words to the prints that have them, which grows without being rebuilt each time.

Prints gather in segments; a segment as large as the one before it is merged with it, so that there are
few of them and every print is moved only a few times (a log-structured merge).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verification.fingerprint.pair_words import NO_WORD, POINTS, VOCABULARY, Points, Words, stored_words

_SMALLEST_SEGMENT = 2_000
# Prints with few words would else be pushed up by one lucky word.
_STEADINESS = 20.0
# Of a word that everybody has: impressions of one finger may be all there are, and are still alike.
_LEAST_WORTH = 0.01


@dataclass(frozen=True, slots=True)
class _Segment:
    """``rows`` ordered by word; the prints of word w are ``rows[starts[w]:starts[w + 1]]``."""

    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.uint32]


class WordIndex:
    """The words of one finger position of every row."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._waiting: list[tuple[npt.NDArray[np.uint32], Words]] = []
        self._waiting_prints = 0
        self._sizes = np.zeros(0, np.float32)
        self._holders = np.zeros(VOCABULARY, np.int64)
        self._prints = 0

    def add(self, rows: Sequence[int], prints: Sequence[Points]) -> None:
        """Take the prints of new rows."""
        if not rows:
            return
        together = np.full((len(prints), POINTS, 3), np.nan, np.float32)
        for place, points in enumerate(prints):
            together[place, : len(points)] = points
        words = stored_words(together)
        which = np.repeat(np.asarray(rows, np.uint32), words.shape[1])
        flat = words.ravel()
        held = flat != NO_WORD
        self._note_sizes(rows, (words != NO_WORD).sum(1))
        self._holders += np.bincount(flat[held], minlength=VOCABULARY)
        self._waiting.append((which[held], flat[held]))
        self._waiting_prints += len(rows)
        if self._waiting_prints >= _SMALLEST_SEGMENT:
            self._settle()

    def votes(self, asked: Words) -> npt.NDArray[np.float64]:
        """How much each row has in common with a print that has these words: rare words count more."""
        if self._waiting:
            self._settle()
        total = np.zeros(len(self._sizes))
        words, times = np.unique(asked, return_counts=True)
        share = np.log(max(self._prints, 2) / np.maximum(self._holders[words], 1))
        worth = share.clip(_LEAST_WORTH) * np.sqrt(times)
        for segment in self._segments:
            lists = [segment.rows[segment.starts[word] : segment.starts[word + 1]] for word in words]
            weights = np.repeat(worth, [len(each) for each in lists])
            total += np.bincount(np.concatenate(lists), weights, minlength=len(total)) if lists else 0
        return np.asarray(total / np.sqrt(self._sizes + _STEADINESS))

    def _note_sizes(self, rows: Sequence[int], sizes: npt.NDArray[np.int64]) -> None:
        room = max(rows) + 1
        if room > len(self._sizes):
            self._sizes = np.pad(self._sizes, (0, max(room, len(self._sizes) * 3 // 2) - len(self._sizes)))
        self._sizes[np.asarray(rows)] = sizes
        self._prints += len(rows)

    def _settle(self) -> None:
        rows = np.concatenate([each for each, _ in self._waiting])
        words = np.concatenate([each for _, each in self._waiting])
        self._waiting, self._waiting_prints = [], 0
        self._segments.append(_segment(rows, words))
        while len(self._segments) > 1 and len(self._segments[-1].rows) * 2 > len(self._segments[-2].rows):
            newer, older = self._segments.pop(), self._segments.pop()
            self._segments.append(_merged(older, newer))


def _segment(rows: npt.NDArray[np.uint32], words: Words) -> _Segment:
    starts = np.zeros(VOCABULARY + 1, np.int64)
    np.cumsum(np.bincount(words, minlength=VOCABULARY), out=starts[1:])
    return _Segment(starts, rows[np.argsort(words, kind="stable")])


def _merged(older: _Segment, newer: _Segment) -> _Segment:
    words = np.concatenate([_words_of(older), _words_of(newer)])
    return _segment(np.concatenate([older.rows, newer.rows]), words)


def _words_of(segment: _Segment) -> Words:
    return np.repeat(np.arange(VOCABULARY, dtype=np.uint16), np.diff(segment.starts))
