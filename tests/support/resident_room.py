"""A form room that knows one ward by name, with people who live there and one who does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from issuance_backend.population_registry import repository
from issuance_backend.population_registry.units.service import UnitOffice
from tests.support.dc01_office import COMMUNE
from tests.support.engines import Engine
from tests.support.form_room import DISTRICT, FormRoom, form_room
from tests.support.issuance_office import Office, citizens
from verification.messages.dc01 import UnitEntry, UnitTables

RESIDENT, SPOUSE, ELSEWHERE = "001190012345", "001090054321", "001190067890"
HERE = "Số 5 Trần Phú, Phường Điện Biên, Quận Ba Đình, Hà Nội"
AWAY = "Số 9 Hàng Bông, Phường Hàng Gai, Hà Nội"
WARD = UnitTables(
    units=tuple(
        UnitEntry(
            code=code,
            level=level,
            name=name,
            valid_from=date(2008, 8, 1),
            valid_to=date(2025, 7, 1),
            legal_basis="thử nghiệm",
        )
        for code, level, name in (
            (DISTRICT, "district", "Quận Ba Đình"),
            (COMMUNE, "commune", "Phường Điện Biên"),
        )
    )
)


@contextmanager
def resident_room(office: Office, engine: Engine, folder: Path) -> Iterator[FormRoom]:
    """RESIDENT and SPOUSE live in the collector's ward, ELSEWHERE in another; all are single."""
    with form_room(office, engine, folder) as room:
        UnitOffice(room.dc01.database, room.dc01.clock).load(WARD, "test")
        alone = replace(
            citizens()[0],
            date_of_birth=date(1990, 3, 15),
            marital_status="Chưa kết hôn",
            spouse=None,
            old_id=None,
            current_residence=AWAY,
            permanent_residence=AWAY,
        )
        people = [
            replace(
                alone, citizen_number=RESIDENT, full_name="Nguyễn Thị Lan", sex="F", current_residence=HERE
            ),
            replace(alone, citizen_number=SPOUSE, full_name="Trần Văn An", sex="M", permanent_residence=HERE),
            replace(alone, citizen_number=ELSEWHERE, full_name="Lê Thị Cúc", sex="F"),
        ]
        with room.dc01.database.writing() as connection:
            repository.add(connection, people, room.dc01.now)
        yield room
