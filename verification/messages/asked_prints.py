"""Which fingers a form asks of whom, and what stands for one that is not there: for kit and centre. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from verification.encoding.dates import full_years
from verification.lds.finger_image import SLAPS, FingerPosition
from verification.messages.forms import FormException, FormPrints

FINGERPRINTS = "fingerprints"
"""The item that all prints are together."""

SINGLE_FINGERS = range(1, 11)
"""Positions of ISO/IEC 19794-4, table 7, without slaps: thumb to little finger, right hand before left."""

ALL_SLAPS = "slaps"
"""The item that all slaps are together."""

ALL_POSITIONS = range(1, 16)
"""The same, with thumbs pressed flat and the slaps of several fingers."""

QUALITY_EXCEPTION = "QUALITY_EXCEPTION"
"""The coded exception of a finger whose print is here and poor: no better one was to be had."""

NO_SLAP_SCANNER = "NO_SLAP_SCANNER"
"""The coded exception of a kit whose scanner takes one finger at a time: for all slaps together."""

_FINGER = re.compile(r"finger_(0[1-9]|1[0-5])")


def finger_item(position: int) -> str:
    """Under which name a packet has the print of a finger."""
    return f"finger_{position:02}"


FINGER_ITEMS = tuple(finger_item(position) for position in SINGLE_FINGERS)
SLAP_ITEMS = tuple(finger_item(position) for position in SLAPS)


def is_finger(item: str) -> bool:
    """Whether an item is a print, of one finger or of several."""
    return _FINGER.fullmatch(item) is not None


def is_single_finger(item: str) -> bool:
    """Whether an item is the print of one finger."""
    return item in FINGER_ITEMS


def is_slap(item: str) -> bool:
    """Whether an item is the print of several fingers at once: four of a hand, or both thumbs."""
    return item in SLAP_ITEMS


def fingers_of_slap(item: str) -> tuple[int, ...]:
    """The positions of the fingers that a slap shows, from left to right."""
    return SLAPS[FingerPosition(position_of(item))]


def position_of(item: str) -> int:
    """The position of a print by its name."""
    return int(item.removeprefix("finger_"))


def is_best_available(item: str, code: str) -> bool:
    """Whether an exception says of a print that it is here, and that no better one was to be had."""
    return code == QUALITY_EXCEPTION and is_single_finger(item)


def may_take_prints(prints: FormPrints | None, born: date | None, day: date) -> bool:
    """Whether the law lets prints be taken of somebody on a day; of whom no age is known they are."""
    return prints is None or born is None or full_years(born, day) >= prints.from_age


def asked_fingers(prints: FormPrints | None, born: date | None, day: date) -> tuple[str, ...]:
    """The items of the fingers that somebody gives on a day."""
    if prints is None or not may_take_prints(prints, born, day):
        return ()
    return tuple(finger_item(position) for position in prints.positions)


def asked_slaps(
    prints: FormPrints | None, born: date | None, day: date, sent_back: Collection[str] = ()
) -> tuple[str, ...]:
    """The items of the slaps that somebody gives on a day; those that were sent back by name on any day."""
    if prints is None or not may_take_prints(prints, born, day):
        return ()
    slaps = prints.slaps
    is_asked = slaps is not None and day >= date.fromisoformat(slaps.valid_from)
    named = {finger_item(position) for position in (slaps.positions if slaps and is_asked else ())}
    return tuple(item for item in SLAP_ITEMS if item in named or item in sent_back)


def slaps_to_take(
    prints: FormPrints | None,
    born: date | None,
    day: date,
    sent_back: Collection[str] | None,
    *,
    has_scanner: bool = False,
) -> tuple[str, ...]:
    """The items of the slaps that a capture takes, of an answer those that were ``sent_back``.

    Where a scanner for several fingers is, they may be taken before the form asks them.
    """
    asked = asked_slaps(prints, born, day, sent_back or ())
    if has_scanner and may_take_prints(prints, born, day):
        asked = SLAP_ITEMS
    return (
        asked if sent_back is None else tuple(item for item in asked if item in fingers_sent_back(sent_back))
    )


def excusable_fingers(
    fingers: Collection[str], slaps: Collection[str], *, is_answer: bool
) -> tuple[str, ...]:
    """The fingers that may have a reason: those that are asked, and those of a slap that was sent back."""
    shown = [finger_item(each) for slap in slaps if is_answer for each in fingers_of_slap(slap)]
    return tuple(dict.fromkeys((*fingers, *shown)))


def fingers_sent_back(items: Collection[str]) -> frozenset[str]:
    """The prints that may be taken again where these items were sent back: all of them, or some by name."""
    if FINGERPRINTS in items:
        return frozenset(finger_item(position) for position in ALL_POSITIONS)
    return frozenset(item for item in items if is_finger(item))


def missing_fingers(
    asked: Collection[str], taken: Collection[str], excused: Collection[str]
) -> tuple[str, ...]:
    """The fingers that have neither a print nor a reason; a reason for all of them is one for each."""
    if FINGERPRINTS in excused:
        return ()
    return tuple(item for item in asked if item not in taken and item not in excused)


def missing_slaps(
    asked: Collection[str], taken: Collection[str], excused: Collection[str]
) -> tuple[str, ...]:
    """The slaps that have neither a picture nor a reason; fingers that all have reasons are one."""
    if not {FINGERPRINTS, ALL_SLAPS}.isdisjoint(excused):
        return ()
    return tuple(
        item
        for item in asked
        if item not in taken
        and item not in excused
        and any(finger_item(each) not in excused for each in fingers_of_slap(item))
    )


def is_reason_for(reason: FormException, item: str) -> bool:
    """Whether a coded reason may stand for an item: one of a finger for that finger alone."""
    if reason.item == FINGERPRINTS:
        return item == FINGERPRINTS if reason.whole else is_finger(item)
    if reason.item == ALL_SLAPS:
        return item == ALL_SLAPS if reason.whole else is_slap(item)
    return reason.item == item


def is_contradicted(item: str, taken: Collection[str]) -> bool:
    """Whether what a reason was stated for is here all the same."""
    if item == ALL_SLAPS:
        return any(is_slap(each) for each in taken)
    return item in taken or (item == FINGERPRINTS and any(is_finger(each) for each in taken))
