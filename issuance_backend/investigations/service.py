"""Searches by warrant that begin with pictures: they are made templates of, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from issuance_backend.biometric_search import domain
from issuance_backend.biometric_search.finger_modality import SINGLE_FINGERS
from issuance_backend.biometric_search.modality import Sample
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.content_scanning.domain import ContentScanner
from issuance_backend.dossiers.national_gallery import FaceMaker, FingerMaker
from issuance_backend.investigations.refusals import PictureNotSearched
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from verification.errors import FaceNotVerified, FieldsRefused, LimitExceeded, MalformedDocument
from verification.messages.asked_prints import finger_item
from verification.messages.biometric_search import (
    Investigation,
    InvestigationPictures,
    InvestigationSearch,
    SampleMessage,
)
from verification.messages.national_time import vietnam_date

PORTRAIT = "portrait"


@dataclass(frozen=True, slots=True)
class Makers:
    """The engines of this office; one that is missing makes nothing of its pictures."""

    face: FaceMaker | None
    finger: FingerMaker | None


class PictureSearchDesk:
    """Takes pictures of investigators, and gives what is made of them to the search."""

    def __init__(self, search: SearchDesk, makers: Makers, scanner: ContentScanner, clock: Clock) -> None:
        self._search = search
        self._makers = makers
        self._scanner = scanner
        self._clock = clock

    def investigate(self, officer: Officer, asked: InvestigationPictures) -> Investigation:
        """Queue a search by warrant; no picture is looked at before the warrant was.

        Raises RoleMissing, WarrantRefused, FieldsRefused beside each picture that gives nothing, and what
        the search and the scanner raise.
        """
        officer.require(Role.INVESTIGATOR)
        domain.require_in_force(asked.warrant, vietnam_date(self._clock()))
        self._scanner.require_clean([asked.portrait, *asked.prints.values()])
        request = InvestigationSearch(
            task_id=asked.task_id,
            warrant=asked.warrant,
            gallery=asked.gallery,
            samples=self._samples(asked.portrait, asked.prints),
            max_candidates=asked.max_candidates,
        )
        return self._search.investigate(officer, request)

    def _samples(self, portrait: bytes, prints: Mapping[int, bytes]) -> tuple[SampleMessage, ...]:
        if not prints.keys() <= SINGLE_FINGERS:
            raise FieldsRefused({"prints": "FIELD_CHARACTERS"})
        made: list[Sample] = []
        faults: dict[str, str] = {}
        for field, make in self._work(portrait, prints).items():
            try:
                made.append(make())
            except (FaceNotVerified, MalformedDocument, LimitExceeded, PictureNotSearched) as fault:
                faults[field] = fault.code
        if not made and not faults:
            faults[PORTRAIT] = "FIELD_MISSING"
        if faults:
            raise FieldsRefused(faults)
        return tuple(sample_message(each) for each in made)

    def _work(self, portrait: bytes, prints: Mapping[int, bytes]) -> dict[str, Callable[[], Sample]]:
        """What is to be made of each picture, by its field."""
        work: dict[str, Callable[[], Sample]] = {}
        if portrait:
            work[PORTRAIT] = partial(self._face, portrait)
        for position, content in sorted(prints.items()):
            work[finger_item(position)] = partial(self._finger, content, position)
        return work

    def _face(self, portrait: bytes) -> Sample:
        if self._makers.face is None:
            raise PictureNotSearched("no face engine")
        return self._makers.face.sample(portrait)

    def _finger(self, content: bytes, position: int) -> Sample:
        if self._makers.finger is None:
            raise PictureNotSearched("no finger engine")
        return self._makers.finger.sample(content, position)
