"""The number format of dlib's serialised models, and finding layers by their tags.

dlib writes an integer as a control byte (bit 7 sign, bits 0-3 length) with little-endian
magnitude, a floating point number as mantissa and exponent (two integers), and a tensor as a
version, four sizes and raw little-endian float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ldexp, prod

import numpy as np
import numpy.typing as npt

from verification.errors import MalformedDocument

Floats = npt.NDArray[np.float32]

MAX_TENSOR = 8_000_000  # numbers; the largest layer here holds 0.6 million
_LAYER_INTEGERS = 7  # filters, rows, columns, step y, step x, padding y, padding x
# What the exponent field says for infinity and not-a-number (dlib serialize.h).
_EXPONENT_SPECIAL = 32_000


class DlibReader:
    """A cursor over a serialised model."""

    def __init__(self, encoded: bytes, position: int = 0) -> None:
        self._encoded = encoded
        self.position = position

    @property
    def at_end(self) -> bool:
        """Whether every byte was read."""
        return self.position == len(self._encoded)

    def integer(self) -> int:
        """Read one integer; raise MalformedDocument past the end."""
        if self.position >= len(self._encoded):
            raise MalformedDocument("model ends early")
        control = self._encoded[self.position]
        start, end = self.position + 1, self.position + 1 + (control & 0x0F)
        self.position = end
        magnitude = int.from_bytes(self._encoded[start:end], "little")
        return -magnitude if control & 0x80 else magnitude

    def number(self) -> float:
        """Read one floating point number."""
        mantissa, exponent = self.integer(), self.integer()
        if exponent >= _EXPONENT_SPECIAL:
            raise MalformedDocument("model holds a number that is not finite")
        return ldexp(mantissa, exponent)

    def matrix(self) -> npt.NDArray[np.float64]:
        """Read one matrix as a flat row of numbers (sizes are stored negated)."""
        count = abs(self.integer()) * abs(self.integer())
        return np.array([self.number() for _ in range(_bounded(count))])

    def tensor(self) -> tuple[tuple[int, ...], Floats]:
        """Read one tensor: its four sizes and its numbers."""
        self.integer()  # version
        sizes = tuple(self.integer() for _ in range(4))
        if min(sizes) < 0:
            raise MalformedDocument("model tensor has a negative size")
        count = _bounded(prod(sizes))
        end = self.position + 4 * count
        if end > len(self._encoded):
            raise MalformedDocument("model tensor ends early")
        numbers = np.frombuffer(self._encoded, dtype="<f4", count=count, offset=self.position)
        self.position = end
        return sizes, numbers.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer that carries numbers: its tag, the tensor's sizes and numbers, what follows."""

    tag: str
    sizes: tuple[int, ...]
    numbers: Floats
    settings: tuple[int, ...]
    end: int


def _bounded(count: int) -> int:
    if count > MAX_TENSOR:
        raise MalformedDocument(f"model tensor claims {count} numbers")
    return count


def find_layers(encoded: bytes, tags: str) -> list[Layer]:
    """Layers whose tag matches the pattern, in the order of the file (output first in dlib).

    A tag is stored as its length and text. Text that only looks like one, inside raw numbers, is
    passed over because no plausible tensor follows it.
    """
    pattern = re.compile(rb"\x01([\x04-\x0c])(" + tags.encode("ascii") + rb")")
    layers: list[Layer] = []
    position = 0
    while match := pattern.search(encoded, position):
        length = match[1][0]
        start = match.start() + 2
        layer = _read_layer(encoded, start, encoded[start : start + length])
        if layer is None or len(layer.tag) != len(match[2]):
            position = match.start() + 1
            continue
        layers.append(layer)
        position = layer.end
    return layers


def _read_layer(encoded: bytes, start: int, tag: bytes) -> Layer | None:
    try:
        text = tag.decode("ascii")
        reader = DlibReader(encoded, start + len(tag))
        if text.startswith("fc_"):
            reader.integer(), reader.integer()  # outputs, inputs
        sizes, numbers = reader.tensor()
        end = reader.position
        settings = _settings(reader)
    except (MalformedDocument, UnicodeDecodeError):
        return None
    return Layer(text, sizes, numbers, settings, end)


def _settings(reader: DlibReader) -> tuple[int, ...]:
    values: list[int] = []
    while len(values) < _LAYER_INTEGERS and not reader.at_end:
        values.append(reader.integer())
    return tuple(values)
