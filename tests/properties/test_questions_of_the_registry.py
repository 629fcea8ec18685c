"""The registry's daily questions read no whole table: who an alias led to, and the next form to key again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from issuance_backend.population_registry.people import repository
from tests.support.dc01_office import Dc01Office
from tests.support.engines import Sqlite
from tests.support.query_plans import plans_of, whole_tables_read

GROWING = {"dc01_rechecks", "merges"}
OPEN_ONES = {
    "SCAN dc01_rechecks USING INDEX dc01_rechecks_to_decide",
    "SCAN dc01_rechecks USING INDEX dc01_rechecks_to_key",
}
"""These hold what nobody has done yet, in the order in which it is handed out."""


def test_no_question_of_the_registry_reads_a_whole_table(tmp_path: Path) -> None:
    office = Dc01Office(Sqlite(tmp_path).new())
    batch, forms = office.indexed(3)
    office.key(forms)
    office.batches.draw(batch, "leader")
    with plans_of("issuance_backend") as plans, office.database.reading() as connection:
        assert office.batches.next_keying("second") is not None
        assert office.batches.next_difference("third") is None
        repository.reference_number_at(connection, "001190000001", datetime.now(UTC).isoformat())
    found = whole_tables_read(plans, GROWING)
    assert {line for lines in found.values() for line in lines} <= OPEN_ONES
    by_index = " ".join(line for plan in plans.values() for line in plan)
    for index in ("dc01_rechecks_to_key", "dc01_rechecks_to_decide", "merges_of_alias"):
        assert index in by_index
    office.database.close()
