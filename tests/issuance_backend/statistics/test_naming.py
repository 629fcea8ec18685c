"""Briefings speak Vietnamese; files for programs keep the codes."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest

from enrollment_admin.reports.routes import TEXTS_OF_CAUSES
from enrollment_admin.ui import pages
from issuance_backend.biometric_search.adjudication import CaseState
from issuance_backend.citizen_access.domain import ComplaintState
from issuance_backend.credentials.accounts import AccountState
from issuance_backend.credentials.boxes import BOXES
from issuance_backend.credentials.domain import CardState
from issuance_backend.dossiers.counter.domain import CounterState
from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.personalization.blank_stock.domain import DestructionState
from issuance_backend.population_registry.dc01.domain import FormState
from issuance_backend.statistics import naming
from issuance_backend.statistics.definitions import ANY_STATE, vocabulary
from issuance_backend.statistics.naming import Codes, Vietnamese
from issuance_backend.statistics.printed_report import as_pdf
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.spreadsheet import as_xlsx
from issuance_backend.statistics.tabulation import as_csv, sheets
from issuance_backend.statistics.target_desk import TargetDesk
from monitoring.database import Database
from tests.support.cause_codes import CODES
from tests.support.figure_history import START, Told, record
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.statistics import NewTarget, Report

CODED = (
    *("sent_of_captured", "local_approved", "dossier", "at_office"),
    *("finger_worn", "finger_missing", "portrait", "QC_PORTRAIT_BLURRED"),
)
STATES = {
    "adjudication": CaseState,
    "account": AccountState,
    "card": CardState,
    "dossier": DossierState,
    "counter": CounterState,
    "packet": PacketState,
    "complaint": ComplaintState,
    "destruction": DestructionState,
    "form": FormState,
    "box": frozenset(BOXES.transitions.values()),
}
PAGES = Path(pages.__file__).parent / "translations"


@pytest.fixture
def report(database: Database) -> Report:
    steps = [
        Told(START, "dossier/1", "captured", {"unit": "001.02", "exceptions": "finger_worn"}),
        Told(START, "card/1", "at_office", {"unit": "001.02"}),
        Told(START, "card/2", "qa_failed", {"unit": "001.02", "faults": "a:QC_PORTRAIT_BLURRED"}),
        Told(START + timedelta(days=1), "dossier/1", "local_approved", {}),
        Told(START + timedelta(days=1), "dossier/2", "sent", {"unit": "036"}),
        Told(START + timedelta(days=1), "dossier/3", "returned", {"unit": "036", "items": "portrait"}),
        Told(START + timedelta(days=1), "dossier/3", "captured", {"exceptions": "finger_missing"}),
    ]
    record(database, steps)
    office = StatisticsOffice(database, lambda: START + timedelta(days=9))
    plan = TargetDesk(database, lambda: START + timedelta(days=9))
    plan.set_by_program(
        (NewTarget("captured", "036", "2021-01-01", "2021-07-01", 7, "Kế hoạch"),), "planning"
    )
    return office.report(Asked())


def text_of_xlsx(report: Report) -> str:
    with zipfile.ZipFile(io.BytesIO(as_xlsx(report))) as archive:
        return archive.read("xl/sharedStrings.xml").decode()


def text_of_pdf(report: Report) -> str:
    pages = pypdf.PdfReader(io.BytesIO(as_pdf(report))).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


@pytest.mark.parametrize("read", [text_of_xlsx, text_of_pdf], ids=["xlsx", "pdf"])
def test_a_briefing_names_shares_states_limits_and_targets_in_vietnamese(
    report: Report, read: object
) -> None:
    text = read(report)  # type: ignore[operator]
    faults = fault_catalogue()["QC_PORTRAIT_BLURRED"].vi.what
    for said in (faults, "Vân tay mòn, không thu được", "Cụt ngón", "Ảnh chân dung"):
        assert said in text
    for said in ("Địa phương đã duyệt", "Đã về nơi trả", "Xử lý tại nơi thu nhận", "Hồ sơ", "Thẻ"):
        assert said in text
    words = vocabulary()
    assert f"{words.counter('sent').vi} / {words.counter('captured').vi}" in text
    assert not [code for code in (*CODED, "local_processing", "transport") if code in text]


def test_paper_has_the_comma_of_viet_nam_and_files_the_point_of_programs(report: Report) -> None:
    percents = [each.percent for each in report.shares if each.percent]
    assert percents
    paper, file = text_of_pdf(report), as_csv(report).decode()
    for percent in percents:
        assert percent in file
        assert percent.replace(".", ",") in paper.split()
        assert percent not in paper.split()


def test_files_for_programs_keep_the_codes(report: Report) -> None:
    text = as_csv(report).decode()
    assert not [code for code in CODED if code not in text]
    assert "Địa phương đã duyệt" not in text
    assert sheets(report) == sheets(report, Codes())


def test_both_have_the_same_tables_and_numbers(report: Report) -> None:
    for coded, named in zip(sheets(report), sheets(report, Vietnamese()), strict=True):
        assert (coded.name, coded.columns, len(coded.rows)) == (named.name, named.columns, len(named.rows))
        for one, other in zip(coded.rows, named.rows, strict=True):
            assert [cell for cell in one if isinstance(cell, int)] == [
                cell for cell in other if isinstance(cell, int)
            ]


def test_every_state_that_is_counted_or_can_be_reached_has_its_name() -> None:
    tables = naming._tables()
    counted = {
        (each.kind, state) for each in vocabulary().counters for state in each.reached if state != ANY_STATE
    }
    reached = {(kind, str(state)) for kind, states in STATES.items() for state in states}
    nameless = {
        (kind, state) for kind, state in counted | reached if state not in tables.states.get(kind, {})
    }
    assert not nameless
    kinds = {kind for kind, _ in reached} | {counter.kind for counter in vocabulary().counters}
    assert not {kind for kind in kinds if kind not in tables.kinds}
    assert {Vietnamese().place(kind, "")[0] for kind in kinds}.isdisjoint(kinds)
    assert Vietnamese().place("dossier", "never_heard_of") == ("Hồ sơ", "never_heard_of")
    assert Vietnamese().place("never", "heard") == ("never", "heard")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_code_of_a_cause_has_its_name_which_is_that_of_the_pages(language: str) -> None:
    sentences = json.loads((PAGES / f"{language}.json").read_text())
    causes = naming._tables().causes
    assert {cause: set(named) for cause, named in causes.items()} == {
        cause: codes for cause, codes in CODES.items() if cause != "spoilage"
    }
    for cause, named in causes.items():
        said = {code: getattr(wording, language) for code, wording in named.items()}
        assert said == {code: sentences[TEXTS_OF_CAUSES[cause] + code] for code in said}
    names = Vietnamese()
    assert {names.cause("spoilage", code) for code in CODES["spoilage"]}.isdisjoint(CODES["spoilage"])
    assert [names.cause(cause, "never_heard_of") for cause in CODES] == ["never_heard_of"] * len(CODES)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_call_them_the_same(language: str) -> None:
    sentences = json.loads((PAGES / f"{language}.json").read_text())
    tables = naming._tables()
    prefixes = {"dossier": "state.", "card": "card.", "box": "box."}
    said = {f"kind.{kind}": wording for kind, wording in tables.kinds.items()}
    for kind, states in tables.states.items():
        prefix = prefixes.get(kind, f"stage.{kind}.")
        said |= {f"{prefix}{state}": wording for state, wording in states.items()}
    of_forms = {f"dc01.state.{state}": wording for state, wording in tables.states["form"].items()}
    said |= {key: wording for key, wording in of_forms.items() if key in sentences}
    assert {key: getattr(wording, language) for key, wording in said.items()} == {
        key: sentences.get(key) for key in said
    }
    assert len(said) > 150
