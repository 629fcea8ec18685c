"""Where the running numbers of kits are: here, missing, or given up by a case (invariant I7). Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

MAX_AHEAD = 100_000
"""No kit's numbers run further ahead (the intake refuses them): what would, is no number of a kit."""

PACKET, CLOSE_GAP = "packet", "close_gap"
"""The subjects whose first step says that a number came, and the step that gives one up."""

_MAX_DIGITS = 9
Place = tuple[str, int]
"""A kit, and a number of it."""


@dataclass(frozen=True, slots=True)
class NumberTold:
    """A recorded step that speaks of a kit's number: its packet came, or a case gave it up."""

    sequence: int
    kit: str
    number: int
    unit: str
    came: bool


@dataclass(frozen=True, slots=True)
class KitNumbers:
    """A number of a kit with ``further`` ones right behind it, of which the same is known.

    The steps are those in which they were known to be used, their packet came, and they were given up.
    """

    kit: str
    number: int
    unit: str
    since: int
    came: int | None = None
    closed: int | None = None
    further: int = 0

    @property
    def last(self) -> int:
        """The last of them."""
        return self.number + self.further

    def part(self, first: int, last: int) -> KitNumbers:
        """Some of them."""
        return replace(self, number=first, further=last - first)


def number_of(detail: Mapping[str, str]) -> Place | None:
    """The kit and the running number that a recorded step speaks of."""
    kit, number = detail.get("kit", ""), detail.get("sequence", "")
    return (kit, int(number)) if kit and number.isdecimal() and len(number) <= _MAX_DIGITS else None


def numbers_after(
    told: Iterable[NumberTold], newest: Mapping[str, int], known: Iterable[KitNumbers]
) -> dict[Place, KitNumbers]:
    """What is new or changed, by its first number. A kit that used a number has used every one before it.

    ``newest`` is the highest number of each kit so far, ``known`` has those numbers that were told before.
    However far a kit ran ahead, what is missing of it is one range until one of it comes.
    """
    heads, book = dict(newest), _Book(known)
    for each in told:
        head = heads.get(each.kit, 0)
        if not 0 < each.number <= head + MAX_AHEAD:
            continue
        if each.number > head:
            before = KitNumbers(each.kit, head + 1, each.unit, each.sequence)
            if each.number > head + 1:
                book.write(before.part(head + 1, each.number - 1))
            book.write(before.part(each.number, each.number))
            heads[each.kit] = each.number
        _settle(book, each)
    return book.written


def _settle(book: _Book, told: NumberTold) -> None:
    """Write that one number came or was given up; what it was taken out of falls into two."""
    former = book.holding(told.kit, told.number)
    if former is None or (former.came if told.came else former.closed) is not None:
        return
    if former.number < told.number:
        book.write(former.part(former.number, told.number - 1))
    if told.number < former.last:
        book.write(former.part(told.number + 1, former.last))
    one = former.part(told.number, told.number)
    book.write(replace(one, came=told.sequence) if told.came else replace(one, closed=told.sequence))


class _Book:
    """Numbers as they are known, and which of them were written."""

    def __init__(self, known: Iterable[KitNumbers]) -> None:
        self.written: dict[Place, KitNumbers] = {}
        self._all: dict[Place, KitNumbers] = {}
        self._firsts: dict[str, list[int]] = {}
        for each in known:
            self._keep(each)

    def write(self, numbers: KitNumbers) -> None:
        """Keep what is new or changed."""
        self._keep(numbers)
        self.written[numbers.kit, numbers.number] = numbers

    def holding(self, kit: str, number: int) -> KitNumbers | None:
        """What has this number in it."""
        firsts = self._firsts.get(kit, [])
        place = bisect_right(firsts, number)
        found = self._all[kit, firsts[place - 1]] if place else None
        return found if found is not None and number <= found.last else None

    def _keep(self, numbers: KitNumbers) -> None:
        if (numbers.kit, numbers.number) not in self._all:
            insort(self._firsts.setdefault(numbers.kit, []), numbers.number)
        self._all[numbers.kit, numbers.number] = numbers
