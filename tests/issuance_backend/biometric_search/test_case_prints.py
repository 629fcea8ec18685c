"""Prints before examiners: of fingers that both sides have, of hits and baits alike, each look recorded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from issuance_backend import recorded_events
from issuance_backend.biometric_search import cases
from issuance_backend.biometric_search.cases import Pair
from issuance_backend.biometric_search.examiners_desk import Applications, ExaminersDesk, Pictures
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown, CasePrintUnknown
from issuance_backend.dossiers import acts, repository
from issuance_backend.dossiers.case_parts import awaits_examiners, fingers
from issuance_backend.dossiers.pictures import Pictures as StoredPictures
from issuance_backend.officers.domain import Role
from issuance_backend.personalization.finger_pictures import encode_wsq
from issuance_backend.refusals import PictureErased, RoleMissing, SameOfficer
from issuance_backend.schema import DOSSIERS, ERASED_PICTURE
from tests.support.application_desk import LAN, MINH, Desk, make_desk, officer
from tests.support.cheap_prints import cheap_print
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from tests.support.search_bed import EXAMINERS, LEAD
from verification.errors import FingerImageUndecodable
from verification.fingerprint.print_picture import read_print
from verification.messages.biometric_search import BaitCase, CaseDecision, LikenessMessage

A, B = EXAMINERS[:2]
SLAP = 13
LIKENESSES = tuple(
    LikenessMessage("finger", position, 50.0, decibans, "test")
    for position, decibans in ((1, -3.0), (7, 40.0), (2, 12.5), (3, 90.0))
)


class Room:
    """Two applications with prints, and the desk before which their pairs come."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        applications = Applications(awaits_examiners, acts.worked_on, fingers)
        shown = Pictures(desk.office.picture, desk.office.finger)
        self.examiners = ExaminersDesk(desk.database, lambda: desk.now[0], shown, applications=applications)
        both = {
            1: cheap_print(1),
            2: cheap_print(2),
            7: encode_wsq(read_print(cheap_print(7))),
            SLAP: b"slap",
        }
        self.probe = self.applied(0, {**both, 3: cheap_print(3), 5: cheap_print(5)})
        self.candidate = self.applied(1, {**both, 4: b"no print", 5: b"no print"})

    def applied(self, citizen: int, prints: dict[int, bytes]) -> str:
        """The encounter of a new application that has these prints."""
        dossier = self.desk.captured(citizens()[citizen], number=citizen + 1)
        put = {position: self.desk.pictures.put(content) for position, content in prints.items()}
        with self.desk.database.writing() as connection:
            StoredPictures.keep(connection, *put.values())
            repository.set_prints(connection, dossier, {each: put[each].name for each in put})
            return acts.found(connection, dossier).encounter

    def found(self, likenesses: tuple[LikenessMessage, ...] = LIKENESSES) -> str:
        pair = Pair(probe_encounter=self.probe, candidate_encounter=self.candidate, likenesses=likenesses)
        with self.desk.database.writing() as connection:
            assert cases.open_case(connection, pair, self.desk.now[0])
        return self.waiting()

    def laid(self) -> str:
        bait = BaitCase(probe_encounter=self.probe, candidate_encounter=self.candidate, are_same_person=False)
        self.examiners.lay_bait(LEAD, bait)
        return self.waiting()

    def waiting(self) -> str:
        case = self.examiners.next_case(A)
        assert case is not None
        return case.case_id

    def looks(self, case: str) -> list[tuple[str, str]]:
        with self.desk.database.reading() as connection:
            recorded_events.verify(connection)
            steps = recorded_events.of_subject(connection, f"look/{case}")
        return [(step.actor, step.detail["picture"]) for step in steps]


@pytest.fixture
def room(database_engine: Engine) -> Room:
    return Room(make_desk(database_engine))


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        return np.asarray(picture)


