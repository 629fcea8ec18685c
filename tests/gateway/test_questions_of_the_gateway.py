"""A decision takes as long behind a million others as behind ten: nothing reads a whole table for it."""

from __future__ import annotations

import json

from tests.support.gateway_world import World
from tests.support.query_plans import plans_of, whole_tables_read

GROWING = {"sessions", "idempotency", "log_entries", "log_nodes", "card_states", "agents"}
DECISIONS = 6


def test_no_decision_and_no_proof_reads_a_whole_table(world: World) -> None:
    client = world.app.test_client()
    with plans_of("gateway") as plans:
        for index in range(DECISIONS):
            world.decide(chip=bool(index % 2))
        for path in (f"inclusion?sequence=1&size={DECISIONS}", f"consistency?old=3&size={DECISIONS}"):
            assert json.loads(client.get(f"/v1/log/{path}").data)["proof"]
    assert whole_tables_read(plans, GROWING) == {}
    if world.database.url.startswith("sqlite"):
        assert any("log_nodes" in line for plan in plans.values() for line in plan)
