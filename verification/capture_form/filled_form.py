"""The form of a capture (PDF), at a kit and at a counter: the items, and on a page of their own the prints.

It is judged before it may be printed (``verification.fingerprint.printed_form``), and asks the program
that prints it for no scaling. The same form gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import NamedTuple

import msgspec
from PIL import Image as Pictures
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    ImageAndFlowables,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from verification.capture_form.print_page import (
    FINGER_NAMES,
    PRINTS_PAGE,
    draw_head,
    draw_marks,
    draw_prints,
    draw_signed,
)
from verification.errors import FieldsRefused
from verification.fingerprint.printed_form import Accepted, accept
from verification.messages.asked_prints import is_best_available
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import CaptureException
from verification.messages.forms import FormEdition
from verification.messages.national_time import vietnam_date

PORTRAIT = "portrait"
FINGERPRINTS = "fingerprints"

_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_PORTRAIT = (40 * mm, 60 * mm)
_DATES = frozenset({"date_of_birth", "captured_on"})
_SEXES = {"M": "Nam", "F": "Nữ"}
BEST_AVAILABLE = "chất lượng tốt nhất có thể thu nhận"
_SIGN_HERE = "Công dân ký, ghi rõ họ tên"
_FINGERS = {f"finger_{position:02}": position for position in FINGER_NAMES}


class Fonts(NamedTuple):
    """The names of two faces with Vietnamese letters, which whoever prints has made known."""

    plain: str
    bold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """What goes on the paper: values by item, coded exceptions, and pictures with their media types.

    With the modules of a ``code`` the citizen signs beside the prints, on a page that is there in any case.
    """

    form: FormEdition
    capture: str
    values: Mapping[str, str]
    exceptions: Sequence[CaptureException]
    pictures: Mapping[str, tuple[str, bytes]]
    code: Sequence[bytes] = ()

    def accepted(self) -> Accepted:
        """What the page of prints has to show."""
        stated = {each.item: each.code for each in self.exceptions}
        of_all = dict.fromkeys(range(1, 11), stated[FINGERPRINTS]) if FINGERPRINTS in stated else {}
        single = {
            _FINGERS[item]: code
            for item, code in stated.items()
            if item in _FINGERS and not is_best_available(item, code)
        }
        prints = {_FINGERS[item]: self.pictures[item][1] for item in self.pictures if item in _FINGERS}
        return accept(prints, {**of_all, **single}) if self.form.layout.fingerprints else accept({}, {})

    def reason(self, code: str) -> str:
        """A coded reason in the form's own words."""
        return next((each.vi for each in self.form.exceptions if each.code.upper() == code), code)


def form_values(citizen_number: str | None, person: PersonFields | None, opened_at: str) -> dict[str, str]:
    """What is known for the items of a form."""
    held = msgspec.structs.asdict(person) if person else {}
    values = {name: value for name, value in held.items() if value}
    if citizen_number:
        values["citizen_number"] = citizen_number
    values["captured_on"] = vietnam_date(datetime.fromisoformat(opened_at)).isoformat()
    return values


def render_form(filled: FilledForm, accepted: Accepted, fonts: Fonts) -> bytes:
    """The form as a file, with the prints that ``accepted`` holds.

    Raises FieldsRefused for a portrait that cannot be read.
    """
    out = io.BytesIO()
    title = f"{filled.form.code}/{filled.form.edition} {filled.capture}"
    pages = BaseDocTemplate(out, title=title, invariant=1)
    pages.addPageTemplates([_items_page(), _prints_page(filled, accepted, fonts)])
    story = [*_items(filled, fonts)]
    if filled.code or not accepted.is_empty:
        story += [NextPageTemplate("prints"), PageBreak(), Spacer(1, 1)]
    pages.build(story, canvasmaker=_unscaled)
    return out.getvalue()


def _unscaled(*arguments: object, **options: object) -> Canvas:
    """A file that asks for no scaling where it is printed."""
    canvas = Canvas(*arguments, **options)
    canvas.setViewerPreference("PrintScaling", "None")
    return canvas


def _items_page() -> PageTemplate:
    inside = Frame(_MARGIN, 14 * mm, _WIDTH, A4[1] - 26 * mm, 0, 0, 0, 0)
    return PageTemplate("items", [inside], pagesize=A4)


