"""Workers: the same options for each, patience while something is missing, and a clean end."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from issuance_backend import __main__ as command
from issuance_backend import housekeeping_commands, worker_loop
from issuance_backend.blob_store.place import open_store
from issuance_backend.blob_store.service import UNNAMED_FOR
from issuance_backend.credentials.undelivered_desk import WAITING_DAYS
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.housekeeping import Housekeeping
from issuance_backend.moments import utc_now
from issuance_backend.refusals import BlankStockEmpty, BlobStoreUnavailable
from issuance_backend.schema import OFFICER_SESSIONS
from issuance_backend.worker_loop import Worker
from tests.support.delivery import card_of, deliver, finished
from tests.support.engines import Sqlite
from tests.support.issuance_office import Office, citizens, make_office, picture
from verification.errors import TransitionRefused

ROOT = Path(__file__).parents[2]
WORKERS = (
    ("dossiers", "work"),
    ("search", "work"),
    ("produce", "work"),
    ("packets", "work"),
    ("credentials", "follow-registry"),
    ("housekeeping",),
)


@pytest.fixture(autouse=True)
def logged_as_before() -> Iterator[None]:
    """A worker sends the log of its process to its own place, and this process is not one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    worker_loop.add_options(parser)
    return parser.parse_args(arguments)


# -- how long


def test_once_takes_one_turn_and_until_idle_as_many_as_there_is_work_for() -> None:
    for arguments, done in ((["--once"], 3), (["--until-idle"], 5)):
        amounts = iter((3, 2, 0, 9))
        assert worker_loop.work(options(*arguments), Worker(name="test", turn=amounts.__next__)) == done


def test_whoever_is_asked_to_stop_says_what_is_missing() -> None:
    def turn() -> int:
        raise BlankStockEmpty("none")

    for asked in ("--once", "--until-idle"):
        with pytest.raises(BlankStockEmpty):
            worker_loop.work(options(asked), Worker(name="test", turn=turn))


def test_a_worker_asks_ever_more_seldom_while_something_is_missing() -> None:
    ended, asked = threading.Event(), []

    def turn() -> int:
        asked.append(time.monotonic())
        if len(asked) < 5:
            raise BlankStockEmpty("none") if len(asked) % 2 else TransitionRefused("taken meanwhile")
        if len(asked) == 5:
            return 1
        ended.set()
        return 0

    assert worker_loop.work_until(Worker(name="test", turn=turn, pause=0.01), ended) == 1
    pauses = [later - earlier for earlier, later in pairwise(asked[:5])]
    assert all(pause >= 0.01 * 2**number for number, pause in enumerate(pauses))


def test_a_fault_of_the_program_is_not_taken_for_patience() -> None:
    def turn() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        worker_loop.work_until(Worker(name="test", turn=turn), threading.Event())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("asked", [[], ["--until-idle"]])
def test_a_signal_ends_it_after_the_turn_that_is_under_way(number: int, asked: list[str]) -> None:
    before, finished_turns = signal.getsignal(number), []

    def turn() -> int:
        os.kill(os.getpid(), number)
        finished_turns.append(1)
        return 1

    assert worker_loop.work(options(*asked), Worker(name="test", turn=turn)) == 1
    assert len(finished_turns) == 1
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("words", WORKERS, ids=" ".join)
def test_every_worker_has_the_same_options(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        command.main([*words, "--once", "--until-idle"])
    assert (refused.value.code, "not allowed with" in capsys.readouterr().err) == (2, True)


# -- as processes


@contextmanager
def running(office: Office, *words: str) -> Iterator[subprocess.Popen[str]]:
    search_keys = {"ISSUANCE_SEARCH_KEY_DIR": str(office.card_dir.parent / "search_keys")}
    process = subprocess.Popen(
        [sys.executable, "-m", "issuance_backend", *words],
        cwd=ROOT,
        env={**os.environ, **office.environ, **search_keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("words", WORKERS, ids=" ".join)
def test_every_worker_ends_cleanly_when_it_is_told_to(
    tmp_path: Path, office_pki: Path, words: tuple[str, ...]
) -> None:
    office = make_office(tmp_path, office_pki, Sqlite(tmp_path))
    with running(office, *words) as process:
        # A worker that has its own handler no longer dies of the signal itself.
        while not _handles(process.pid, signal.SIGTERM):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        told, fault = process.communicate(timeout=8)
    assert process.returncode == 0, fault
    assert told.startswith("0 "), told
    assert "Traceback" not in fault


def _handles(process: int, number: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
    return bool(int(caught, 16) >> (number - 1) & 1)


# -- housekeeping


def test_housekeeping_does_what_nobody_waits_for(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = office.settings
    for name, value in (
        ("ISSUANCE_DATABASE_URL", settings.database_url),
        ("ISSUANCE_BLOB_KEYS_FILE", settings.blob_keys_file),
        ("ISSUANCE_BLOB_DIR", settings.blob_dir),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("ISSUANCE_INTAKE_KEY_DIR", raising=False)
    office.now[0] = utc_now() - timedelta(days=WAITING_DAYS + 1)
    card = finished(office, citizens()[0])
    deliver(office, card)
    assert settings.blob_dir is not None
    named = objects(settings.blob_dir)
    pictures = Pictures(office.database, open_store(settings.store_place, office.database, utc_now))
    pictures.put(picture(77))
    old = (utc_now() - 2 * UNNAMED_FOR).timestamp()
    for each in objects(settings.blob_dir):
        os.utime(each, (old, old))
    with office.database.reading() as connection:
        sessions = len(connection.execute(select(OFFICER_SESSIONS)).all())
    assert sessions
    assert command.main(["housekeeping", "--once"]) == 0
    told = capsys.readouterr().out
    assert f"{sessions} ended sessions forgotten; 0 old requests forgotten; 1 objects swept" in told
    assert "0 dossiers' pictures erased; 1 cards undelivered" in told
    assert (card_of(office, card).state, objects(settings.blob_dir)) == ("undelivered", named)
    assert command.main(["housekeeping", "--until-idle"]) == 0
    assert "1 " not in capsys.readouterr().out, "nothing is done twice"


def objects(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_duty_that_cannot_be_done_now_stops_no_other() -> None:
    down, done = [True], []

    def sweep() -> int:
        if down:
            raise BlobStoreUnavailable("no answer")
        return 2

    def age() -> int:
        done.append(1)
        return 1

    house = Housekeeping({"objects swept": sweep, "cards undelivered": age})
    assert (house.turn(), house.told) == (1, "0 objects swept; 1 cards undelivered")
    down.clear()
    assert (house.turn(), house.told) == (3, "2 objects swept; 2 cards undelivered")


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--every", "0"], ["--every", "nan"]])
def test_housekeeping_without_sense_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch, wrong: list[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", office.settings.database_url)
    assert command.main(["housekeeping", "--once", *wrong]) == 1


def test_no_round_of_housekeeping_follows_at_once() -> None:
    assert housekeeping_commands.PAUSE_SECONDS >= 60
