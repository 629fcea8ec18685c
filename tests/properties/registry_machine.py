"""A registry that hypothesis leads: the acts of ``registry_acts``, each with a seed for the choices it makes.

Every example begins where each act was done some times: forms wait in every state, and there are entries
of every origin.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from inspect import getmembers, isfunction
from itertools import product
from typing import ClassVar

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from issuance_backend import recorded_events
from issuance_backend.population_registry.storage import MIGRATIONS
from tests.properties.many_walks import sync_nothing
from tests.properties.registry_acts import RegistryActs
from tests.properties.standing import names_drawn_by
from tests.support.dc01_office import Dc01Office
from tests.support.engines import Engine

JUDGED_EVERY = 8
ROUNDS = 4
WAY_OF_A_BATCH = ("new_batch", "key_whole_batch", "draw", "check_sample", "match")
_NO_ACTS = frozenset(
    {
        *("act", "at", "judge", "step", "values", "one_in"),
        # Done in another way here: at once, and by the registry's other desks.
        *("second", "third", "confirm", "next_day", "age"),
    }
)


def act_names() -> list[str]:
    """Every act once, by its name."""
    return [
        name
        for name, _ in getmembers(RegistryActs, isfunction)
        if not name.startswith("_") and name not in _NO_ACTS
    ]


OFTEN = (
    *("sign_publication", "confirm_number", "propose_merge", "decide_merge", "decide_merge"),
    *("reserve", "propose_separation", "register", "register", "correct", "review", "fetch"),
    *("propose_publication", "sign_publication", "fetch", "judge_identity", "reserve"),
    *WAY_OF_A_BATCH[1:],
    *act_names(),
)
"""Every act, and those more often that are one of several steps to something; the first is tried most."""


class Begun:
    """A registry with a past, and copies of it to go on in."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._office = _office_at(engine.migrated(MIGRATIONS))
        with names_drawn_by(np.random.default_rng(0)):
            self._begun = RegistryActs(self._office)
            for seed, name in product(range(ROUNDS), (*WAY_OF_A_BATCH, *act_names())):
                self._begun.act(name, seed)
        self._begun.judge()
        self._now = self._office.now
        self._office.database.close()
        self._kept = engine.copy(self._office.url)

    def go_on(self) -> RegistryActs:
        """The registry as it was left."""
        self._office.database.close()
        if self.engine.name == "sqlite":
            # The engine stays, with every statement it compiled.
            place = (url.removeprefix("sqlite:///") for url in (self._kept, self._office.url))
            shutil.copyfile(*place)
        else:
            self._office = _office_at(self.engine.copy(self._kept))
        self._office.now = self._now
        return self._begun.at(self._office)


def _office_at(url: str) -> Dc01Office:
    office = Dc01Office(url, seeds=_drawn(8), _codes=_drawn(3))
    if url.startswith("sqlite"):
        event.listen(office.database._engine, "connect", sync_nothing)
    return office


def _drawn(size: int) -> Iterator[int]:
    """Numbers out of the same source as the names: the same story draws the same ones."""
    while True:
        yield int(secrets.token_hex(size), 16)


class RegistryMachine(RuleBasedStateMachine):
    """Leads a registry; ``begun`` is where every story begins."""

    begun: ClassVar[Begun]
    counts: ClassVar[dict[str, Counter[str]]]
    """How often each act took effect or did not, in all examples."""

    def __init_subclass__(cls) -> None:
        cls.counts = {"done": Counter(), "refused": Counter()}

    @initialize(number=st.integers(1, 100))
    def begin(self, number: int) -> None:
        """Go on in the registry that was begun."""
        self.until_the_end = ExitStack()
        self.until_the_end.enter_context(names_drawn_by(np.random.default_rng(number)))
        self.acts = self.begun.go_on()
        self.events = 0
        self.is_broken = False

    @rule(name=st.sampled_from(OFTEN), seed=st.integers(0, 2**16 - 1))
    def act(self, name: str, seed: int) -> None:
        """One act, done or refused; whom and what it is about follows from the seed."""
        self.is_broken = True
        self.counts["done" if self.acts.act(name, seed) else "refused"][name] += 1
        self.events += 1
        self.is_broken = False

    @invariant()
    def holds(self) -> None:
        """Every invariant, every few acts."""
        if hasattr(self, "acts") and self.events % JUDGED_EVERY == JUDGED_EVERY - 1:
            self.acts.judge()

    def teardown(self) -> None:
        """Every invariant at the end, and the chain of what was recorded."""
        if hasattr(self, "acts"):
            self.until_the_end.close()
        if hasattr(self, "acts") and not self.is_broken:
            self.acts.judge()
            with self.acts.office.database.reading() as connection:
                recorded_events.verify(connection)
