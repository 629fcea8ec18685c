from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from issuance_backend import recorded_events
from issuance_backend.biometric_search import gallery_record, repository, worker
from issuance_backend.biometric_search.domain import (
    TABLE,
    GalleryKind,
    Outcome,
    TaskEvent,
    TaskState,
    deduplication_task,
    fold,
)
from issuance_backend.biometric_search.gallery_index import GalleryIndex
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Sample
from issuance_backend.biometric_search.refusals import (
    GalleryKeyUnavailable,
    GalleryPurposeRefused,
    GalleryRecordsBroken,
    GalleryUnknown,
    ModalityUnknown,
    SearchTaskReplayed,
    SearchTaskUnknown,
    TemplateRefused,
)
from issuance_backend.biometric_search.worker import SearchWorker
from tests.support.running import run_pending
from tests.support.search_bed import (
    BUREAU,
    OFFICE,
    SearchBed,
    identify,
    messages,
    samples_of,
    verify,
)
from verification.errors import FieldsRefused, FingerTemplateMalformed, TransitionRefused
from verification.messages.biometric_search import Delete, SampleMessage


def enrol_some(bed: SearchBed, count: int = 6) -> None:
    for person in range(count):
        bed.enrol(person)
    assert run_pending(bed.worker) == count


def test_an_application_of_somebody_enrolled_goes_before_examiners(bed: SearchBed) -> None:
    enrol_some(bed)
    assert bed.desk.submit(OFFICE, identify(3)).status == "queued"
    assert run_pending(bed.worker) == 1
    task = bed.desk.task(OFFICE, "identify-3")
    assert (task.status, task.outcome, task.gallery_size) == ("done", "adjudication", 6)
    assert (bed.found("identify-3")[0], task.candidates[0].is_hit) == ("subject-3", True)
    assert [each.is_hit for each in task.candidates[1:]] == [False] * 5
    assert {each.modality for each in task.candidates[0].likenesses} == {"face", "finger"}
    assert bed.searched == [("later-3", Outcome.ADJUDICATION)]


def test_an_application_of_somebody_new_is_no_hit(bed: SearchBed) -> None:
    enrol_some(bed)
    bed.desk.submit(OFFICE, identify(20))
    run_pending(bed.worker)
    assert bed.desk.task(OFFICE, "identify-20").outcome == "no_hit"
    assert bed.searched == [("later-20", Outcome.NO_HIT)]


def test_no_outcome_of_any_search_refuses_a_person() -> None:
    """What a search can lead to is written out here: nothing in it is a verdict on somebody."""
    assert set(Outcome) == {
        "enrolled", "removed", "no_hit", "adjudication", "candidates", "no_candidates", "likely", "unlikely",
    }  # fmt: skip
    assert set(TABLE.transitions.values()) == {TaskState.QUEUED, TaskState.DONE, TaskState.FAILED}


def test_to_be_found_as_oneself_is_no_duplicate(bed: SearchBed) -> None:
    enrol_some(bed)
    bed.desk.submit(OFFICE, identify(3, claimed_subject="subject-3"))
    run_pending(bed.worker)
    task = bed.desk.task(OFFICE, "identify-3")
    assert task.outcome == "no_hit"
    assert task.candidates[0].is_claimed


def test_whoever_is_not_found_as_who_they_claim_to_be_is_looked_at(bed: SearchBed) -> None:
    enrol_some(bed)
    bed.desk.submit(OFFICE, identify(20, claimed_subject="subject-3"))
    bed.desk.submit(OFFICE, identify(21, claimed_subject="subject-of-nobody"))
    run_pending(bed.worker)
    assert bed.desk.task(OFFICE, "identify-20").outcome == "adjudication"
    assert bed.desk.task(OFFICE, "identify-21").outcome == "no_hit"


