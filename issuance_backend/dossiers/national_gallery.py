"""Deduplication over the biometric search: the national gallery, with whatever engines are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from issuance_backend.biometric_search import repository as galleries
from issuance_backend.biometric_search.domain import GalleryKind, deduplication_task
from issuance_backend.biometric_search.finger_modality import SINGLE_FINGERS
from issuance_backend.biometric_search.modality import Sample
from issuance_backend.biometric_search.repository import Gallery
from issuance_backend.biometric_search.service import CARD_OFFICE, Caller, SearchDesk
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.dossiers.deduplication import Biometrics, Queued, Slaps
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.refusals import DeduplicationUnavailable
from verification.errors import MalformedDocument
from verification.face.engine import FaceEngine, Template
from verification.face.picture import Picture
from verification.face.quality import only_face
from verification.fingerprint.engine import FingerEngine, Print
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.slap import confirmed, misplaced, slap_templates
from verification.fingerprint.ten_prints import Pair, repeated
from verification.lds.finger_image import SLAPS, FingerPosition
from verification.messages.biometric_search import Delete, Identify, Insert, SampleMessage

OFFICE = Caller("application-office", CARD_OFFICE)
LEGAL_BASIS = "Luật 26/2023/QH15, điều 16"
PENDING = f"{LEGAL_BASIS} (hồ sơ đang xử lý)"
FORGOTTEN = "the application is enrolled, returned or over"


class TakesFaces(Protocol):
    """The modality that takes this engine's faces."""

    def sample(self, template: Template) -> Sample:
        """A template as it is searched."""


class TakesFingers(Protocol):
    """The modality that takes this engine's fingers."""

    def sample(self, template: bytes) -> Sample:
        """A template as it is searched."""


@dataclass(frozen=True, slots=True)
class FaceMaker:
    """Makes a face sample of a captured portrait; ``read`` shows it as it will stand on the card."""

    engine: FaceEngine
    modality: TakesFaces
    read: Callable[[bytes], Picture]

    def sample(self, portrait: bytes) -> Sample:
        """The only face; raises FaceNotFound, FaceMultiple, ImageUndecodable."""
        picture = self.read(portrait)
        face = only_face(self.engine.detect(picture))
        return self.modality.sample(self.engine.embed(picture, face))


@dataclass(frozen=True, slots=True)
class FingerMaker:
    """Makes finger samples of captured prints; ``read`` decodes them."""

    engine: FingerEngine
    modality: TakesFingers
    read: Callable[[bytes], Print]

    def sample(self, content: bytes, position: int) -> Sample:
        """The minutiae of one print; raises FingerImageUndecodable, FingerQualityInsufficient."""
        extracted = self.engine.extract(self.read(content), FingerPosition(position))
        return self.modality.sample(extracted.template)


