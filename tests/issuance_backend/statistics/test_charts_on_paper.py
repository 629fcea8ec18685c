"""The charts of a printed report, looked at as they are drawn: bars of the right colour and length."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest

from issuance_backend.statistics.printed_report import as_pdf
from issuance_backend.statistics.service import Asked, StatisticsOffice
from monitoring.database import Database
from tests.support.figure_history import START, Told, record

Picture = npt.NDArray[np.uint8]
PIXELS_PER_POINT = 2
BLUE = (0x1F, 0x5C, 0x99)
BANDS = [(0x6B, 0x71, 0x78), (0xA3, 0x3A, 0x2C), (0xC9, 0x8A, 0x1B), (0x7F, 0x9C, 0xC0), (0x3F, 0x78, 0xB3)]
BANDS += [BLUE]
"""Unreadable, then bands of twenty from the worst to the best."""

THINNEST = 3
"""Rows of pixels; less is a letter or a line, and no bar."""

NEAR = 0.01
"""How far a bar may be from its length, of the longest one: a pixel or two."""


@pytest.fixture
def pages(database: Database) -> Pages:
    """A hundred dossiers of three provinces, fewer cards at each step, exceptions and prints by bands."""
    lots = (("001", 60, "02:80 07:unreadable"), ("036", 30, "02:40"), ("079", 10, "02:0 07:20"))
    steps: list[Told] = []
    for unit, size, quality in lots:
        worn = "finger_worn" if unit == "036" else "finger_missing" if unit == "079" else ""
        detail = {"unit": unit, "size": str(size), "exceptions": worn}
        steps.append(Told(START, f"dossier/{unit}", "captured", detail))
        steps.append(Told(START, f"dossier/{unit}", "validated", {"finger_quality": quality}))
    steps += [Told(START, f"dossier/{unit}", "sent") for unit in ("001", "036")]
    steps += [Told(START, "dossier/001", "central_approved")]
    for number, (size, state) in enumerate(((20, "personalised"), (15, "at_office"), (10, "active"))):
        steps.append(Told(START, f"card/{number}", state, {"unit": "001", "size": str(size)}))
    record(database, steps)
    moment = START + timedelta(days=1)
    return Pages(as_pdf(StatisticsOffice(database, lambda: moment).report(Asked(as_of=moment))))


class Pages:
    """A file as it is printed, with the places of its headings."""

    def __init__(self, file: bytes) -> None:
        self._document = pypdfium2.PdfDocument(file)

    def below(self, heading: str, until: str) -> Picture:
        """What is drawn between two headings; to the end of the page where the second is on another one."""
        for page in self._document:
            top = self._foot(page, heading)
            if top is not None:
                picture: Picture = page.render(scale=PIXELS_PER_POINT).to_numpy()[:, :, 2::-1]
                end = self._foot(page, until)
                return picture[top : end if end is not None and end > top else None]
        raise AssertionError(f"no heading {heading}")

    def _foot(self, page: pypdfium2.PdfPage, heading: str) -> int | None:
        text = page.get_textpage()
        found = text.search(heading, match_case=True).get_next()
        if found is None:
            return None
        return round(float(page.get_height() - text.get_charbox(found[0])[1]) * PIXELS_PER_POINT)


def runs(is_drawn: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where rows are drawn that lie together, from and to."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_drawn.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= THINNEST]


def of(picture: Picture, colour: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(picture.astype(np.int16) - colour) < 6).all(axis=2))


def bars(picture: Picture, colours: list[tuple[int, int, int]]) -> list[list[int]]:
    """Every bar from above: how many pixels of each colour lie along it."""
    drawn = [of(picture, colour) for colour in colours]
    rows = runs(np.any(drawn, axis=(0, 2)))
    return [[int(each[(top + end) // 2].sum()) for each in drawn] for top, end in rows]


def require_in_proportion(lengths: list[int], amounts: list[int]) -> None:
    assert len(lengths) == len(amounts)
    longest = max(lengths)
    assert longest > 100
    expected = [longest * amount / max(amounts) for amount in amounts]
    assert lengths == pytest.approx(expected, abs=NEAR * longest)


@pytest.mark.parametrize(
    ("heading", "until", "amounts"),
    [
        ("Từ thu nhận đến trả thẻ", "Hồ sơ đã thu nhận theo đơn vị", [100, 90, 60, 45, 25, 10]),
        ("Hồ sơ đã thu nhận theo đơn vị", "Ngoại lệ khi thu nhận", [60, 30, 10]),
        ("Ngoại lệ khi thu nhận", "Chất lượng vân tay theo ngón", [30, 10]),
    ],
    ids=["funnel", "provinces", "causes"],
)
def test_bars_are_as_long_as_their_figures(
    pages: Pages, heading: str, until: str, amounts: list[int]
) -> None:
    require_in_proportion([length for (length,) in bars(pages.below(heading, until), [BLUE])], amounts)


def test_a_part_is_made_up_of_its_bands_from_the_worst_to_the_best(pages: Pages) -> None:
    """The legend first, then the right index finger (band 80 of 60, 40 of 30, 0 of 10), then the left."""
    legend, right, left = bars(pages.below("Chất lượng vân tay theo ngón", "Chỉ tiêu theo đơn vị"), BANDS)
    assert all(length > 0 for length in legend)
    require_in_proportion([*right, *left], [0, 10, 0, 30, 0, 60, 60, 0, 10, 0, 0, 0])


def test_bands_lie_beside_each_other_in_their_order(pages: Pages) -> None:
    picture = pages.below("Chất lượng vân tay theo ngón", "Chỉ tiêu theo đơn vị")
    rows = runs(np.any([of(picture, colour) for colour in BANDS], axis=(0, 2)))
    for (top, end), bands in zip(rows, ([0, 1, 2, 3, 4, 5], [1, 3, 5], [0, 2]), strict=True):
        line = picture[(top + end) // 2 : (top + end) // 2 + 1]
        middles = [float(np.flatnonzero(of(line, BANDS[band])[0]).mean()) for band in bands]
        assert all(left < right for left, right in pairwise(middles))
