"""Fingerprints of nobody, grown from a seed: for synthetic cards, tests and probes.

An orientation field of loops and deltas (zero-pole model) guides oriented filters that grow ridges
out of noise; the result is pressed onto white paper. Scale, flow and minutiae look like a print's.
Matching scores between such prints say nothing about people.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from verification.lds.finger_image import SLAPS, FingerPosition

WIDTH, HEIGHT = 320, 420
"""Pixels of a plain impression at 500 ppi: 16 mm by 21 mm."""

PPI = 500

Field = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]

_MILLIMETRE = PPI / 25.4
_RIDGE_PERIOD = 0.47 * _MILLIMETRE
# Ridges grow on a coarser grid, where a period has this many pixels, and are enlarged afterwards.
_GROWN_PERIOD = 6.0
_SCALE = _RIDGE_PERIOD / _GROWN_PERIOD
# Lengths that Fourier transforms are quick at, a little more than the picture needs.
_GRID = (300, 240)

_DIRECTIONS = 12
_GROWTH_STEPS = 10
# Wider filters straighten the flow, narrower ones let ridges break up.
_FILTER_REACH = 0.5 * _GROWN_PERIOD

_RIGHT_HAND = frozenset(range(FingerPosition.RIGHT_THUMB, FingerPosition.LEFT_THUMB))
_PATTERNS = ("ulnar loop", "radial loop", "whorl", "arch")
_FREQUENCIES = (0.60, 0.06, 0.28, 0.06)

_PAPER = 238.0
_APART = 30
"""Pixels of paper on either side of a finger in a slap."""

_INK = 200.0


def render_finger(seed: int, position: FingerPosition) -> npt.NDArray[np.uint8]:
    """A plain impression of one finger, dark ridges on white; the same for the same seed and finger."""
    digest = hashlib.sha256(f"finger {seed} {int(position)}".encode()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    ridges = _grow(_orientation(chance, position), chance)
    return _press(_enlarged(ridges), chance)


def scanned_finger(seed: int, position: FingerPosition) -> bytes:
    """The same as a scanner's file: PNG at 500 ppi."""
    return _file(render_finger(seed, position))


def scanned_slap(seed: int, slap: FingerPosition) -> bytes:
    """The fingers of a slap side by side, apart, as a scanner's file."""
    tips = [render_finger(seed, FingerPosition(each)) for each in SLAPS[slap]]
    apart = np.full((tips[0].shape[0], _APART), _PAPER, np.uint8)
    return _file(np.hstack([part for tip in tips for part in (apart, tip, apart)]))


