"""Forms by day: the same code means another paper before and after a circular."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pypdf.generic import ContentStream
from sqlalchemy import update

from issuance_backend.dossiers.forms.catalogue import packaged_forms, read_forms, required_on
from issuance_backend.dossiers.forms.domain import form_reference, requirements
from issuance_backend.dossiers.forms.printed_form import FilledForm, as_pdf
from issuance_backend.dossiers.forms.service import PaperDesk
from issuance_backend.qr_symbol import read_qr
from issuance_backend.refusals import FormUnknown
from issuance_backend.schema import DOSSIERS
from monitoring.environment import ConfigurationFault
from tests.support.application_desk import LAN, Desk, packet_of
from tests.support.issuance_office import Office, citizens, picture
from verification.messages.dc01 import UnitView
from verification.messages.forms import FormEdition
from verification.messages.receipt_code import receipt_code, status_link

PERSON = citizens()[0]
FORMS = packaged_forms()
VALUES = {
    "full_name": "Nguyễn Thị Hoà",
    "date_of_birth": "1990-03-07",
    "sex": "F",
    "citizen_number": "001190000001",
    "ethnicity": "Kinh",
    "religion": "Không",
    "nationality": "Việt Nam",
    "place_of_origin": "Hà Nội",
    "place_of_residence": "Số 9 Trần Phú <Huế> & Đà Nẵng",
    "identification": "Sẹo ở cằm",
}


def printed(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.parametrize(
    ("code", "day", "edition", "means"),
    [
        ("CC01", date(2021, 6, 1), "2016", "Tờ khai căn cước công dân"),
        ("CC01", date(2024, 6, 30), "2016", "Tờ khai căn cước công dân"),
        ("CC01", date(2024, 7, 1), "2024", "Phiếu thu nhận thông tin căn cước"),
        ("CC02", date(2021, 6, 1), "2016", "Phiếu thu nhận thông tin căn cước công dân"),
        ("CC02", date(2026, 1, 1), "2024", "Giấy hẹn trả kết quả giải quyết thủ tục về căn cước"),
        ("DC01", date(2018, 1, 1), "2016", "Phiếu thu thập thông tin dân cư"),
        ("DC01", date(2020, 11, 6), "2020", "Phiếu thu thập thông tin dân cư"),
        ("DC02", date(2021, 1, 1), "2020", "Phiếu cập nhật, chỉnh sửa thông tin dân cư"),
        ("TK01", date(2023, 1, 1), "2022", "Phiếu đề nghị cấp tài khoản định danh điện tử"),
    ],
)
def test_a_code_means_what_it_meant_on_that_day(code: str, day: date, edition: str, means: str) -> None:
    found = FORMS.edition(code, day)
    assert (found.edition, found.vi) == (edition, means)
    assert found.circular
    assert found.source


@pytest.mark.parametrize(
    ("code", "day"), [("CC01", date(2016, 1, 31)), ("TK01", date(2022, 10, 19)), ("CC99", date(2024, 7, 1))]
)
def test_a_form_that_was_not_there_yet_is_unknown(code: str, day: date) -> None:
    with pytest.raises(FormUnknown):
        FORMS.edition(code, day)


@given(st.dates(date(2010, 1, 1), date(2040, 1, 1)))
def test_no_day_has_two_editions_of_a_code(day: date) -> None:
    codes = [each.code for each in FORMS.in_force(day)]
    assert len(codes) == len(set(codes))


def test_every_edition_is_named_apart_and_numbers_its_items_in_order() -> None:
    names = [form_reference(each) for each in FORMS.editions]
    assert len(names) == len(set(names))
    for edition in FORMS.editions:
        assert [each.number for each in edition.fields] == [str(n + 1) for n in range(len(edition.fields))]
        items = {each.item for each in edition.fields} | {"fingerprints", "slaps"}
        assert {each.item for each in edition.exceptions} <= items


def _content(*changes: dict[str, Any]) -> bytes:
    base = msgspec.to_builtins(FORMS.edition("CC01", date(2024, 7, 1)))
    return msgspec.json.encode({"version": "x", "editions": [{**base, **change} for change in changes]})


def test_a_catalogue_with_two_editions_at_once_is_refused() -> None:
    old = {"edition": "old", "valid_from": "2016-02-01", "valid_to": "2024-07-01"}
    with pytest.raises(ConfigurationFault, match="CC01"):
        read_forms(_content(old, {}))
    with pytest.raises(ConfigurationFault, match="CC01"):
        read_forms(_content({"edition": "old", "valid_from": "2016-02-01", "valid_to": None}, {}))
    assert len(read_forms(_content({**old, "valid_to": "2024-06-30"}, {})).editions) == 2


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"version": "1", "editions": [{"code": "CC01"}]}', b"\xff"]
)
def test_a_catalogue_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationFault):
        read_forms(content)


# -- completeness


def test_a_mandatory_item_needs_a_value_or_a_coded_exception() -> None:
    asked = requirements([FORMS.edition("CC01", date(2026, 1, 1))])
    assert asked.faults(VALUES, []) == {}
    without = {**VALUES, "identification": " "}
    assert asked.faults(without, []) == {"identification": "FIELD_MISSING"}
    assert asked.faults(without, ["marks_none"]) == {}
    assert asked.faults(VALUES, ["marks_none"]) == {"exceptions": "EXCEPTION_CONTRADICTED"}


def test_an_exception_that_the_form_does_not_know_excuses_nothing() -> None:
    asked = requirements([FORMS.edition("CC01", date(2021, 6, 1))])
    faults = asked.faults({**VALUES, "full_name": ""}, ["in_a_hurry"])
    assert faults == {"exceptions": "EXCEPTION_UNKNOWN", "full_name": "FIELD_MISSING"}


def test_an_exception_of_one_form_holds_for_the_whole_dossier() -> None:
    """CC02 of 2016 asks for marks and knows the exception; CC01 of 2016 asks for neither."""
    asked = required_on(date(2021, 6, 1))
    assert asked.faults({**VALUES, "captured_on": "2021-06-01", "identification": ""}, ["marks_none"]) == {}
    assert asked.faults(VALUES, []) == {}
    assert required_on(date(2026, 1, 1)).faults(VALUES, []) == {"captured_on": "FIELD_MISSING"}


# -- which forms a dossier has


def test_what_the_capture_recorded_outlives_the_catalogues_days() -> None:
    today = date(2026, 11, 21)
    detail = FORMS.step_detail(date(2021, 6, 1))
    assert detail == {"forms": "CC01/2016 CC02/2016"}
    assert [form_reference(each) for each in FORMS.recorded([detail], today)] == ["CC01/2016", "CC02/2016"]


def test_a_dossier_from_before_it_was_recorded_has_the_forms_of_its_day() -> None:
    found = FORMS.recorded([{"registry": "agrees"}], date(2021, 6, 1))
    assert [form_reference(each) for each in found] == ["CC01/2016", "CC02/2016"]


def test_a_dossier_that_is_captured_again_is_on_the_new_paper() -> None:
    steps = [FORMS.step_detail(date(2024, 6, 28)), {}, FORMS.step_detail(date(2024, 7, 3))]
    assert [form_reference(each) for each in FORMS.recorded(steps, date(2024, 6, 28))] == [
        "CC01/2024",
        "CC02/2024",
    ]


# -- on paper


@pytest.mark.parametrize("edition", FORMS.editions, ids=form_reference)
def test_every_edition_is_printed_with_its_circular_and_all_its_items(edition: FormEdition) -> None:
    paper = as_pdf(edition, FilledForm(values=VALUES, dossier="0011223344556677", portrait=picture()))
    text = printed(paper)
    assert f"Mẫu {edition.code} ban hành kèm theo {edition.circular}" in text
    assert edition.layout.heading in text
    for asked in edition.fields:
        assert " ".join(f"{asked.number}. {asked.vi}".split()) in text
    assert "NGUYỄN THỊ HOÀ" in text
    assert "07/03/1990" in text
    assert ("Ngón cái" in text) is edition.layout.fingerprints
    assert ("Mã hồ sơ: 0011223344556677" in text) is edition.layout.barcode


def test_the_same_form_is_the_same_bytes_and_another_edition_another_paper() -> None:
    filled = FilledForm(values=VALUES, dossier="0011223344556677", portrait=picture())
    old, new = (FORMS.edition("CC01", day) for day in (date(2021, 6, 1), date(2026, 1, 1)))
    assert as_pdf(old, filled) == as_pdf(old, filled)
    assert "TỜ KHAI CĂN CƯỚC CÔNG DÂN" in printed(as_pdf(old, filled))
    assert "TỜ KHAI" not in printed(as_pdf(new, filled))


def test_what_was_typed_is_text_on_the_paper_and_a_reason_stands_there() -> None:
    form = FORMS.edition("CC02", date(2021, 6, 1))
    text = printed(as_pdf(form, FilledForm(values=VALUES, exceptions=["finger_missing"])))
    assert "Số 9 Trần Phú <Huế> & Đà Nẵng" in text
    assert "Ngoại lệ: Cụt ngón" in text
    assert "Ảnh 4 x 6 cm" in text


@pytest.mark.parametrize("day", [date(2021, 6, 1), date(2026, 1, 1)])
def test_the_slip_of_the_day_bears_the_receipt_code_and_its_address_as_a_qr_code(day: date) -> None:
    code, address = receipt_code("a packet"), "https://tracuu.example/status"
    filled = FilledForm(values=VALUES, portrait=picture(), receipt_code=code, status_address=address)
    slip = as_pdf(FORMS.edition("CC02", day), filled)
    assert code in printed(slip)
    assert len(pypdf.PdfReader(io.BytesIO(slip)).pages) == 1
    assert read_qr(drawn(slip)) == status_link(address, code)
    plain = as_pdf(FORMS.edition("CC02", day), replace(filled, status_address=""))
    assert code in printed(plain)
    assert read_qr(drawn(plain)) is None
    assert code not in printed(as_pdf(FORMS.edition("CC01", day), filled)), (
        "no other paper gives the code away"
    )


def drawn(paper: bytes) -> Image.Image:
    """The filled rectangles of a page, four pixels a point: enough of it for a reader of codes."""
    reader = pypdf.PdfReader(io.BytesIO(paper))
    picture_ = Image.new("L", (4 * 596, 4 * 842), 255)
    draw, place, kept = ImageDraw.Draw(picture_), (0.0, 0.0), []
    for numbers, operator in ContentStream(reader.pages[0].get_contents(), reader).operations:
        if operator == b"q":
            kept.append(place)
        elif operator == b"Q":
            place = kept.pop()
        elif operator == b"cm":
            place = (place[0] + float(numbers[4]), place[1] + float(numbers[5]))
        elif operator == b"re":
            left, bottom, width, height = (float(each) for each in numbers)
            left, bottom = left + place[0], bottom + place[1]
            corners = (left, 842 - bottom - height, left + width, 842 - bottom)
            draw.rectangle([round(4 * each) for each in corners], fill=0)
    return picture_


# -- over HTTP


def test_forms_are_listed_for_a_day_and_for_today(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    then = {each["code"]: each["edition"] for each in lan.get("/v1/forms?on=2021-06-01").get_json()}
    assert then == {"CC01": "2016", "CC02": "2016", "DC01": "2020", "DC02": "2020"}
    now = {each["code"]: each["edition"] for each in lan.get("/v1/forms").get_json()}
    assert (now["CC01"], now["TK01"]) == ("2024", "2024")
    assert lan.get("/v1/forms/CC02?on=2021-06-01").get_json()["edition"] == "2016"
    assert lan.get("/v1/forms/CC02").get_json()["edition"] == "2024"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/forms/CC99", 404, "FORM_UNKNOWN"),
        ("/v1/forms?on=gestern", 422, "FIELDS_REFUSED"),
        ("/v1/dossiers/0000000000000000/forms", 404, "DOSSIER_UNKNOWN"),
    ],
)
def test_what_is_not_there_is_said(office: Office, path: str, status: int, code: str) -> None:
    answer = office.sign_in("lan.capture").get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_dossier_of_2021_is_printed_today_on_the_form_of_2021(office: Office) -> None:
    office.now[0] = datetime(2021, 6, 1, 3, 0, tzinfo=UTC)
    lan = office.sign_in("lan.capture")
    dossier = lan.capture(PERSON).get_json()["id"]
    office.now[0] += timedelta(days=5 * 365)
    lan = office.sign_in("lan.capture")
    listed = lan.get(f"/v1/dossiers/{dossier}/forms").get_json()
    assert [(each["code"], each["edition"]) for each in listed] == [("CC01", "2016"), ("CC02", "2016")]
    answer = lan.get(f"/v1/dossiers/{dossier}/forms/CC02.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    text = printed(answer.data)
    assert "Thông tư 66/2015/TT-BCA" in text
    assert "PHIẾU THU NHẬN THÔNG TIN CĂN CƯỚC CÔNG DÂN" in text
    assert PERSON.full_name.upper() in text
    assert dossier in text


def test_a_dossier_of_today_is_on_the_form_of_today(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    dossier = lan.capture(PERSON).get_json()["id"]
    text = printed(lan.get(f"/v1/dossiers/{dossier}/forms/CC01.pdf").data)
    assert "Thông tư 17/2024/TT-BCA" in text
    assert lan.get(f"/v1/dossiers/{dossier}/forms/DC01.pdf").status_code == 404


def test_the_slip_of_a_dossier_says_its_code_by_when_and_where(office: Office) -> None:
    name = "Công an phường Phúc Xá"
    office.registry.units["001.02"] = [UnitView("001.02", "district", name, date(2008, 8, 1), None, "NQ")]
    lan = office.sign_in("lan.capture")
    view = lan.capture(PERSON).get_json()
    with office.database.writing() as connection:
        connection.execute(update(DOSSIERS).values(unit="001.02"))
    text = printed(lan.get(f"/v1/dossiers/{view['id']}/forms/CC02.pdf").data)
    assert view["receipt_code"] in text
    assert f"Nơi trả kết quả: {name}" in text
    assert date.fromisoformat(view["due_on"]).strftime("Ngày hẹn trả kết quả: %d/%m/%Y") in text


def test_whoever_may_not_see_the_dossier_may_not_print_it(office: Office) -> None:
    dossier = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    assert office.client().get(f"/v1/dossiers/{dossier}/forms/CC01.pdf").status_code == 401


def test_a_packets_form_bears_the_day_on_which_the_kit_captured_it(desk: Desk) -> None:
    """Days may pass before a packet reaches the centre: the citizen was there on one day only."""
    dossier = desk.received(packet_of(happened_at="2026-11-18T02:00:00Z"))
    paper = PaperDesk(desk.office, lambda: desk.now[0]).printed(LAN, dossier, "CC02")
    assert "18/11/2026" in printed(paper.content)
    assert desk.now[0].strftime("%d/%m/%Y") not in printed(paper.content)
