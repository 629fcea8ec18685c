"""kill -9 in the middle of everything: what was acknowledged is there, what was not is whole or absent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from issuance_backend import recorded_events
from issuance_backend.blob_store.keys import add_key
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.blob_store.service import UNNAMED_FOR
from issuance_backend.moments import utc_now
from issuance_backend.outbox.domain import Ask, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine

ROOT = Path(__file__).parents[2]
DELAYS = (0.02, 0.31, 0.11, 0.23)
"""Seconds between the first acknowledgement and the kill."""

# Stores a content, names it, records a step and tells it, and only then says so.
WORKER = """
import sys
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.moments import rfc3339, utc_now
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.recorded_events import Step, append
from monitoring.database import Database
from pathlib import Path
url, keys, folder, run = sys.argv[1:]
database = Database(url)
store = open_store(StorePlace(keys_file=Path(keys), dir=Path(folder)), database, utc_now)
number = 0
while True:
    number += 1
    blob = store.put(f"{run}-{number}".encode() * 200, "image/jpeg")
    notice = Notice(topic=Topic.DOSSIER_STATE, key=f"{run}-{number}", data={"address": blob.address})
    step = Step(subject=f"dossier/{run}-{number}", event="capture", state="captured", actor="lan",
                at=rfc3339(utc_now()), notice=notice)
    with database.writing() as connection:
        store.keep(connection, blob)
        append(connection, step)
    print(f"{run}-{number}", flush=True)
"""


def work_and_die(url: str, folder: Path, run: int, seconds: float) -> list[str]:
    """What a program acknowledged before it was killed."""
    arguments = [url, str(folder / "keys"), str(folder / "blobs"), str(run)]
    program = subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert program.stdout is not None
    first = program.stdout.readline()
    time.sleep(seconds)
    program.send_signal(signal.SIGKILL)
    rest = program.stdout.read()
    program.wait(20)
    return (first + rest).split()


def test_what_was_acknowledged_outlasts_every_kill(database_engine: Engine, tmp_path: Path) -> None:
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    add_key(tmp_path / "keys", "first")
    acknowledged: list[str] = []
    for run, seconds in enumerate(DELAYS):
        acknowledged += work_and_die(database.url, tmp_path, run, seconds)
    assert len(acknowledged) > len(DELAYS), "killed before they were in the middle of anything"
    board, told, position = NoticeBoard(database, utc_now), {}, 0
    while True:
        feed = board.after("reader", Ask(topics=(Topic.DOSSIER_STATE,), after=position))
        told |= {event.key: event.data["address"] for event in feed.events}
        position = feed.next
        if position == feed.newest:
            break
    assert set(acknowledged) <= set(told)
    # At most the step that was committed and not yet said, once a kill.
    assert len(told) - len(acknowledged) <= len(DELAYS)
    with database.reading() as connection:
        assert recorded_events.verify(connection) == len(told)
    place = StorePlace(keys_file=tmp_path / "keys", dir=tmp_path / "blobs")
    later = open_store(place, database, lambda: utc_now() + 2 * UNNAMED_FOR + timedelta(minutes=1))
    assert later is not None
    found = later.check()
    assert (found.whole, found.missing, found.altered) == (len(told), (), ())
    for name, address in told.items():
        assert later.read(address) == name.encode() * 200
    later.sweep()
    left = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert len(left) == len(told), "nothing is left over, and nothing that is named was swept"
