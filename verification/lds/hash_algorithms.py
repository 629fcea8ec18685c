"""Hash algorithms as EF.SOD and its signature name them (RFC 3279, 2.1; RFC 5754, 2)."""

from __future__ import annotations

from collections.abc import Mapping

from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import NULL, SEQUENCE, build

HASH_LENGTHS: Mapping[str, int] = {"sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
_OIDS: Mapping[str, str] = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}

# Parameters are NULL in one half of the documents and absent in the other; nothing else is allowed.
HASH_ALGORITHMS: Mapping[bytes, str] = {
    build(SEQUENCE, build_oid(oid) + parameters): name
    for name, oid in _OIDS.items()
    for parameters in (b"", build(NULL, b""))
}
"""The name of the algorithm in an encoded AlgorithmIdentifier."""


def hash_algorithm_identifier(name: str) -> bytes:
    """The encoded AlgorithmIdentifier without parameters (RFC 5754, 2); KeyError for another hash."""
    return build(SEQUENCE, build_oid(_OIDS[name]))
