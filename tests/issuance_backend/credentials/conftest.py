"""After every test of this folder: states and places are what the recorded events add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.credentials import domain
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.schema import CREDENTIALS
from tests.support.engines import Engine
from tests.support.issuance_office import Office, make_office


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Iterator[Office]:
    made = make_office(tmp_path, office_pki, database_engine)
    yield made
    require_invariants(made)


def require_invariants(office: Office) -> None:
    """I5, I9 and I2 over everything that was recorded."""
    with office.database.reading() as connection:
        recorded_events.verify(connection)
        rows = connection.execute(select(CREDENTIALS)).all()
        for row in rows:
            steps = recorded_events.of_subject(connection, f"card/{row.id}")
            state, place = domain.fold(CardEvent(step.event) for step in steps), None
            for step in steps:
                place = step.detail.get("place", place)
            assert (state, place) == (row.state, row.place), steps
    active = Counter(row.citizen_number for row in rows if row.state == "active")
    assert set(active.values()) <= {1}
