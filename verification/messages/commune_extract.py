"""What a kit without a network knows: a unit's people, and of everybody else only that there is somebody.

The centre signs the extract for one opening key of one kit, and encrypts it to that key. Everybody in the
registry stands in two filters (Bloom, 1970): their citizen number in one; name, birth date and sex in the
other. A filter answers for a value that is asked about and cannot be read out. It never denies one that it
holds, and takes one in ``1 / FALSE_RATE`` for known that is not.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from verification.errors import LimitExceeded, MalformedDocument, SignatureInvalid
from verification.identity.person_name import without_marks
from verification.messages import packet_encryption
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.enrollment import PersonExtract
from verification.messages.national_time import vietnam_date
from verification.messages.refusals import (
    CommuneExtractExpired,
    CommuneExtractForeign,
    CommuneExtractInvalid,
    PacketAltered,
)
from verification.messages.signing_key import PublicKey, SigningKey, thumbprint

EXTRACT_TYPE = "commune-extract+jws"
REQUEST_TYPE = "commune-extract-request+jws"
FALSE_RATE = 0.002
MAX_PEOPLE = 200_000
"""No commune has more: a whole district is no extract."""

MAX_TOKEN = 512 * 1024 * 1024
"""The filters of a hundred million people make 430 MB."""

MAX_CONTENT = 640 * 1024 * 1024
SALT_BYTES = 16

_CONTEXT = b"commune extract"
_MAX_HEAD = 4_096
_MAX_HASHES = 32
_LEAST_FILTER_BYTES = 256
"""In a handful of bits two values would meet too often, whatever the rate."""

_MAX_FILTER_BYTES = 192 * 1024 * 1024
_LETTERS = re.compile(r"[A-Z]+")

ExtractedPerson = PersonExtract
"""The registry's entry as it pre-fills a capture."""


class KnownFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is known, without saying who: a bit array, how many bits a value sets, and what salts them."""

    bits: bytes
    hashes: int
    salt: bytes

    def holds(self, key: bytes) -> bool:
        """Whether this value was put in; a value that was not is taken for one at ``FALSE_RATE``."""
        return all(
            self.bits[bit >> 3] >> (bit & 7) & 1
            for bit in _bits_of(key, self.salt, self.hashes, len(self.bits))
        )


class FilterMaker:
    """Puts values into a filter that is wide enough for ``expected`` of them."""

    def __init__(self, expected: int, salt: bytes) -> None:
        bits_a_value = -math.log2(FALSE_RATE) / math.log(2)
        self._bits = bytearray(max(_LEAST_FILTER_BYTES, math.ceil(expected * bits_a_value / 8)))
        self._hashes = round(bits_a_value * math.log(2))
        self._salt = salt

    def add(self, key: bytes) -> None:
        """Put in a value."""
        for bit in _bits_of(key, self._salt, self._hashes, len(self._bits)):
            self._bits[bit >> 3] |= 1 << (bit & 7)

    def made(self) -> KnownFilter:
        """The filter of every value that was put in."""
        return KnownFilter(bytes(self._bits), self._hashes, self._salt)


class KnownFilters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody in the registry at a moment: their numbers; their names with birth date and sex."""

    as_of: str
    numbers: KnownFilter
    names: KnownFilter


class Commune(msgspec.Struct, frozen=True):
    """A commune and the names of everything it lies in."""

    code: str
    name: str


class Resident(msgspec.Struct, frozen=True):
    """Somebody who lives in a commune; ``aliases`` are numbers that were merged into theirs."""

    entry: ExtractedPerson
    aliases: tuple[str, ...]


class ExtractRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kit asks for the extract of its unit: a compact JWS by its key over ``ExtractWanted``."""

    kit: str
    request: str


class ExtractWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which public key (JWK) a kit wants the extract sealed, and when it asked."""

    kit: str
    opening: dict[str, str]
    asked_at: str


class SealedExtract(msgspec.Struct, frozen=True):
    """The extract as it travels, and beside it who may seal at the kit (``certified_officers``)."""

    extract: str
    officers: str | None = None


class CommuneExtract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit's people in order of their numbers, and who else is known.

    ``merged`` leads a number that was merged to the one its person is known by.
    """

    unit: str
    unit_name: str
    as_of: str
    expires_at: str
    people: tuple[ExtractedPerson, ...]
    merged: dict[str, str]
    numbers: KnownFilter
    names: KnownFilter

    def person(self, citizen_number: str) -> ExtractedPerson | None:
        """The unit's person with this number."""
        at = bisect_left(self.people, citizen_number, key=_number_of)
        found = self.people[at] if at < len(self.people) else None
        return found if found is not None and found.citizen_number == citizen_number else None

    def namesake(self, full_name: str, date_of_birth: str, sex: str) -> ExtractedPerson | None:
        """The unit's first person who stands in the filter of names as this one would."""
        key = name_key(full_name, date_of_birth, sex)
        same_day = (each for each in self.people if each.person.date_of_birth == date_of_birth)
        return next((each for each in same_day if _name_key_of(each) == key), None)

    def is_over(self, day: date) -> bool:
        """Whether it may no longer be relied upon on this day in Viet Nam."""
        return day > vietnam_date(datetime.fromisoformat(self.expires_at))


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the centre signs; ``kit_key`` is the thumbprint of the kit's opening key."""

    kit_key: str
    sha256: str
    size: int


def number_key(citizen_number: str) -> bytes:
    """How a citizen number stands in its filter."""
    return citizen_number.encode()


