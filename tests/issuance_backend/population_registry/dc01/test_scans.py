"""Pictures of forms: checked, scanned, kept sealed, shown to whoever works on the form, erased in time."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import msgspec
import pytest
from moto import mock_aws
from sqlalchemy import select, update

from issuance_backend.blob_store.objects import Directory
from issuance_backend.blob_store.s3_objects import Bucket
from issuance_backend.blob_store.service import UNNAMED_FOR, BlobStore
from issuance_backend.blob_store.tables import BLOBS
from issuance_backend.content_scanning.place import scanner_at
from issuance_backend.content_scanning.refusals import ContentInfected
from issuance_backend.moments import utc_now
from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.dc01 import scan_repository
from issuance_backend.population_registry.dc01.domain import FormState
from issuance_backend.population_registry.dc01.scan_desk import KEPT
from issuance_backend.population_registry.dc01.tables import FORMS, SCAN_PAGES
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.reads.tables import PERSON_READS
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.population_registry.storage import registry_store
from issuance_backend.refusals import (
    BlobAltered,
    BlobStoreUnavailable,
    BlobUnknown,
    Dc01PageUnknown,
    Dc01ScanOutside,
    PictureErased,
    SameOfficer,
)
from issuance_backend.schema import EVENTS
from tests.support import images
from tests.support.dc01_office import PAGES, WHOLE, Dc01Office, MemoryObjects, scan_of
from tests.support.engines import Engine
from tests.support.malware_scanner import MALWARE, running_clamd
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dc01 import FormDecision, FormKeyed, FormReview
from verification.messages.registry_access import ReadingFor

ROOT = Path(__file__).parents[4]
NUMBER = "001190012345"
STATEMENT = ReadingFor(purpose="population_form", unit="001.005", roles="capture", officer="lan")


@pytest.fixture
def office(database_engine: Engine) -> Iterator[Dc01Office]:
    made = Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS))
    yield made
    made.database.close()


def shown(office: Dc01Office, form: str, officer: str = "lan", page: int = 1) -> bytes:
    return office.scans.picture(form, page, officer, "issuance", STATEMENT).content


def held(office: Dc01Office) -> set[str]:
    assert isinstance(office.objects, MemoryObjects)
    return set(office.objects.held)


def sweep(office: Dc01Office) -> int:
    office.now += 2 * UNNAMED_FOR
    return office.store.sweep()


def test_both_sides_are_kept_sealed_and_read_as_they_were_scanned(office: Dc01Office) -> None:
    (form,) = office.scanned()
    view = office.forms.form(form)
    assert (view.state, view.pages, view.scan) == ("scanned", 2, None)
    assert [shown(office, form, page=number) for number in (1, 2)] == list(PAGES)
    assert office.scans.picture(form, 1, "lan", "issuance", STATEMENT).media_type == "image/png"
    with pytest.raises(Dc01PageUnknown):
        shown(office, form, page=3)
    assert isinstance(office.objects, MemoryObjects)
    assert not [sealed for sealed in office.objects.held.values() if b"IDAT" in sealed]


def test_the_event_says_the_hash_of_what_is_kept(office: Dc01Office) -> None:
    (form,) = office.scanned()
    with office.database.reading() as connection:
        told = select(EVENTS.c.detail).where(EVENTS.c.subject == f"dc01/{form}", EVENTS.c.event == "scan")
        detail = msgspec.json.decode(connection.execute(told).scalar_one())
    kept = {
        f"page_{number}": hashlib.sha256(shown(office, form, page=number)).hexdigest() for number in (1, 2)
    }
    assert kept.items() <= detail.items()


JPEG = scan_of(1, kind="JPEG")
REFUSED = {
    "nothing": (b"", "DC01_SCAN_NO_PICTURE"),
    "a document": (b"%PDF-1.7\n", "DC01_SCAN_NO_PICTURE"),
    "a TIFF": (b"II*\x00" + bytes(99), "DC01_SCAN_NO_PICTURE"),
    "a JPEG 2000": (images.jp2(1240, 1754), "DC01_SCAN_NO_PICTURE"),
    "a page": (b"<html><script>", "DC01_SCAN_NO_PICTURE"),
    "too many bytes": (PAGES[0] + bytes(4 * 1024 * 1024), "DC01_SCAN_TOO_LARGE"),
    "too many pixels": (images.png(20_000, 20_000), "DC01_SCAN_TOO_LARGE"),
    "too coarse": (scan_of(1, (999, 1413)), "DC01_SCAN_TOO_COARSE"),
    "a PNG cut off": (PAGES[0][:-20], "DC01_SCAN_NO_PICTURE"),
    "a JPEG cut off": (JPEG[:-20], "DC01_SCAN_NO_PICTURE"),
    "something behind it": (JPEG + b"PK\x03\x04", "DC01_SCAN_NO_PICTURE"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_legible_picture_is_refused_and_nothing_is_kept(office: Dc01Office, case: str) -> None:
    content, code = REFUSED[case]
    (form,) = office.scanned()
    for pages in ((content,), (PAGES[0], content)):
        with pytest.raises(FieldsRefused) as refused:
            office.scan(form, pages=pages)
        assert refused.value.fields == {"pages": code}
    assert len(held(office)) == len(PAGES)
    assert shown(office, form) == PAGES[0]


def test_a_whole_form_has_a_limit_of_its_own(office: Dc01Office) -> None:
    (form,) = office.scanned()
    page = PAGES[0] + bytes(3 * 1024 * 1024)
    with pytest.raises(FieldsRefused) as refused:
        office.scan(form, pages=(page, page, page))
    assert refused.value.fields == {"pages": "DC01_SCAN_TOO_LARGE"}


class Watched:
    """A scanner that says what it was shown."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def require_clean(self, contents: Iterable[bytes]) -> None:
        self.seen += contents
        raise ContentInfected("known")

    def answers(self) -> bool:
        return True


