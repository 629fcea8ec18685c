"""EF.SOD: the signed list of data group hashes (ICAO 9303-10, 4.6.2).

It says what is written there; whether the signature holds and whether its maker is trusted is
judged in ``verification.pki``.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

from verification.encoding.der_walk import headers_by_size, require_end, step
from verification.encoding.tlv import (
    OCTET_STRING,
    PRINTABLE_STRING,
    SEQUENCE,
    build,
    build_integer,
)
from verification.errors import MalformedDocument
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import HASH_LENGTHS, hash_algorithm_identifier
from verification.lds.signed_data import SignerInfo, parse_signed_file, read_hash_algorithm, read_signed_data

_before_signed_data = headers_by_size((LdsFile.SOD.tag, b""))


class SecurityObject(NamedTuple):
    """EF.SOD taken apart; ``content`` is the LDS security object as it was signed.

    ``lds_version`` is 0 or 1; only version 1 states ``lds_version_info``, for example
    ``("0108", "040000")``. ``content_type`` is a dotted identifier.
    """

    content: bytes
    content_type: str
    lds_version: int
    lds_version_info: tuple[str, str] | None
    hash_algorithm: str
    hashes: Mapping[LdsFile, bytes]
    signer: SignerInfo
    certificates: tuple[bytes, ...]

    @property
    def signature(self) -> bytes:
        """The signature value: it names this very document among all that were issued."""
        return self.signer.signature


def parse_security_object(encoded: bytes) -> SecurityObject:
    """Take EF.SOD apart; raises MalformedDocument or LimitExceeded.

    BER with indefinite lengths is rewritten first; everything else must be DER.
    """
    return parse_signed_file(encoded, _read, "EF.SOD")


def _read(data: bytes) -> SecurityObject:
    header = _before_signed_data(len(data))
    if not header or not data.startswith(header):
        raise MalformedDocument("EF.SOD is not one data object of its tag")
    content, content_type, signer, certificates = read_signed_data(data, len(header))
    return SecurityObject(content, content_type, *_lds_security_object(content), signer, certificates)


def _lds_security_object(
    content: bytes,
) -> tuple[int, tuple[str, str] | None, str, Mapping[LdsFile, bytes]]:
    position, end = step(content, 0, SEQUENCE)
    require_end(end, len(content))
    algorithm_start = position + len(_VERSION_0)
    version = _LDS_VERSIONS.get(content[position:algorithm_start])
    if version is None:
        raise MalformedDocument("version of the LDS security object is neither 0 nor 1")
    algorithm, position = read_hash_algorithm(content, algorithm_start)
    start, position = step(content, position, SEQUENCE)
    hashes = _hashes(content[start:position], HASH_LENGTHS[algorithm])
    version_info = None
    # ICAO 9303-10, 4.6.2.3: version 1 states the LDS and Unicode versions, version 0 must not.
    if version == 1:
        version_info, position = _version_info(content, position)
    require_end(position, end)
    return version, version_info, algorithm, hashes


_VERSION_0 = build_integer(0)
_LDS_VERSIONS = {_VERSION_0: 0, build_integer(1): 1}


def _version_info(content: bytes, position: int) -> tuple[tuple[str, str], int]:
    start, end = step(content, position, SEQUENCE)
    lds, lds_end = step(content, start, PRINTABLE_STRING)
    unicode_start, unicode_end = step(content, lds_end, PRINTABLE_STRING)
    require_end(unicode_end, end)
    texts = content[lds:lds_end], content[unicode_start:unicode_end]
    if not all(text.isdigit() and len(text) <= 8 for text in texts):
        raise MalformedDocument("LDS version information is not digits")
    return (texts[0].decode("ascii"), texts[1].decode("ascii")), end


def _hashes(entries: bytes, length: int) -> Mapping[LdsFile, bytes]:
    """Read the DataGroupHash entries: number and hash have one DER form, so all are alike in size."""
    entry, file_of = _HASH_ENTRIES[length]
    if not entries or len(entries) % entry.size or len(entries) > 16 * entry.size:
        raise MalformedDocument("data group hashes are not 1 to 16 entries of their size")
    hashes: dict[LdsFile, bytes] = {}
    for before_hash, value in entry.iter_unpack(entries):
        file = file_of.get(before_hash)
        if file is None:
            raise MalformedDocument("data group hash is not one number and one hash")
        hashes[file] = value
    if len(hashes) * entry.size != len(entries):
        raise MalformedDocument("data group stands twice")
    return hashes


def _before_hash(file: LdsFile, length: int) -> bytes:
    entry = build(SEQUENCE, build_integer(file) + build(OCTET_STRING, bytes(length)))
    return entry[:-length]


# By the length of the hash: an entry in two, and the data group that the first part names.
_HASH_ENTRIES = {
    length: (
        Struct(f"7s {length}s"),
        {_before_hash(file, length): file for file in LdsFile if file.is_data_group},
    )
    for length in HASH_LENGTHS.values()
}


def build_lds_security_object(
    hashes: Mapping[LdsFile, bytes],
    hash_algorithm: str = "sha256",
    version_info: tuple[str, str] | None = None,
) -> bytes:
    """Encode the list to be signed: version 0, or version 1 when ``version_info`` is given."""
    entries = [
        build(SEQUENCE, build_integer(file) + build(OCTET_STRING, hashes[file])) for file in sorted(hashes)
    ]
    info = b""
    if version_info is not None:
        texts = (build(PRINTABLE_STRING, text.encode("ascii")) for text in version_info)
        info = build(SEQUENCE, b"".join(texts))
    return build(
        SEQUENCE,
        build_integer(0 if version_info is None else 1)
        + hash_algorithm_identifier(hash_algorithm)
        + build(SEQUENCE, b"".join(entries))
        + info,
    )
