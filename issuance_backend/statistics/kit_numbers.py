"""Where the running numbers of kits are: here, missing, or given up by a case (invariant I7). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

MAX_AHEAD = 100_000
"""No kit's numbers run further ahead (the intake refuses them): what would, is no number of a kit."""


@dataclass(frozen=True, slots=True)
class NumberTold:
    """A recorded step that speaks of a kit's number: its packet came, or a case gave it up."""

    sequence: int
    kit: str
    number: int
    unit: str
    came: bool


@dataclass(frozen=True, slots=True)
class KitNumber:
    """One number of a kit: the steps in which it was known to be used, its packet came, it was given up."""

    kit: str
    number: int
    unit: str
    since: int
    came: int | None = None
    closed: int | None = None


def numbers_after(
    told: Iterable[NumberTold], newest: Mapping[str, int], known: Mapping[tuple[str, int], KitNumber]
) -> dict[tuple[str, int], KitNumber]:
    """The numbers that are new or changed. A kit that used a number has used every one before it.

    ``newest`` is the highest number of each kit so far, ``known`` are those numbers that were told before.
    """
    heads, changed = dict(newest), dict[tuple[str, int], KitNumber]()
    for each in told:
        head, place = heads.get(each.kit, 0), (each.kit, each.number)
        if not 0 < each.number <= head + MAX_AHEAD:
            continue
        for number in range(head + 1, each.number + 1):
            changed[each.kit, number] = KitNumber(each.kit, number, each.unit, each.sequence)
        heads[each.kit] = max(head, each.number)
        former = changed.get(place) or known.get(place)
        if former is None:
            continue
        if each.came and former.came is None:
            changed[place] = replace(former, came=each.sequence)
        elif not each.came and former.closed is None:
            changed[place] = replace(former, closed=each.sequence)
    return changed