def test_an_encounter_is_no_candidate_of_itself(bed: SearchBed) -> None:
    enrol_some(bed)
    bed.desk.submit(OFFICE, identify(3, encounter="dossier-3"))
    run_pending(bed.worker)
    task = bed.desk.task(OFFICE, "identify-3")
    assert task.outcome == "no_hit"
    assert len(task.candidates) == 5
    assert "subject-3" not in bed.found("identify-3")


def test_an_application_is_not_compared_with_itself(bed: SearchBed, monkeypatch: pytest.MonkeyPatch) -> None:
    """bozorth3 takes twenty seconds over cracked skin and itself, and then nobody is told."""
    compared = []

    def watched(index: GalleryIndex, samples: Sequence[Sample], rows: Sequence[int]) -> object:
        compared.extend(rows)
        return kept(index, samples, rows)

    kept = GalleryIndex._compared
    monkeypatch.setattr(GalleryIndex, "_compared", watched)
    bed.enrol(3, subject="later-3")
    bed.enrol(3, subject="somebody", sex="F")
    bed.desk.submit(OFFICE, identify(3))
    run_pending(bed.worker)
    assert compared == [1]
    assert bed.found("identify-3") == ["somebody"]


def test_the_same_request_again_is_the_same_task(bed: SearchBed) -> None:
    enrol_some(bed, 2)
    first = bed.desk.submit(OFFICE, identify(1))
    assert bed.desk.submit(OFFICE, identify(1)) == first
    run_pending(bed.worker)
    done = bed.desk.submit(OFFICE, identify(1))
    assert (done.status, done.outcome) == ("done", "adjudication")
    assert run_pending(bed.worker) == 0
    with pytest.raises(SearchTaskReplayed):
        bed.desk.submit(OFFICE, identify(2, task_id="identify-1"))


def test_a_task_is_for_whoever_asked_it(bed: SearchBed) -> None:
    bed.enrol(1)
    with pytest.raises(SearchTaskUnknown):
        bed.desk.task(BUREAU, "insert-national-1-0")
    with pytest.raises(SearchTaskUnknown):
        bed.desk.task(OFFICE, "no-such-task")
    with pytest.raises(SearchTaskReplayed):
        bed.desk.submit(replace(OFFICE, name="another-office"), identify(1, task_id="insert-national-1-0"))


def test_two_who_submit_at_once_make_one_task(bed: SearchBed) -> None:
    def submit(_: int) -> str:
        try:
            return bed.desk.submit(OFFICE, identify(1)).status
        except SearchTaskReplayed:
            return "queued"

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(submit, range(8))) == {"queued"}
    assert run_pending(bed.worker) == 1


def test_queued_inserts_are_served_before_a_search(bed: SearchBed) -> None:
    """A worker that holds an insert holds up every later search of that gallery, and of no other."""
    bed.enrol(3)
    bed.desk.submit(OFFICE, identify(3))
    bed.desk.submit(OFFICE, identify(4, gallery="province-01"))
    with bed.database.writing() as connection:
        held = repository.claim(connection, bed.now[0], worker.LEASE)
    other = SearchWorker(bed.database, bed.keys, bed.desk._modalities, lambda: bed.now[0])
    assert run_pending(other) == 1
    assert bed.desk.task(OFFICE, "identify-4").status == "done"
    assert bed.desk.task(OFFICE, "identify-3").status == "queued"
    bed.worker._do(held)
    assert run_pending(other) == 1
    assert bed.desk.task(OFFICE, "identify-3").outcome == "adjudication"


def test_a_worker_that_dies_leaves_the_task_to_the_next(bed: SearchBed) -> None:
    bed.enrol(3)
    with bed.database.writing() as connection:
        lost = repository.claim(connection, bed.now[0], worker.LEASE)
    assert not bed.worker.run_once()
    bed.now[0] += worker.LEASE + timedelta(seconds=1)
    assert bed.worker.run_once()
    with pytest.raises(SearchTaskUnknown):  # done by the other: its request is forgotten
        bed.worker._do(lost)
    (national,) = [each for each in bed.desk.galleries(OFFICE) if each.code == "national"]
    assert (national.enrolments, national.version) == (1, 1)


