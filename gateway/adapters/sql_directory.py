"""Partners and agents in SQL."""

from __future__ import annotations

import json

from sqlalchemy import RowMapping, Table, insert, select, update

from gateway.adapters.sql_schema import agents, partners
from gateway.domain.partner import Agent, Partner, Standing
from monitoring.database import Database
from verification.messages.signing_key import PublicKey, public_jwk, public_key_of


class SqlDirectory:
    """The Directory port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, whatever its standing."""
        row = self._row(partners, partner_id)
        if row is None:
            return None
        purposes = frozenset(row["purposes"].split())
        return Partner(row["id"], row["name"], Standing(row["standing"]), _key(row), purposes)

    def agent(self, agent_id: str) -> Agent | None:
        """The agent, whatever its standing."""
        row = self._row(agents, agent_id)
        if row is None:
            return None
        return Agent(row["id"], row["partner"], Standing(row["standing"]), _key(row), row["facility"])

    def add_partner(self, partner: Partner) -> None:
        """Register a partner, or replace its record."""
        self._put(
            partners,
            {
                "id": partner.id,
                "name": partner.name,
                "standing": partner.standing,
                "jwk": _jwk(partner.key),
                "purposes": " ".join(sorted(partner.purposes)),
            },
        )

    def add_agent(self, agent: Agent) -> None:
        """Register an agent, or replace its record."""
        self._put(
            agents,
            {
                "id": agent.id,
                "partner": agent.partner,
                "standing": agent.standing,
                "jwk": _jwk(agent.key),
                "facility": agent.facility,
            },
        )

    def _row(self, table: Table, row_id: str) -> RowMapping | None:
        with self._database.reading() as connection:
            return connection.execute(select(table).where(table.c.id == row_id)).mappings().one_or_none()

    def _put(self, table: Table, values: dict[str, str | None]) -> None:
        # Not the key: for one that is written SQLite looks into every table that refers to it.
        changes = {name: value for name, value in values.items() if name != "id"}
        with self._database.writing() as connection:
            changed = connection.execute(update(table).where(table.c.id == values["id"]).values(changes))
            if not changed.rowcount:
                connection.execute(insert(table).values(values))


def _key(row: RowMapping) -> PublicKey:
    return public_key_of(json.loads(row["jwk"]))


def _jwk(key: PublicKey) -> str:
    return json.dumps(public_jwk(key))
