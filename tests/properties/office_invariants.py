"""What holds in an office whatever happened: judged from what was recorded, told apart by invariant.

Nothing of the product's own rules is asked but its state tables: who may not do what, and where a card
may be, is spelled out here a second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from issuance_backend.biometric_search import adjudication
from issuance_backend.biometric_search.tables import ADJUDICATION_CASES
from issuance_backend.credentials import accounts
from issuance_backend.credentials.boxes import BOXES, BoxEvent, BoxState
from issuance_backend.credentials.domain import CARDS, CardEvent, CardState
from issuance_backend.credentials.tables import ACCOUNTS, CARD_BOXES
from issuance_backend.dossiers import domain as dossiers
from issuance_backend.dossiers.approval_lists.tables import APPROVAL_LISTS
from issuance_backend.moments import parse_moment
from issuance_backend.personalization.tables import BLANK_ACCOUNTS, BLANK_POSTINGS, BLANK_RANGES, BLANKS
from issuance_backend.schema import CREDENTIALS, DOSSIERS, EVENTS
from issuance_backend.statistics import repository
from issuance_backend.statistics.definitions import ANY_STATE, Clock, vocabulary
from issuance_backend.statistics.figures import CLOCK_PARTS, Figures, clock_figure
from issuance_backend.statistics.units import NATION, members_of
from verification.messages.national_time import vietnam_date

PART_OF = {
    "receive": "capture",
    "capture": "capture",
    "check": "check",
    "approve_locally": "local approval",
    "approve_lookup": "archive approval",
    "answer_lookup": "archive answer",
    "approve_centrally": "central approval",
}
SEARCHED = {
    **dict.fromkeys(("find_nobody", "different", "skip_search"), True),
    **dict.fromkeys(("receive", "capture", "return", "search", "find_somebody", "confirm"), False),
}
"""Whether the centre may approve after it: nobody was found, or examiners told the two apart."""

MOST_EXAMINERS = 3
UNCHECKED = {"receive", "capture", "return", "answer_lookup"}
CLOSED = {"completed", "rejected", "withdrawn"}
OPEN_ORDER = {"ordered", "personalising", "personalised"}
PLACES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("personalising", "personalised", "qa_passed", "qa_failed", "spoiled"), ("centre",)),
    "returned_to_centre": ("centre",),
    "packed": ("box:",),
    "dispatched": ("courier:",),
    **dict.fromkeys(("at_office", "undelivered"), ("office:",)),
    **dict.fromkeys(("active", "suspended"), ("holder",)),
    "replaced": ("holder", "withdrawn:"),
    "revoked": ("holder", "withdrawn:", "box:", "courier:", "office:", "missing"),
    "destroyed": ("destroyed",),
}
UNEXAMINED = {"open", "supersede"}
"""What programs do with a case."""
BLANK_OF = {"spoiled": "spoiled", "destroyed": "destroyed"}
"""In which account the blank of a card is; everything else that was begun is issued."""


class InvariantBroken(AssertionError):
    """An invariant does not hold; the message begins with its number."""


def require(invariant: str, holds: bool, *why: object) -> None:
    """Raise InvariantBroken unless this holds."""
    if not holds:
        raise InvariantBroken(f"{invariant}: {why}")


@dataclass(frozen=True)
class Line:
    """One recorded event."""

    sequence: int
    event: str
    state: str
    actor: str
    detail: dict[str, str]


_STOPPED_BY_CARD = {"central": {"qa_passed"}, "total": {"at_office", "active"}}
"""What of its card a dossier's clock waits for."""

