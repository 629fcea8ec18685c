"""No capture without prints: a finger that the law asks has one, or a reason for which somebody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from issuance_backend.dossiers import repository
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.dossiers.packet_desk import CapturedPrint, OpenedPacket
from issuance_backend.dossiers.particulars import items_of
from issuance_backend.population_registry.domain import RegistryPerson
from tests.support.application_desk import LAN, MINH, PERSON, PRINTS, Desk, capture_of, make_desk, packet_of
from tests.support.cheap_prints import PRINT_TYPE, cheap_slap
from tests.support.engines import Engine
from verification.errors import FieldsRefused
from verification.messages.asked_prints import (
    FINGER_ITEMS,
    asked_fingers,
    asked_slaps,
    missing_fingers,
    missing_slaps,
)
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import CaptureException

SIX_YEARS = date(2020, 11, 20)
"""Born on this day, somebody is six on the day that packets are sealed."""


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


def born(desk: Desk, day: date) -> RegistryPerson:
    """The citizen as the registry has them, born on a day."""
    person = replace(PERSON, date_of_birth=day)
    desk.registry.people[PERSON.citizen_number] = person
    return person


@pytest.mark.parametrize(
    ("captured_on", "birthday", "count"),
    [
        (date(2021, 6, 1), date(2007, 6, 1), 10),
        (date(2021, 6, 1), date(2007, 6, 2), 0),
        (date(2024, 6, 30), date(2015, 1, 1), 0),
        (date(2024, 7, 1), date(2018, 7, 1), 10),
        (date(2026, 2, 28), date(2020, 2, 29), 0),
        (date(2026, 3, 1), date(2020, 2, 29), 10),
    ],
)
def test_the_edition_of_the_day_says_from_which_age(captured_on: date, birthday: date, count: int) -> None:
    """Law 59/2014 gives cards and takes prints from 14; Law 26/2023 takes them from 6, of nobody younger."""
    (prints,) = {each.prints for each in packaged_forms().in_force(captured_on) if each.prints}
    assert asked_fingers(prints, birthday, captured_on) == FINGER_ITEMS[:count]


def test_a_reason_for_one_finger_stands_for_no_other() -> None:
    assert missing_fingers(FINGER_ITEMS, FINGER_ITEMS[:8], {"finger_09"}) == ("finger_10",)
    assert missing_fingers(FINGER_ITEMS, ["finger_13", "finger_14"], ()) == FINGER_ITEMS, (
        "a slap is no finger"
    )
    assert missing_fingers(FINGER_ITEMS, (), {"fingerprints"}) == ()


def test_a_packet_that_lacks_fingers_is_returned_for_them_by_name(desk: Desk) -> None:
    dossier = desk.received(packet_of(prints=PRINTS[:8]))
    view = desk.view(dossier)
    assert view.returned is not None
    assert (desk.state(dossier), view.returned.items) == ("returned", ("finger_09", "finger_10"))
    assert view.returned.comment == "finger_09: PRINT_MISSING, finger_10: PRINT_MISSING"
    assert view.prints == 8, "nothing that was taken is lost"
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=PRINTS[8:]))
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 10)


def test_a_packet_without_any_print_is_returned(desk: Desk) -> None:
    view = desk.view(desk.received(packet_of(prints=())))
    assert view.returned is not None
    assert view.returned.items == ("fingerprints",), "all of them, as slaps too"


@pytest.mark.parametrize(
    ("faults", "items"),
    [
        ({"finger_03"}, ("finger_03",)),
        ({"finger_10", "finger_02", "portrait"}, ("portrait", "finger_02", "finger_10")),
        ({"finger_03", "fingerprints"}, ("fingerprints",)),
        ({"finger_03", "finger_13"}, ("finger_03", "finger_13")),
        ({"slaps", "finger_10"}, ("finger_10", "finger_13", "finger_14", "finger_15")),
        ({"finger_03", "finger_11"}, ("fingerprints",)),
        (set(FINGER_ITEMS), ("fingerprints",)),
        (set(FINGER_ITEMS[:9]), FINGER_ITEMS[:9]),
    ],
)
def test_only_the_fingers_that_are_wrong_are_sent_back(faults: set[str], items: tuple[str, ...]) -> None:
    assert items_of(faults) == items


def test_a_false_reason_excuses_no_finger(desk: Desk) -> None:
    false = (CaptureException("finger_10", "HANDS_MISSING"),)
    dossier = desk.received(packet_of(prints=PRINTS[:9], exceptions=false))
    assert desk.view(dossier).steps[-1].detail["faults"] == "EXCEPTION_UNKNOWN,PRINT_MISSING"
    assert desk.view(dossier).steps[-1].detail["items"] == "finger_10"


def test_one_reason_may_stand_for_both_hands(desk: Desk) -> None:
    stated = (CaptureException("fingerprints", "HANDS_MISSING"),)
    dossier = desk.received(packet_of(prints=(), exceptions=stated, supervisor="chief"))
    assert desk.state(dossier) == "validated"
    step = desk.view(dossier).steps[0].detail
    assert (step["exceptions"], step["answered_by"]) == ("hands_missing", "chief")


def test_who_is_six_gives_prints(desk: Desk) -> None:
    assert desk.state(desk.received(packet_of(born(desk, SIX_YEARS), prints=()))) == "returned"


def test_of_who_is_younger_no_prints_are_kept(desk: Desk) -> None:
    child = born(desk, date(2020, 11, 21))
    dossier = desk.received(packet_of(child))
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 0)


def test_a_counter_says_that_it_has_no_scanner(desk: Desk) -> None:
    dossier = desk.office.captures.capture(LAN, capture_of())
    assert desk.view(dossier).steps[0].detail["exceptions"] == "no_scanner"
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("fingerprints",), "lấy bằng bộ thiết bị"))
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=PRINTS))
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 10)


def test_a_counter_that_takes_a_small_child_excuses_nothing(desk: Desk) -> None:
    child = born(desk, date(2022, 1, 1))
    dossier = desk.office.captures.capture(LAN, capture_of(child, exceptions=[]))
    assert "exceptions" not in desk.view(dossier).steps[0].detail


# -- slaps

DECEMBER = "2026-12-01T02:00:00Z"
"""Sealed when slaps are asked."""

SLAPS = tuple(CapturedPrint(each, cheap_slap(each), PRINT_TYPE) for each in (13, 14, 15))


@pytest.fixture
def later(desk: Desk) -> Desk:
    desk.now[0] = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    return desk


def slapped(number: int = 1, **changes: object) -> OpenedPacket:
    return packet_of(number=number, happened_at=DECEMBER, **changes)


def test_slaps_are_asked_from_their_day_on_of_whom_gives_prints() -> None:
    prints = packaged_forms().edition("CC01", date(2026, 11, 30)).prints
    adult, child, day = date(1990, 1, 1), date(2021, 1, 1), date(2026, 12, 1)
    assert asked_slaps(prints, adult, date(2026, 11, 30)) == ()
    assert asked_slaps(prints, adult, day) == ("finger_13", "finger_14", "finger_15")
    assert asked_slaps(prints, child, day) == ()
    assert asked_slaps(prints, adult, date(2026, 11, 30), ("finger_14",)) == ("finger_14",), "sent back"
    assert asked_slaps(None, adult, day) == ()


def test_a_slap_is_missing_without_picture_and_reason() -> None:
    asked = ("finger_13", "finger_14", "finger_15")
    assert missing_slaps(asked, ["finger_13"], ["finger_14"]) == ("finger_15",)
    assert missing_slaps(asked, (), ["slaps"]) == missing_slaps(asked, (), ["fingerprints"]) == ()
    assert missing_slaps(asked, (), ["finger_01", "finger_06"]) == ("finger_13", "finger_14")
    assert missing_slaps(asked, (), ["finger_01"]) == asked


def test_a_packet_that_lacks_a_slap_is_returned_for_it_alone(later: Desk) -> None:
    dossier = later.received(slapped(prints=(*PRINTS, *SLAPS[:2])))
    view = later.view(dossier)
    assert view.returned is not None
    assert (view.returned.items, view.returned.comment) == (("finger_15",), "finger_15: PRINT_MISSING")
    later.received(slapped(2, answers=dossier, portrait=b"", prints=()))
    assert later.state(dossier) == "returned"
    later.received(slapped(3, answers=dossier, portrait=b"", prints=SLAPS[2:]))
    assert (later.state(dossier), later.view(dossier).prints) == ("validated", 13)


def test_a_kit_that_cannot_take_slaps_states_its_reason_and_the_step_counts_it(later: Desk) -> None:
    none = (CaptureException("slaps", "NO_SLAP_SCANNER"),)
    dossier = later.received(slapped(exceptions=none, supervisor="chief"))
    assert later.state(dossier) == "validated"
    assert later.view(dossier).steps[0].detail["exceptions"] == "no_slap_scanner"


def test_a_false_reason_for_slaps_brings_them_back_and_nothing_else(later: Desk) -> None:
    none = (CaptureException("slaps", "NO_SLAP_SCANNER"),)
    dossier = later.received(slapped(prints=(*PRINTS, *SLAPS), exceptions=none, supervisor="chief"))
    view = later.view(dossier)
    assert view.returned is not None
    assert view.returned.items == ("finger_13", "finger_14", "finger_15")
    assert view.steps[-1].detail["faults"] == "EXCEPTION_CONTRADICTED"


def test_with_all_prints_the_slaps_come_back_unnamed(later: Desk) -> None:
    view = later.view(later.received(slapped(prints=())))
    assert view.returned is not None
    assert view.returned.items == ("fingerprints",)


def test_an_approver_sends_one_slap_back_and_the_others_stand(later: Desk) -> None:
    dossier = later.received(slapped(prints=(*PRINTS, *SLAPS)))
    later.office.approvals.send_back(MINH, dossier, DossierReturn(("finger_14",), "các ngón chồng lên nhau"))
    with later.database.reading() as connection:
        before = repository.prints(connection, dossier)
    other = CapturedPrint(14, cheap_slap(14, 7), PRINT_TYPE)
    missing = (CaptureException("finger_07", "FINGER_BANDAGED"),)
    answer = {"answers": dossier, "portrait": b"", "prints": (other,), "exceptions": missing}
    later.received(slapped(2, **answer))
    with later.database.reading() as connection:
        after = repository.prints(connection, dossier)
    assert later.state(dossier) == "validated"
    assert {each for each in before if before[each] != after[each]} == {14}


def test_a_counters_reason_for_slaps_excuses_no_finger(later: Desk) -> None:
    with pytest.raises(FieldsRefused, match="finger_01"):
        later.office.captures.capture(LAN, capture_of(exceptions=["no_slap_scanner"]))
    stated = capture_of(exceptions=["no_scanner", "no_slap_scanner"])
    dossier = later.office.captures.capture(LAN, stated)
    assert later.view(dossier).steps[0].detail["exceptions"] == "no_scanner no_slap_scanner"
