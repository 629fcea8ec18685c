"""Forms DC01 of a commune in a demonstration: some wait for every step up to the keying, in one batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from monitoring.probe_clients import HttpClient, Json
from monitoring.staff import COMMUNE_OFFICERS, FORM_CLERKS, FORMS_COMMUNE, FORMS_LEADER, Staff
from monitoring.stand.drawn_form import drawn_form
from verification.messages.national_time import vietnam_date

_STEPS: Mapping[str, int] = {"collection": 7, "scan": 6, "index": 5}
"""Through each step go so many of the forms; the last of them wait for it."""

_FORMS = 8
_SEX = {"M": "Nam", "F": "Nữ"}


def lay_out_forms(staff: Staff, people: Iterable[Json]) -> bool:
    """Have forms listed, collected, scanned and put into a batch, once; whether there was anything to do."""
    collector, clerk, leader = (
        staff.at_office(name) for name in (COMMUNE_OFFICERS[0], FORM_CLERKS[0], FORMS_LEADER)
    )
    if _list(leader, "/v1/dc01-batches"):
        return False
    applicants = {f"BD{place:06}": person for place, person in zip(range(_FORMS), people, strict=False)}
    collector.send("POST", "/v1/dc01-forms", *_json(unit=FORMS_COMMUNE, barcodes=list(applicants)))
    listed = {form["barcode"]: form["id"] for form in _list(collector, "/v1/dc01-forms?state=planned")}
    opened = leader.send_json("POST", "/v1/dc01-batches", {"unit": FORMS_COMMUNE, "aql": "2.5"})
    collected_on = vietnam_date(datetime.now(UTC)).isoformat()
    for place, (barcode, person) in enumerate(applicants.items()):
        path = f"/v1/dc01-forms/{listed[barcode]}"
        if place < _STEPS["collection"]:
            collector.send_json("POST", f"{path}/collection", {"collected_on": collected_on})
        if place < _STEPS["scan"]:
            page = ("page.png", drawn_form(barcode, written_by(person)), "image/png")
            staff.at_pages(COMMUNE_OFFICERS[0]).press(f"/dc01/forms/{listed[barcode]}/scan", pages=page)
        if place < _STEPS["index"]:
            clerk.send_json("POST", f"{path}/index", {"batch": opened["id"]})
    return True


def written_by(person: Json) -> dict[str, str]:
    """What somebody writes on the form, by the labels that are printed there."""
    known = {
        "Họ, chữ đệm và tên": str(person["full_name"]).upper(),
        "Số định danh cá nhân": str(person["citizen_number"]),
        "Ngày sinh": "/".join(reversed(str(person.get("date_of_birth", "")).split("-"))),
        "Giới tính": _SEX.get(str(person.get("sex")), ""),
        "Nơi thường trú": "Phường Ba Đình, Hà Nội",
        "Mã đơn vị": FORMS_COMMUNE,
    }
    return {label: text for label, text in known.items() if text}


def _list(client: HttpClient, path: str) -> list[Json]:
    return list(json.loads(client.get(path)))


def _json(**said: object) -> tuple[bytes, dict[str, str]]:
    return json.dumps(said).encode(), {"Content-Type": "application/json"}
