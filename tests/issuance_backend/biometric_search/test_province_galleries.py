"""Galleries of two provinces, opened by command: each its own people, key, names of people and record."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from issuance_backend import search_commands
from issuance_backend.biometric_search import gallery_record, worker
from issuance_backend.biometric_search.refusals import GalleryRecordsBroken
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.running import run_pending
from tests.support.search_bed import BUREAU, OFFICE, SearchBed, bed_on, identify
from verification.errors import FieldsRefused
from verification.messages.biometric_search import Delete

HANOI, SAIGON = "province-01", "province-79"
PEOPLE = {HANOI: (0, 1, 2), SAIGON: (2, 3, 4, 5)}
"""Number 2 moved: enrolled in both."""
BOTH = 2


def command(bed: SearchBed, folder: Path, *words: str) -> str:
    parser = argparse.ArgumentParser()
    search_commands.add_commands(parser)
    environ = {"ISSUANCE_SEARCH_KEY_DIR": str(folder / "gallery-keys")}
    return search_commands.run(parser.parse_args(words), environ, bed.database)


@pytest.fixture
def bed(tmp_path: Path, database_engine: Engine) -> SearchBed:
    """Two provinces, as an operator opens them, with their people."""
    bed = bed_on(Database(database_engine.migrated(ISSUANCE_MIGRATIONS)), tmp_path)
    for code in PEOPLE:
        province = code.removeprefix("province-")
        words = ("open-gallery", "--code", code, "--kind", "province", "--province", province)
        assert f"gallery {code} is open" in command(bed, tmp_path, *words)
    for gallery, people in PEOPLE.items():
        for person in people:
            bed.enrol(person, gallery)
    assert run_pending(bed.worker) == 7
    return bed


def found(bed: SearchBed, person: int, gallery: str) -> tuple[str | None, int | None, Sequence[str | None]]:
    """What a later application of a person finds: the outcome, among how many, and who is a hit."""
    task_id = f"identify-{gallery}-{person}"
    bed.desk.submit(OFFICE, identify(person, task_id, gallery=gallery))
    assert run_pending(bed.worker) == 1
    task = bed.desk.task(OFFICE, task_id)
    people = zip(task.candidates, bed.found(task_id), strict=True)
    return task.outcome, task.gallery_size, [who for each, who in people if each.is_hit]


def test_whoever_is_enrolled_in_a_province_is_found_there_and_nowhere_else(bed: SearchBed) -> None:
    told = {each.code: (each.kind, each.province, each.enrolments) for each in bed.desk.galleries(OFFICE)}
    assert told == {HANOI: ("province", "01", 3), SAIGON: ("province", "79", 4)}
    assert bed.desk.galleries(BUREAU) == []
    assert found(bed, 0, HANOI) == ("adjudication", 3, ["subject-0"])
    assert found(bed, 0, SAIGON) == ("no_hit", 4, [])
    assert found(bed, 4, HANOI) == ("no_hit", 3, [])
    assert found(bed, 4, SAIGON) == ("adjudication", 4, ["subject-4"])
    for gallery in PEOPLE:
        assert found(bed, BOTH, gallery)[::2] == ("adjudication", ["subject-2"])


def test_whoever_a_province_removes_stays_in_the_other(bed: SearchBed) -> None:
    bed.desk.submit(
        OFFICE, Delete(task_id="delete-2-task", gallery=HANOI, subject="subject-2", reason="Quyết định 2")
    )
    run_pending(bed.worker)
    assert found(bed, BOTH, HANOI) == ("no_hit", 2, [])
    assert found(bed, BOTH, SAIGON) == ("adjudication", 4, ["subject-2"])


def test_names_and_keys_of_a_person_are_unrelated_in_two_provinces(bed: SearchBed, tmp_path: Path) -> None:
    files = [(tmp_path / "gallery-keys" / f"{code}.key").read_text() for code in PEOPLE]
    assert len(set(files)) == 2
    keys = {code: bed.keys.key(code) for code in PEOPLE}
    with bed.database.reading() as connection:
        rows = connection.execute(text("SELECT * FROM gallery_enrolments ORDER BY number")).all()
    names = {code: {row.reference for row in rows if row.gallery == code} for code in PEOPLE}
    assert {code: len(found) for code, found in names.items()} == {HANOI: 3, SAIGON: 4}
    assert not names[HANOI] & names[SAIGON]
    for code, other in ((HANOI, SAIGON), (SAIGON, HANOI)):
        assert keys[code].reference("subject-2") in names[code]
        assert keys[code].reference("subject-2") not in names[other]
        for row in (row for row in rows if row.gallery == code):
            assert worker.opened(keys[code], row.number, bytes(row.sealed))
            with pytest.raises(GalleryRecordsBroken):
                worker.opened(keys[other], row.number, bytes(row.sealed))


def test_each_province_has_a_record_of_its_own(bed: SearchBed, tmp_path: Path) -> None:
    found(bed, 4, SAIGON)
    bed.desk.submit(
        OFFICE, Delete(task_id="delete-1-task", gallery=HANOI, subject="subject-1", reason="Quyết định 1")
    )
    run_pending(bed.worker)
    tasks = {code: [f"insert-{code}-{person}-0" for person in people] for code, people in PEOPLE.items()}
    tasks[HANOI].append("delete-1-task")
    tasks[SAIGON].append(f"identify-{SAIGON}-4")
    purposes = {HANOI: "removal", SAIGON: "deduplication"}
    with bed.database.reading() as connection:
        for code, people in PEOPLE.items():
            lines = gallery_record.verify(connection, bed.keys.key(code))
            assert [line.detail["task"] for line in lines] == tasks[code]
            assert [line.purpose for line in lines] == [*["enrolment"] * len(people), purposes[code]]
            assert {line.actor for line in lines} == {"card-office"}
    assert command(bed, tmp_path, "verify-record", "--code", HANOI) == "4 lines, chain unbroken"
    assert command(bed, tmp_path, "verify-record", "--code", SAIGON) == "5 lines, chain unbroken"
    with bed.database.writing() as connection:
        connection.execute(text("UPDATE gallery_audit SET actor = 'x' WHERE gallery = 'province-79'"))
    assert command(bed, tmp_path, "verify-record", "--code", HANOI) == "4 lines, chain unbroken"
    with pytest.raises(GalleryRecordsBroken):
        command(bed, tmp_path, "verify-record", "--code", SAIGON)


def test_a_province_that_is_none_opens_nothing(bed: SearchBed, tmp_path: Path) -> None:
    for given in ((), ("--province", "02"), ("--province", "hanoi")):
        with pytest.raises(FieldsRefused):
            command(bed, tmp_path, "open-gallery", "--code", "province-x", "--kind", "province", *given)
    assert not (tmp_path / "gallery-keys" / "province-x.key").exists()