def test_workers_side_by_side_do_each_task_once(bed: SearchBed) -> None:
    for person in range(12):
        bed.enrol(person)
    workers = [
        SearchWorker(bed.database, bed.keys, bed.desk._modalities, lambda: bed.now[0]) for _ in range(3)
    ]
    left, ends = [12], time.monotonic() + 60

    def work(one: SearchWorker) -> int:
        count = 0
        while left[0] > 0 and time.monotonic() < ends:
            if one.run_once():
                left[0] -= 1
                count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, workers)) == 12
    (national,) = [each for each in bed.desk.galleries(OFFICE) if each.code == "national"]
    assert (national.enrolments, national.version) == (12, 12)
    # Each of them learns what the others enrolled.
    assert [len(each.index("national")) for each in workers] == [12] * 3


def test_whoever_is_removed_is_found_no_more(bed: SearchBed) -> None:
    enrol_some(bed)
    assert len(bed.worker.index("national")) == 6
    bed.desk.submit(
        OFFICE,
        Delete(task_id="delete-3-task", gallery="national", subject="subject-3", reason="Quyết định 3"),
    )
    bed.desk.submit(OFFICE, identify(3))
    run_pending(bed.worker)
    assert bed.desk.task(OFFICE, "identify-3").outcome == "no_hit"
    with bed.database.reading() as connection:
        kept = connection.execute(text("SELECT sealed FROM gallery_enrolments WHERE removed IS NOT NULL"))
        assert kept.scalars().all() == [None]
    fresh = SearchWorker(bed.database, bed.keys, bed.desk._modalities, lambda: bed.now[0])
    assert len(fresh.index("national")) == len(bed.worker.index("national")) == 5


def test_to_remove_nobody_fails_with_the_reason(bed: SearchBed) -> None:
    request = Delete(task_id="delete-9-task", gallery="national", subject="subject-9", reason="Quyết định 9")
    bed.desk.submit(OFFICE, request)
    run_pending(bed.worker)
    task = bed.desk.task(OFFICE, "delete-9-task")
    assert (task.status, task.failure) == ("failed", "GALLERY_SUBJECT_UNKNOWN")


def test_verification_is_one_to_one(bed: SearchBed) -> None:
    enrol_some(bed)
    for request in (verify(3, "subject-3"), verify(3, "subject-4"), verify(3, "subject-none")):
        bed.desk.submit(OFFICE, request)
    run_pending(bed.worker)
    found = [bed.desk.task(OFFICE, f"verify-3-subject-{name}") for name in ("3", "4", "none")]
    assert [each.outcome for each in found] == ["likely", "unlikely", None]
    assert found[2].failure == "GALLERY_SUBJECT_UNKNOWN"


def test_a_crime_gallery_is_closed_to_the_card_office_and_to_searches(bed: SearchBed) -> None:
    with pytest.raises(GalleryPurposeRefused):
        bed.desk.submit(OFFICE, identify(1, gallery="crime"))
    with pytest.raises(GalleryPurposeRefused):
        bed.desk.submit(BUREAU, identify(1, gallery="crime"))
    with pytest.raises(GalleryPurposeRefused):
        bed.desk.submit(BUREAU, identify(1))
    with pytest.raises(GalleryUnknown):
        bed.desk.submit(OFFICE, identify(1, gallery="no-such"))
    assert [each.code for each in bed.desk.galleries(BUREAU)] == ["crime"]
    assert [each.code for each in bed.desk.galleries(OFFICE)] == ["national", "province-01"]


def test_the_same_person_has_unrelated_names_in_two_galleries(bed: SearchBed) -> None:
    bed.enrol(1)
    bed.enrol(1, gallery="crime")
    run_pending(bed.worker)
    with bed.database.reading() as connection:
        rows = connection.execute(text("SELECT gallery, reference, sealed FROM gallery_enrolments")).all()
    references = {row.gallery: row.reference for row in rows}
    assert references["national"] != references["crime"]
    for row in rows:
        assert b"subject-1" not in bytes(row.sealed)
        assert "subject" not in row.reference
        with pytest.raises(GalleryRecordsBroken):
            worker.opened(bed.keys.key("province-01"), 1, bytes(row.sealed))


