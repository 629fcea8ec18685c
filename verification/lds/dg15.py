"""DG15: the public key for active authentication (ICAO 9303-10, 4.7.15)."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.tlv import build
from verification.lds.files import LdsFile
from verification.lds.public_key_info import require_public_key_info
from verification.lds.template import template_value


@dataclass(frozen=True, slots=True)
class Dg15:
    """A SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) as DER, exactly as the file holds it."""

    public_key_info: bytes


def parse_dg15(encoded: bytes) -> Dg15:
    """Read DG15; raises MalformedDocument. The key itself is loaded where it is used."""
    value = template_value(encoded, LdsFile.DG15)
    require_public_key_info(value)
    return Dg15(value)


def build_dg15(dg15: Dg15) -> bytes:
    """Write DG15."""
    return build(LdsFile.DG15.tag, dg15.public_key_info)
