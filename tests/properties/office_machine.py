"""An office that hypothesis leads: the acts of ``office_acts``, each with a seed for the choices it makes.

Every example begins in an office that ``OfficeWalk`` has walked deep already, because a story that is to
be shrunk must be short, and in a short story from an empty office hardly a card is made.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from issuance_backend.personalization.service import Workshop
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.many_walks import sync_nothing
from tests.properties.office_acts import Acts
from tests.properties.office_invariants import Invariants
from tests.properties.office_walk import OfficeWalk, real_workshop
from tests.properties.standing import names_drawn_by

JUDGED_EVERY = 25
DEPTHS = (300, 1_200)
"""After so many events: orders and first cards; cards that were lost, replaced and given back."""


@dataclass(frozen=True)
class Walked:
    """An office that was walked and closed: its database, what its people remember, and what was judged."""

    database: Path
    walk: OfficeWalk
    judge: Invariants


class Offices:
    """Walked offices, and one place to go on in, with the one or the other."""

    def __init__(self, folder: Path, depths: Sequence[int] = DEPTHS) -> None:
        self._place = folder / "here.db"
        self._database = Database(f"sqlite:///{self._place}")
        event.listen(self._database._engine, "connect", sync_nothing)
        self._database.migrate(ISSUANCE_MIGRATIONS)
        self._workshop: Workshop = real_workshop(folder / "pki", self._database)
        self._database.close()
        empty = shutil.copyfile(self._place, folder / "empty.db")
        self.walked = [self._walk(empty, events) for events in depths]

    def _walk(self, empty: Path, events: int) -> Walked:
        self._restore(empty)
        walk, judge = OfficeWalk(self._database, self._workshop, events), Invariants()
        walk.run(events, judge)
        self._database.close()
        return Walked(shutil.copyfile(self._place, empty.with_name(f"walked-{events}.db")), walk, judge)

    def go_on(self, walked: Walked) -> tuple[OfficeWalk, Invariants]:
        """The office as it was left, and the judge who has seen it until then."""
        self._restore(walked.database)
        walk, before = OfficeWalk(self._database, self._workshop, 0), walked.walk
        walk.captures, walk.packets = list(before.captures), list(before.packets)
        walk.blanks, walk.brought = before.blanks, before.brought
        walk.desk.now[0] = before.desk.now[0]
        return walk, _copied(walked.judge)

    def _restore(self, database: Path) -> None:
        """Closed, the file is the whole database; the engine stays, with every statement it compiled."""
        self._database.close()
        shutil.copyfile(database, self._place)


def _copied(judge: Invariants) -> Invariants:
    seen, copied = judge.seen, Invariants()
    copied.seen = replace(
        seen,
        of=defaultdict(list, {subject: list(lines) for subject, lines in seen.of.items()}),
        touched=set(seen.touched),
        holding=defaultdict(set, {one: set(holders) for one, holders in seen.holding.items()}),
    )
    return copied


class LedOffice(RuleBasedStateMachine):
    """Where the acts are done; ``OfficeMachine`` adds a rule for each."""

    offices: ClassVar[Offices]
    counts: ClassVar[dict[str, Counter[str]]]
    """How often each act was done or refused, in all examples."""

    def __init_subclass__(cls) -> None:
        cls.counts = {"done": Counter(), "refused": Counter()}

    @initialize(number=st.integers(0, len(DEPTHS) - 1))
    def begin(self, number: int) -> None:
        """Enter one of the walked offices."""
        self.until_the_end = ExitStack()
        self.until_the_end.enter_context(names_drawn_by(np.random.default_rng(number)))
        self.walk, self.judge = self.offices.go_on(self.offices.walked[number % len(self.offices.walked)])
        self.events = 0

    def act(self, name: str, seed: int) -> None:
        """One act, done or refused; whom and what it is about follows from the seed."""
        # In place: the machines of the workshop draw from the same generator.
        self.walk.chance.bit_generator.state = np.random.default_rng(seed).bit_generator.state
        self.walk.acts = (getattr(self.walk, name),)
        done = self.walk.counts["done"]
        self.walk.step()
        self.counts["done" if self.walk.counts["done"] > done else "refused"][name] += 1
        self.events += 1

    @invariant()
    def holds(self) -> None:
        """Every invariant, now and then: a look costs as much as five events."""
        if hasattr(self, "walk") and self.events % JUDGED_EVERY == JUDGED_EVERY - 1:
            self.walk.judge(self.judge)

    def teardown(self) -> None:
        """Every invariant at the end."""
        if hasattr(self, "walk"):
            self.until_the_end.close()
            self.walk.judge(self.judge)


def _rule_of(name: str) -> Callable[[LedOffice, int], None]:
    def done(self: LedOffice, seed: int) -> None:
        self.act(name, seed)

    done.__name__ = name
    return rule(seed=st.integers(0, 255))(done)


def act_names() -> list[str]:
    """Every act once, by its name."""
    return sorted({act.__name__ for act in Acts().every_act()})


OfficeMachine: type[LedOffice] = type(
    "OfficeMachine", (LedOffice,), {name: _rule_of(name) for name in act_names()}
)