def test_nothing_that_says_who_somebody_is_lies_open_in_the_database(bed: SearchBed) -> None:
    enrol_some(bed, 3)
    bed.desk.submit(OFFICE, identify(1))
    run_pending(bed.worker)
    tables = ("gallery_enrolments", "gallery_audit", "search_tasks", "events")
    with bed.database.reading() as connection:
        for table in tables:
            for row in connection.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - names from above
                kept = b"".join(
                    bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row
                )
                assert b"subject-" not in kept, table
        left = connection.execute(text("SELECT count(*) FROM search_tasks WHERE sealed_request IS NOT NULL"))
        assert left.scalar_one() == 0


def test_every_touch_of_a_gallery_is_in_its_own_record(bed: SearchBed) -> None:
    enrol_some(bed, 2)
    bed.desk.submit(OFFICE, identify(1))
    bed.enrol(5, gallery="crime")
    with bed.database.reading() as connection:
        national = gallery_record.verify(connection, bed.keys.key("national"))
        crime = gallery_record.verify(connection, bed.keys.key("crime"))
    assert [line.purpose for line in national] == ["enrolment", "enrolment", "deduplication"]
    assert [(line.actor, line.purpose) for line in crime] == [("crime-bureau", "enrolment")]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE gallery_audit SET actor = 'nobody' WHERE sequence = 2",
        "UPDATE gallery_audit SET purpose = 'removal' WHERE sequence = 1",
        "DELETE FROM gallery_audit WHERE sequence = 2",
        "DELETE FROM gallery_audit WHERE sequence = 3",
        "DELETE FROM gallery_audit",
        "UPDATE galleries SET audit_sequence = 2",
    ],
)
def test_every_tampering_with_a_gallerys_record_shows(bed: SearchBed, tampering: str) -> None:
    for person in range(3):
        bed.enrol(person)
    with bed.database.writing() as connection:
        connection.execute(text(tampering))
    with bed.database.reading() as connection, pytest.raises(GalleryRecordsBroken):
        gallery_record.verify(connection, bed.keys.key("national"))


def test_an_altered_or_moved_enrolment_does_not_open(bed: SearchBed) -> None:
    enrol_some(bed, 2)
    with bed.database.writing() as connection:
        statement = (
            "UPDATE gallery_enrolments SET sealed = (SELECT sealed FROM gallery_enrolments WHERE number = 1)"
        )
        connection.execute(text(statement))
    fresh = SearchWorker(bed.database, bed.keys, bed.desk._modalities, lambda: bed.now[0])
    with pytest.raises(GalleryRecordsBroken):
        fresh.index("national")


def test_without_its_key_a_gallery_is_closed_and_its_tasks_wait(bed: SearchBed) -> None:
    bed.enrol(1)
    key = bed.keys._folder / "national.key"
    kept = key.read_text()
    key.unlink()
    blind = SearchWorker(bed.database, KeyRoom(bed.keys._folder), bed.desk._modalities, lambda: bed.now[0])
    with pytest.raises(GalleryKeyUnavailable):
        blind.run_once()
    key.write_text(kept)
    assert blind.run_once()
    assert bed.desk.task(OFFICE, "insert-national-1-0").outcome == "enrolled"


def test_a_gallery_without_its_key_keeps_no_other_from_being_searched(bed: SearchBed) -> None:
    bed.enrol(1, gallery="crime")
    bed.desk.submit(OFFICE, identify(3))
    key = bed.keys._folder / "crime.key"
    kept = key.read_text()
    key.unlink()
    blind = SearchWorker(bed.database, KeyRoom(bed.keys._folder), bed.desk._modalities, lambda: bed.now[0])
    with pytest.raises(GalleryKeyUnavailable):
        blind.run_once()
    assert blind.run_once()
    assert bed.desk.task(OFFICE, "identify-3").status == "done"
    assert not blind.run_once(), "what is left waits for its key"
    key.write_text(kept)
    assert blind.run_once()
    assert bed.desk.task(BUREAU, "insert-crime-1-0").outcome == "enrolled"


