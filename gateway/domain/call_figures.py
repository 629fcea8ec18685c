"""What partners' calls came to, counted with each decision by result and by how long it took. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

LATENCY_LIMITS_MS = (50, 100, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000)
"""Upper limits of the classes; a count keeps its limit, so that other classes can be chosen later."""

SLOWER = 2**31 - 1
UNMEASURED = -1
"""Decided before times were kept."""

CHECK_IN = "hospital.check_in"
VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class CountedCalls:
    """So many decisions of one kind on one day in Viet Nam.

    ``product`` is the purpose in the version that decided; ``facility`` and ``code`` are empty where there is
    none; ``up_to_ms`` is the limit of their latency class.
    """

    day: date
    partner: str
    product: str
    purpose: str
    facility: str
    outcome: str
    code: str
    up_to_ms: int
    calls: int


class LatencyClass(msgspec.Struct, frozen=True):
    """Calls that took at most ``up_to_ms``, and more than the class before; null is beyond every limit."""

    up_to_ms: int | None
    calls: int


class ResultLine(msgspec.Struct, frozen=True):
    """What one result came to on one day."""

    day: str
    partner: str
    product: str
    purpose: str
    outcome: str
    code: str | None
    calls: int


class ServiceLine(msgspec.Struct, frozen=True):
    """One partner's use of one product: ``verified`` of ``calls``, and how long the ``measured`` ones took.

    ``p50_ms`` and ``p95_ms`` are the limit of the class in which the quantile lies; null where nothing was
    measured, and where it lies beyond the last limit.
    """

    partner: str
    product: str
    purpose: str
    verified: int
    calls: int
    measured: int
    p50_ms: int | None
    p95_ms: int | None
    latency: tuple[LatencyClass, ...]


class FacilityLine(msgspec.Struct, frozen=True):
    """Health check-ins of one facility on one day: ``checked_in`` of ``calls``; null where none is stated."""

    day: str
    partner: str
    facility: str | None
    checked_in: int
    calls: int


def result_place(line: ResultLine) -> tuple[str, ...]:
    """Where a result stands among the others."""
    return line.day, line.partner, line.product, line.purpose, line.outcome, line.code or ""


def facility_place(line: FacilityLine) -> tuple[str, ...]:
    """Where a facility's day stands among the others."""
    return line.day, line.partner, line.facility or ""


def count_place(each: CountedCalls) -> tuple[str, ...]:
    """Where a count stands among the others."""
    named = (each.partner, each.product, each.purpose, each.facility, each.outcome, each.code)
    return each.day.isoformat(), *named, f"{each.up_to_ms:011d}"


def latency_class(took_ms: int) -> int:
    """The limit of the class in which a time lies."""
    return next((limit for limit in LATENCY_LIMITS_MS if took_ms <= limit), SLOWER)


def result_lines(counted: Iterable[CountedCalls]) -> tuple[ResultLine, ...]:
    """Every result by day, in order."""
    sums: Counter[tuple[str, ...]] = Counter()
    for each in counted:
        day = each.day.isoformat()
        sums[day, each.partner, each.product, each.purpose, each.outcome, each.code] += each.calls
    return tuple(
        ResultLine(day, partner, product, purpose, outcome, code or None, calls)
        for (day, partner, product, purpose, outcome, code), calls in sorted(sums.items())
    )


def service_lines(counted: Iterable[CountedCalls]) -> tuple[ServiceLine, ...]:
    """Every partner's use of every product over the whole time, in order."""
    by_service: dict[tuple[str, str, str], list[CountedCalls]] = {}
    for each in counted:
        by_service.setdefault((each.partner, each.product, each.purpose), []).append(each)
    return tuple(_service_line(service, of_it) for service, of_it in sorted(by_service.items()))


def facility_lines(counted: Iterable[CountedCalls]) -> tuple[FacilityLine, ...]:
    """Check-ins by day, partner and facility, in order."""
    calls: Counter[tuple[str, str, str]] = Counter()
    checked_in: Counter[tuple[str, str, str]] = Counter()
    for each in counted:
        if each.purpose != CHECK_IN:
            continue
        place = (each.day.isoformat(), each.partner, each.facility)
        calls[place] += each.calls
        checked_in[place] += each.calls if each.outcome == VERIFIED else 0
    return tuple(
        FacilityLine(day, partner, facility or None, checked_in[day, partner, facility], number)
        for (day, partner, facility), number in sorted(calls.items())
    )


def quantile_ms(calls: Mapping[int, int], percent: int) -> int | None:
    """The limit of the class in which the quantile lies; None where none was measured, or beyond the last."""
    measured = {limit: number for limit, number in calls.items() if limit != UNMEASURED}
    wanted, reached = -(-sum(measured.values()) * percent // 100), 0
    for limit in sorted(measured):
        reached += measured[limit]
        if reached >= wanted:
            return limit if limit != SLOWER else None
    return None


def _service_line(service: tuple[str, str, str], counted: Sequence[CountedCalls]) -> ServiceLine:
    classes: Counter[int] = Counter()
    for each in counted:
        classes[each.up_to_ms] += each.calls
    unmeasured = classes.pop(UNMEASURED, 0)
    measured = sum(classes.values())
    return ServiceLine(
        *service,
        verified=sum(each.calls for each in counted if each.outcome == VERIFIED),
        calls=measured + unmeasured,
        measured=measured,
        p50_ms=quantile_ms(classes, 50),
        p95_ms=quantile_ms(classes, 95),
        latency=tuple(
            LatencyClass(limit if limit != SLOWER else None, classes[limit]) for limit in sorted(classes)
        ),
    )
