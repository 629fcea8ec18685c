from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.legacy_import import repository
from issuance_backend.population_registry.legacy_import.domain import COLUMNS, Outcome, interval
from issuance_backend.population_registry.numbers import repository as numbers
from issuance_backend.refusals import LegacyFileMalformed
from tests.support.issuance_office import citizens
from tests.support.registry_office import RegistryWorld
from verification.identity.legacy_encodings import to_tcvn3
from verification.messages.life_event import Correction

HELD = next(person for person in citizens() if person.old_id)
OTHER = next(person for person in citizens() if person is not HELD)
HEADER = ",".join(COLUMNS) + "\n"


def line(person: RegistryPerson, kind: str = "cmnd_9", **changes: str) -> str:
    number = (person.old_id or "999999999") if kind == "cmnd_9" else person.citizen_number
    values = {
        "kind": kind,
        "number": number,
        "full_name": person.full_name,
        "date_of_birth": person.date_of_birth.isoformat(),
        "sex": person.sex,
        "issued_on": "2015-06-01",
        "barcode": "",
        "scan_quality": "80",
        **changes,
    }
    return ",".join(values[name] for name in COLUMNS) + "\n"


def outcomes(registry: RegistryWorld, *lines: str) -> dict[str, int]:
    tally = registry.legacy.take_over([HEADER, *lines], "lan.archive")
    return {outcome.value: amount for outcome, amount in sorted(tally.outcomes.items())}


def statuses(registry: RegistryWorld, person: RegistryPerson) -> list[tuple[str, str, str | None]]:
    registry.pass_time(seconds=1)
    found = registry.records.history(person.citizen_number).identities
    return [(each.kind, each.status, each.document_number) for each in found]


def test_a_card_that_agrees_becomes_a_valid_identity(registry: RegistryWorld) -> None:
    assert outcomes(registry, line(HELD), line(HELD, "barcode_card", barcode=HELD.citizen_number)) == {
        "linked": 2
    }
    assert sorted(statuses(registry, HELD)) == [
        ("barcode_card", "valid", HELD.citizen_number),
        ("cmnd_9", "valid", HELD.old_id),
    ]


def test_the_same_file_again_changes_nothing(registry: RegistryWorld) -> None:
    lines = [line(HELD), line(OTHER, "barcode_card"), line(HELD)]
    assert outcomes(registry, *lines) == {"linked": 2, "repeated": 1}
    before = registry.records.history(HELD.citizen_number)
    assert outcomes(registry, *lines) == {"repeated": 3}
    assert registry.records.history(HELD.citizen_number).identities == before.identities
    with registry.database.reading() as connection:
        assert repository.counted(connection) == {Outcome.LINKED: 2}


@pytest.mark.parametrize("at_once", [1, 50])
def test_whoever_was_registered_after_the_import_is_found_by_the_next(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("issuance_backend.population_registry.legacy_import.service.AT_ONCE", at_once)
    own = {"citizen_number": "001090777777", "old_id": "876543210", "full_name": "Người Xa Lạ"}
    stranger = replace(HELD, **own)
    lines = [line(stranger), line(HELD), line(stranger)]
    assert outcomes(registry, *lines) == {"linked": 1, "repeated": 1, "unknown": 1}
    assert outcomes(registry, *lines) == {"repeated": 3}
    with registry.database.writing() as connection:
        entries.add(connection, [stranger], registry.clock())
    assert registry.legacy.rehearse([HEADER, *lines]).outcomes == {Outcome.LINKED: 1, Outcome.REPEATED: 2}
    assert outcomes(registry, *lines) == {"linked": 1, "repeated": 2}
    assert statuses(registry, stranger) == [("cmnd_9", "valid", "876543210")]
    assert outcomes(registry, *lines) == {"repeated": 3}
    with registry.database.reading() as connection:
        assert repository.counted(connection) == {Outcome.LINKED: 2}


def test_a_name_in_capitals_or_in_an_old_encoding_is_the_same_name(registry: RegistryWorld) -> None:
    old_encoding = to_tcvn3(HELD.full_name)
    assert old_encoding != HELD.full_name
    assert outcomes(registry, line(HELD, full_name=HELD.full_name.upper())) == {"linked": 1}
    # Read as Unicode it is the person's name to the letter, and another record than the one in capitals.
    assert outcomes(registry, line(HELD, full_name=old_encoding)) == {"linked": 1}
    assert outcomes(registry, line(HELD)) == {"repeated": 1}


def test_what_contradicts_is_claimed_and_left_to_an_officer(registry: RegistryWorld) -> None:
    assert outcomes(registry, line(HELD, full_name="Kẻ Lạ Mặt")) == {"conflict": 1}
    assert statuses(registry, HELD) == [("cmnd_9", "claimed", HELD.old_id)]


def test_a_document_of_two_people_is_nobodys_for_certain(registry: RegistryWorld) -> None:
    first, second = HELD, OTHER
    for person in (first, second):
        registry.report(Correction(person.citizen_number, {"old_id": None}))
    same = {"number": "876543210"}
    assert outcomes(registry, line(first, **same), line(second, **same)) == {"conflict": 1, "linked": 1}
    assert statuses(registry, second)[0][1] == "claimed"


def test_a_number_on_an_older_card_is_never_issued_again(registry: RegistryWorld) -> None:
    stranger = line(HELD, "barcode_card", number="001090777777", full_name="Người Xa Lạ")
    assert outcomes(registry, stranger) == {"unknown": 1}
    with registry.database.reading() as connection:
        drawn = numbers.find(connection, "001090777777")
        assert drawn is not None
        assert drawn.state.value == "issued"


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"kind": "passport"}, "kind"),
        ({"number": "12345"}, "number"),
        ({"full_name": "A"}, "full_name"),
        ({"full_name": "An 007"}, "full_name"),
        ({"date_of_birth": "31.2.1990"}, "date_of_birth"),
        ({"date_of_birth": ""}, "date_of_birth"),
        ({"sex": "1"}, "sex"),
        ({"issued_on": "soon"}, "issued_on"),
        ({"scan_quality": "101"}, "scan_quality"),
    ],
)
def test_a_line_that_is_no_record_is_counted_by_its_column(
    registry: RegistryWorld, changes: dict[str, str], column: str
) -> None:
    tally = registry.legacy.take_over([HEADER, line(HELD, **changes), line(OTHER, "barcode_card")], "lan")
    assert tally.outcomes == {Outcome.MALFORMED: 1, Outcome.LINKED: 1}
    assert tally.faults == {column: 1}