def test_a_key_is_private_and_never_written_over(bed: SearchBed) -> None:
    key = bed.keys._folder / "national.key"
    kept = key.read_text()
    assert key.stat().st_mode & 0o077 == 0
    bed.keys.make("national")
    assert key.read_text() == kept
    with pytest.raises(TransitionRefused):
        bed.desk.open_gallery("national", GalleryKind.NATIONAL)


@pytest.mark.parametrize(
    ("code", "kind", "province"),
    [
        ("../etc", GalleryKind.CRIME, None),
        ("UPPER", GalleryKind.CRIME, None),
        ("province-02", GalleryKind.PROVINCE, None),
        ("province-02", GalleryKind.PROVINCE, "02"),
        ("province-02", GalleryKind.PROVINCE, "001.01"),
        ("crime-2", GalleryKind.CRIME, "01"),
    ],
)
def test_a_gallery_without_a_proper_name_is_not_opened(
    bed: SearchBed, code: str, kind: GalleryKind, province: str | None
) -> None:
    with pytest.raises(FieldsRefused):
        bed.desk.open_gallery(code, kind, province)


FACE, INDEX, _ = messages(samples_of(1))[::-1]


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        (msgspec.structs.replace(INDEX, modality="palm"), ModalityUnknown),
        (msgspec.structs.replace(INDEX, format="finger/other"), TemplateRefused),
        (msgspec.structs.replace(INDEX, position=13), TemplateRefused),
        (msgspec.structs.replace(INDEX, content=INDEX.content[:-1]), FingerTemplateMalformed),
        (msgspec.structs.replace(INDEX, content=b"\0" * 70_000), TemplateRefused),
    ],
)
def test_a_template_that_could_not_be_compared_is_refused_at_the_door(
    bed: SearchBed, sample: SampleMessage, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        bed.desk.submit(OFFICE, identify(1, samples=(sample,)))
    with pytest.raises(TemplateRefused):
        bed.desk.submit(OFFICE, identify(1, samples=()))
    with pytest.raises(TemplateRefused):
        bed.desk.submit(OFFICE, identify(1, samples=(INDEX,) * 33))


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": "short"},
        {"task_id": "with space in it"},
        {"encounter": ""},
        {"encounter": "x" * 65},
        {"max_candidates": 0},
        {"max_candidates": 101},
        {"target_fpir_decibans": -1},
        {"claimed_subject": "một người"},
    ],
)
def test_what_cannot_be_kept_is_refused(bed: SearchBed, change: dict[str, object]) -> None:
    with pytest.raises(FieldsRefused):
        bed.desk.submit(OFFICE, identify(1, **change))


def test_the_state_of_every_task_is_the_fold_of_its_events(bed: SearchBed) -> None:
    enrol_some(bed, 2)
    bed.desk.submit(OFFICE, Delete(task_id="delete-9-task", gallery="national", subject="s-9", reason="x"))
    bed.desk.submit(OFFICE, identify(1))
    bed.worker.run_once()
    with bed.database.reading() as connection:
        assert recorded_events.verify(connection) > 0
        for sequence in (1, 2, 3, 4):
            task = repository.task_at(connection, sequence)
            assert task is not None
            steps = recorded_events.of_subject(connection, f"search/{sequence}")
            assert fold(TaskEvent(step.event) for step in steps) == task.state


def test_a_packet_against_one_state_of_the_gallery_is_one_task() -> None:
    assert deduplication_task("ab" * 32, 7) == deduplication_task("ab" * 32, 7)
    assert deduplication_task("ab" * 32, 7) != deduplication_task("ab" * 32, 8)
