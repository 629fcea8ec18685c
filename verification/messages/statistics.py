"""Figures as the issuance office reports them: none without its definition, its moment and its version."""

from __future__ import annotations

import msgspec


class CounterDefinition(msgspec.Struct, frozen=True):
    """One counter: what it counts, in words."""

    id: str
    version: int
    kind: str
    vi: str
    en: str
    means: str


class CauseDefinition(msgspec.Struct, frozen=True):
    """Codes that are counted each time they are named: what they are, in words."""

    id: str
    version: int
    kind: str
    vi: str
    en: str
    means: str


class MeasureDefinition(msgspec.Struct, frozen=True):
    """Something that is measured: what its average is of, in words."""

    id: str
    version: int
    kind: str
    vi: str
    en: str
    means: str


class DistributionDefinition(msgspec.Struct, frozen=True):
    """Something that is told by bands: of which parts, and the bands from the worst to the best."""

    id: str
    version: int
    kind: str
    parts: tuple[str, ...]
    bands: tuple[str, ...]
    vi: str
    en: str
    means: str


class ShareDefinition(msgspec.Struct, frozen=True):
    """One share that may be formed: the counters above and below the line."""

    id: str
    version: int
    part: str
    whole: str


class ClockDefinition(msgspec.Struct, frozen=True):
    """One time limit, in working days, with its legal basis."""

    id: str
    version: int
    kind: str
    days: int
    basis: str
    vi: str
    en: str


class Definitions(msgspec.Struct, frozen=True):
    """Everything that is counted, divided and timed."""

    version: str
    calendar: str
    counters: tuple[CounterDefinition, ...]
    causes: tuple[CauseDefinition, ...]
    shares: tuple[ShareDefinition, ...]
    clocks: tuple[ClockDefinition, ...]
    measures: tuple[MeasureDefinition, ...] = ()
    distributions: tuple[DistributionDefinition, ...] = ()


class ShareFigure(msgspec.Struct, frozen=True):
    """A share with numerator and denominator; ``percent`` to one decimal, halves up, null of nothing."""

    definition: str
    version: int
    part: int
    whole: int
    percent: str | None


class StockFigure(msgspec.Struct, frozen=True):
    """What is in one state: everything that came in, less everything that went out."""

    kind: str
    state: str
    entered: int
    left: int
    stock: int


class ClockFigure(msgspec.Struct, frozen=True):
    """One time limit: ``started`` is the sum of the six that follow; shares are of what is done."""

    definition: str
    version: int
    started: int
    inside: int
    overdue: int
    paused: int
    on_time: int
    late: int
    ended: int
    on_time_percent: str | None
    late_percent: str | None


class CauseFigure(msgspec.Struct, frozen=True):
    """How often one code was named: to date, and in the period asked for."""

    definition: str
    version: int
    code: str
    to_date: int
    in_period: int


class OlderThan(msgspec.Struct, frozen=True):
    """How much of what waits came at least so many days ago, by the calendar."""

    days: int
    amount: int


class StageFigure(msgspec.Struct, frozen=True):
    """Where work waits: how much, since when, how long others took, the days to clear it at this pace.

    Since when, and how much is older than so many days, is told of the present only.
    """

    kind: str
    state: str
    stock: int
    oldest_since: str | None
    half_left_within_minutes: int | None
    nineteen_of_twenty_left_within_minutes: int | None
    days_to_clear: str | None
    is_bottleneck: bool
    older: tuple[OlderThan, ...] = ()


class AverageFigure(msgspec.Struct, frozen=True):
    """What was measured so often, added up and on average: to date, and in the period asked for."""

    definition: str
    version: int
    measured: int
    total: int
    average: str | None
    measured_in_period: int
    total_in_period: int
    average_in_period: str | None


class TurnaroundFigure(msgspec.Struct, frozen=True):
    """How long what left a state had been there, on average: to date, and in the period asked for."""

    kind: str
    state: str
    left: int
    seconds: int
    average_minutes: str | None
    left_in_period: int
    seconds_in_period: int
    average_minutes_in_period: str | None


class BandFigure(msgspec.Struct, frozen=True):
    """How much of a part falls into one band: to date, and in the period asked for."""

    band: str
    to_date: int
    in_period: int


class PartFigure(msgspec.Struct, frozen=True):
    """One part of a distribution in its bands, which are ``whole`` together."""

    definition: str
    version: int
    part: str
    whole: int
    bands: tuple[BandFigure, ...]


