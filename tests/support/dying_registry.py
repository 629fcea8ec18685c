"""A registry whose processes are killed at one point after the other of a request, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.idempotency.domain import ATTEMPT_LENGTH
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.tables import METADATA
from issuance_backend.schema import EVENTS
from monitoring.database import Database
from tests.support.dying_programs import Request, registry_server
from tests.support.killing import Point, contents, ready_to_die, until_it_stands
from tests.support.registry_office import RegistryClient, registry_settings


@dataclass
class RegistryDeaths:
    """Lets requests be killed, each under one key until it stands; ``moments`` are the registry's clock.

    A role is the name and the token of the program that asks.
    """

    database: Database
    client: RegistryClient
    moments: list[datetime]
    is_killed: Callable[[Request, Point], bool]
    _keys: count[int] = field(default_factory=count)

    def act(self, role: str, path: str, body: object, *, leaves: Sequence[str]) -> None:
        """One act: nothing of it, or all that it ``leaves``, whenever its process dies."""
        key, recorded = self.new_key(), self.recorded()
        last = until_it_stands(
            self.database, lambda number: self.kill(role, path, body, key, number), METADATA
        )
        left = self.recorded()[len(recorded) :]
        assert left == list(leaves), f"killed at point {last}, it left {left}"
        self.require_answer_lost(role, path, body, key)

    def kill(self, role: str, path: str, body: object, key: str, number: int) -> bool:
        """Ask, and be killed at a point: whether it came so far. Whoever was killed before is given up."""
        self.moments[0] += ATTEMPT_LENGTH + timedelta(seconds=1)
        request = Request(role, key, path, body, self.moments[0])
        return self.is_killed(request, Point(number, between_statements=True))

    def require_answer_lost(self, role: str, path: str, body: object, key: str) -> None:
        """The answer was lost with the process: the same request is told so, and changes nothing."""
        after = self.contents()
        self.moments[0] += ATTEMPT_LENGTH + timedelta(seconds=1)
        again = self.ask(role, path, body, key)
        assert again.get_json().get("code") == "ANSWER_LOST", again.get_json()
        assert self.contents() == after, "refused, and yet it changed something"

    def ask(self, role: str, path: str, body: object, key: str) -> Any:
        """The answer of a registry that is not killed."""
        return self.client.call(role, "POST", path, body, key)

    def new_key(self) -> str:
        return f"killed-request-{next(self._keys):04}"

    def contents(self) -> dict[str, list[str]]:
        return contents(self.database, METADATA)

    def recorded(self) -> list[str]:
        """What happened, each as the kind of its subject and the event; the chain holds."""
        with self.database.reading() as connection:
            recorded_events.verify(connection)
            rows = connection.execute(select(EVENTS.c.subject, EVENTS.c.event).order_by(EVENTS.c.sequence))
            return [f"{row.subject.partition('/')[0]} {row.event}" for row in rows]


@contextmanager
def deaths_in_registry(database: Database, moment: datetime, folder: Path) -> Iterator[RegistryDeaths]:
    """The registry in a database, and a process of it that is there to be killed."""
    settings, moments = registry_settings(database.url, folder), [moment]
    app = create_registry_app(settings, clock=lambda: moments[0])
    with ready_to_die(registry_server, settings) as is_killed:
        yield RegistryDeaths(database, RegistryClient(app.test_client()), moments, is_killed)