def test_the_prints_that_both_sides_have_are_shown_the_likest_first(room: Room) -> None:
    case = room.found()
    # 3 and 4 has one side only, 13 is a slap; 5 was not compared.
    assert room.examiners.view(A, case).prints == (7, 2, 1, 5)
    for position, side in ((2, "probe"), (2, "candidate")):
        shown = pixels(room.examiners.finger(A, case, position, side))
        assert np.array_equal(shown, read_print(cheap_print(position)))
    of_wsq = pixels(room.examiners.finger(A, case, 7, "candidate"))
    assert np.array_equal(of_wsq, read_print(encode_wsq(read_print(cheap_print(7)))))


def test_each_look_is_recorded_and_none_that_was_refused(room: Room) -> None:
    case = room.found()
    room.examiners.picture(A, case, "candidate")
    room.examiners.finger(B, case, 7, "probe")
    with pytest.raises(FingerImageUndecodable):
        room.examiners.finger(B, case, 5, "candidate")
    with pytest.raises(AdjudicationCaseUnknown):
        room.examiners.finger(B, case, 7, "left")
    assert room.looks(case) == [(A.id, "candidate portrait"), (B.id, "probe print 7")]


@pytest.mark.parametrize(
    ("position", "side"), [(3, "probe"), (3, "candidate"), (SLAP, "probe"), (99, "probe")]
)
def test_no_print_is_shown_that_has_no_counterpart(room: Room, position: int, side: str) -> None:
    case = room.found()
    with pytest.raises(CasePrintUnknown):
        room.examiners.finger(A, case, position, side)
    assert room.looks(case) == []


def test_prints_are_for_whoever_may_decide_the_case(room: Room) -> None:
    case = room.found()
    for who, refusal in (
        (MINH, RoleMissing),
        (officer(LAN.id, Role.EXAMINER), SameOfficer),
    ):
        with pytest.raises(refusal):
            room.examiners.finger(who, case, 2, "probe")
    with pytest.raises(AdjudicationCaseUnknown):
        room.examiners.finger(A, "0" * 16, 2, "probe")
    assert room.looks(case) == []


def test_a_bait_has_the_prints_of_a_hit_in_no_order_of_the_hand(room: Room) -> None:
    bait = room.laid()
    of_bait = room.examiners.view(A, bait).prints
    assert set(of_bait) == {1, 2, 5, 7}
    assert pixels(room.examiners.finger(A, bait, 2, "candidate")).size
    assert room.examiners.view(B, bait).prints == of_bait, "asked again it is the same"


def test_what_was_not_compared_comes_in_another_order_for_each_pair(room: Room) -> None:
    prints = {position: cheap_print(position) for position in range(1, 11)}
    room.probe = room.applied(2, prints)
    orders = set()
    for citizen in (3, 4, 5):
        room.candidate = room.applied(citizen, prints)
        case = room.found(likenesses=())
        orders.add(room.examiners.view(A, case).prints)
        room.examiners.decide(A, case, CaseDecision("poor_data"))
    assert len(orders) == 3
    assert tuple(range(1, 11)) not in orders


def test_a_print_that_was_erased_says_so(room: Room) -> None:
    case = room.found()
    with room.desk.database.writing() as connection:
        dossier = repository.dossier_of_encounter(room.candidate)
        repository.add_portraits(connection, {ERASED_PICTURE: b""})
        repository.set_prints(connection, dossier, {})
        connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(portrait=ERASED_PICTURE))
    assert room.examiners.view(A, case).prints == ()
    with pytest.raises(PictureErased):
        room.examiners.finger(A, case, 2, "candidate")
    with pytest.raises(CasePrintUnknown):
        room.examiners.finger(A, case, 2, "probe")
    assert room.looks(case) == []


def test_a_print_is_shown_no_larger_than_a_page_needs(room: Room) -> None:
    large = io.BytesIO()
    Image.fromarray(np.full((1900, 1500), 200, np.uint8)).save(large, "PNG", dpi=(500, 500))
    room.candidate = room.applied(2, {2: large.getvalue()})
    shown = pixels(room.examiners.finger(A, room.found(), 2, "candidate"))
    assert max(shown.shape) == 1_000