_OF_CARDS = set().union(*_STOPPED_BY_CARD.values())
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Seen:
    """What was recorded so far, by subject; ``touched`` are those since the last look."""

    of: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    touched: set[str] = field(default_factory=set)
    newest: int = 0
    now: datetime = BEGINNING
    """The latest moment of a line: whoever works at once may each have a clock of their own."""
    holding: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Who counts as the one that there may be, by kind and number."""

    def kind(self, kind: str) -> Iterable[tuple[str, list[Line]]]:
        """The touched subjects of one kind, by name."""
        for subject in sorted(self.touched):
            which, _, name = subject.partition("/")
            if which == kind:
                yield name, self.of[subject]


class Invariants:
    """Looks at an office again and again; each look reads only what is new."""

    def __init__(self) -> None:
        self.seen = Seen()

    def check(self, connection: Connection) -> int:
        """Judge everything; how many events were recorded. Raises InvariantBroken."""
        rows = _Rows.read(connection)
        self._read(connection, rows)
        for each in CHECKS.values():
            each(connection, self.seen, rows)
        self.seen.touched.clear()
        return self.seen.newest

    def _read(self, connection: Connection, rows: _Rows) -> None:
        seen = self.seen
        asked = select(EVENTS).where(EVENTS.c.sequence > seen.newest).order_by(EVENTS.c.sequence)
        for row in connection.execute(asked):
            detail = msgspec.json.decode(row.detail, type=dict[str, str])
            line = Line(row.sequence, row.event, row.state, row.actor, detail)
            require("I5", row.sequence == seen.newest + 1, "a number is missing", row.sequence)
            seen.newest = row.sequence
            seen.of[row.subject].append(line)
            seen.touched.add(row.subject)
            seen.now = max(seen.now, parse_moment(row.at))
            _at_every_instant(seen, rows, row.subject, line)


@dataclass(frozen=True)
class _Rows:
    """The rows that states stand in."""

    dossiers: Mapping[str, Any]
    cards: Mapping[str, Any]
    boxes: Mapping[str, Any]
    accounts: Mapping[str, Any]
    lists: Mapping[str, Any]
    cases: Mapping[str, Any]

    @classmethod
    def read(cls, connection: Connection) -> _Rows:
        tables = (
            select(DOSSIERS.c.id, DOSSIERS.c.citizen_number, DOSSIERS.c.state),
            select(CREDENTIALS),
            select(CARD_BOXES),
            select(ACCOUNTS),
            select(APPROVAL_LISTS.c.id, APPROVAL_LISTS.c.unit),
            select(ADJUDICATION_CASES),
        )
        return cls(*({row.id: row for row in connection.execute(each)} for each in tables))

    def examined(self) -> Mapping[str, list[str]]:
        """The cases of each dossier; a bait is nobody's."""
        found: dict[str, list[str]] = defaultdict(list)
        for case in self.cases.values():
            if case.truth is None:
                found[_dossier_of(case)].append(case.id)
        return found

    def number(self, subject: str) -> str | None:
        """Whose dossier or card this is."""
        kind, _, name = subject.partition("/")
        held: Mapping[str, Any] = {"dossier": self.dossiers, "card": self.cards}.get(kind, {})
        return held[name].citizen_number if name in held else None


def _at_every_instant(seen: Seen, rows: _Rows, subject: str, line: Line) -> None:
    """I2 after every single event, also between those of one transaction."""
    number, kind = rows.number(subject), subject.partition("/")[0]
    if number is None:
        return
    counted = {
        "dossier": {"open dossier": line.state not in CLOSED},
        "card": {"open order": line.state in OPEN_ORDER, "active card": line.state == "active"},
    }
    for what, is_one in counted[kind].items():
        held = seen.holding[what, number]
        (held.add if is_one else held.discard)(subject)
        require("I2", len(held) <= 1, what, held)