def name_key(full_name: str, date_of_birth: str, sex: str) -> bytes:
    """How somebody stands in the filter of names: letters alone, without marks, spaces and the habit of y."""
    letters = "".join(_LETTERS.findall(without_marks(full_name))).replace("Y", "I")
    return f"{letters} {date_of_birth} {sex}".encode()


def extract_file(kit: str) -> str:
    """How a kit's extract is called on a stick."""
    return f"{kit}-commune_extract.jwe"


def sign_request(wanted: ExtractWanted, key: SigningKey) -> ExtractRequest:
    """The kit's question, signed with the key that signs its packets."""
    return ExtractRequest(wanted.kit, sign_statement(msgspec.json.encode(wanted), REQUEST_TYPE, key))


def read_request(asked: ExtractRequest, keys: Mapping[str, PublicKey]) -> ExtractWanted:
    """What a kit wants, if one of its keys (by thumbprint) signed it; raises SignatureInvalid."""
    if len(asked.request) > _MAX_HEAD:
        raise SignatureInvalid("the request is longer than any")
    try:
        wanted = msgspec.json.decode(read_statement(asked.request, REQUEST_TYPE, keys), type=ExtractWanted)
    except msgspec.DecodeError:
        raise SignatureInvalid("what was signed is no request") from None
    if wanted.kit != asked.kit or not _is_moment(wanted.asked_at):
        raise SignatureInvalid("the request is another kit's, or undated")
    return wanted


def seal_extract(
    extract: CommuneExtract, key: SigningKey, kit: ec.EllipticCurvePublicKey, random: Callable[[int], bytes]
) -> str:
    """The extract, signed for this kit's opening key and readable by it alone."""
    content = msgspec.json.encode(extract)
    packed = zlib.compress(content, 1)
    head = _Head(thumbprint(kit), hashlib.sha256(packed).hexdigest(), len(content))
    signed = sign_statement(msgspec.json.encode(head), EXTRACT_TYPE, key)
    return packet_encryption.encrypt(signed.encode() + b"\n" + packed, _CONTEXT, kit, random)


def open_extract(
    token: str, centre: Mapping[str, PublicKey], key: ec.EllipticCurvePrivateKey, moment: datetime
) -> CommuneExtract:
    """The extract, if the centre (keys by thumbprint) signed it for this kit's key and it is not over.

    Raises LimitExceeded, CommuneExtractForeign, CommuneExtractInvalid and CommuneExtractExpired.
    """
    if len(token) > MAX_TOKEN:
        raise LimitExceeded(f"an extract of {len(token)} bytes")
    own = thumbprint(key.public_key())
    try:
        if packet_encryption.recipient(token) != own:
            raise CommuneExtractForeign("encrypted to another kit")
        signed, _, packed = packet_encryption.decrypt(token, _CONTEXT, key).partition(b"\n")
        head = _read_head(signed, centre)
        if head.kit_key != own:
            raise CommuneExtractForeign("signed for another kit")
        extract = _read_content(packed, head)
    except (MalformedDocument, PacketAltered, SignatureInvalid, ValueError, zlib.error):
        raise CommuneExtractInvalid("not sealed by this centre, or altered") from None
    _require_sound(extract)
    if extract.is_over(vietnam_date(moment)):
        raise CommuneExtractExpired("the extract is over")
    return extract


def _read_head(signed: bytes, centre: Mapping[str, PublicKey]) -> _Head:
    if len(signed) > _MAX_HEAD:
        raise CommuneExtractInvalid("the signed head is longer than any")
    return msgspec.json.decode(read_statement(signed.decode("ascii"), EXTRACT_TYPE, centre), type=_Head)


def _read_content(packed: bytes, head: _Head) -> CommuneExtract:
    if hashlib.sha256(packed).hexdigest() != head.sha256:
        raise CommuneExtractInvalid("the content is not the one that was signed")
    if head.size > MAX_CONTENT:
        raise CommuneExtractInvalid("the content is longer than any")
    content = zlib.decompressobj().decompress(packed, head.size + 1)
    if len(content) != head.size:
        raise CommuneExtractInvalid("the content has another length than was signed")
    return msgspec.json.decode(content, type=CommuneExtract)


def _require_sound(extract: CommuneExtract) -> None:
    """What the gate relies on: people found by halving, filters that answer, a day that can be compared."""
    numbers = [person.citizen_number for person in extract.people]
    filters = (extract.numbers, extract.names)
    is_sound = (
        len(numbers) <= MAX_PEOPLE
        and all(one < other for one, other in pairwise(numbers))
        and all(0 < len(each.bits) <= _MAX_FILTER_BYTES for each in filters)
        and all(1 <= each.hashes <= _MAX_HASHES and len(each.salt) == SALT_BYTES for each in filters)
        and all(_is_moment(text) for text in (extract.as_of, extract.expires_at))
    )
    if not is_sound:
        raise CommuneExtractInvalid("not an extract of this form")


def _bits_of(key: bytes, salt: bytes, hashes: int, width: int) -> Iterator[int]:
    """The bits of a value in ``width`` bytes: two hashes make them all (Kirsch, Mitzenmacher, 2006)."""
    digest = hashlib.blake2b(key, digest_size=16, key=salt).digest()
    first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + turn * step) % (8 * width) for turn in range(hashes))


def _number_of(person: ExtractedPerson) -> str:
    return person.citizen_number


def _name_key_of(person: ExtractedPerson) -> bytes:
    return name_key(person.person.full_name, person.person.date_of_birth, person.person.sex)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
