"""Processor time of one whole dossier without the 1:N search: quality, templates, demographic match.

Real engines over drawn pictures: the portrait's gates and its template; decoding, quality (NFIQ 2) and
minutiae of ten fingers as a kit sends them (WSQ), and each of them against each other; and who in a registry
of 20,000 may be meant by name, birth date and places without the number. Child processes count. The median
of a few people, after a first one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.face_modality import FACE, FaceModality
from issuance_backend.biometric_search.finger_modality import FINGER, SINGLE_FINGERS, FingerModality
from issuance_backend.dossiers.national_gallery import FaceMaker, FingerMaker
from issuance_backend.moments import utc_now
from issuance_backend.personalization.finger_pictures import encode_wsq, read_finger
from issuance_backend.personalization.portrait_judge import EngineJudge
from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.storage import migrated
from monitoring.stand.drawn_people import portrait
from tests.benchmarks.figure import Figure, at_most
from verification.face.choice import choose_engine
from verification.face.engine import FaceEngine
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.ten_prints import repeated
from verification.lds.finger_image import FingerPosition
from verification.messages.person_match import MatchQuery

SECONDS_GOAL = 5.0
PEOPLE = 20_000
DOSSIERS, QUICK_DOSSIERS = 9, 3
# Portraits that pass the gates.
_FIRST_FACE = 117
LIMITS = limits_on(date(2026, 11, 21))
_PLAN = NationPlan(people=PEOPLE, seed=7, today=date(2026, 11, 21))


def run(dossiers: int = DOSSIERS) -> list[Figure]:
    """CPU seconds of the whole and of its three parts; none without face models."""
    engine = choose_engine(Path(os.environ.get("TEST_MODEL_DIR", ".run/models")))
    if engine is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        desk, people = _registry(Path(folder))
        spent = [_dossier(engine, desk, person) for person in [people[0], *people[:dossiers]]][1:]
    face, fingers, match = (median(part) for part in zip(*spent, strict=True))
    return [
        at_most("full_dossier", median(map(sum, spent)), "CPU s", goal=SECONDS_GOAL),
        at_most("full_dossier.portrait", face, "CPU s", goal=SECONDS_GOAL),
        at_most("full_dossier.ten_fingers", fingers, "CPU s", goal=SECONDS_GOAL),
        at_most("full_dossier.demographic_match", match, "CPU s", goal=SECONDS_GOAL),
    ]


def quick() -> list[Figure]:
    """The same with fewer people."""
    return run(QUICK_DOSSIERS)


def _registry(folder: Path) -> tuple[MatchingDesk, list[RegistryPerson]]:
    database = migrated(f"sqlite:///{folder / 'registry.db'}")
    nation = NationOffice(database, utc_now)
    nation.seed(_PLAN)
    nation.index()
    return MatchingDesk(database, utc_now), [person.entry for person in make_nation(_PLAN)]


def _dossier(engine: FaceEngine, desk: MatchingDesk, person: RegistryPerson) -> tuple[float, float, float]:
    """Seconds for portrait, fingers and match of one applicant; drawing them is not counted."""
    modalities = installed_modalities(engine.id)
    face, finger = modalities.named(FACE), modalities.named(FINGER)
    if not isinstance(face, FaceModality) or not isinstance(finger, FingerModality):
        raise TypeError("the engines of this machine are not the built-in ones")
    faces = FaceMaker(engine, face, lambda picture: bgr(card_picture(picture)))
    prints = FingerMaker(NbisEngine(), finger, read_finger)
    picture = portrait(_FIRST_FACE)
    seed = int(person.citizen_number)
    captured = {each: encode_wsq(render_finger(seed, FingerPosition(each))) for each in SINGLE_FINGERS}

    def judge_and_sample() -> None:
        if EngineJudge(engine).faults(picture):
            raise ValueError("a good portrait was refused")
        faces.sample(picture)

    def fingers() -> None:
        templates = {each: prints.sample(content, each).content for each, content in captured.items()}
        if repeated(prints.engine, templates, LIMITS.same_finger):
            raise ValueError("ten fingers were taken for fewer")

    def match() -> None:
        answer = desk.find(_asked(person))
        if person.citizen_number not in {each.citizen_number for each in answer.candidates}:
            raise ValueError("the applicant was not found")

    return _seconds(judge_and_sample), _seconds(fingers), _seconds(match)


def _asked(person: RegistryPerson) -> MatchQuery:
    return MatchQuery(
        full_name=person.full_name,
        date_of_birth=person.date_of_birth.isoformat(),
        sex=person.sex,
        place_of_origin=person.place_of_origin,
        residence=person.permanent_residence,
        father=person.father,
        mother=person.mother,
    )


def _seconds(work: Callable[[], None]) -> float:
    """Processor time of this process and of the children it waited for."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])
