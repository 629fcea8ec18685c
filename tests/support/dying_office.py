"""An office whose processes are killed at one point after the other of every act, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from issuance_backend.idempotency.domain import ATTEMPT_LENGTH
from issuance_backend.personalization.blank_stock import repository as blanks
from issuance_backend.personalization.blank_stock.domain import Account
from issuance_backend.schema import EVENTS
from tests.support.blank_books import blanks_by_account, posted_balances
from tests.support.dying_programs import Request, office_server
from tests.support.issuance_office import SIGNATURE, Office
from tests.support.killing import Point, contents, ready_to_die, until_it_stands


@dataclass
class Deaths:
    """Lets officers' requests be killed at one point after the other, and judges what is left."""

    office: Office
    is_killed: Callable[[Request, Point], bool]
    kills: int = 0
    _requests: count[int] = field(default_factory=count)

    def act(
        self,
        officer: str,
        path: str,
        body: object = None,
        *,
        leaves: Sequence[str],
        between_statements: bool = False,
    ) -> None:
        """One act: nothing of it, or all that it ``leaves``, whenever its process dies."""
        token, name = self.office.sign_in(officer).token, next(self._requests)
        recorded, moment = self._recorded(), self.office.now[0]

        def request(number: int) -> Request:
            return Request(token, f"killed-request-{name:03}-{number:03}", path, body, moment)

        def kill(number: int) -> bool:
            return self.is_killed(request(number), Point(number, between_statements=between_statements))

        last = until_it_stands(self.office.database, kill)
        self.kills += last
        left = self._recorded()[len(recorded) :]
        assert left == list(leaves), f"killed at point {last}, it left {left}"
        # The answer was lost with the process: the same request is told so, and changes nothing.
        after = contents(self.office.database)
        self.office.now[0] += ATTEMPT_LENGTH + timedelta(seconds=1)
        again = self.office.sign_in(officer).post(path, body, key=request(last).key)
        assert again.get_json().get("code") == "ANSWER_LOST", again.get_json()
        assert contents(self.office.database) == after, "refused, and yet it changed something"

    def capture(self, officer: str, path: str, body: object) -> None:
        """A capture at a counter with all that leads to its sealing, each act killed as any other."""
        self.act(officer, path, body, leaves=["counter begin"], between_statements=True)
        waiting = self.office.sign_in(officer).get("/v1/counter-captures").get_json()
        capture = waiting[-1]
        at = f"/v1/counter-captures/{capture['id']}"
        agreement = {"language": "vi", "signature": SIGNATURE}
        self.act(officer, f"{at}/form", leaves=["counter check_form"])
        self.act(officer, f"{at}/agreement", agreement, leaves=["counter sign"], between_statements=True)
        if capture["exceptions"]:
            self.act("son.supervisor", f"{at}/answer", leaves=["counter answer"])
        sealed = ["dossier capture", "dossier validate"]
        sealed.insert(1 if capture["dossier"] else 0, "counter seal")
        sealed += [] if capture["dossier"] else ["fee state", "old_card state"]
        self.act(officer, f"{at}/seal", leaves=sealed, between_statements=True)

    def _recorded(self) -> list[str]:
        with self.office.database.reading() as connection:
            rows = connection.execute(select(EVENTS.c.subject, EVENTS.c.event).order_by(EVENTS.c.sequence))
            return [f"{row.subject.partition('/')[0]} {row.event}" for row in rows]


@contextmanager
def deaths_of(office: Office) -> Iterator[Deaths]:
    """The office, and a process of it that is there to be killed."""
    with ready_to_die(office_server, office.settings) as is_killed:
        yield Deaths(office, is_killed)


def books(office: Office) -> dict[Account, int]:
    with office.database.reading() as connection:
        held = blanks.balances(connection)
        assert held == posted_balances(connection) == blanks_by_account(connection)
    return held
