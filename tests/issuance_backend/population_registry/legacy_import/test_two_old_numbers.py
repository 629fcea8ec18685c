"""A paper of the same name and birth date under another nine-digit number than the person's own."""

from __future__ import annotations

from issuance_backend.population_registry.legacy_import.domain import COLUMNS
from tests.support.issuance_office import citizens
from tests.support.registry_office import RegistryWorld

HELD = next(person for person in citizens() if person.old_id)


def test_it_is_the_persons_second_number_or_a_namesakes_and_an_officer_decides(
    registry: RegistryWorld,
) -> None:
    paper = {
        "kind": "cmnd_9",
        "number": "876543210",
        "full_name": HELD.full_name,
        "date_of_birth": HELD.date_of_birth.isoformat(),
        "sex": HELD.sex,
        "issued_on": "2015-06-01",
        "barcode": "",
        "scan_quality": "80",
    }
    assert paper["number"] != HELD.old_id
    lines = [",".join(row) + "\n" for row in (COLUMNS, [paper[name] for name in COLUMNS])]
    tally = registry.legacy.take_over(lines, "lan.archive")
    assert {outcome.value: amount for outcome, amount in tally.outcomes.items()} == {"conflict": 1}
    registry.pass_time(seconds=1)
    (identity,) = registry.records.history(HELD.citizen_number).identities
    assert (identity.status, identity.document_number) == ("claimed", "876543210")