def test_sizes_and_kinds_come_before_the_scanner_and_the_scanner_before_any_header(
    database_engine: Engine,
) -> None:
    scanner = Watched()
    office = Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS), scanner=scanner)
    (form,) = office.plan(1)
    for content in (PAGES[0] + bytes(4 * 1024 * 1024), b"%PDF-1.7"):
        with pytest.raises(FieldsRefused):
            office.scan(form, pages=(content,))
    with pytest.raises(TransitionRefused):
        office.scan(form)
    assert scanner.seen == []
    with pytest.raises(ContentInfected):
        office.scanned()
    headless = b"\x89PNG\r\n\x1a\n no header"
    (form,) = [each.id for each in office.forms.of_barcode("DC00000001")]
    with pytest.raises(ContentInfected):
        office.scan(form, pages=(headless,))
    assert scanner.seen == [*PAGES, headless]
    assert held(office) == set()


def test_what_clamd_knows_is_refused(database_engine: Engine) -> None:
    with running_clamd() as clamd:
        office = Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS), scanner=scanner_at(clamd.address))
        (form,) = office.scanned()
        with pytest.raises(ContentInfected):
            office.scan(form, pages=(PAGES[0], b"\xff\xd8\xff" + MALWARE))
    assert shown(office, form) == PAGES[0]
    assert len(held(office)) == len(PAGES)


def test_a_registry_without_a_store_takes_no_picture(office: Dc01Office) -> None:
    (form,) = office.scanned()
    office.scans._store = None
    with pytest.raises(BlobStoreUnavailable):
        office.scan(form)
    with pytest.raises(BlobStoreUnavailable):
        shown(office, form)


def test_a_better_scan_takes_the_place_of_a_bad_one_until_somebody_indexes_it(office: Dc01Office) -> None:
    one, other = office.scanned(2)
    office.scan(one, pages=(scan_of(7),))
    assert shown(office, one) == scan_of(7)
    with pytest.raises(Dc01PageUnknown):
        shown(office, one, page=2)
    assert shown(office, other) == PAGES[0], "the same picture of another form stays"
    office.scan(other, pages=(scan_of(8),))
    assert sweep(office) == 2, "what nothing names any more goes, with its key at once"
    assert shown(office, one) == scan_of(7)
    _, (indexed,) = office.indexed(1)
    with pytest.raises(TransitionRefused):
        office.scan(indexed)


# -- who looks


