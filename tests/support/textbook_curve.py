"""Affine elliptic curve arithmetic as a textbook has it: slow, and independent of any library.

It stands for the other side of a key agreement, so that a mistake in ours meets no twin.
"""

from __future__ import annotations

from dataclasses import dataclass

AffinePoint = tuple[int, int] | None  # None is infinity


@dataclass(frozen=True)
class TextbookCurve:
    p: int
    a: int
    b: int
    n: int
    base: tuple[int, int]

    @property
    def size(self) -> int:
        return (self.p.bit_length() + 7) // 8

    def add(self, left: AffinePoint, right: AffinePoint) -> AffinePoint:
        if left is None or right is None:
            return right if left is None else left
        if left[0] == right[0]:
            if (left[1] + right[1]) % self.p == 0:
                return None
            slope = (3 * left[0] ** 2 + self.a) * pow(2 * left[1], -1, self.p)
        else:
            slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, self.p)
        x = (slope**2 - left[0] - right[0]) % self.p
        return x, (slope * (left[0] - x) - left[1]) % self.p

    def multiply(self, scalar: int, point: AffinePoint) -> AffinePoint:
        result: AffinePoint = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            scalar >>= 1
        return result

    def encode(self, point: AffinePoint) -> bytes:
        assert point is not None
        return b"\x04" + point[0].to_bytes(self.size, "big") + point[1].to_bytes(self.size, "big")

    def decode(self, octets: bytes) -> tuple[int, int]:
        assert len(octets) == 1 + 2 * self.size
        assert octets[0] == 4
        x = int.from_bytes(octets[1 : 1 + self.size], "big")
        y = int.from_bytes(octets[1 + self.size :], "big")
        assert (y * y - x**3 - self.a * x - self.b) % self.p == 0
        return x, y
