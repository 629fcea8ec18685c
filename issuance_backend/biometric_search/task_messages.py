"""Requests and answers between their messages, their sealed form and the search's own types."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from issuance_backend.biometric_search.fusion import Candidate, Likeness
from issuance_backend.biometric_search.gallery_index import Enrolment
from issuance_backend.biometric_search.modality import Sample
from verification.messages.biometric_search import (
    CandidateMessage,
    InvestigationSearch,
    LikenessMessage,
    SampleMessage,
    SearchRequest,
    Warrant,
)


class KeptEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What lies sealed in a gallery's row."""

    subject: str
    encounter: str
    legal_basis: str
    samples: tuple[SampleMessage, ...]
    sex: str | None = None
    birth_year: int | None = None


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What lies sealed as the answer of a task."""

    candidates: tuple[CandidateMessage, ...] = ()
    warrant: Warrant | None = None


def samples(messages: Iterable[SampleMessage]) -> tuple[Sample, ...]:
    """The samples of a message."""
    return tuple(Sample(each.modality, each.position, each.format, each.content) for each in messages)


def sample_message(sample: Sample) -> SampleMessage:
    """A sample as a message holds it."""
    return SampleMessage(sample.modality, sample.position, sample.format, sample.content)


def enrolment(kept: KeptEnrolment, reference: str) -> Enrolment:
    """An enrolment as an index takes it."""
    return Enrolment(
        reference=reference, samples=samples(kept.samples), sex=kept.sex, birth_year=kept.birth_year
    )


def request_bytes(request: SearchRequest | InvestigationSearch) -> bytes:
    """A request in one spelling."""
    return msgspec.json.encode(request, order="sorted")


def read_request(content: bytes) -> SearchRequest:
    """The request that ``request_bytes`` wrote."""
    request: SearchRequest = msgspec.json.decode(content, type=SearchRequest)
    return request


def likeness_messages(likenesses: Iterable[Likeness]) -> tuple[LikenessMessage, ...]:
    """Comparisons as a message holds them."""
    return tuple(
        LikenessMessage(
            each.modality, each.position, round(each.score, 4), round(each.decibans, 2), each.calibration
        )
        for each in likenesses
    )


def candidate_message(
    candidate: Candidate, rank: int, reference: str, kept: KeptEnrolment
) -> CandidateMessage:
    """A candidate with who it is."""
    return CandidateMessage(
        reference=reference,
        rank=rank,
        decibans=round(candidate.decibans, 2),
        is_hit=candidate.is_hit,
        is_claimed=False,
        likenesses=likeness_messages(candidate.likenesses),
        subject=kept.subject,
        encounter=kept.encounter,
    )
