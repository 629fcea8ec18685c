"""DG1: the machine readable zone (ICAO 9303-10, 4.7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.mrz import MachineReadableZone, Td1, build_td1, parse_mrz
from verification.encoding.tlv import build, only
from verification.errors import MalformedDocument
from verification.lds.files import LdsFile
from verification.lds.template import template_value

_MRZ = 0x5F1F


@dataclass(frozen=True, slots=True, repr=False)
class Dg1:
    """The zone's text without line breaks (90 characters on a card) and its fields."""

    mrz: str
    zone: MachineReadableZone

    def __repr__(self) -> str:
        return f"Dg1({type(self.zone).__name__})"

    @classmethod
    def of(cls, zone: Td1) -> Dg1:
        """Make a card's DG1 from its fields; raises MalformedDocument when one does not fit."""
        return cls(build_td1(zone), zone)


def parse_dg1(encoded: bytes) -> Dg1:
    """Read DG1 with all check digits; raises MalformedDocument."""
    value = only(template_value(encoded, LdsFile.DG1), _MRZ)
    if b"\n" in value or b"\r" in value or not value.isascii():
        raise MalformedDocument("character that no MRZ has")
    text = value.decode("ascii")
    return Dg1(text, parse_mrz(text))


def build_dg1(dg1: Dg1) -> bytes:
    """Write DG1."""
    return build(LdsFile.DG1.tag, build(_MRZ, dg1.mrz.encode("ascii")))
