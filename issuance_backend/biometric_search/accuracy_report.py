"""A measurement as it is published: numbers for programs (JSON), for a sheet (CSV), and drawn (SVG)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from html import escape

import msgspec

from issuance_backend.biometric_search.accuracy import Accuracy, Point, Share

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 90, 60
_COLOURS = {"FNIR": "#1f5c99", "FPIR": "#b3541e"}
_RATES: dict[str, Callable[[Point], Share]] = {
    "FNIR": lambda point: point.fnir,
    "FPIR": lambda point: point.fpir,
}


def files(accuracy: Accuracy) -> dict[str, bytes]:
    """The published files by name; the same measurement is the same bytes."""
    return {
        "accuracy.json": msgspec.json.format(msgspec.json.encode(accuracy), indent=1) + b"\n",
        "accuracy.csv": _table(accuracy).encode(),
        "accuracy.svg": _drawing(accuracy).encode(),
    }


def _table(accuracy: Accuracy) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rates = [f"{rate}{part}" for rate in ("fnir", "fpir") for part in ("", "_low", "_high", "_count", "_of")]
    writer.writerow(["target_fpir_decibans", "threshold_decibans", *rates])
    for point in accuracy.points:
        values = [
            value
            for rate in (point.fnir, point.fpir)
            for value in (rate.share, rate.low, rate.high, rate.count, rate.of)
        ]
        writer.writerow([point.target_fpir_decibans, point.threshold_decibans, *values])
    return out.getvalue()


def _drawing(accuracy: Accuracy) -> str:
    """Both rates over the threshold, on a logarithmic scale that ends where these searches cannot see."""
    floor = 10.0 ** min(math.floor(math.log10(1 / accuracy.searches)), -1)
    engines = ", ".join(f"{each.modality}: {each.calibration}" for each in accuracy.engines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 24, f"{accuracy.searches:,} searches among {accuracy.gallery:,} persons; {engines}"),
        _text(_LEFT, 44, f"Captures: {accuracy.captures}"),
        *_axes(accuracy.points, floor),
    ]
    for place, (name, rate) in enumerate(_RATES.items()):
        colour = _COLOURS[name]
        parts += _curve(accuracy.points, rate, floor, colour)
        parts.append(_text(_LEFT + 60 * place, 72, name, colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(points: Sequence[Point], floor: float) -> list[str]:
    parts = []
    for exponent in range(round(math.log10(floor)), 1):
        y = _y(10.0**exponent, floor)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#c4c9cf"/>')
        parts.append(_text(12, y + 4, f"{10.0**exponent:.{max(-exponent - 2, 0)}%}"))
    for point in points[::5]:
        x = _x(point, points)
        parts.append(_text(x - 8, _HEIGHT - _BOTTOM + 20, str(point.target_fpir_decibans)))
    under = "wanted false positives, decibans (10: one in ten); shaded: 95 % bounds; lowest line: none seen"
    return [*parts, _text(_LEFT, _HEIGHT - 16, under)]


def _curve(points: Sequence[Point], rate: Callable[[Point], Share], floor: float, colour: str) -> list[str]:
    def along(value: Callable[[Share], float], order: Sequence[Point]) -> str:
        return " ".join(f"{_x(each, points):.1f},{_y(value(rate(each)), floor):.1f}" for each in order)

    band = f"{along(lambda each: each.high, points)} {along(lambda each: each.low, points[::-1])}"
    line = along(lambda each: each.share, points)
    return [
        f'<polygon points="{band}" fill="{colour}" fill-opacity="0.18"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
    ]


def _x(point: Point, points: Sequence[Point]) -> float:
    first, last = points[0].target_fpir_decibans, points[-1].target_fpir_decibans
    share = (point.target_fpir_decibans - first) / (last - first)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, floor: float) -> float:
    share = math.log10(max(value, floor)) / math.log10(floor)
    return _TOP + share * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(text)}</text>'