class KitFigure(msgspec.Struct, frozen=True):
    """Of the ``newest`` running numbers of a kit: how many are missing, and how many a case gave up."""

    kit: str
    unit: str
    newest: int
    missing: int
    given_up: int
    oldest_since: str | None


class TargetFigure(msgspec.Struct, frozen=True):
    """A target against what was done in its period, and what the present pace makes of it."""

    definition: str
    unit: str
    unit_name: str
    starts_on: str
    ends_on: str
    target: int
    done: int
    percent: str | None
    days_left: int
    needed_a_day: str | None
    pace_a_day: str
    projected: int
    reached_on: str | None
    is_over_target: bool
    rank: int
    basis: str
    set_by: str


class UnitLine(msgspec.Struct, frozen=True):
    """The counters of one unit: to date, and in the period asked for."""

    unit: str
    name: str
    to_date: dict[str, int]
    in_period: dict[str, int]


class IdentityCheck(msgspec.Struct, frozen=True):
    """One identity that must hold, over how many figures it was checked, and where it does not hold."""

    id: str
    checked: int
    broken: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """A whole report. ``version`` is the last recorded event in it: the same version is the same report.

    ``final`` says that no event can be recorded any more that would belong to this moment.
    """

    as_of: str
    version: int
    final: bool
    definitions: str
    calendar: str
    unit: str
    unit_name: str
    period_from: str
    period_to: str
    total: UnitLine
    units: tuple[UnitLine, ...]
    shares: tuple[ShareFigure, ...]
    funnel: tuple[str, ...]
    stocks: tuple[StockFigure, ...]
    clocks: tuple[ClockFigure, ...]
    stages: tuple[StageFigure, ...]
    targets: tuple[TargetFigure, ...]
    identities: tuple[IdentityCheck, ...]
    causes: tuple[CauseFigure, ...] = ()
    account_funnel: tuple[str, ...] = ()
    averages: tuple[AverageFigure, ...] = ()
    turnarounds: tuple[TurnaroundFigure, ...] = ()
    parts: tuple[PartFigure, ...] = ()
    kits: tuple[KitFigure, ...] = ()


class DifferingFigure(msgspec.Struct, frozen=True):
    """A figure that is not what was recorded, and the unit where it is not."""

    figure: str
    unit: str


class RecordCheck(msgspec.Struct, frozen=True):
    """How the last check of the figures against the recorded events ended.

    ``version`` is the last event that it looked at, ``compared`` and ``differing`` count figures of units;
    of those that differ a hundred are named. ``checked_at`` is None where nothing was checked yet.
    """

    checked_at: str | None = None
    version: int = 0
    compared: int = 0
    differing: int = 0
    named: tuple[DifferingFigure, ...] = ()


class RecordLine(msgspec.Struct, frozen=True):
    """One record behind a figure; ``size`` is more than one where it stands for a lot."""

    sequence: int
    subject: str
    unit: str
    state: str
    at: str
    size: int


class ReturnLine(msgspec.Struct, frozen=True):
    """One officer with one kit, or at the station's own pages: captures, those sent back, for which items."""

    officer: str
    kit: str | None
    captured: int
    returned: int
    percent: str | None
    reasons: dict[str, int]


class ReturnReport(msgspec.Struct, frozen=True):
    """Captures of a period that were sent back by the moment of the report."""

    as_of: str
    version: int
    unit: str
    unit_name: str
    period_from: str
    period_to: str
    lines: tuple[ReturnLine, ...]


class NewTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A target to set: so many of a counter in a unit, from one day to another."""

    definition: str
    unit: str
    starts_on: str
    ends_on: str
    amount: int
    basis: str


class NewTargets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Targets that are set together."""

    targets: tuple[NewTarget, ...]


class TargetsSet(msgspec.Struct, frozen=True):
    """How many targets were set."""

    count: int


class TextToCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text whose figures are to be checked against each other; ``as_of`` is the day it speaks of."""

    text: str
    as_of: str | None = None


class TextFinding(msgspec.Struct, frozen=True):
    """Something in a text that is wrong, contradicts itself or says too little; ``facts`` are the figures."""

    code: str
    verdict: str
    quote: str
    facts: dict[str, str]


class TextFindings(msgspec.Struct, frozen=True):
    """What was read in a text, and what is the matter with it."""

    statements: int
    findings: tuple[TextFinding, ...]