def test_a_bar_code_of_another_number_is_no_record(registry: RegistryWorld) -> None:
    tally = registry.legacy.take_over(
        [HEADER, line(HELD, "barcode_card", barcode=OTHER.citizen_number), "a,b\n", line(HELD)[:-1] + ",x\n"],
        "lan",
    )
    assert tally.faults == {"barcode": 1, "kind": 1, "columns": 1}


@pytest.mark.parametrize("lines", [[], ["kind,number\n"], ["x" * 5000], [HEADER, "x" * 5000 + "\n"]])
def test_a_file_of_another_form_is_refused(registry: RegistryWorld, lines: list[str]) -> None:
    with pytest.raises(LegacyFileMalformed):
        registry.legacy.take_over(lines, "lan")


def test_a_rehearsal_says_what_an_import_does_and_writes_nothing(registry: RegistryWorld) -> None:
    lines = [HEADER, line(HELD), line(HELD), line(OTHER, full_name="Kẻ Lạ"), line(HELD, sex="?")]
    before = registry.chain_length()
    rehearsed = registry.legacy.rehearse(lines)
    assert registry.chain_length() == before
    assert registry.legacy.take_over(lines, "lan") == rehearsed


def test_bad_scans_are_listed_for_capture(registry: RegistryWorld) -> None:
    bad = line(HELD, scan_quality="39")
    missing = line(OTHER, "barcode_card", scan_quality="")
    assert registry.legacy.take_over([HEADER, bad, missing], "lan").recapture == 2
    assert sorted(registry.legacy.recapture_list()) == sorted(
        [(str(HELD.old_id), HELD.citizen_number), (OTHER.citizen_number, OTHER.citizen_number)]
    )


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issuance_backend.population_registry.legacy_import.service.AT_ONCE", 2)
    lines = [HEADER, *(line(person, "barcode_card") for person in citizens()[:5])]

    def broken() -> object:
        yield from lines[:4]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        registry.legacy.take_over(broken(), "lan")  # type: ignore[arg-type]
    assert outcomes(registry, *lines[1:]) == {"linked": 3, "repeated": 2}


def test_the_interval_of_a_sample_covers_the_truth() -> None:
    # The draws only have to be the same ones again.
    draw = random.Random(5)  # noqa: S311
    for share in (0.002, 0.05, 0.5):
        covered = 0
        for _ in range(300):
            seen = sum(draw.random() < share for _ in range(600))
            low, high = interval(seen, 600)
            covered += low <= share <= high
        assert covered >= 0.93 * 300
    assert interval(0, 0) == (0.0, 1.0)


def test_the_commands_import_and_report(
    registry: RegistryWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", registry.database.url)
    archive = tmp_path / "archive.csv"
    archive.write_text(
        "\ufeff" + HEADER + line(HELD, scan_quality="") + line(OTHER, sex="?"), encoding="utf-8"
    )
    assert command.main(["import-legacy", str(archive), "--dry-run", "--of", "17000000"]) == 0
    report = capsys.readouterr().out
    assert "malformed: 1, of 17000000: " in report
    assert HELD.full_name not in report
    assert command.main(["import-legacy", str(archive)]) == 0
    assert command.main(["recapture-list"]) == 0
    assert f"{HELD.old_id},{HELD.citizen_number}" in capsys.readouterr().out
    assert command.main(["import-legacy", str(tmp_path / "none.csv")]) == 1
    died = ["life-status", "--citizen-number", HELD.citizen_number, "--status", "deceased", "--since"]
    assert command.main([*died, "2026-01-01"]) == 0
    assert command.main([*died, "2026-01-01"]) == 1
    assert command.main(["verify-events"]) == 0
    assert "chain unbroken" in capsys.readouterr().out
    assert registry.person(HELD.citizen_number).life_status == "deceased"
