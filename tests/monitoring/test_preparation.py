"""What a site is made of, and what a new version brings to one that an older version made."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from issuance_backend.population_registry.units.domain import (
    OPEN_END,
    Succession,
    Unit,
    UnitLevel,
    UnitRegister,
    national_units,
)
from monitoring import preparation, staff
from monitoring.preparation import Preparation
from monitoring.site import Addresses, Site, SiteSettings
from monitoring.staff import CAPTURE_OFFICER, COMMUNE_OFFICERS, FORMS_COMMUNE, UNIT
from verification.messages.dc01 import UnitTables
from verification.messages.national_time import vietnam_date


def rows(database: Path, question: str) -> list[tuple[str, ...]]:
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(question))]
    engine.dispose()
    return found


def test_a_site_of_an_older_version_gets_the_officers_and_communes_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SiteSettings(Site(folder=tmp_path / "site", models=tmp_path, addresses=Addresses.free()))
    folder = settings.folder
    older = tmp_path / "commune.json"
    tables = json.loads(preparation.COMMUNE_MAP.read_bytes())
    tables["units"] = [unit for unit in tables["units"] if unit["code"] != FORMS_COMMUNE]
    older.write_text(json.dumps(tables | {"successions": []}))
    known = {name: post for name, post in staff.OFFICERS.items() if name not in COMMUNE_OFFICERS}
    with monkeypatch.context() as before:
        before.setattr(preparation, "OFFICERS", known)
        before.setattr(preparation, "COMMUNE_MAP", older)
        Preparation(settings, lambda _: None).make()
    office, registry = folder / "issuance.db", folder / "registry.db"
    passwords = "SELECT id, password_hash FROM officers ORDER BY id"
    former = dict(rows(office, passwords))
    assert CAPTURE_OFFICER in former
    assert not set(COMMUNE_OFFICERS) & former.keys()

    said: list[str] = []
    Preparation(settings, said.append).make()
    now = dict(rows(office, passwords))
    assert now.keys() == staff.OFFICERS.keys()
    assert {name: now[name] for name in former} == former, "nobody who was there gets another password"
    codes = [code for (code,) in rows(registry, "SELECT code FROM administrative_units")]
    assert FORMS_COMMUNE in codes
    assert [line for line in said if "officers" in line], "it is said that somebody joined"

    callers = json.loads((settings.keys / "issuance_callers.json").read_bytes())
    token = (settings.keys / "citizen_sign_in.token").read_bytes()
    granted = {name for name, each in callers.items() if "account.activate" in each["roles"]}
    assert granted == {"citizen_sign_in"}
    assert callers["citizen_sign_in"]["sha256"] == hashlib.sha256(token).hexdigest()

    said.clear()
    Preparation(settings, said.append).make()
    assert said == [], "nothing is missing any more"


def test_the_unit_of_the_demonstration_became_one_whose_figures_are_shown() -> None:
    """Its team leader would be told that there is no such unit."""
    loaded = json.loads(preparation.COMMUNE_MAP.read_bytes())
    units, successions = national_units()
    tables = msgspec.convert(loaded, UnitTables)
    units += [
        Unit(each.code, UnitLevel(each.level), each.name, each.valid_from, each.valid_to or OPEN_END, "x")
        for each in tables.units
    ]
    successions += [Succession(each.code, each.successor, each.on, "x") for each in tables.successions]
    today = vietnam_date(datetime.now(UTC))
    assert UnitRegister(units, successions).line(UNIT, today) == FORMS_COMMUNE
