"""Minutiae of fingers that nobody has, by the hundred thousand, and second impressions of them.

Points lie as far apart as ridges allow, and their directions follow the flow of an arch, a loop or a
whorl: strangers share that flow, which is what makes prints hard to tell apart. A second impression is
turned, shifted, stretched unevenly, covers another part of the finger, loses points and gains false
ones. Scores say nothing about people; the noise is written down here so that a figure can be judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Prints = npt.NDArray[np.float32]
"""Prints x points x 3: x, y (pixels at 500 ppi, counted down), direction; absent points are NaN."""

WIDTH, HEIGHT = 420, 480
ROOM = 72
_GRID = 44.0
_CENTRE = (WIDTH / 2, HEIGHT / 2)
_RADII = (150.0, 190.0)


@dataclass(frozen=True, slots=True)
class Noise:
    """What the second touch of a finger changes."""

    turn_degrees: float = 12.0
    shift_pixels: float = 24.0
    stretch_pixels: float = 2.5
    place_pixels: float = 1.2
    direction_degrees: float = 8.0
    lost: float = 0.18
    added: int = 7


def fingers(count: int, seed: int) -> Prints:
    """First impressions."""
    chance = np.random.default_rng(seed)
    columns, rows = int(WIDTH // _GRID) + 1, int(HEIGHT // _GRID) + 1
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    grid = np.stack([across.ravel(), down.ravel()], 1) * _GRID
    places = grid[None] + chance.uniform(0, _GRID * 0.8, (count, len(grid), 2))
    inside = _inside(places) & (chance.random((count, len(grid))) < 0.85)
    flow = _flow(places, chance)
    facing = chance.integers(0, 2, flow.shape) * np.pi
    made = np.full((count, ROOM, 3), np.nan, np.float32)
    # The best are kept where there is no room, as an extractor does; order says quality.
    order = np.argsort(np.where(inside, chance.random(inside.shape), 2.0), axis=1)[:, :ROOM]
    kept = np.take_along_axis(inside, order, 1)
    width = order.shape[1]
    for axis, values in enumerate((places[..., 0], places[..., 1], (flow + facing) % (2 * np.pi))):
        made[:, :width, axis] = np.where(kept, np.take_along_axis(values, order, 1), np.nan)
    return made


def second_impressions(prints: Prints, seed: int, noise: Noise | None = None) -> Prints:
    """Another touch of each finger."""
    noise = noise or Noise()
    chance = np.random.default_rng(seed)
    count, room = prints.shape[:2]
    turn = np.deg2rad(chance.normal(0, noise.turn_degrees / 2, (count, 1)))
    x, y = prints[..., 0] - _CENTRE[0], prints[..., 1] - _CENTRE[1]
    phase = chance.uniform(0, 2 * np.pi, (count, 4))
    bent_x = x + noise.stretch_pixels * np.sin(y / 70 + phase[:, :1]) + chance.normal(0, 1, x.shape)
    bent_y = y + noise.stretch_pixels * np.sin(x / 70 + phase[:, 1:2])
    bent_x, bent_y = (part + chance.normal(0, noise.place_pixels, part.shape) for part in (bent_x, bent_y))
    shift = chance.normal(0, noise.shift_pixels / 2, (count, 2))
    made = np.empty_like(prints)
    made[..., 0] = bent_x * np.cos(turn) + bent_y * np.sin(turn) + _CENTRE[0] + shift[:, :1]
    made[..., 1] = bent_y * np.cos(turn) - bent_x * np.sin(turn) + _CENTRE[1] + shift[:, 1:]
    direction = prints[..., 2] + turn + np.deg2rad(chance.normal(0, noise.direction_degrees, x.shape))
    made[..., 2] = direction % (2 * np.pi)
    gone = (chance.random((count, room)) < noise.lost) | ~_inside(made[..., :2])
    made[gone] = np.nan
    _add_false_points(made, noise.added, chance)
    return made


def records(prints: Prints, position: int = 2) -> list[bytes]:
    """The prints as ISO/IEC 19794-2 records of one finger position."""
    row = np.dtype([("kind_x", ">u2"), ("y", ">u2"), ("angle", "u1"), ("quality", "u1")])
    made = []
    for each in prints:
        points = each[~np.isnan(each[:, 0])]
        rows = np.zeros(len(points), row)
        rows["kind_x"] = 0x4000 | np.rint(points[:, 0]).astype(np.uint16)
        rows["y"] = np.rint(points[:, 1]).astype(np.uint16)
        # mindtct tells directions in 32 steps; what is finer than that would be too good.
        rows["angle"] = (np.rint(points[:, 2] / (2 * np.pi) * 32).astype(int) % 32) * 8
        rows["quality"] = np.linspace(95, 30, len(points)).astype(np.uint8)
        made.append(_header(len(rows), position) + rows.tobytes() + b"\0\0")
    return made


def _header(count: int, position: int) -> bytes:
    length = 30 + 6 * count
    sizes = (length, 0, WIDTH, HEIGHT, 197, 197)
    packed = sizes[0].to_bytes(4, "big") + b"".join(part.to_bytes(2, "big") for part in sizes[1:])
    return b"FMR\0 20\0" + packed + bytes([1, 0, position, 0, 60, count])


def _inside(places: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    x = (places[..., 0] - _CENTRE[0]) / _RADII[0]
    y = (places[..., 1] - _CENTRE[1]) / _RADII[1]
    on_paper = (places[..., 0] >= 0) & (places[..., 0] <= WIDTH - 1)
    on_paper &= (places[..., 1] >= 0) & (places[..., 1] <= HEIGHT - 1)
    return on_paper & (x**2 + y**2 < 1)


def _flow(places: npt.NDArray[np.floating], chance: np.random.Generator) -> npt.NDArray[np.floating]:
    """Sherlock and Monro's zeros and poles: loops of both hands, whorls and arches."""
    count = len(places)
    x = places[..., 0] - _CENTRE[0] - chance.normal(0, 10, (count, 1))
    y = _CENTRE[1] * 0.92 - places[..., 1] - chance.normal(0, 12, (count, 1))
    pattern = chance.choice(4, count, p=[0.33, 0.33, 0.28, 0.06])[:, None]
    across = chance.uniform(100, 140, (count, 1))
    down = chance.uniform(130, 180, (count, 1))
    apart = chance.uniform(12, 50, (count, 1))
    side = np.where(pattern == 0, -across, across)
    loop = 0.5 * (np.arctan2(y, x) - np.arctan2(y + down, x - side))
    whorl = 0.5 * (
        np.arctan2(y - apart / 2, x)
        + np.arctan2(y + apart / 2, x)
        - np.arctan2(y + down, x + across)
        - np.arctan2(y + down, x - across)
    )
    height = np.sin(np.pi * np.clip((y + 240) / 440, 0, 1))
    arch = np.arctan(-1.4 * height * np.sin(np.pi * np.clip(x / 220, -1, 1)))
    angle = np.where(pattern <= 1, loop, np.where(pattern == 2, whorl, arch))
    unevenness = np.deg2rad(6) * np.sin(x / 45 + chance.uniform(0, 6, (count, 1)))
    return np.asarray(angle + unevenness)


def _add_false_points(made: Prints, added: int, chance: np.random.Generator) -> None:
    free = np.isnan(made[..., 0])
    false = free & (np.cumsum(free, axis=1) <= added)
    count = int(false.sum())
    radius, around = np.sqrt(chance.random(count)), chance.uniform(0, 2 * np.pi, count)
    made[false] = np.stack(
        [
            _CENTRE[0] + _RADII[0] * 0.95 * radius * np.cos(around),
            _CENTRE[1] + _RADII[1] * 0.95 * radius * np.sin(around),
            chance.uniform(0, 2 * np.pi, count),
        ],
        1,
    )
