"""Slaps and photographs of hands at a counter: by the kit's rules, and each comes back alone (F02)."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from PIL import ImageDraw

from issuance_backend.dossiers import erasures, repository
from issuance_backend.dossiers.counter.service import CounterDesk
from issuance_backend.dossiers.hand_photos import hand_photos
from issuance_backend.officers.domain import Role
from monitoring.stand.drawn_people import prints, slaps
from tests.support.application_desk import LAN, MINH, Desk, capture_of, make_desk, officer
from tests.support.cheap_fingers import GOOD, CheapFingers
from tests.support.cheap_prints import cheap_print, cheap_prints, cheap_slap
from tests.support.engines import Engine
from tests.support.issuance_office import SIGNATURE, picture
from tests.support.second_touch import encoded
from tests.support.signed_paper import page_of, scanned
from verification.errors import FieldsRefused
from verification.fingerprint.form_page import BOXES
from verification.messages.asked_prints import ALL_SLAPS, NO_SLAP_SCANNER, SLAP_ITEMS
from verification.messages.counter_capture import CitizenAgreement, CounterCapture, CounterPrints
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import CaptureException
from verification.messages.hand_photos import LEFT as LEFT_PHOTO
from verification.messages.hand_photos import RIGHT as RIGHT_PHOTO

SON = officer("son", Role.SUPERVISOR, unit="001.02")
TO_DECEMBER = timedelta(days=10)
"""Until slaps are asked."""

RIGHT, LEFT, THUMBS = SLAP_ITEMS
SLAPS = {item: cheap_slap(int(item[-2:])) for item in SLAP_ITEMS}
NO_SLAPS = CaptureException(ALL_SLAPS, NO_SLAP_SCANNER)
WITHOUT_THREE = {item: content for item, content in cheap_prints().items() if item != "finger_03"}
GONE = CaptureException("finger_03", "FINGER_MISSING")
PHOTO = picture(3)


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    """An office on a day on which slaps are asked."""
    desk = make_desk(database_engine)
    desk.office.counter._checks.fingers = lambda: CheapFingers({})
    desk.now[0] += TO_DECEMBER
    return desk


@pytest.fixture
def counter(desk: Desk) -> CounterDesk:
    return desk.office.counter


def begun(counter: CounterDesk, **changes: object) -> str:
    return counter.begin(LAN, capture_of(exceptions=[], **changes)).id


def take(counter: CounterDesk, which: str, **of: bytes) -> CounterCapture:
    return counter.prints.take(LAN, which, CounterPrints(of))


def states(seen: CounterCapture) -> dict[str, str | None]:
    return {each.item: each.state for each in seen.slaps}


def told(counter: CounterDesk, which: str, *, takes_slaps: bool) -> CounterCapture:
    return counter.prints.tell_scanner(LAN, which, takes_slaps=takes_slaps)


def refused(act: object) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as caught:
        act()  # type: ignore[operator]
    return dict(caught.value.fields)


def sealed(counter: CounterDesk, which: str) -> str:
    counter.check_form(LAN, which)
    counter.sign(LAN, which, CitizenAgreement("vi", SIGNATURE))
    if "supervisor" in counter.view(LAN, which).missing:
        counter.answer(SON, which)
    return counter.seal(LAN, which)


def test_from_their_day_on_slaps_are_asked_cut_counted_and_go_into_the_dossier(
    desk: Desk, counter: CounterDesk
) -> None:
    which = begun(counter)
    assert set(states(take(counter, which, **cheap_prints())).values()) == {"missing"}
    assert refused(lambda: counter.check_form(LAN, which)) == {"prints": "COUNTER_PRINTS_MISSING"}
    again = take(counter, which, **{RIGHT: cheap_slap(13, 3)})
    poor = {each.item: each for each in again.slaps}[RIGHT]
    assert (poor.state, poor.scores, poor.code) == ("missing", (0,), "SLAP_MISCOUNTED")
    seen = take(counter, which, **SLAPS)
    assert (states(seen), seen.missing) == (dict.fromkeys(SLAP_ITEMS, "taken"), ("form", "signature"))
    right = {each.item: each for each in seen.slaps}[RIGHT]
    assert ([each.item[-2:] for each in right.fingers], right.scores, right.code) == (
        ["02", "03", "04", "05"],
        (0, GOOD),
        None,
    )
    dossier = sealed(counter, which)
    with desk.database.reading() as connection:
        kept = repository.prints(connection, dossier)
    assert {each: desk.pictures.read(kept[each]) for each in (13, 14, 15)} == {
        int(item[-2:]): content for item, content in SLAPS.items()
    }
    assert desk.view(dossier).steps[0].detail["print_attempts"] == "13:2"


def test_paper_that_bears_slaps_is_signed_and_judged(desk: Desk, counter: CounterDesk) -> None:
    which = begun(counter)
    take(counter, which, **prints(7), **slaps(7))
    counter.check_form(LAN, which)
    page = page_of(counter.form(LAN, which))
    assert refused(lambda: on_paper(counter, which, scanned(page, is_signed=False))) == {
        "scan": "COUNTER_PAPER_NOT_SIGNED"
    }
    covered = page.copy()
    box = BOXES[13]
    ImageDraw.Draw(covered).rectangle((box.left, box.top, box.right, box.bottom), fill=255)
    assert RIGHT in refused(lambda: on_paper(counter, which, scanned(covered)))
    assert on_paper(counter, which, scanned(page)).missing == ()


def on_paper(counter: CounterDesk, which: str, scan: bytes) -> CounterCapture:
    return counter.sign(LAN, which, CitizenAgreement("vi", scan=scan))


def test_a_slap_that_is_refused_later_leaves_what_stood(counter: CounterDesk) -> None:
    which = begun(counter)
    take(counter, which, **cheap_prints(), **SLAPS)
    seen = take(counter, which, **{RIGHT: cheap_slap(13, 3)})
    assert (states(seen)[RIGHT], counter.prints.picture(SON, which, RIGHT).content) == ("taken", SLAPS[RIGHT])
    blank = encoded(np.full((100, 100), 250, np.uint8))
    assert refused(lambda: take(counter, which, **{RIGHT: blank})) == {RIGHT: "PRINT_NOT_PICTURE"}
    assert {each.item: each.scores for each in counter.view(LAN, which).slaps}[RIGHT] == (GOOD, 0)
    dropped = counter.prints.drop(LAN, which, RIGHT)
    assert (states(dropped)[RIGHT], dropped.missing[0]) == ("missing", "prints")


def test_a_print_of_another_finger_of_the_slap_is_refused_by_name(counter: CounterDesk) -> None:
    which = begun(counter)
    take(counter, which, **SLAPS)
    seen = take(counter, which, finger_08=cheap_print(7, 1))
    tried = {each.item: each.tried for each in seen.fingers}["finger_08"]
    assert tried
    assert tried.code == "PRINT_MISPLACED"


def test_before_their_day_they_may_be_taken_where_a_scanner_is(desk: Desk, counter: CounterDesk) -> None:
    desk.now[0] -= TO_DECEMBER
    which = begun(counter)
    seen = take(counter, which, **cheap_prints())
    assert (seen.slaps, seen.missing) == ((), ("form", "signature"))
    seen = told(counter, which, takes_slaps=True)
    assert (states(seen), seen.missing) == (dict.fromkeys(SLAP_ITEMS), ("form", "signature"))
    assert states(take(counter, which, **{LEFT: SLAPS[LEFT]}))[LEFT] == "taken"


def test_a_scanner_of_single_fingers_excuses_slaps_by_itself_and_is_remembered(
    desk: Desk, counter: CounterDesk
) -> None:
    which = begun(counter)
    take(counter, which, **cheap_prints())
    seen = told(counter, which, takes_slaps=False)
    assert (seen.print_reasons, seen.missing) == ((NO_SLAPS,), ("form", "signature", "supervisor"))
    assert set(states(seen).values()) == {"excused"}
    dossier = sealed(counter, which)
    assert desk.view(dossier).steps[0].detail["exceptions"] == "no_slap_scanner"
    other = list(desk.registry.people.values())[1]
    later = counter.begin(LAN, capture_of(other, number=2, exceptions=[]))
    assert (later.slap_scanner, later.print_reasons) == (False, (NO_SLAPS,))
    anew = told(counter, later.id, takes_slaps=True)
    assert (anew.print_reasons, set(states(anew).values())) == ((), {"missing"})
    taken = take(counter, later.id, **SLAPS)
    assert set(states(taken).values()) == {"taken"}
    stranger = officer("other", Role.CAPTURE, unit=LAN.unit)
    third = list(desk.registry.people.values())[2]
    assert counter.begin(stranger, capture_of(third, number=3, exceptions=[])).slap_scanner is None


def test_slaps_that_come_all_the_same_take_that_reason_away(counter: CounterDesk) -> None:
    which = begun(counter)
    told(counter, which, takes_slaps=False)
    assert take(counter, which, **{RIGHT: SLAPS[RIGHT]}).print_reasons == ()
    assert counter.prints.drop(LAN, which, RIGHT).print_reasons == (NO_SLAPS,)


def test_of_whom_no_prints_can_be_taken_no_slap_is_asked(counter: CounterDesk) -> None:
    which = begun(counter)
    told(counter, which, takes_slaps=False)
    seen = counter.prints.state_reason(LAN, which, CaptureException("fingerprints", "NO_SCANNER"))
    assert (seen.exceptions, seen.missing) == (("no_scanner",), ("form", "signature", "supervisor"))


def test_reasons_of_slaps_and_of_their_fingers(counter: CounterDesk) -> None:
    which = begun(counter)
    take(counter, which, **WITHOUT_THREE, **{LEFT: SLAPS[LEFT], THUMBS: SLAPS[THUMBS]})
    for stated, code in (
        (CaptureException(RIGHT, NO_SLAP_SCANNER), "EXCEPTION_UNKNOWN"),
        (CaptureException(LEFT, "HAND_NOT_FLAT"), "EXCEPTION_CONTRADICTED"),
        (NO_SLAPS, "EXCEPTION_CONTRADICTED"),
    ):
        faults = refused(lambda stated=stated: counter.prints.state_reason(LAN, which, stated))
        assert faults == {stated.item: code}
    counter.prints.state_reason(LAN, which, CaptureException("finger_03", "FINGER_BANDAGED"))
    assert states(take(counter, which, **{RIGHT: cheap_slap(13, 3)}))[RIGHT] == "taken"
    again = take(counter, which, finger_03=cheap_print(3))
    assert (states(again)[RIGHT], again.missing[0]) == ("again", "prints"), "the finger is here after all"
    counter.prints.drop(LAN, which, RIGHT)
    flat = counter.prints.state_reason(LAN, which, CaptureException(RIGHT, "HAND_NOT_FLAT"))
    assert (states(flat)[RIGHT], flat.missing) == ("excused", ("form", "signature", "supervisor"))


def test_a_reason_for_all_slaps_may_be_stated_at_the_beginning(counter: CounterDesk) -> None:
    begun_so = counter.begin(LAN, capture_of(exceptions=["no_slap_scanner"]))
    assert begun_so.print_reasons == (NO_SLAPS,)
    named = capture_of(number=2, exceptions=["hand_not_flat"])
    assert refused(lambda: counter.begin(LAN, named)) == {"exceptions": "EXCEPTION_UNKNOWN"}


def returned(desk: Desk, counter: CounterDesk, *items: str) -> CounterCapture:
    """A capture that answers the return of a dossier whose slaps and photograph came from a counter."""
    which = begun(counter)
    take(counter, which, **WITHOUT_THREE)
    counter.prints.state_reason(LAN, which, GONE)
    take(counter, which, **{RIGHT: cheap_slap(13, 3), LEFT: SLAPS[LEFT], THUMBS: SLAPS[THUMBS]})
    take(counter, which, **{RIGHT_PHOTO: PHOTO})
    dossier = sealed(counter, which)
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(items, "Mờ"))
    return counter.begin(LAN, capture_of(number=2, portrait=b"", exceptions=[]), dossier)


def test_one_slap_comes_back_alone(desk: Desk, counter: CounterDesk) -> None:
    again = returned(desk, counter, THUMBS)
    assert (again.fingers, states(again), again.missing[0]) == ((), {THUMBS: "missing"}, "prints")
    for item in (LEFT, "finger_02"):
        content = {**SLAPS, **cheap_prints()}[item]
        assert refused(lambda item=item, content=content: take(counter, again.id, **{item: content})) == {
            item: "ITEM_NOT_RETURNED"
        }
    stranger = CaptureException("finger_08", "FINGER_BANDAGED")
    assert refused(lambda: counter.prints.state_reason(LAN, again.id, stranger)) == {
        "item": "EXCEPTION_UNKNOWN"
    }
    counter.prints.state_reason(LAN, again.id, CaptureException("finger_06", "FINGER_BANDAGED"))
    seen = take(counter, again.id, **{THUMBS: cheap_slap(15, 6)})
    assert (states(seen), seen.missing) == ({THUMBS: "taken"}, ("form", "signature", "supervisor"))
    with desk.database.reading() as connection:
        before = repository.prints(connection, str(again.dossier))
    dossier = sealed(counter, again.id)
    with desk.database.reading() as connection:
        after = repository.prints(connection, dossier)
    assert {place for place in before if before[place] != after[place]} == {15}
    assert desk.pictures.read(after[15]) == cheap_slap(15, 6)


def test_a_hand_is_photographed_where_a_finger_is_missing_for_good(desk: Desk, counter: CounterDesk) -> None:
    which = begun(counter)
    told(counter, which, takes_slaps=False)
    take(counter, which, **WITHOUT_THREE)
    assert refused(lambda: take(counter, which, **{RIGHT_PHOTO: PHOTO})) == {
        RIGHT_PHOTO: "HAND_PHOTO_NEEDLESS"
    }
    bandaged = counter.prints.state_reason(LAN, which, CaptureException("finger_03", "FINGER_BANDAGED"))
    assert bandaged.hand_photos == ()
    gone = counter.prints.state_reason(LAN, which, GONE)
    assert ([(each.item, each.is_here) for each in gone.hand_photos], gone.missing[0]) == (
        [(RIGHT_PHOTO, False)],
        "prints",
    )
    assert refused(lambda: take(counter, which, **{RIGHT_PHOTO: cheap_print(1)})) == {
        RIGHT_PHOTO: "HAND_PHOTO_NOT_JPEG"
    }
    assert refused(lambda: take(counter, which, **{LEFT_PHOTO: PHOTO})) == {LEFT_PHOTO: "HAND_PHOTO_NEEDLESS"}
    seen = take(counter, which, **{RIGHT_PHOTO: PHOTO})
    assert (seen.hand_photos[0].is_here, seen.missing[0]) == (True, "form")
    assert counter.prints.picture(SON, which, RIGHT_PHOTO).content == PHOTO
    back = take(counter, which, finger_03=cheap_print(3))
    assert back.hand_photos == (), "with its reason it goes"
    counter.prints.drop(LAN, which, "finger_03")
    assert not counter.prints.state_reason(LAN, which, GONE).hand_photos[0].is_here
    take(counter, which, **{RIGHT_PHOTO: PHOTO})
    assert counter.prints.drop(LAN, which, RIGHT_PHOTO).missing[0] == "prints"


def test_a_photograph_belongs_to_the_dossier_comes_back_alone_and_is_erased_with_it(
    desk: Desk, counter: CounterDesk
) -> None:
    again = returned(desk, counter, RIGHT_PHOTO)
    dossier = str(again.dossier)
    assert desk.office.hand_photo(MINH, dossier, RIGHT_PHOTO) == PHOTO
    assert (again.fingers, again.slaps) == ((), ())
    assert [(each.item, each.is_here) for each in again.hand_photos] == [(RIGHT_PHOTO, False)]
    desk.now[0] += timedelta(minutes=5)
    seen = take(counter, again.id, **{RIGHT_PHOTO: picture(4)})
    assert seen.missing == ("form", "signature")
    assert desk.office.hand_photo(MINH, dossier, RIGHT_PHOTO) == PHOTO, "nothing is sealed yet"
    sealed(counter, again.id)
    assert desk.office.hand_photo(MINH, dossier, RIGHT_PHOTO) == picture(4), "the newest"
    with desk.database.writing() as connection:
        row = repository.find(connection, dossier)
        assert row
        erasures.take_pictures(connection, row)
        assert hand_photos(connection, dossier) == {}