def test_only_whoever_may_do_the_next_step_looks(office: Dc01Office) -> None:
    batch, (form,) = office.indexed(1)
    assert shown(office, form, "clerk") == PAGES[0]
    office.key([form])
    assert shown(office, form, "clerk") == PAGES[0]
    office.batches.draw(batch, "leader")
    with pytest.raises(SameOfficer):
        shown(office, form, "clerk")
    assert shown(office, form, "second") == PAGES[0]
    office.batches.key_again(form, FormKeyed(values={**WHOLE, "mother": "X"}, officer="second"))
    for officer in ("clerk", "second"):
        with pytest.raises(SameOfficer):
            shown(office, form, officer)
    assert shown(office, form, "third") == PAGES[0]
    office.batches.decide(form, FormDecision(values={"mother": WHOLE["mother"]}, officer="third"))
    assert office.states([form]) == ["accepted"]
    for officer in ("clerk", "second", "third", "fourth"):
        with pytest.raises(TransitionRefused):
            shown(office, form, officer)


def test_while_a_sample_is_checked_nobody_looks_at_what_was_not_drawn(office: Dc01Office) -> None:
    batch, ids = office.indexed(30)
    office.key(ids)
    office.batches.draw(batch, "leader")
    rest = [form for form, state in zip(ids, office.states(ids), strict=True) if state == "auto_checked"]
    assert rest
    with pytest.raises(TransitionRefused):
        shown(office, rest[0], "second")


def in_conflict(office: Dc01Office) -> str:
    office.register(NUMBER)
    read = {**WHOLE, "citizen_number": NUMBER, "mother": "TRẦN THỊ CÚC"}
    batch, (form,) = office.indexed(1)
    shown(office, form, "clerk")
    office.key([form], read=lambda _: read)
    office.batches.draw(batch, "leader")
    office.recheck([form], lambda _: read, lambda _: read)
    office.forms.match(batch)
    assert office.states([form]) == ["conflict"]
    return form


def test_who_corrects_sees_what_was_keyed_and_another_reviews_it(office: Dc01Office) -> None:
    form = in_conflict(office)
    seen = office.scans.values(form, "lan", "issuance", STATEMENT).values
    assert seen["mother"] == "TRẦN THỊ CÚC"
    office.forms.correct(form, FormKeyed(values={**seen, "mother": WHOLE["mother"]}, officer="lan"))
    for look in (shown, lambda *which: office.scans.values(*which, "issuance", STATEMENT)):
        with pytest.raises(SameOfficer):
            look(office, form, "lan") if look is shown else look(form, "lan")
    assert office.scans.values(form, "minh", "issuance", STATEMENT).values["mother"] == WHOLE["mother"]
    office.forms.review(form, FormReview(is_right=True, officer="minh"))
    assert office.states([form]) == ["clean"]
    with pytest.raises(TransitionRefused):
        shown(office, form, "minh")


def test_nobody_who_may_key_blindly_sees_what_was_keyed(office: Dc01Office) -> None:
    batch, (form,) = office.indexed(1)
    with pytest.raises(TransitionRefused):
        office.scans.values(form, "clerk", "issuance", STATEMENT)
    office.key([form])
    assert office.scans.values(form, "clerk", "issuance", STATEMENT).values == WHOLE
    for officer in ("second", "third"):
        with pytest.raises(TransitionRefused):
            office.scans.values(form, officer, "issuance", STATEMENT)
    office.batches.draw(batch, "leader")
    for officer in ("second", "third"):
        with pytest.raises(TransitionRefused):
            office.scans.values(form, officer, "issuance", STATEMENT)
    office.recheck([form], lambda _: {**WHOLE, "mother": "X"}, lambda _: {**WHOLE, "mother": "X"})


# -- who is told that somebody looked


def test_a_person_is_told_who_looked_once_the_form_is_found_to_be_theirs(office: Dc01Office) -> None:
    form = in_conflict(office)
    log = AccessLog(office.database, office.clock)
    assert log.of_person(NUMBER) == (), "a form with a wrong number is nobody's"
    office.scans.values(form, "lan", "issuance", replaced(officer="lan"))
    right = {**WHOLE, "citizen_number": NUMBER}
    office.forms.correct(form, FormKeyed(values=right, officer="lan"))
    shown(office, form, "minh")
    office.forms.review(form, FormReview(is_right=True, officer="minh"))
    told = log.of_person(NUMBER)
    assert [(each.reader, each.purpose, each.unit) for each in told] == (
        [("issuance", "population_form", "001.005")] * 3
    )


def replaced(**changes: str) -> ReadingFor:
    return msgspec.structs.replace(STATEMENT, **changes)


