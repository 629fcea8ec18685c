"""The form that a kit prints: a page of its own, which needs no network, no font and no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import CaptureException
from verification.messages.forms import FormEdition
from verification.messages.national_time import vietnam_date

_DATES = frozenset({"date_of_birth", "captured_on"})
_SHOWN = frozenset({"image/jpeg", "image/png"})
_SEXES = {"M": "Nam", "F": "Nữ"}
_FINGERS = ("ngón cái", "ngón trỏ", "ngón giữa", "ngón nhẫn", "ngón út")
_FINGER_NAMES = {
    f"finger_{number:02}": f"{hand}, {finger}"
    for number, (hand, finger) in enumerate(product(("Tay phải", "Tay trái"), _FINGERS), 1)
}
"""By their position (ISO/IEC 19794-4, table 7)."""

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """What goes on the paper: values by item, coded exceptions, and pictures with their media types."""

    form: FormEdition
    capture: str
    values: Mapping[str, str]
    exceptions: Sequence[CaptureException]
    pictures: Mapping[str, tuple[str, bytes]]


def form_values(citizen_number: str | None, person: PersonFields | None, opened_at: str) -> dict[str, str]:
    """What is known for the items of a form."""
    held = msgspec.structs.asdict(person) if person else {}
    values = {name: value for name, value in held.items() if value}
    if citizen_number:
        values["citizen_number"] = citizen_number
    values["captured_on"] = vietnam_date(datetime.fromisoformat(opened_at)).isoformat()
    return values


def render_form(filled: FilledForm) -> bytes:
    """The page; the same form gives the same bytes."""
    reasons = {each.code.upper(): each.vi for each in filled.form.exceptions}
    page = _TEMPLATES.get_template("printed_form.html").render(
        form=filled.form,
        capture=filled.capture,
        values={item: _written(item, value) for item, value in filled.values.items()},
        exceptions=[
            (_FINGER_NAMES.get(each.item, ""), reasons[each.code])
            for each in filled.exceptions
            if each.code in reasons
        ],
        pictures={name: _inline(*picture) for name, picture in sorted(filled.pictures.items())},
        fingers=_FINGER_NAMES,
    )
    return page.encode()


def _written(item: str, value: str) -> str:
    """A value as people write it."""
    if item == "sex":
        return _SEXES.get(value, value)
    if item in _DATES:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    return value


def _inline(media_type: str, content: bytes) -> str:
    """A picture as part of the page; empty for a kind that no browser shows."""
    if media_type not in _SHOWN:
        return ""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
