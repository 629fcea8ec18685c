"""A worker that slept past its lease records nothing: another has done its task by then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.search_room import Found
from issuance_backend.biometric_search.worker import LEASE, SearchWorker, _Work
from issuance_backend.refusals import LeaseLost
from tests.support.engines import Engine
from tests.support.running import run_pending
from tests.support.search_bed import OFFICE, face_modality, finger_modality, identify, make_bed


@pytest.mark.parametrize("asked", ["enrolment", "search"])
def test_what_a_slow_worker_did_is_done_once(tmp_path: Path, database_engine: Engine, asked: str) -> None:
    bed = make_bed(tmp_path, database_engine)
    bed.enrol(3)
    if asked == "search":
        run_pending(bed.worker)
        bed.desk.submit(OFFICE, identify(3))
    done: list[int] = []

    class Slow(SearchWorker):
        def _look(self, work: _Work) -> Found:
            bed.now[0] += LEASE + timedelta(seconds=1)
            done.append(run_pending(bed.worker))
            return super()._look(work)

    slow = Slow(bed.database, bed.keys, Modalities((finger_modality(), face_modality())), lambda: bed.now[0])
    with pytest.raises(LeaseLost):
        slow.run_once()
    assert done == [1]
    assert len(bed.worker.index("national")) == 1
    assert [encounter for encounter, _ in bed.searched] == (["later-3"] if asked == "search" else [])
