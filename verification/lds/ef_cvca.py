"""EF.CVCA: the keys that a chip trusts for terminal authentication (BSI TR-03110-3, A.7.2.4)."""

from __future__ import annotations

from collections.abc import Sequence

from verification.encoding.tlv import build, read_tlv
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.card_verifiable import encode_reference, parse_reference
from verification.lds.files import EF_CVCA_LENGTH

_AUTHORITY_REFERENCE = 0x42
_MAX_REFERENCES = 2


def parse_ef_cvca(encoded: bytes) -> tuple[str, ...]:
    """The references of the trusted keys, the newest first; raises MalformedDocument."""
    if len(encoded) > EF_CVCA_LENGTH:
        raise LimitExceeded(f"EF.CVCA has {len(encoded)} bytes")
    references: list[str] = []
    position = 0
    while position < len(encoded) and encoded[position]:
        found = read_tlv(encoded, position)
        if found.tag != _AUTHORITY_REFERENCE or len(references) == _MAX_REFERENCES:
            raise MalformedDocument("EF.CVCA holds something else than one or two references")
        references.append(parse_reference(found.value))
        position += len(found.encoded)
    if not references or any(encoded[position:]):
        raise MalformedDocument("EF.CVCA names no key, or goes on after its end")
    return tuple(references)


def build_ef_cvca(references: Sequence[str]) -> bytes:
    """Write EF.CVCA, the newest reference first; raises ValueError for none or more than two."""
    if not 0 < len(references) <= _MAX_REFERENCES:
        raise ValueError("EF.CVCA holds one or two references")
    held = b"".join(build(_AUTHORITY_REFERENCE, encode_reference(name)) for name in references)
    return held.ljust(EF_CVCA_LENGTH, b"\x00")