def _file(picture: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", dpi=(PPI, PPI))
    return file.getvalue()


def _orientation(chance: np.random.Generator, position: FingerPosition) -> Field:
    """The angle of the ridges at every point, counted from the right towards the top."""
    rows, columns = np.mgrid[0 : _GRID[0], 0 : _GRID[1]]
    unit = _MILLIMETRE / _SCALE
    x = (columns - _GRID[1] / 2) / unit - chance.normal(0, 0.5)
    y = (_GRID[0] * 0.46 - rows) / unit - chance.normal(0, 0.6)
    pattern = str(chance.choice(_PATTERNS, p=_FREQUENCIES))
    angle = _arch(x, y, chance) if pattern == "arch" else _zeros_and_poles(x, y, pattern, position, chance)
    unevenness = np.deg2rad(5) * _smooth_noise(chance, _GRID, 3.2 * unit)
    return np.asarray(angle + unevenness, np.float64)


def _arch(x: Field, y: Field, chance: np.random.Generator) -> Field:
    steepness = chance.uniform(1.1, 1.7)
    height = np.sin(np.pi * np.clip((y + 12) / 22, 0, 1))
    return np.arctan(-steepness * height * np.sin(np.pi * np.clip(x / 11, -1, 1)))


def _zeros_and_poles(
    x: Field, y: Field, pattern: str, position: FingerPosition, chance: np.random.Generator
) -> Field:
    """Sherlock and Monro's model: the flow turns half a turn about each core, and back about each delta."""

    def turn(core_x: float, core_y: float) -> Field:
        return np.arctan2(y - core_y, x - core_x)

    across, down = chance.uniform(5.0, 7.0), chance.uniform(6.5, 9.0)
    if pattern == "whorl":
        apart = chance.uniform(0.6, 2.6)
        cores = turn(-0.2, apart / 2) + turn(0.2, -apart / 2)
        deltas = turn(-across, -down) + turn(across, -down * chance.uniform(0.85, 1.15))
        return 0.5 * (cores - deltas)
    # Most loops open towards the little finger, which lies to the right on a right hand's print.
    opens_right = (position in _RIGHT_HAND) == (pattern == "ulnar loop")
    side = -across if opens_right else across
    return 0.5 * (turn(0, 0) - turn(side, -down))


def _grow(angle: Field, chance: np.random.Generator) -> Single:
    """Filter noise along the flow again and again, until only ridges of one period are left."""
    filters = [_ridge_filter(np.pi * number / _DIRECTIONS) for number in range(_DIRECTIONS)]
    place = np.mod(angle, np.pi) / np.pi * _DIRECTIONS
    lower = np.floor(place).astype(int) % _DIRECTIONS
    share = place - np.floor(place)
    weights = [
        (
            np.where(lower == number, 1 - share, 0) + np.where((lower + 1) % _DIRECTIONS == number, share, 0)
        ).astype(np.float32)
        for number in range(_DIRECTIONS)
    ]
    ridges = chance.standard_normal(_GRID, np.float32)
    for _ in range(_GROWTH_STEPS):
        spectrum = np.fft.rfft2(ridges)
        grown = np.zeros(_GRID, np.float32)
        for weight, ridge_filter in zip(weights, filters, strict=True):
            grown += weight * np.fft.irfft2(spectrum * ridge_filter, _GRID)
        ridges = np.tanh(grown / (1.1 * np.mean(np.abs(grown))))
    return ridges


def _ridge_filter(angle: float) -> Single:
    """A Gabor filter for ridges in one direction, as its own spectrum."""
    vertical = np.fft.fftfreq(_GRID[0])[:, None]
    horizontal = np.fft.rfftfreq(_GRID[1])[None, :]
    # Brightness changes across the ridge; rows count downwards.
    wave = np.array((-np.sin(angle), -np.cos(angle))) / _GROWN_PERIOD
    width = 1 / (2 * np.pi * _FILTER_REACH)
    one, other = (
        np.exp(-((horizontal - sign * wave[0]) ** 2 + (vertical - sign * wave[1]) ** 2) / (2 * width**2))
        for sign in (1, -1)
    )
    return np.asarray(one + other, np.float32)


def _enlarged(ridges: Single) -> Field:
    rows, columns = round(HEIGHT / _SCALE), round(WIDTH / _SCALE)
    top, left = (_GRID[0] - rows) // 2, (_GRID[1] - columns) // 2
    inner = Image.fromarray(ridges[top : top + rows, left : left + columns])
    return np.asarray(inner.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float64)


def _press(ridges: Field, chance: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Ink where ridges touch, within an oval; uneven pressure, pores and grain as on a scanner's glass."""
    shape = (HEIGHT, WIDTH)
    pressure = 0.15 * _smooth_noise(chance, shape, 2.6 * _MILLIMETRE)
    pressure += 0.12 * _smooth_noise(chance, shape, 0.5 * _MILLIMETRE)
    contact = ridges + pressure + 0.15 * chance.standard_normal(shape)
    ink = _step(4.2 * contact) * _footprint(chance)
    ink *= 1 - 0.5 * _pores(chance) * (ridges > 0.3)
    grey = _PAPER - _INK * _blurred(ink, 0.7) + chance.normal(0, 2.5, shape)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _footprint(chance: np.random.Generator) -> Field:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    x = (columns - WIDTH / 2) / (chance.uniform(6.6, 7.4) * _MILLIMETRE)
    y = (rows - HEIGHT / 2) / (chance.uniform(8.8, 9.8) * _MILLIMETRE)
    edge = (np.abs(x) ** 2.6 + np.abs(y) ** 2.6) ** (1 / 2.6)
    edge += 0.03 * _smooth_noise(chance, (HEIGHT, WIDTH), 1.3 * _MILLIMETRE)
    return _step(45 * (1 - edge))


def _pores(chance: np.random.Generator) -> Field:
    points = (chance.random((HEIGHT, WIDTH)) < 0.0016).astype(np.float64)
    return np.clip(9 * _blurred(points, 1.1), 0, 1)


def _step(values: Field) -> Field:
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))


def _smooth_noise(chance: np.random.Generator, shape: tuple[int, int], reach: float) -> Field:
    """Noise that varies over this many pixels, with mean 0 and deviation 1."""
    noise = _blurred(chance.standard_normal(shape), reach)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float64)


def _blurred(values: Field, reach: float) -> Field:
    vertical = np.fft.fftfreq(values.shape[0])[:, None]
    horizontal = np.fft.rfftfreq(values.shape[1])[None, :]
    kernel = np.exp(-2 * (np.pi * reach) ** 2 * (vertical**2 + horizontal**2))
    return np.fft.irfft2(np.fft.rfft2(values) * kernel, values.shape)
