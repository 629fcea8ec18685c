"""One gallery in several programs: each holds a share of it in memory, and all are asked as one.

An enrolment lies in the share that its number falls to. Every share proposes and compares its own, all at
once, and what they found is ranked together by the threshold of the whole gallery: whoever asks is
answered as by one index. A share that ended takes nothing with it that the database does not hold.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

from issuance_backend.biometric_search.fusion import (
    DEFAULT_FPIR_DECIBANS,
    Candidate,
    Likeness,
    Threshold,
    ranked,
)
from issuance_backend.biometric_search.gallery_index import Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample
from issuance_backend.refusals import DeduplicationUnavailable

MakeModalities = Callable[[], Modalities]
"""Makes the plug-ins once more in the program of a share: a function that can be named across programs."""


class GalleryShares:
    """Everybody of one gallery, in ``count`` programs that end with this one."""

    def __init__(self, modalities: Modalities, make: MakeModalities, count: int) -> None:
        self._modalities = modalities
        self._shares = [_Share(make) for _ in range(count)]

    @property
    def is_whole(self) -> bool:
        """Whether every share is still there."""
        return all(share.is_there for share in self._shares)

    def __len__(self) -> int:
        return sum(self._asked("__len__"))

    def add(self, enrolments: Sequence[tuple[int, Enrolment]]) -> None:
        """Take enrolments by the number that the gallery gave them."""
        parts: list[list[tuple[int, Enrolment]]] = [[] for _ in self._shares]
        for number, enrolment in enrolments:
            parts[number % len(parts)].append((number, enrolment))
        for share, part in zip(self._shares, parts, strict=True):
            share.ask("add", part)
        self._answers()

    def remove(self, number: int) -> None:
        """Forget an enrolment."""
        share = self._shares[number % len(self._shares)]
        share.ask("remove", number)
        share.answer()

    def identify(self, question: Question) -> tuple[Candidate, ...]:
        """Candidates, the strongest first; raises ModalityUnknown or TemplateRefused."""
        self._modalities.require_sound(question.samples)
        threshold = Threshold.for_search(len(self), question.target_fpir_decibans)
        return ranked(_together(self._asked("proposed", question)), threshold, question.max_candidates)

    def knows(self, reference: str) -> bool:
        """Whether somebody of this name is enrolled."""
        return any(self._asked("knows", reference))

    def verify(self, samples: Sequence[Sample], reference: str) -> tuple[Candidate, ...]:
        """The enrolments of one person against a probe: a comparison 1:1, the strongest first."""
        self._modalities.require_sound(samples)
        compared = _together(self._asked("enrolled", samples, reference))
        return ranked(compared, Threshold.for_search(1, DEFAULT_FPIR_DECIBANS), len(compared))

    def _asked(self, what: str, *about: object) -> list[Any]:
        """Every share's answer; they work at the same time."""
        for share in self._shares:
            share.ask(what, *about)
        return self._answers()

    def _answers(self) -> list[Any]:
        return [share.answer() for share in self._shares]


class _Share:
    """One program with its part of the gallery, at the other end of a pipe."""

    def __init__(self, make: MakeModalities) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._program = context.Process(target=_hold, args=(theirs, make), daemon=True)
        self._program.start()
        theirs.close()

    @property
    def is_there(self) -> bool:
        return self._program.is_alive()

    def ask(self, what: str, *about: object) -> None:
        """Raises DeduplicationUnavailable where the program has ended."""
        try:
            self._pipe.send((what, about))
        except OSError:
            self._end()

    def answer(self) -> Any:
        """The answer to what was asked last; raises DeduplicationUnavailable."""
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            self._end()

    def _end(self) -> None:
        self._program.kill()
        self._program.join()
        raise DeduplicationUnavailable("a share of the gallery ended; it is read again") from None


def _hold(pipe: Connection, make: MakeModalities) -> None:
    """The program of a share: answer until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    index = GalleryIndex(make())
    while True:
        try:
            what, about = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(index, what)(*about))


def _together(
    found: Sequence[Mapping[int, Sequence[Likeness]]],
) -> dict[int, Sequence[Likeness]]:
    return {number: likenesses for share in found for number, likenesses in share.items()}