def orders_have_an_approval(_connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I1: a card order exists only for a centrally approved dossier."""
    require("I1", {f"card/{each}" for each in rows.cards} <= seen.of.keys(), "a card nobody ordered")
    for card, lines in seen.kind("card"):
        order = lines[0]
        dossier = order.detail.get("dossier", "")
        approved = [
            each.sequence for each in seen.of[f"dossier/{dossier}"] if each.event == "approve_centrally"
        ]
        require("I1", order.event == "order", card, order)
        require("I1", bool(approved) and approved[0] < order.sequence, card, dossier)
        require("I1", card in rows.cards and rows.cards[card].dossier == dossier, card)


def orders_are_due(connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I1, and what stands before an approval."""
    orders_have_an_approval(connection, seen, rows)
    nobody_is_passed_over(seen)


def nobody_is_passed_over(seen: Seen) -> None:
    """I1: the centre approves nothing that was not searched as it stands, and nothing with an open hit."""
    for dossier, lines in seen.kind("dossier"):
        is_clear = False
        for line in lines:
            is_clear = SEARCHED.get(line.event, is_clear)
            require("I1", is_clear or line.event != "approve_centrally", dossier, "an open hit")


def there_is_one(_connection: Connection, _seen: Seen, rows: _Rows) -> None:
    """I2 in the rows themselves."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for card in rows.cards.values():
        counted["active", card.citizen_number] += card.state == "active"
        counted["order", card.citizen_number] += card.state in OPEN_ORDER
    for dossier in rows.dossiers.values():
        counted["dossier", dossier.citizen_number] += dossier.state not in CLOSED
    require("I2", max(counted.values(), default=0) <= 1, [each for each, many in counted.items() if many > 1])


def nobody_has_two_parts(_connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I4: over the parts of a dossier and both hands of every destruction of its cards.

    What a province approved, a processor had checked as it stood. Examiners of a case are two or three,
    none of whom is told of the others; what they found of a dossier is a part of it, a bait is none.
    """
    examined = rows.examined()
    concerned = {name for name, _ in seen.kind("dossier")}
    concerned |= {rows.cards[name].dossier for name, _ in seen.kind("card") if name in rows.cards}
    concerned |= {
        _dossier_of(rows.cases[name]) for name, _ in seen.kind("adjudication")
    } & rows.dossiers.keys()
    for case, lines in seen.kind("adjudication"):
        _require_blind(case, lines)
    cards_of: dict[str, list[str]] = defaultdict(list)
    for card in rows.cards.values():
        cards_of[card.dossier].append(card.id)
    for dossier in sorted(concerned):
        parts = _parts_taken(dossier, seen.of[f"dossier/{dossier}"])
        of_cases = [line for case in examined[dossier] for line in seen.of[f"adjudication/{case}"]]
        looked = [line for line in of_cases if line.event not in UNEXAMINED]
        for line in looked:
            parts[line.actor].add("adjudication")
        _require_examined(dossier, seen.of[f"dossier/{dossier}"], looked)
        _require_checked(dossier, seen.of[f"dossier/{dossier}"], rows)
        for card in cards_of[dossier]:
            for actor, part in _destructions(card, seen.of[f"card/{card}"]):
                parts[actor].add(part)
        for actor, taken in parts.items():
            is_one = len(taken) == 1 or all(each.startswith("destruction of") for each in taken)
            require("I4", is_one, dossier, actor, taken)


def _parts_taken(dossier: str, lines: Iterable[Line]) -> dict[str, set[str]]:
    parts: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line.event in PART_OF:
            parts[line.actor].add(PART_OF[line.event])
        if line.event == "reject":
            require("I4", line.actor != line.detail["proposed_by"], dossier, "rejected alone")
    return parts


def _require_blind(case: str, lines: Sequence[Line]) -> None:
    looked = [line for line in lines if line.event not in UNEXAMINED]
    decided = [line.actor for line in looked]
    require("I4", len(decided) == len(set(decided)) <= MOST_EXAMINERS, case, decided)
    told = [set(line.detail) - ({"outcome"} if line.state == "decided" else set()) for line in looked]
    require("I4", all(each == {"seal"} for each in told), case, told)


def _require_examined(dossier: str, lines: Iterable[Line], looked: Sequence[Line]) -> None:
    for line in lines:
        if "examiners" in line.detail:
            before = {each.actor for each in looked if each.sequence < line.sequence}
            require("I4", set(line.detail["examiners"].split(",")) == before, dossier, line, before)


def _dossier_of(case: Any) -> str:
    return str(case.probe_encounter).partition(".")[0]


def _require_checked(dossier: str, lines: Iterable[Line], rows: _Rows) -> None:
    is_checked = False
    for line in lines:
        is_checked = line.event == "check" or (is_checked and line.event not in UNCHECKED)
        if line.event == "approve_locally":
            unit = rows.lists[line.detail["list"]].unit
            is_provincial = unit is not None and "." not in unit
            require("I4", is_checked or not is_provincial, dossier, "approved at a province alone")


def _destructions(card: str, lines: Iterable[Line]) -> Iterable[tuple[str, str]]:
    for line in lines:
        if line.event == "destroy":
            other = line.detail.get("with") or line.detail["witness"]
            require("I4", other != line.actor, card, "destroyed alone")
            yield line.actor, f"destruction of {card}, A"
            yield other, f"destruction of {card}, B"


def states_are_folds(_connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I5: no state without the events that lead to it, step by step."""
    for name, lines in seen.kind("dossier"):
        _require_fold(_dossier_states(lines), lines, rows.dossiers.get(name))
    for name, lines in seen.kind("card"):
        _require_fold(_states(CARDS, CardEvent, CardState, lines), lines, rows.cards.get(name))
    for name, lines in seen.kind("box"):
        _require_fold(_states(BOXES, BoxEvent, BoxState, lines), lines, rows.boxes.get(name))
    for name, lines in seen.kind("adjudication"):
        states = _states(adjudication.TABLE, adjudication.CaseEvent, adjudication.CaseState, lines)
        _require_fold(states, lines, rows.cases.get(name))
    for name, lines in seen.kind("account"):
        _require_fold(_account_states(lines), lines, rows.accounts.get(name))


def _require_fold(states: list[str], lines: list[Line], row: Any) -> None:
    require("I5", [each.state for each in lines] == states, lines)
    require("I5", row is not None and row.state == states[-1], row and row.state, states)


def _states(table: Any, events: Any, states: Any, lines: list[Line]) -> list[str]:
    found, state = [], None
    for line in lines:
        state = table.advance(state, events(line.event))
        found.append(states(state).value)
    return found


def _dossier_states(lines: list[Line]) -> list[str]:
    events = [dossiers.DossierEvent(each.event) for each in lines]
    folded = (dossiers.fold(events[: place + 1]) for place in range(len(events)))
    return [each.value for each in folded if each is not None]


def _account_states(lines: list[Line]) -> list[str]:
    found: list[str] = []
    state: accounts.AccountState | None = None
    held_in: accounts.AccountState | None = None
    for line in lines:
        event = accounts.AccountEvent(line.event)
        former, state = state, accounts.advance(state, event, held_in)
        held_in = former if event is accounts.AccountEvent.SUSPEND else held_in
        found.append(state.value)
    return found


def blanks_balance(connection: Connection, _seen: Seen, rows: _Rows) -> None:
    """I8: the accounts, every posting, every blank and every card say the same."""
    held = {row.account: row.balance for row in connection.execute(select(BLANK_ACCOUNTS))}
    received = -held.get("supplier", 0)
    rest = sum(held.get(each, 0) for each in ("stock", "issued", "spoiled", "destroyed"))
    require("I8", received == rest and min(rest, 0) == 0, held)
    posted = select(BLANK_POSTINGS.c.account, func.sum(BLANK_POSTINGS.c.amount)).group_by(
        BLANK_POSTINGS.c.account
    )
    require("I8", all(held[account] == amount for account, amount in connection.execute(posted)), held)
    one_leg = select(BLANK_POSTINGS.c.movement).group_by(BLANK_POSTINGS.c.movement)
    one_leg = one_leg.having(func.sum(BLANK_POSTINGS.c.amount) != 0)
    require("I8", connection.execute(one_leg).first() is None, "a movement with one leg")
    delivered = connection.execute(select(func.sum(BLANK_RANGES.c.last - BLANK_RANGES.c.first + 1))).scalar()
    require("I8", (delivered or 0) == received, delivered, held)
    counted: dict[str, int] = defaultdict(int)
    for blank in connection.execute(select(BLANKS)):
        counted[blank.account] += 1
        if blank.card:
            state = rows.cards[blank.card].state
            require("I8", blank.account == BLANK_OF.get(state, "issued"), blank.serial, state)
    wrong = [each for each in ("issued", "spoiled", "destroyed") if counted[each] != held.get(each, 0)]
    require("I8", not wrong, wrong, counted, held)


def cards_are_somewhere(_connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I9: every card that was begun is in exactly one place, which is where its last move says."""
    for name, lines in seen.kind("card"):
        card = rows.cards.get(name)
        if card is None:
            continue
        if not any(line.event == "begin" for line in lines):
            require("I9", card.state in {"ordered", "revoked"} and card.place is None, name, card.place)
            continue
        moved = [line.detail["place"] for line in lines if "place" in line.detail]
        require("I9", bool(moved) and card.place == moved[-1], name, card.place, moved)
        allowed = any(
            card.place == each or (each.endswith(":") and card.place.startswith(each))
            for each in PLACES[card.state]
        )
        require("I9", allowed, name, card.state, card.place)
        if card.state == "packed":
            require("I9", rows.boxes[card.box].state == "sealed" and card.place == f"box:{card.box}", name)
    for box in rows.boxes.values():
        inside = [each for each in rows.cards.values() if each.box == box.id and each.state == "packed"]
        if box.state == "sealed":
            require("I9", len(inside) <= box.amount, box.id)


def clocks_have_one_place(connection: Connection, seen: Seen, rows: _Rows) -> None:
    """I10: the published figures of every clock of dossiers are those of the dossiers themselves."""
    if not seen.newest:
        return
    today = vietnam_date(seen.now)
    lines = {each: list(seen.of[f"dossier/{each}"]) for each in rows.dossiers}
    for card in rows.cards.values():
        lines[card.dossier] += [line for line in seen.of[f"card/{card.id}"] if line.state in _OF_CARDS]
    for each in lines.values():
        each.sort(key=lambda line: line.sequence)
    for clock in vocabulary().clocks:
        if clock.kind != "dossier":
            continue
        names = [f"clock.{clock.id}.{part}" for part in CLOCK_PARTS]
        sums = repository.balances(connection, members_of(NATION, today), names, today)
        missed = repository.overdue_dues(connection, members_of(NATION, today), today)
        told = clock_figure(Figures(today, "", sums, missed), NATION, clock)
        places = Counter(_clock_place(clock, each) for each in lines.values())
        counted = {
            "runs": told.inside + told.overdue,
            "paused": told.paused,
            "done": told.on_time + told.late,
            "ended": told.ended,
        }
        require("I10", counted == {each: places[each] for each in counted}, clock.id, counted, places)
        require("I10", told.started == len(rows.dossiers) - places["not started"], clock.id, told.started)
        require("I10", min(told.inside, told.overdue, told.on_time, told.late) >= 0, clock.id, told)


def _clock_place(clock: Clock, lines: list[Line]) -> str:
    """Where a clock stands after the lines of its dossier, with those of a card that came through."""
    said = clock.at_once
    at_once = said is not None and lines[0].detail.get(said.detail) == said.says
    place = "not started"
    for line in lines:
        begins = at_once or not {ANY_STATE, line.state}.isdisjoint(clock.starts)
        is_waited_for = line.state in _STOPPED_BY_CARD.get(clock.id, ())
        if (place == "not started" and not begins) or (line.state in _OF_CARDS and not is_waited_for):
            continue
        if line.state in clock.stops or is_waited_for:
            return "done"
        if line.state in {"rejected", "withdrawn"}:
            return "ended"
        place = "paused" if line.state in {"returned", "suspended"} else "runs"
    return place


Check = Callable[[Connection, Seen, _Rows], None]
CHECKS: Mapping[str, Check] = {
    "I1": orders_are_due,
    "I2": there_is_one,
    "I4": nobody_has_two_parts,
    "I5": states_are_folds,
    "I8": blanks_balance,
    "I9": cards_are_somewhere,
    "I10": clocks_have_one_place,
}