def _prints_page(filled: FilledForm, accepted: Accepted, fonts: Fonts) -> PageTemplate:
    written = {position: f"{code}\n{filled.reason(code)}" for position, code in accepted.reasons.items()}

    def draw(canvas: Canvas, _document: BaseDocTemplate) -> None:
        draw_head(canvas, fonts, filled.form.layout.heading, filled.capture)
        if accepted.is_empty:
            draw_marks(canvas, fonts.plain)
        else:
            draw_prints(canvas, fonts.plain, accepted.prints, written)
        if filled.code:
            draw_signed(canvas, fonts.plain, _SIGN_HERE, filled.code)

    return PageTemplate("prints", [Frame(0, 0, *PRINTS_PAGE)], onPage=draw, pagesize=PRINTS_PAGE)


def _items(filled: FilledForm, fonts: Fonts) -> Iterator[Flowable]:
    form = filled.form
    centred = _style(fonts.bold, 10, TA_CENTER)
    yield Paragraph(
        f"Mẫu {form.code} ban hành kèm theo {escape(form.circular)}", _style(fonts.plain, 7, TA_RIGHT)
    )
    yield Spacer(1, 2 * mm)
    yield Paragraph("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", centred)
    yield Paragraph("<u>Độc lập - Tự do - Hạnh phúc</u>", centred)
    yield Spacer(1, 4 * mm)
    yield Paragraph(escape(form.layout.heading), _style(fonts.bold, 14, TA_CENTER))
    yield Paragraph(escape(filled.capture), _style(fonts.plain, 9, TA_CENTER))
    yield Spacer(1, 3 * mm)
    lines = [Paragraph(line, _style(fonts.plain, 10)) for line in _lines(filled)]
    if form.layout.portrait and PORTRAIT in filled.pictures:
        portrait = Image(io.BytesIO(_framed(filled.pictures[PORTRAIT][1])), *_PORTRAIT)
        yield ImageAndFlowables(portrait, lines, imageSide="right", imageLeftPadding=6 * mm)
    else:
        yield from lines
    yield _signatures(form.layout.signatures, fonts.bold)


def _lines(filled: FilledForm) -> Iterator[str]:
    for field in filled.form.fields:
        value = _written(field.item, filled.values.get(field.item, ""))
        yield f"{field.number}. {escape(field.vi)}: <b>{escape(value)}</b>"
    for each in filled.exceptions:
        if is_best_available(each.item, each.code):
            yield f"{escape(FINGER_NAMES[_FINGERS[each.item]])}: <b>{BEST_AVAILABLE}</b>"
            continue
        name = FINGER_NAMES.get(_FINGERS.get(each.item, 0), "")
        said = f"{name}: không thu nhận được." if name else "Không thu nhận được."
        yield f"{escape(said)} <b>{escape(filled.reason(each.code))}</b>"


def _framed(content: bytes) -> bytes:
    """The middle of a portrait at 4 to 6, cut to the frame and never stretched; raises FieldsRefused."""
    try:
        with Pictures.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            width, height = picture.size
            across, down = min(width, height * 2 // 3), min(height, width * 3 // 2)
            left, top = (width - across) // 2, (height - down) // 2
            cut = picture.convert("RGB").crop((left, top, left + across, top + down))
    except (OSError, SyntaxError, ValueError, Pictures.DecompressionBombError):
        raise FieldsRefused({PORTRAIT: "PORTRAIT_NOT_JPEG"}) from None
    out = io.BytesIO()
    cut.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _written(item: str, value: str) -> str:
    """A value as people write it."""
    if item == "sex":
        return _SEXES.get(value, value)
    if item in _DATES and value:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    return value


def _signatures(names: Sequence[str], font: str) -> KeepTogether:
    cells = [Paragraph(escape(name), _style(font, 9, TA_CENTER)) for name in names]
    table = Table([cells], [_WIDTH / len(cells)] * len(cells), 28 * mm)
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return KeepTogether([Spacer(1, 6 * mm), table])


def _style(font: str, size: float, alignment: int = 0) -> ParagraphStyle:
    """A face at a size, with the room that marks above and below letters need."""
    name = f"{font}{size}-{alignment}"
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, alignment=alignment)