def test_who_is_not_let_look_is_not_said_to_have_looked(office: Dc01Office) -> None:
    (form,) = office.plan(1)
    with pytest.raises(TransitionRefused):
        shown(office, form)
    with office.database.reading() as connection:
        assert connection.execute(select(PERSON_READS)).all() == []


def test_a_look_is_recorded_before_anything_is_shown(
    office: Dc01Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (form,) = office.scanned()
    monkeypatch.setattr(office.store, "read", lambda _: pytest.fail("shown before it was recorded"))

    def busy(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(ReadBook, "note_form", busy)
    with pytest.raises(TimeoutError):
        shown(office, form)


# -- a picture that is not what was scanned


def test_a_picture_altered_in_the_store_is_told(office: Dc01Office) -> None:
    (form,) = office.scanned()
    assert isinstance(office.objects, MemoryObjects)
    for name, sealed in office.objects.held.items():
        office.objects.held[name] = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(BlobAltered):
        shown(office, form)
    office.objects.held.clear()
    with pytest.raises(BlobUnknown):
        shown(office, form)


def test_a_page_that_is_laid_under_another_form_is_told(office: Dc01Office) -> None:
    one, other = office.scanned(2)
    office.scan(other, pages=(scan_of(9),))
    with office.database.writing() as connection:
        address = select(SCAN_PAGES.c.address).where(SCAN_PAGES.c.form == other).scalar_subquery()
        connection.execute(update(SCAN_PAGES).where(SCAN_PAGES.c.form == one).values(address=address))
    with pytest.raises(BlobAltered):
        shown(office, one)


# -- what fails or is killed in the middle


def test_what_was_stored_for_a_transaction_that_failed_is_swept(
    office: Dc01Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = office.scanned()
    (form,) = office.plan(1)
    office.now += timedelta(seconds=1)
    from_the_paper = (scan_of(5), scan_of(6))
    with monkeypatch.context() as broken:
        broken.setattr(scan_repository, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.scan(kept, pages=from_the_paper)
    assert len(held(office)) == 4
    assert office.forms.form(kept).pages == 2
    assert sweep(office) == 2
    assert [shown(office, kept, page=number) for number in (1, 2)] == list(PAGES)
    assert office.states([form]) == ["planned"]


# Scans one form after another, each with pictures of its own, and says so once it is committed.
WORKER = """
import sys
from pathlib import Path
from issuance_backend.blob_store.objects import Directory
from tests.support.dc01_office import COLLECTED, Dc01Office, scan_of
from verification.messages.dc01 import FormCollected
url, folder, run = sys.argv[1:]
office = Dc01Office(url, objects=Directory(Path(folder)))
office._codes = iter(range(int(run) * 1000, 10**6))
while True:
    (form,) = office.plan(1)
    office.forms.collect(form, FormCollected(collected_on=COLLECTED, officer="lan"))
    at = int(run) * 1000 + len(list(Path(folder).rglob("*")))
    office.scan(form, pages=(scan_of(1, (1100 + at % 400, 1500 + at // 400)),))
    print(form, flush=True)
"""


def test_kill_9_loses_no_picture_that_was_acknowledged_and_leaves_none_behind(
    database_engine: Engine, tmp_path: Path
) -> None:
    url, folder = database_engine.new(), tmp_path / "blobs"
    Dc01Office(url).database.close()
    acknowledged: list[str] = []
    for run, seconds in enumerate((0.05, 0.21, 0.13)):
        program = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(folder), str(run)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert program.stdout is not None
        first = program.stdout.readline()
        time.sleep(seconds)
        program.send_signal(signal.SIGKILL)
        acknowledged += (first + program.stdout.read()).split()
        program.wait(20)
    assert len(acknowledged) >= 3
    office = Dc01Office(url, objects=Directory(folder))
    for form in acknowledged:
        assert shown(office, form).startswith(b"\x89PNG")
    office.now = utc_now() + 2 * UNNAMED_FOR
    office.store.sweep()
    found = office.store.check()
    assert (found.missing, found.altered) == ((), ())
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert len(left) == found.whole >= len(acknowledged)


def test_a_bucket_keeps_them_as_a_folder_does(
    database_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="forms")
        office = Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS), objects=Bucket("forms", None))
        (form,) = office.scanned()
        assert [shown(office, form, page=number) for number in (1, 2)] == list(PAGES)
        office.scan(form, pages=(scan_of(5),))
        assert len(client.list_objects_v2(Bucket="forms")["Contents"]) == 3
        office.now = utc_now() + 2 * UNNAMED_FOR
        with office.database.writing() as connection:
            store, moment = office.store, office.now - 2 * UNNAMED_FOR
            store.forget(connection, [], moment)
        assert office.store.sweep() == 2
        assert shown(office, form) == scan_of(5)


# -- forms of before, and when the time is over


def test_a_form_of_before_says_that_its_picture_is_kept_outside(office: Dc01Office) -> None:
    (form,) = office.scanned()
    with office.database.writing() as connection:
        connection.execute(SCAN_PAGES.delete())
        connection.execute(update(FORMS).values(pages=0, scan="5c" * 32))
    view = office.forms.form(form)
    assert (view.pages, view.scan) == (0, "5c" * 32)
    with pytest.raises(Dc01ScanOutside):
        shown(office, form)
    office.scan(form)
    view = office.forms.form(form)
    assert (view.pages, view.scan) == (2, None)
    assert shown(office, form) == PAGES[0]


def test_pictures_of_settled_forms_are_erased_in_time_and_no_others(office: Dc01Office) -> None:
    (waiting,) = office.scanned()
    settled, _ = office.accepted(2)
    office.forms.match(office.forms.form(settled).batch or "")
    office.now += KEPT
    assert office.scans.erase() == 0
    office.now += timedelta(seconds=1)
    assert office.scans.erase() == 2
    assert office.scans.erase() == 0
    with office.database.reading() as connection:
        rows = connection.execute(select(SCAN_PAGES).where(SCAN_PAGES.c.form == settled)).all()
    assert [(row.address, len(row.sha256)) for row in rows] == [(None, 64)] * 2
    assert shown(office, waiting) == PAGES[0], "the same picture of a form that waits"
    office.scan(waiting, pages=(scan_of(5),))
    assert sweep(office) == 2
    with office.database.reading() as connection:
        assert len(connection.execute(select(BLOBS)).all()) == 1


def test_an_erased_picture_is_told_as_erased(office: Dc01Office) -> None:
    (form,) = office.accepted(1)
    office.forms.match(office.forms.form(form).batch or "")
    office.now += KEPT + timedelta(seconds=1)
    office.scans.erase()
    with office.database.writing() as connection:
        connection.execute(update(FORMS).values(state=FormState.CONFLICT.value))
    with pytest.raises(PictureErased):
        shown(office, form)


# -- the commands


def test_keys_are_changed_and_the_store_is_checked_by_the_registrys_own_commands(
    office: Dc01Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys, folder = tmp_path / "keys.json", tmp_path / "blobs"
    for name, value in (
        ("REGISTRY_DATABASE_URL", office.url),
        ("REGISTRY_BLOB_KEYS_FILE", str(keys)),
        ("REGISTRY_BLOB_DIR", str(folder)),
    ):
        monkeypatch.setenv(name, value)

    def run(*words: str) -> int:
        return command.main(["store", *words])

    assert run("new-key", "--keys", str(keys), "--id", "2026") == 0
    office.scans._store = opened(office)
    (form,) = office.scanned()
    assert run("new-key", "--keys", str(keys), "--id", "2027") == 0
    assert run("remove-key", "--keys", str(keys), "--id", "2026") == 1
    assert run("rewrap") == 0
    assert run("remove-key", "--keys", str(keys), "--id", "2026") == 0
    office.scans._store = opened(office)
    assert shown(office, form) == PAGES[0]
    assert run("check") == 0
    assert run("sweep") == 0
    assert "2 contents, all whole" in capsys.readouterr().out
    assert command.main(["housekeeping", "--once"]) == 0
    assert "0 pictures of forms erased; 0 objects swept" in capsys.readouterr().out
    next(path for path in folder.rglob("*") if path.is_file()).write_bytes(b"x" * 99)
    assert run("check") == 1
    assert "altered" in capsys.readouterr().err
    monkeypatch.delenv("REGISTRY_BLOB_KEYS_FILE")
    monkeypatch.delenv("REGISTRY_BLOB_DIR")
    assert run("sweep") == 1


def opened(office: Dc01Office) -> BlobStore:
    store = registry_store(os.environ, office.database, office.clock)
    assert store is not None
    return store
