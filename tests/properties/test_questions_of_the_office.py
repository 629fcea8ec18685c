"""Nothing that officers or workers do reads a whole table: it takes as long among a million as among ten.

SQLite says of every statement how it finds its rows. It reads everything where no index serves, where a
question is worded otherwise than a partial index, and where a key is written that other tables refer to.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import literal, literal_column, select

from issuance_backend.biometric_search import case_repository
from issuance_backend.credentials import account_repository, holds
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardState
from issuance_backend.dossiers import case_parts, repository
from issuance_backend.dossiers.approval_lists import repository as approval_lists
from issuance_backend.dossiers.deduplication import DeduplicationDesk
from issuance_backend.dossiers.domain import CLOSED, DossierState
from issuance_backend.dossiers.intake import repository as packets
from issuance_backend.dossiers.national_gallery import NationalGallery
from issuance_backend.paging import PageAsked
from issuance_backend.schema import OPEN_DOSSIER
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.office_walk import OFFICERS, OfficeWalk, real_workshop
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW
from tests.support.query_plans import plans_of, whole_tables_read
from tests.support.search_bed import make_bed

EVENTS = 1500
GROWING = {
    *("accounts", "adjudication_cases", "adjudication_decisions", "approval_lists", "blank_postings"),
    *("blanks", "blobs", "listed_approvals"),
    *("captures", "credentials", "dossier_prints", "dossiers", "events", "gallery_enrolments"),
    *("handover_proofs", "holder_holds", "notices", "packet_items", "packets", "portraits"),
    *("production_tasks", "search_tasks"),
}
PAGES_BY_TIME = {"SCAN dossiers USING INDEX dossiers_by_change"}
"""The newest first, and no more than a page of them."""
OPEN_CASES = {"SCAN adjudication_cases USING INDEX open_cases"}
"""It holds the cases that nobody has decided yet, and no more."""


@pytest.fixture
def walk(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> OfficeWalk:
    database = Database(Sqlite(tmp_path).new())
    database.migrate(ISSUANCE_MIGRATIONS)
    return OfficeWalk(database, real_workshop(tmp_path_factory.mktemp("plans") / "pki", database), 7)


def read_whole(plans: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found = whole_tables_read(plans, GROWING)
    return {sql: lines for sql, lines in found.items() if not PAGES_BY_TIME.issuperset(lines)}


def test_no_act_of_an_officer_reads_a_whole_table(walk: OfficeWalk) -> None:
    with plans_of("issuance_backend") as plans:
        for _ in range(EVENTS):
            walk.step()
    assert walk.counts["done"] > EVENTS / 4
    assert len(plans) > 40
    assert read_whole(plans) == {}


def test_no_list_and_no_worker_reads_a_whole_table(walk: OfficeWalk, tmp_path: Path) -> None:
    officer, office = OFFICERS[0], walk.desk.office
    bed = make_bed(tmp_path / "search", Sqlite(tmp_path))
    gallery = NationalGallery(bed.desk, walk.desk.pictures, None, None)
    with plans_of("issuance_backend") as plans, walk.database.writing() as connection:
        for state in (None, DossierState.VALIDATED):
            repository.listed(connection, state, "001.02", PageAsked(after=("2026", "0")))
        for page in (PageAsked(), PageAsked(after=("2026", "0"))):
            approval_lists.listed(connection, "001.02", page)
        case_parts.examiners(connection, ["0" * 16, "1" * 16])
        holds.put(connection, walk.people[0].citizen_number, "event", NOW)
        holds.lift(connection, walk.people[0].citizen_number, "event", NOW)
    with plans_of("issuance_backend") as more:
        DeduplicationDesk(bed.database, gallery, lambda: NOW).run_once()
        office.work_list(officer, "", PageAsked())
        for card_state in CardState:
            walk.delivery.work_list(officer, card_state.value, PageAsked())
    plans |= more
    assert read_whole(plans) == {}
    by_index = " ".join(line for plan in plans.values() for line in plan)
    for index in ("dossiers_to_enrol", "dossiers_with_member", "one_open_account"):
        assert index in by_index


def test_what_waits_is_found_among_what_waits(walk: OfficeWalk) -> None:
    with plans_of("issuance_backend") as plans, walk.database.writing() as connection:
        next(case_repository.waiting_for(connection, "lan.examiner"), None)
        account_repository.of_number(connection, walk.people[0].citizen_number)
        cards.to_pack(connection, "001.02", PageAsked(after=("2026", "0")))
        cards.counts_to_pack(connection, None)
        packets.returned(connection, "kit-001", 10)
        for kit in (None, "kit-001"):
            packets.opened_since(connection, "2026", kit, ("2026", "0"), 10)
        repository.captured_by(connection, "lan", "2026")
    found = read_whole(plans)
    assert {line for lines in found.values() for line in lines} == OPEN_CASES
    by_index = " ".join(line for plan in plans.values() for line in plan)
    asked_for = {"accounts_by_number", "credentials_by_state", "open_cases", "packets_by_announcement"}
    for index in asked_for | {"dossiers_returned_to_kit (kit=?)", "captures_by_officer (officer=?)"}:
        assert index in by_index


def test_a_question_about_open_dossiers_means_what_the_table_of_states_means(walk: OfficeWalk) -> None:
    with walk.database.reading() as connection:
        for state in DossierState:
            a_dossier = select(literal(state.value).label("state")).subquery()
            question = select(literal_column(OPEN_DOSSIER)).select_from(a_dossier)
            is_open = connection.execute(question).scalar_one()
            assert bool(is_open) is (state not in CLOSED)