class NationalGallery:
    """Queues searches and enrolments in the one gallery of everybody who has a card or applies for one."""

    def __init__(
        self, desk: SearchDesk, pictures: Pictures, face: FaceMaker | None, finger: FingerMaker | None
    ) -> None:
        self._desk = desk
        self._pictures = pictures
        self._face = face
        self._finger = finger

    @property
    def reads_fingers(self) -> bool:
        """Whether an engine here makes templates of prints."""
        return self._finger is not None

    def repeated(self, templates: Mapping[int, bytes], same_finger: float) -> tuple[Pair, ...]:
        """The pairs of positions whose prints are of one finger."""
        return () if self._finger is None else repeated(self._finger.engine, templates, same_finger)

    def slaps(self, prints: Mapping[int, str]) -> Slaps:
        """What the slaps among these prints show; one that cannot be cut proves nothing of any finger."""
        templates: dict[int, bytes] = {}
        uncut: dict[int, str] = {}
        if self._finger is None:
            return Slaps(templates, uncut)
        absent = SINGLE_FINGERS.difference(prints)
        for position in sorted(SLAPS.keys() & prints.keys()):
            try:
                picture = read_print(self._pictures.read(prints[position]))
                templates |= slap_templates(self._finger.engine, {position: picture}, absent)
            except MalformedDocument as fault:
                uncut[position] = fault.code
        return Slaps(templates, uncut)

    def misplaced(
        self, slaps: Slaps, templates: Mapping[int, bytes], same_finger: float
    ) -> Mapping[int, int]:
        """The positions whose print is of another finger, and of which; no slap, nothing said."""
        if self._finger is None:
            return {}
        return misplaced(self._finger.engine, slaps.templates, templates, same_finger)

    def confirmed(self, slaps: Slaps, templates: Mapping[int, bytes], same_finger: float) -> frozenset[int]:
        """The positions whose finger in a slap is the one of its single print."""
        if self._finger is None:
            return frozenset()
        return confirmed(self._finger.engine, slaps.templates, templates, same_finger)

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        """Templates of what was captured, with the engines that are here."""
        samples = [] if self._face is None else [self._face.sample(self._pictures.read(biometrics.portrait))]
        fingers, fault = self._fingers(biometrics.prints)
        samples += fingers
        if not samples:
            # A finger that cannot be read is missed only where nothing else is compared.
            raise fault or DeduplicationUnavailable("no engine here makes templates of what was captured")
        return tuple(sample_message(each) for each in samples)

    def _fingers(self, prints: Mapping[int, str]) -> tuple[list[Sample], MalformedDocument | None]:
        made: list[Sample] = []
        fault: MalformedDocument | None = None
        if self._finger is None:
            return made, fault
        for position in sorted(SINGLE_FINGERS.intersection(prints)):
            try:
                made.append(self._finger.sample(self._pictures.read(prints[position]), position))
            except MalformedDocument as unreadable:
                fault = unreadable
        return made, fault

    def search(
        self,
        connection: Connection,
        dossier: Dossier,
        samples: tuple[SampleMessage, ...],
        officers: Sequence[str],
        moment: datetime,
    ) -> Queued:
        """Queue the search; its id is that of the capture and of the gallery as it is now.

        The application is a member under its encounter, never under its number: who says to be somebody
        is not compared with himself before examiners or the centre have believed it. Changes of a gallery
        that were queued before are made before a search looks.
        """
        gallery = _national(connection)
        pending = msgspec.structs.replace(
            _insertion(gallery, dossier, samples),
            task_id=f"pending-{dossier.encounter}",
            subject=dossier.encounter,
            legal_basis=PENDING,
        )
        self._desk.submit_within(connection, OFFICE, pending, moment)
        request = Identify(
            task_id=deduplication_task(dossier.packet_sha256, gallery.version),
            gallery=gallery.code,
            encounter=dossier.encounter,
            samples=samples,
            officers=tuple(officers),
            claimed_subject=dossier.citizen_number,
        )
        task = self._desk.submit_within(connection, OFFICE, request, moment)
        return Queued(task.task_id, gallery.code)

    def enrol(
        self, connection: Connection, dossier: Dossier, samples: tuple[SampleMessage, ...], moment: datetime
    ) -> None:
        """Queue the enrolment of an approved applicant."""
        request = _insertion(_national(connection), dossier, samples)
        self._desk.submit_within(connection, OFFICE, request, moment)

    def forget(self, connection: Connection, member: str, moment: datetime) -> None:
        """Queue the removal of a pending member."""
        request = Delete(
            task_id=f"forget-{member}",
            gallery=_national(connection).code,
            subject=member,
            reason=FORGOTTEN,
        )
        self._desk.submit_within(connection, OFFICE, request, moment)

    def remove(self, connection: Connection, dossier: Dossier, moment: datetime) -> None:
        """Queue the removal of what a dossier enrolled under its number, and of nothing else there."""
        request = Delete(
            task_id=f"remove-{dossier.packet_sha256}",
            gallery=_national(connection).code,
            subject=dossier.citizen_number,
            encounter=dossier.encounter,
            reason=FORGOTTEN,
        )
        self._desk.submit_within(connection, OFFICE, request, moment)


def _insertion(gallery: Gallery, dossier: Dossier, samples: tuple[SampleMessage, ...]) -> Insert:
    return Insert(
        task_id=f"enrol-{dossier.packet_sha256}",
        gallery=gallery.code,
        subject=dossier.citizen_number,
        encounter=dossier.encounter,
        legal_basis=LEGAL_BASIS,
        samples=samples,
        sex=dossier.person.sex,
        birth_year=int(dossier.person.date_of_birth[:4]),
    )


def _national(connection: Connection) -> Gallery:
    found = galleries.galleries_of_kind(connection, GalleryKind.NATIONAL)
    if not found:
        raise DeduplicationUnavailable("no national gallery is open")
    return found[0]
