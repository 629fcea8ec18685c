"""Of each finger's print a band of its quality is recorded with the search, and counted; never the score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from issuance_backend.biometric_search.face_modality import FACE
from issuance_backend.biometric_search.finger_modality import FINGER
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.print_quality import finger_quality
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.deduplication_centre import make_centre
from tests.support.engines import Engine
from verification.fingerprint.minutiae import FingerTemplate, Minutia, MinutiaKind
from verification.lds.finger_image import FingerPosition
from verification.messages.biometric_search import SampleMessage

ENDING = (Minutia(5, 5, 0, MinutiaKind.ENDING, 50),)


def sample(position: int, quality: int) -> SampleMessage:
    made = FingerTemplate(FingerPosition(position), 300, 400, 197, quality, ENDING)
    return SampleMessage(FINGER, position, "finger/iso-19794-2:2005", made.encoded())


@pytest.mark.parametrize(
    ("quality", "band"), [(0, "0"), (19, "0"), (20, "20"), (59, "40"), (60, "60"), (80, "80"), (100, "80")]
)
def test_a_score_is_told_by_its_band(quality: int, band: str) -> None:
    assert finger_quality([sample(2, quality)], [2]) == {"finger_quality": f"02:{band}"}


def test_a_print_without_a_template_was_unreadable_and_a_slap_is_no_finger() -> None:
    told = finger_quality([sample(7, 61), sample(2, 15)], [2, 3, 7, 13])
    assert told == {"finger_quality": "02:0 03:unreadable 07:60"}


def test_where_no_engine_reads_fingers_nothing_is_said_of_any() -> None:
    assert finger_quality([SampleMessage(FACE, 0, "face/x", b"template")], [1, 2]) == {}


def test_every_band_that_is_recorded_is_defined() -> None:
    named = vocabulary().distribution("finger_quality")
    fingers = [sample(position, 10 * position) for position in range(1, 10)]
    told = finger_quality(fingers, range(1, 11))["finger_quality"].split()
    assert [word.split(":")[0] for word in told] == list(named.parts)
    assert {word.split(":")[1] for word in told} == set(named.bands)


def test_a_search_records_what_the_templates_say_and_the_report_counts_it(
    tmp_path: Path, database_engine: Engine
) -> None:
    centre = make_centre(tmp_path, database_engine)
    dossier = centre.apply(0, 0)
    with centre.desk.database.writing() as connection:
        found = repository.find(connection, dossier)
        assert found is not None
        repository.set_prints(connection, dossier, {5: found.portrait})
    centre.run()
    steps = centre.desk.view(dossier).steps
    (detail,) = (step.detail for step in steps if step.event == "search")
    told = dict(word.split(":") for word in detail["finger_quality"].split())
    assert told["05"] == "unreadable"
    assert len(told) == 3
    later = datetime.now(UTC) + timedelta(days=9000)
    parts = StatisticsOffice(centre.desk.database, lambda: later).report(Asked()).parts
    assert {part.part: part.whole for part in parts} == dict.fromkeys(told, 1)
    assert {part.part: [b.band for b in part.bands if b.to_date] for part in parts} == {
        part: [band] for part, band in told.items()
    }
