"""The search and its examiners in a walked office: a gallery, and faces of which some are alike.

Who is shown in a portrait is known by the picture itself; the search, its cases and the desks are real.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import numpy as np

from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.examiners_desk import Applications, ExaminersDesk
from issuance_backend.biometric_search.examiners_desk import Pictures as CasePictures
from issuance_backend.biometric_search.gallery_keys import GalleryKey, KeyRoom
from issuance_backend.biometric_search.modality import Modalities, Sample
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.dossiers import acts
from issuance_backend.dossiers.case_parts import awaits_examiners, fingers
from issuance_backend.dossiers.deduplication import Biometrics, DeduplicationDesk
from issuance_backend.dossiers.national_gallery import NationalGallery
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.repository import dossier_of_encounter
from issuance_backend.moments import Clock
from monitoring.database import Database
from tests.support.issuance_office import picture
from tests.support.search_bed import face_modality
from verification.errors import TransitionRefused
from verification.messages.biometric_search import SampleMessage

NATIONAL = "national"
FACES = 40
ALIKE = 24
"""So many of the faces, two and two, are of one person."""


class OneKey(KeyRoom):
    """Every gallery's key, the same wherever somebody walks in the same office."""

    def __init__(self) -> None:
        self._known = {NATIONAL: GalleryKey.derived(NATIONAL, bytes(32))}

    def make(self, gallery: str) -> None:
        """It is there."""


@cache
def portrait_of(face: int) -> bytes:
    """The picture that shows this face."""
    return picture(1_000 + face)


@cache
def _shown() -> dict[bytes, int]:
    return {portrait_of(face): face for face in range(FACES)}


@cache
def face_sample(face: int) -> Sample:
    """A template of this face."""
    person = face // 2 if face < ALIKE else face
    one = np.random.default_rng(person).normal(0, 0.075, 128) + 0.05
    touch = np.random.default_rng((person, face)).normal(0, 0.008, 128)
    return face_modality().sample((one + touch).astype(np.float32))


class WalkedGallery(NationalGallery):
    """The national gallery; a face engine's part is played by whoever knows whom a picture shows."""

    def __init__(self, desk: SearchDesk, pictures: Pictures) -> None:
        super().__init__(desk, pictures, None, None)

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        return (sample_message(face_sample(_shown()[self._pictures.read(biometrics.portrait)])),)


class WalkedSearch:
    """The search of an office: who leads dossiers through it, its worker, and the examiners' desk."""

    def __init__(self, database: Database, pictures: Pictures, clock: Clock) -> None:
        keys, modalities = OneKey(), Modalities((face_modality(),))
        desk = SearchDesk(database, keys, modalities, clock)
        with suppress(TransitionRefused):  # of several who walk in one office the first has opened it
            desk.open_gallery(NATIONAL, GalleryKind.NATIONAL)
        self.leading = DeduplicationDesk(database, WalkedGallery(desk, pictures), clock)
        self.worker = SearchWorker(database, keys, modalities, clock)

        def shown(encounter: str) -> bytes:
            with database.reading() as connection:
                return pictures.read(acts.found(connection, dossier_of_encounter(encounter)).portrait)

        applications = Applications(awaits_examiners, acts.worked_on, fingers)
        both = CasePictures(shown, lambda encounter, position: shown(encounter))
        self.examiners = ExaminersDesk(database, clock, both, applications=applications)
