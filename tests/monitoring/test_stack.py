"""The programs of one machine: what each is told at start."""

from __future__ import annotations

from pathlib import Path

from monitoring.site import Addresses, Site
from monitoring.stack import WORKERS, Stack
from monitoring.supervisor import Supervisor


def test_the_registrys_rounds_know_the_registrys_database_only(tmp_path: Path) -> None:
    site = Site(folder=tmp_path, models=tmp_path, addresses=Addresses.free())
    program = Stack(site, Supervisor(tmp_path / "logs")).registry_rounds()
    assert program.environment["REGISTRY_DATABASE_URL"] == f"sqlite:///{tmp_path / 'registry.db'}"
    assert not {name for name in program.environment if name.startswith("ISSUANCE_")}
    assert program.every


def test_somebody_keeps_house_at_the_office() -> None:
    assert any("housekeeping" in words for words in WORKERS.values())
