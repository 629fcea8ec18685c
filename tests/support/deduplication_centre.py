"""Office, search and examiners over one database, with a real gallery of invented people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import select, update

from issuance_backend.biometric_search import repository as galleries
from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.biometric_search.case_repository import of_encounter
from issuance_backend.biometric_search.tables import GALLERY_ENROLMENTS
from issuance_backend.biometric_search.worker import opened
from issuance_backend.dossiers import acts, repository
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.deduplication import Biometrics, DeduplicationDesk
from issuance_backend.dossiers.domain import DossierEvent
from issuance_backend.dossiers.national_gallery import NationalGallery
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.schema import CREDENTIALS
from tests.support.application_desk import LAN, MINH, SON, THU, Desk, capture_of, desk_on
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from tests.support.running import run_pending
from tests.support.search_bed import EXAMINERS, SearchBed, make_bed, messages, samples_of
from verification.errors import FaceNotFound
from verification.messages.biometric_search import CaseDecision, SampleMessage
from verification.messages.capture_terms import FIRST_CARD, OldCard, Reason, StatedTerms
from verification.messages.dossier_decisions import RejectionReason

NOT_ENTITLED = RejectionReason("not_entitled", "Luật 26/2023/QH15", "Không còn được cấp")


@dataclass
class Biometry:
    """Which invented person a portrait shows; a real engine's part is played here."""

    shown: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    has_face: bool = True


class InventedTemplates(NationalGallery):
    """The national gallery with templates of invented people."""

    def __init__(self, bed: SearchBed, desk: Desk, biometry: Biometry) -> None:
        super().__init__(bed.desk, desk.pictures, None, None)
        self._home = desk
        self._biometry = biometry

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        if not self._biometry.has_face:
            raise FaceNotFound("nobody in the picture")
        person, touch = self._biometry.shown[self._home.pictures.read(biometrics.portrait)]
        return messages(samples_of(person, touch=touch))


EXCHANGED = StatedTerms(Reason.EXCHANGE, OldCard.TAKEN, receipt="BL-0000001")
"""On what terms whoever has a card asks for the next one."""


@dataclass
class Centre:
    """Office, search and examiners over one database."""

    desk: Desk
    bed: SearchBed
    work: DeduplicationDesk
    biometry: Biometry

    def apply(
        self, citizen: int, person: int, touch: int = 1, number: int = 0, terms: StatedTerms = FIRST_CARD
    ) -> str:
        """A dossier under a citizen's name, locally approved, with an invented person's biometrics."""
        portrait = picture(100 * citizen + 10 * person + touch)
        self.biometry.shown[portrait] = (person, touch)
        capture = capture_of(citizens()[citizen], number or citizen + 1, portrait=portrait)
        capture = msgspec.structs.replace(capture, terms=terms)
        dossier = self.desk.office.captures.capture(LAN, capture)
        self.desk.approve_locally(MINH, dossier)
        return dossier

    def run(self) -> int:
        """Everything that programs can do."""
        steps = run_pending(self.work)
        while run_pending(self.bed.worker) or run_pending(self.work):
            steps += 1
        return steps

    def enrolled(self, citizen: int, person: int) -> str:
        dossier = self.apply(citizen, person)
        self.run()
        self.desk.office.approvals.approve_centrally(THU, dossier)
        self.run()
        return dossier

    def card_becomes(self, dossier: str, state: str) -> None:
        """The card line's part, played: a card that is gone, or one that its holder has."""
        card = update(CREDENTIALS).where(CREDENTIALS.c.dossier == dossier).values(state=state)
        with self.desk.database.writing() as connection:
            connection.execute(card)
            if state == "active":
                act = Act(connection, acts.found(connection, dossier), self.desk.now[0])
                take_step(act, DossierEvent.COMPLETE, SYSTEM)

    def reject(self, dossier: str) -> None:
        """Two officers reject an approved dossier, whose card was revoked on its way."""
        self.card_becomes(dossier, "revoked")
        self.desk.office.legal.propose_rejection(THU, dossier, NOT_ENTITLED)
        self.desk.office.legal.confirm_rejection(SON, dossier)

    def decide(self, dossier: str, *findings: Finding) -> None:
        cases = self.cases(dossier)
        for case in cases:
            for examiner, finding in zip(EXAMINERS, findings, strict=False):
                self.bed.examiners.decide(examiner, case, CaseDecision(finding.value))
        self.run()

    def cases(self, dossier: str) -> Sequence[str]:
        with self.desk.database.reading() as connection:
            return [each.id for each in of_encounter(connection, self.encounter(dossier))]

    def encounter(self, dossier: str) -> str:
        with self.desk.database.reading() as connection:
            found = repository.find(connection, dossier)
        assert found is not None
        return found.encounter

    def members(self) -> set[str]:
        """Under which names somebody is in the national gallery."""
        key = self.bed.keys.key("national")
        with self.desk.database.reading() as connection:
            numbers = connection.execute(
                select(GALLERY_ENROLMENTS.c.number).where(
                    GALLERY_ENROLMENTS.c.gallery == "national", GALLERY_ENROLMENTS.c.removed.is_(None)
                )
            ).scalars()
            rows = [galleries.enrolment(connection, "national", number) for number in list(numbers)]
        return {opened(key, row.number, row.sealed).subject for row in rows if row and row.sealed}


def make_centre(folder: Path, engine: Engine) -> Centre:
    """A new centre on a database of its own."""
    bed = make_bed(folder, engine)
    desk = desk_on(bed.database, searches=True)
    biometry = Biometry()
    gallery = InventedTemplates(bed, desk, biometry)
    return Centre(desk, bed, DeduplicationDesk(bed.database, gallery, lambda: desk.now[0]), biometry)
