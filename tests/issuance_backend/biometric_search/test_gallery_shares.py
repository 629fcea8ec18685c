"""A gallery in several programs answers as one index does, and loses nothing with one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuance_backend import search_commands
from issuance_backend.biometric_search.composition import compared_modalities
from issuance_backend.biometric_search.fusion import Candidate
from issuance_backend.biometric_search.gallery_index import Enrolment, Filters, GalleryIndex, Question
from issuance_backend.biometric_search.gallery_shares import GalleryShares
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.refusals import DeduplicationUnavailable
from monitoring.environment import ConfigurationFault
from tests.support.engines import Sqlite
from tests.support.running import run_pending
from tests.support.search_bed import OFFICE, PEOPLE, identify, make_bed, samples_of

COUNT = 3


@pytest.fixture(scope="module")
def shares() -> Iterator[GalleryShares]:
    made = GalleryShares(compared_modalities(), compared_modalities, COUNT)
    yield made
    for share in made._shares:
        share._program.kill()


def said(candidates: tuple[Candidate, ...]) -> list[tuple[int, bool, float, int]]:
    """The answer; the last bits of a sum depend on how many faces are multiplied at once."""
    return [(each.number, each.is_hit, round(each.decibans, 3), len(each.likenesses)) for each in candidates]


def kill_one(shares: GalleryShares) -> None:
    program = shares._shares[0]._program
    os.kill(program.pid or 0, signal.SIGKILL)
    program.join()


def test_shares_answer_as_one_index(shares: GalleryShares) -> None:
    one = GalleryIndex(compared_modalities())
    people = [
        Enrolment(reference=f"r-{each}", samples=samples_of(each), sex="MF"[each % 2])
        for each in range(PEOPLE)
    ]
    for index in (one, shares):
        index.add(list(enumerate(people, 1)))
        index.add([(1, people[5])])
        for number in (3, 7, 7, 99):
            index.remove(number)
    assert len(shares) == len(one) == PEOPLE - 2
    for person in range(0, PEOPLE, 3):
        for changes in (
            {},
            {"target_fpir_decibans": 40},
            {"max_candidates": 2},
            {"filters": Filters(sex="F")},
            {"but_not": f"r-{person}"},
        ):
            question = Question(samples=samples_of(person, touch=2), **changes)  # type: ignore[arg-type]
            assert said(shares.identify(question)) == said(one.identify(question))
        asked = samples_of(person, touch=2), f"r-{person}"
        assert said(shares.verify(*asked)) == said(one.verify(*asked))
        assert shares.knows(f"r-{person}") == one.knows(f"r-{person}")
    # Enrolments lie where their numbers fall: nobody holds everybody.
    assert sorted(shares._asked("__len__")) == [7, 7, 8]


def test_a_share_that_ends_is_read_again_and_the_task_with_it(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, Sqlite(tmp_path))
    made: list[GalleryShares] = []

    def new_index(modalities: object) -> GalleryShares:
        made.append(GalleryShares(compared_modalities(), compared_modalities, 1))
        return made[-1]

    now = bed.now
    worker = SearchWorker(bed.database, bed.keys, compared_modalities(), lambda: now[0], new_index=new_index)
    for person in range(4):
        bed.enrol(person)
    bed.desk.submit(OFFICE, identify(2))
    assert run_pending(worker) == 5
    kill_one(made[0])
    assert not made[0].is_whole
    # It is noticed before it is asked, or while it is asked: then the task waits for the next turn.
    bed.desk.submit(OFFICE, identify(3))
    assert worker.run_once()
    bed.desk.submit(OFFICE, identify(1))
    dying = made[1]
    dying_identify = dying.identify

    def killed_first(question: Question) -> object:
        kill_one(dying)
        return dying_identify(question)

    dying.identify = killed_first  # type: ignore[method-assign,assignment]
    with pytest.raises(DeduplicationUnavailable):
        worker.run_once()
    assert worker.run_once()
    assert len(made) == 3
    for person in (1, 2, 3):
        task = bed.desk.task(OFFICE, f"identify-{person}")
        assert task.outcome == "adjudication"
        assert bed.found(f"identify-{person}")[0] == f"subject-{person}"
    for each in made:
        for share in each._shares:
            share._program.kill()


def test_a_share_ends_with_whoever_asked_it() -> None:
    alone = GalleryShares(compared_modalities(), compared_modalities, 1)
    assert len(alone) == 0
    (share,) = alone._shares
    share._pipe.close()
    share._program.join(30)
    assert not alone.is_whole


def test_a_gallery_lies_in_one_program_at_least() -> None:
    assert search_commands._index(1, compared_modalities) is GalleryIndex
    with pytest.raises(ConfigurationFault):
        search_commands._index(0, compared_modalities)
