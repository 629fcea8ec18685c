"""Whatever happens to cards, the last word that went out about each is what a relying party must hold of it.

Gateways know of a card what they were told: a step without its notice leaves a revoked card good everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, select

from issuance_backend.credentials import domain, orders
from issuance_backend.credentials.domain import CardState, Reason
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.outbox.tables import NOTICES
from issuance_backend.schema import CREDENTIALS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.office_invariants import Invariants
from tests.properties.office_walk import OfficeWalk, real_workshop
from tests.support.engines import Sqlite

MET = {"issued", "active", "suspended", "lost", "revoked", "replaced"}
"""What cards of walks come to mean; less would prove less."""
FINAL = {"revoked", "replaced"}
OFFICES = 6
"""So many are walked at most: what happens in one is its seed's."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """What is told does not depend on the engine."""
    made = Database(Sqlite(tmp_path).new())
    made.migrate(ISSUANCE_MIGRATIONS)
    yield made
    made.close()


def walk(database: Database, tmp_path: Path, events: int) -> None:
    OfficeWalk(database, real_workshop(tmp_path / "pki", database), 11).run(events)


def meanings(database: Database) -> dict[str, tuple[str, str | None]]:
    """Of every card that has a key: what it means, and what was told of it last."""
    told: dict[str, dict[str, str]] = {}
    with database.reading() as connection:
        asked = select(NOTICES.c.key, NOTICES.c.data).where(NOTICES.c.topic == Topic.CREDENTIAL_STATUS.value)
        for key, data in connection.execute(asked.order_by(NOTICES.c.sequence)):
            former, told[key] = told.get(key, {}), msgspec.json.decode(data, type=dict[str, str])
            # Why a card is good no more is told once and for all, whatever becomes of the card itself.
            assert former.get("state") not in FINAL or former["state"] == told[key]["state"], key
        cards = connection.execute(select(CREDENTIALS).where(CREDENTIALS.c.status_key.is_not(None))).all()
    found = {}
    for card in cards:
        reason = Reason(card.reason) if card.reason else None
        # How long a card is good stands beside its state: it is compared on a day before that.
        meaning = domain.meaning(CardState(card.state), reason, card.expires_on, card.issued_on)
        last = told.get(card.status_key, {})
        assert last.get("expires_on") == (card.expires_on.isoformat() if card.expires_on else None)
        found[card.status_key] = (meaning.value, last.get("state"))
    return found


def test_the_last_word_on_every_card_is_what_it_means(tmp_path: Path) -> None:
    met: set[str] = set()
    for seed in range(11, 11 + OFFICES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        database = Database(Sqlite(folder).new())
        database.migrate(ISSUANCE_MIGRATIONS)
        OfficeWalk(database, real_workshop(folder / "pki", database), seed).run(
            2_400, Listening(database, met)
        )
        database.close()
        if met >= MET:
            break
    assert met >= MET, met


class Listening(Invariants):
    """Whoever listens hears the last word all along the way, not at its end alone."""

    def __init__(self, database: Database, met: set[str]) -> None:
        super().__init__()
        self._heard = database
        self._met = met

    def check(self, connection: Connection) -> int:
        newest = super().check(connection)
        found = meanings(self._heard)
        assert {key: pair for key, pair in found.items() if pair[0] != pair[1]} == {}
        self._met.update(meaning for meaning, _ in found.values())
        return newest


def test_a_revocation_that_nobody_is_told_of_is_found_out(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = orders._notice

    def silent(card: orders.Card) -> Notice | None:
        return None if card.state is CardState.REVOKED else notice(card)

    monkeypatch.setattr(orders, "_notice", silent)
    walk(database, tmp_path, 600)
    assert any(meaning == "revoked" != told for meaning, told in meanings(database).values())
