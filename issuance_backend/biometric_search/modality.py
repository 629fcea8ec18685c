"""What a kind of biometrics must offer to be searched: a plug-in, and the search itself knows none by name.

A plug-in says which templates it takes, keeps an index of many of them in memory, and turns its scores
into evidence by a calibration. Tables hold its code and its templates as bytes: another kind of
biometrics is another plug-in handed to the search, without a migration and without a change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from issuance_backend.biometric_search.calibration import Calibration
from issuance_backend.biometric_search.refusals import ModalityUnknown, TemplateRefused

MAX_TEMPLATE_BYTES = 64 * 1024
MAX_SAMPLES = 32
"""Ten fingers, two impressions each, a face and room for more; no person has as many."""


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """One template. ``position`` is the modality's own: a finger's code, 0 for the only face.

    Biometric data: never logged.
    """

    modality: str
    position: int
    format: str
    content: bytes

    def __repr__(self) -> str:
        return f"Sample({self.modality}, {self.position}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Score:
    """How alike two samples of one position are, in the engine's own measure (more is closer)."""

    position: int
    value: float


class ModalityIndex(Protocol):
    """Templates of one modality in memory, by row; the same row in every index is the same enrolment."""

    def add(self, rows: Sequence[int], samples: Sequence[Sequence[Sample]]) -> None:
        """Take the samples of new rows; a row may have none."""

    def remove(self, row: int) -> None:
        """Forget a row."""

    def shortlist(self, probe: Sequence[Sample], limit: int, allowed: Iterable[int] | None) -> list[int]:
        """At most ``limit`` rows worth comparing, out of ``allowed`` where that is given."""

    def scores(self, probe: Sequence[Sample], rows: Sequence[int]) -> Mapping[int, tuple[Score, ...]]:
        """The scores of rows that have a sample of a position that the probe has too."""


class Modality(Protocol):
    """One kind of biometrics with one engine."""

    @property
    def code(self) -> str:
        """The name in requests and tables: ``face``, ``finger``."""

    @property
    def format(self) -> str:
        """Which templates are taken: the engine that made them and how they are written."""

    @property
    def calibration(self) -> Calibration:
        """What a score is worth."""

    def require_sound(self, sample: Sample) -> None:
        """Raise VerificationError for a template that could not be compared."""

    def new_index(self) -> ModalityIndex:
        """An empty index."""


class Modalities:
    """The plug-ins of one installation."""

    def __init__(self, plugins: Iterable[Modality]) -> None:
        self._by_code: dict[str, Modality] = {}
        for plugin in plugins:
            if plugin.code in self._by_code:
                raise ValueError(f"two plug-ins for {plugin.code}")
            self._by_code[plugin.code] = plugin

    @property
    def codes(self) -> tuple[str, ...]:
        """The kinds that can be searched here."""
        return tuple(self._by_code)

    def named(self, code: str) -> Modality:
        """The plug-in of this code; raises ModalityUnknown."""
        try:
            return self._by_code[code]
        except KeyError:
            raise ModalityUnknown("no plug-in of this code") from None

    def require_sound(self, samples: Sequence[Sample]) -> None:
        """Raise ModalityUnknown, TemplateRefused or a plug-in's own error for what cannot be compared."""
        if not 0 < len(samples) <= MAX_SAMPLES:
            raise TemplateRefused(f"{len(samples)} samples")
        for sample in samples:
            plugin = self.named(sample.modality)
            if sample.format != plugin.format or len(sample.content) > MAX_TEMPLATE_BYTES:
                raise TemplateRefused("templates of another engine, or too long")
            plugin.require_sound(sample)
