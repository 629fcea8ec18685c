"""One gallery in memory: an index a modality, and the search over all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from issuance_backend.biometric_search.fusion import (
    DEFAULT_CANDIDATES,
    DEFAULT_FPIR_DECIBANS,
    Candidate,
    Likeness,
    Threshold,
    ranked,
    weighed,
)
from issuance_backend.biometric_search.modality import Modalities, ModalityIndex, Sample

SHORTLIST = 50
"""Rows that each modality proposes; every modality then compares what any of them proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What the index must know of one enrolment; ``reference`` is the gallery's own name of a person."""

    reference: str
    samples: tuple[Sample, ...]
    sex: str | None = None
    birth_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Whom to look among; whoever's particulars are unknown is never left out."""

    sex: str | None = None
    born_from: int | None = None
    born_to: int | None = None

    def admits(self, enrolment: Enrolment) -> bool:
        """Whether this enrolment is looked at."""
        if self.sex is not None and enrolment.sex not in {None, self.sex}:
            return False
        year = enrolment.birth_year
        if year is None:
            return True
        return (self.born_from or year) <= year <= (self.born_to or year)

    @property
    def exclude_nobody(self) -> bool:
        """Whether everybody is looked at."""
        return self == Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One identification."""

    samples: tuple[Sample, ...]
    filters: Filters = Filters()
    but_not: str | None = None
    """The gallery's own name of whoever asks: no comparison is as long as that of a print with itself."""
    max_candidates: int = DEFAULT_CANDIDATES
    target_fpir_decibans: int = DEFAULT_FPIR_DECIBANS


class Searchable(Protocol):
    """A gallery in memory, in one program or in several."""

    @property
    def is_whole(self) -> bool:
        """Whether it still holds everybody it was given."""
        ...

    def __len__(self) -> int: ...

    def add(self, enrolments: Sequence[tuple[int, Enrolment]]) -> None:
        """Take enrolments by the number that the gallery gave them; one that is known stays as it is."""
        ...

    def remove(self, number: int) -> None:
        """Forget an enrolment."""
        ...

    def identify(self, question: Question) -> tuple[Candidate, ...]:
        """Candidates, the strongest first; raises ModalityUnknown or TemplateRefused."""
        ...

    def knows(self, reference: str) -> bool:
        """Whether somebody of this name is enrolled."""
        ...

    def verify(self, samples: Sequence[Sample], reference: str) -> tuple[Candidate, ...]:
        """The enrolments of one person against a probe: a comparison 1:1, the strongest first."""
        ...


class GalleryIndex:
    """Everybody of one gallery, by row."""

    is_whole = True

    def __init__(self, modalities: Modalities) -> None:
        self._modalities = modalities
        self._indexes: dict[str, ModalityIndex] = {
            code: modalities.named(code).new_index() for code in modalities.codes
        }
        self._enrolments: list[Enrolment | None] = []
        self._numbers: list[int] = []
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._row_of)

    def add(self, enrolments: Sequence[tuple[int, Enrolment]]) -> None:
        """Take enrolments by the number that the gallery gave them; one that is known stays as it is."""
        new = [(number, enrolment) for number, enrolment in enrolments if number not in self._row_of]
        first = len(self._enrolments)
        rows = range(first, first + len(new))
        for row, (number, enrolment) in zip(rows, new, strict=True):
            self._row_of[number] = row
            self._numbers.append(number)
            # Templates lie in the indexes, in their own form: not here a second time.
            self._enrolments.append(
                Enrolment(
                    reference=enrolment.reference,
                    samples=(),
                    sex=enrolment.sex,
                    birth_year=enrolment.birth_year,
                )
            )
        for code, index in self._indexes.items():
            index.add(list(rows), [_of_modality(enrolment.samples, code) for _, enrolment in new])

    def remove(self, number: int) -> None:
        """Forget an enrolment."""
        row = self._row_of.pop(number, None)
        if row is not None:
            self._enrolments[row] = None
            for index in self._indexes.values():
                index.remove(row)

    def identify(self, question: Question) -> tuple[Candidate, ...]:
        """Candidates, the strongest first; raises ModalityUnknown or TemplateRefused."""
        threshold = Threshold.for_search(len(self), question.target_fpir_decibans)
        return ranked(self.proposed(question), threshold, question.max_candidates)

    def proposed(self, question: Question) -> dict[int, list[Likeness]]:
        """Whoever any modality proposes, compared by all, by number; raises as ``identify`` does."""
        self._modalities.require_sound(question.samples)
        allowed = self._allowed(question.filters)
        proposed: dict[int, None] = {}
        for code, index in self._indexes.items():
            probe = _of_modality(question.samples, code)
            proposed.update(dict.fromkeys(index.shortlist(probe, SHORTLIST, allowed)))
        return self._compared(
            question.samples, [row for row in proposed if not self._is(row, question.but_not)]
        )

    def knows(self, reference: str) -> bool:
        """Whether somebody of this name is enrolled."""
        return bool(self._rows_of(reference))

    def verify(self, samples: Sequence[Sample], reference: str) -> tuple[Candidate, ...]:
        """The enrolments of one person against a probe: a comparison 1:1, the strongest first."""
        compared = self.enrolled(samples, reference)
        return ranked(compared, Threshold.for_search(1, DEFAULT_FPIR_DECIBANS), len(compared))

    def enrolled(self, samples: Sequence[Sample], reference: str) -> dict[int, list[Likeness]]:
        """The enrolments of one person, compared, by number; raises as ``verify`` does."""
        self._modalities.require_sound(samples)
        return self._compared(samples, self._rows_of(reference))

    def _rows_of(self, reference: str) -> list[int]:
        return [row for row in range(len(self._enrolments)) if self._is(row, reference)]

    def _is(self, row: int, reference: str | None) -> bool:
        enrolment = self._enrolments[row]
        return enrolment is not None and enrolment.reference == reference

    def _compared(self, samples: Sequence[Sample], rows: Sequence[int]) -> dict[int, list[Likeness]]:
        found: dict[int, list[Likeness]] = {row: [] for row in rows}
        for code, index in self._indexes.items():
            calibration = self._modalities.named(code).calibration
            for row, scores in index.scores(_of_modality(samples, code), rows).items():
                found[row].extend(weighed(code, calibration, scores))
        return {self._numbers[row]: likenesses for row, likenesses in found.items()}

    def _allowed(self, filters: Filters) -> list[int] | None:
        if filters.exclude_nobody:
            return None
        return [
            row for row, enrolment in enumerate(self._enrolments) if enrolment and filters.admits(enrolment)
        ]


def _of_modality(samples: Iterable[Sample], code: str) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if sample.modality == code)
