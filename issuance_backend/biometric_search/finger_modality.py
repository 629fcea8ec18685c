"""Fingers: an inverted index over neighbouring minutiae proposes, the matcher compares what it proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from issuance_backend.biometric_search.calibration import Calibration, shipped
from issuance_backend.biometric_search.modality import Sample, Score
from issuance_backend.biometric_search.refusals import TemplateRefused
from issuance_backend.biometric_search.word_index import WordIndex
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.minutiae import read_template
from verification.fingerprint.pair_words import asked_words, points_of
from verification.lds.finger_image import FingerPosition

FINGER = "finger"
SINGLE_FINGERS = frozenset(range(FingerPosition.RIGHT_THUMB, FingerPosition.LEFT_LITTLE + 1))

_BATCH = 2_000


class FingerModality:
    """ISO/IEC 19794-2 templates of single fingers, compared by one engine."""

    code = FINGER
    format = "finger/iso-19794-2:2005"

    def __init__(self, engine: FingerEngine, calibration: Calibration | None = None) -> None:
        self.calibration = calibration or shipped(f"finger-{engine.id}")
        self._engine = engine

    def require_sound(self, sample: Sample) -> None:
        """Raise FingerTemplateMalformed or TemplateRefused."""
        template = read_template(sample.content)
        if sample.position not in SINGLE_FINGERS or template.position != sample.position:
            raise TemplateRefused("a template says which single finger it is")

    def new_index(self) -> FingerIndex:
        """An empty index."""
        return FingerIndex(self._engine)

    def sample(self, template: bytes) -> Sample:
        """A template of the engine as it is enrolled and searched; raises FingerTemplateMalformed."""
        return Sample(FINGER, int(read_template(template).position), self.format, template)


class FingerIndex:
    """One word index a finger position, and the templates themselves."""

    def __init__(self, engine: FingerEngine) -> None:
        self._engine = engine
        self._words: dict[int, WordIndex] = {}
        self._templates: dict[int, dict[int, bytes]] = {}
        self._removed: list[int] = []

    def add(self, rows: Sequence[int], samples: Sequence[Sequence[Sample]]) -> None:
        """Take the fingers of each row; a second impression of the same finger replaces the first."""
        pairs = zip(rows, samples, strict=True)
        taken = {(sample.position, row): sample.content for row, own in pairs for sample in own}
        for position, group in groupby(sorted(taken), key=lambda key: key[0]):
            fingers = [row for _, row in group]
            templates = self._templates.setdefault(position, {})
            templates.update({row: taken[position, row] for row in fingers})
            words = self._words.setdefault(position, WordIndex())
            for start in range(0, len(fingers), _BATCH):
                batch = fingers[start : start + _BATCH]
                words.add(batch, [points_of(templates[row]) for row in batch])

    def remove(self, row: int) -> None:
        """Forget a row; its words lead nowhere from now on."""
        self._removed.append(row)
        for templates in self._templates.values():
            templates.pop(row, None)

    def shortlist(self, probe: Sequence[Sample], limit: int, allowed: Iterable[int] | None) -> list[int]:
        """Rows with the most words in common with the probe's fingers, all fingers together."""
        votes = self._votes(probe)
        if votes is None:
            return []
        if allowed is not None:
            inside = np.fromiter(allowed, np.intp)
            masked = np.full_like(votes, 0)
            inside = inside[inside < len(votes)]
            masked[inside] = votes[inside]
            votes = masked
        # Before the best are chosen: whoever applied and withdrew often must not take every place.
        removed = np.asarray(self._removed, np.intp)
        votes[removed[removed < len(votes)]] = 0
        limit = min(limit, len(votes))
        best = np.argpartition(-votes, limit - 1)[:limit]
        best = best[np.argsort(-votes[best], kind="stable")]
        return [int(row) for row in best if votes[row] > 0]

    def scores(self, probe: Sequence[Sample], rows: Sequence[int]) -> Mapping[int, tuple[Score, ...]]:
        """The matcher's score for every finger that both have."""
        prepared = [
            (sample.position, self._engine.prepare(sample.content), self._templates[sample.position])
            for sample in _one_each(probe)
            if sample.position in self._templates
        ]
        return {
            row: tuple(
                Score(position, finger.score(templates[row]))
                for position, finger, templates in prepared
                if row in templates
            )
            for row in rows
        }

    def _votes(self, probe: Sequence[Sample]) -> npt.NDArray[np.float64] | None:
        every = [
            self._words[sample.position].votes(asked_words(points_of(sample.content)))
            for sample in _one_each(probe)
            if sample.position in self._words
        ]
        if not every:
            return None
        total = np.zeros(max(map(len, every)))
        for votes in every:
            total[: len(votes)] += votes
        return total


def _one_each(probe: Sequence[Sample]) -> list[Sample]:
    """One impression a finger: the same finger twice is no second piece of evidence."""
    return list({sample.position: sample for sample in probe}.values())
