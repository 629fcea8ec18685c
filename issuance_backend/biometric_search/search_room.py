"""Looking somebody up in one gallery, and which of those found must go before examiners."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend.biometric_search import cases, repository
from issuance_backend.biometric_search.adjudication import CaseKind
from issuance_backend.biometric_search.cases import Pair
from issuance_backend.biometric_search.domain import Outcome
from issuance_backend.biometric_search.fusion import Candidate
from issuance_backend.biometric_search.gallery_index import Filters, Question, Searchable
from issuance_backend.biometric_search.gallery_keys import GalleryKey
from issuance_backend.biometric_search.refusals import GallerySubjectUnknown
from issuance_backend.biometric_search.task_messages import KeptEnrolment, candidate_message, samples
from verification.messages.biometric_search import (
    CandidateMessage,
    Identify,
    InvestigationSearch,
    Verify,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: an order to look closer, or none; never a verdict on anybody."""

    outcome: Outcome = Outcome.NO_CANDIDATES
    candidates: tuple[CandidateMessage, ...] = ()
    gallery_size: int | None = None
    pairs: tuple[Pair, ...] = field(default=())

    def open_cases(self, connection: Connection, moment: datetime) -> None:
        """Put every hit before the examiners in the caller's transaction."""
        for pair in self.pairs:
            cases.open_case(connection, pair, moment)


@dataclass(frozen=True, slots=True)
class Searching:
    """One search: where, and with which key."""

    connection: Connection
    index: Searchable
    key: GalleryKey

    def told(self, candidates: tuple[Candidate, ...], but_not: str | None = None) -> list[CandidateMessage]:
        """Candidates with who they are; an encounter is never a candidate of itself."""
        found: list[CandidateMessage] = []
        for candidate in candidates:
            kept = self._kept(candidate)
            if kept is not None and kept.encounter != but_not:
                reference = self.key.reference(kept.subject)
                found.append(candidate_message(candidate, len(found) + 1, reference, kept))
        return found

    def _kept(self, candidate: Candidate) -> KeptEnrolment | None:
        number = candidate.number
        row = repository.enrolment(self.connection, self.key.gallery, number)
        if row is None or row.sealed is None:  # removed while we looked
            return None
        content = self.key.open(row.sealed, f"enrolment/{number}")
        return msgspec.json.decode(content, type=KeptEnrolment)


def look(searching: Searching, request: Identify | Verify | InvestigationSearch) -> Found:
    """Do what is asked; raises TemplateRefused, GallerySubjectUnknown."""
    if isinstance(request, Identify):
        return _identify(searching, request)
    if isinstance(request, Verify):
        return _verify(searching, request)
    return _investigate(searching, request)


def _identify(searching: Searching, request: Identify) -> Found:
    question = Question(
        samples=samples(request.samples),
        but_not=searching.key.reference(request.encounter),
        # One more than asked for: the application itself may be among them under its person's name.
        max_candidates=request.max_candidates + 1,
        target_fpir_decibans=request.target_fpir_decibans,
    )
    told = searching.told(searching.index.identify(question), request.encounter)
    claimed = searching.key.reference(request.claimed_subject) if request.claimed_subject else None
    told = [
        msgspec.structs.replace(each, is_claimed=each.reference == claimed)
        for each in told[: request.max_candidates]
    ]
    doubtful = [each for each in told if each.is_hit and not each.is_claimed]
    if claimed and not any(each.is_hit for each in told if each.is_claimed):
        # Whoever says to be somebody enrolled and is not found as such must be looked at as well.
        doubtful += _unlike(searching, request, claimed)
    return Found(
        outcome=Outcome.ADJUDICATION if doubtful else Outcome.NO_HIT,
        candidates=tuple(told),
        gallery_size=len(searching.index),
        pairs=tuple(
            Pair(
                probe_encounter=request.encounter,
                candidate_encounter=each.encounter or each.reference,
                took_part=request.officers,
                likenesses=each.likenesses,
                kind=CaseKind.CLAIMED if each.reference == claimed else CaseKind.FOUND,
            )
            for each in doubtful
        ),
    )


def _unlike(searching: Searching, request: Identify, claimed: str) -> list[CandidateMessage]:
    compared = searching.index.verify(samples(request.samples), claimed)
    return searching.told(compared, request.encounter)[:1]


def _verify(searching: Searching, request: Verify) -> Found:
    reference = searching.key.reference(request.subject)
    if not searching.index.knows(reference):
        raise GallerySubjectUnknown("nobody of this name")
    told = searching.told(searching.index.verify(samples(request.samples), reference))
    is_likely = any(each.is_hit for each in told)
    return Found(
        outcome=Outcome.LIKELY if is_likely else Outcome.UNLIKELY,
        candidates=tuple(told),
        gallery_size=len(searching.index),
    )


def _investigate(searching: Searching, request: InvestigationSearch) -> Found:
    question = Question(
        samples=samples(request.samples),
        filters=Filters(sex=request.sex, born_from=request.born_from, born_to=request.born_to),
        max_candidates=request.max_candidates,
    )
    told = searching.told(searching.index.identify(question))
    return Found(
        outcome=Outcome.CANDIDATES if told else Outcome.NO_CANDIDATES,
        candidates=tuple(told),
        gallery_size=len(searching.index),
    )
