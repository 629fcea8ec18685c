"""A sealed capture on its way: signed by officer and kit, readable by the centre alone.

The metadata are one JSON text: a JWS (RFC 7515, 7.2.1) over a ``PacketEnvelope``, signed by officer, by kit,
and by a supervisor where one answers for what was not captured. In it the particulars are a JWE for the
centre (RFC 7516; ECDH-ES with A256GCM, RFC 7518, 4.6), and every picture, print or scan is named with size
and hash as it was sealed. The sealed items follow in that order as one stream of bytes, so that metadata may
go over the air and the rest on a stick.

The packet's hash is that of the signed envelope: it covers every byte of the content, and no other signature
over it makes another packet. ``previous`` is the hash of the packet that the same kit sealed before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages import packet_encryption
from verification.messages.canonical import canonical_json
from verification.messages.capture_terms import CaptureTerms, require_well_formed
from verification.messages.compact_signature import (
    protected_header,
    read_statement,
    require_detached,
    sign_statement,
)
from verification.messages.enrollment import PersonFields
from verification.messages.prints_taken import PrintTaken, require_told
from verification.messages.refusals import (
    CitizenConsentInvalid,
    CitizenSignatureMissing,
    PacketAltered,
    PacketMalformed,
    PacketSignatureInvalid,
    PacketSupervisorMissing,
)
from verification.messages.seal import derive_key
from verification.messages.signing_key import (
    PublicKey,
    SigningKey,
    b64url,
    from_b64url,
    sign,
)

VERSION = 1
PACKET_TYPE = "enrollment-packet+jws"
RECEIPT_TYPE = "packet-receipt+jws"
FIRST = "0" * 64
"""What the first packet of a kit names as the one before it."""
CITIZEN_SIGNATURE = "signature"
"""The item that the citizen's signature is: what was captured is what they saw and agreed to."""
CANNOT_SIGN = "CANNOT_SIGN"
"""The coded exception of a citizen who cannot sign."""

CHUNK_BYTES = 64 * 1024
MAX_METADATA_BYTES = 128 * 1024
MAX_ITEMS = 40
MAX_ITEM_BYTES = 4 * 1024 * 1024
MAX_CONTENT_BYTES = 24 * 1024 * 1024
SEAL_BYTES = 28
"""By how much sealing makes an item longer: a nonce and a tag."""

_NONCE_BYTES = 12
_CONTENT_KEY_BYTES = 32
_MAX_MOMENT = 32
_MAX_SEQUENCE = 2**31 - 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")
_ITEM = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")
_HASH = re.compile(r"[0-9a-f]{64}")
_FILE_HEAD = b"enrollment packet 1\n"
_LENGTH_BYTES = 4

Random = Callable[[int], bytes]


class PacketItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture, print or scan as it was captured."""

    name: str
    media_type: str
    size: int
    sha256: str


class SealedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same as it travels."""

    name: str
    size: int
    sha256: str


class CaptureException(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What could not be captured, and the code of the reason."""

    item: str
    code: str


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which language the citizen was told what is captured, when they agreed, and to which print."""

    language: str
    given_at: str
    form_sha256: str


class PrintedFormMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The form that was printed and signed: its code, and the hash of its print.

    ``limits`` says under which limits the kit found it faithful (F04), and ``likeness`` how like its
    captures the least faithful print is; kits before these judged nothing.
    """

    form: str
    sha256: str
    limits: str | None = None
    likeness: float | None = None


class PacketParticulars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the centre alone reads: who applies, what was agreed, and every item as it was captured.

    ``dossier`` is the returned dossier whose items are captured again, none for a new application.
    ``begun_at`` is when its officer began, by the kit's clock; ``terms`` are those of a new application.
    ``prints`` tells how each finger was taken; kits before these say nothing of either.
    """

    citizen_number: str
    person: PersonFields
    consent: Consent
    printed_form: PrintedFormMark
    items: tuple[PacketItem, ...]
    exceptions: tuple[CaptureException, ...] = ()
    manual_portrait_reason: str | None = None
    dossier: str | None = None
    begun_at: str | None = None
    terms: CaptureTerms | msgspec.UnsetType = msgspec.UNSET
    prints: tuple[PrintTaken, ...] | msgspec.UnsetType = msgspec.UNSET


class PacketEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed; it names no citizen. ``happened_at`` is the moment of sealing by the kit's clock.

    ``supervisor`` answers for what was not captured, and signs as well.
    """

    version: int
    kit: str
    sequence: int
    previous: str
    officer: str
    supervisor: str | None
    happened_at: str
    particulars: str
    items: tuple[SealedItem, ...]

    @property
    def content_size(self) -> int:
        """How many bytes follow the metadata."""
        return sum(item.size for item in self.items)


class PacketReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the centre signs for a packet that it holds whole."""

    iss: str
    packet: str
    kit: str
    sequence: int
    received_at: str


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    protected: str
    signature: str


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signatures: tuple[_Signature, ...]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is encrypted for the centre: the key of the items, and the particulars."""

    content_key: str
    particulars: PacketParticulars


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketDraft:
    """A capture before it is sealed; ``particulars`` lists the items that ``blobs`` holds by name."""

    kit: str
    sequence: int
    previous: str
    officer: str
    happened_at: str
    particulars: PacketParticulars
    blobs: Mapping[str, bytes]
    supervisor: str | None = None


@dataclass(frozen=True, slots=True)
class PacketKeys:
    """What a station seals with: keys that sign, a supervisor's where one answers, and the centre's."""

    officer: SigningKey
    kit: SigningKey
    centre: ec.EllipticCurvePublicKey
    supervisor: SigningKey | None = None


@dataclass(frozen=True, slots=True)
class SealedPacket:
    """A packet ready to travel."""

    packet_hash: str
    metadata: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class UnverifiedPacket:
    """Well-formed metadata that nobody has shown to be signed.

    ``key_ids`` are those of officer, kit and, where the envelope names one, supervisor.
    """

    packet_hash: str
    envelope: PacketEnvelope
    key_ids: tuple[str, ...]
    signed: _Signed


@dataclass(frozen=True, slots=True)
class OpenedPacket:
    """A packet that was verified and decrypted."""

    packet_hash: str
    envelope: PacketEnvelope
    particulars: PacketParticulars
    blobs: Mapping[str, bytes]


def item_of(name: str, media_type: str, content: bytes) -> PacketItem:
    """The entry of an item in the list of what was captured."""
    return PacketItem(name, media_type, len(content), hashlib.sha256(content).hexdigest())


def seal_packet(draft: PacketDraft, keys: PacketKeys, random: Random) -> SealedPacket:
    """Seal and sign a capture; raises MalformedDocument for one that no centre would open."""
    if draft.blobs.keys() != {item.name for item in draft.particulars.items}:
        raise PacketMalformed("other items are there than are listed")
    content_key = random(_CONTENT_KEY_BYTES)
    context = _context(draft.kit, draft.sequence, draft.officer)
    sealed = [
        _seal_item(item.name, draft.blobs[item.name], content_key, random(_NONCE_BYTES), context)
        for item in draft.particulars.items
    ]
    secret = msgspec.json.encode(_Sealed(b64url(content_key), draft.particulars))
    envelope = PacketEnvelope(
        version=VERSION,
        kit=draft.kit,
        sequence=draft.sequence,
        previous=draft.previous,
        officer=draft.officer,
        supervisor=draft.supervisor,
        happened_at=draft.happened_at,
        particulars=packet_encryption.encrypt(secret, context, keys.centre, random),
        items=tuple(
            SealedItem(item.name, len(content), hashlib.sha256(content).hexdigest())
            for item, content in zip(draft.particulars.items, sealed, strict=True)
        ),
    )
    _require_envelope(envelope)
    _require_particulars(draft.particulars, envelope)
    return _signed_packet(envelope, keys, b"".join(sealed))


def parse_packet(metadata: bytes) -> UnverifiedPacket:
    """The metadata, held against every limit and in the only spelling they have; nothing is proven yet.

    Raises LimitExceeded or PacketMalformed.
    """
    if len(metadata) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"packet metadata of {len(metadata)} bytes")
    try:
        signed = msgspec.json.decode(metadata, type=_Signed)
        payload = from_b64url(signed.payload)
        envelope = msgspec.json.decode(payload, type=PacketEnvelope)
        headers = [_header(each.protected) for each in signed.signatures]
        is_canonical = _canonical(signed) == metadata and _canonical(envelope) == payload
    except (msgspec.DecodeError, ValueError):
        raise PacketMalformed("the metadata are no packet") from None
    if not is_canonical or len(headers) != (2 if envelope.supervisor is None else 3):
        raise PacketMalformed("the metadata are not spelt as they are signed")
    _require_envelope(envelope)
    key_ids = tuple(header.kid for header in headers)
    return UnverifiedPacket(hashlib.sha256(payload).hexdigest(), envelope, key_ids, signed)


def require_signed(packet: UnverifiedPacket, *keys: PublicKey) -> None:
    """Officer, kit and, where one is named, supervisor signed this; raises PacketSignatureInvalid."""
    if len(keys) != len(packet.signed.signatures):
        raise PacketSignatureInvalid("signed by others than are known")
    for key, mark in zip(keys, packet.signed.signatures, strict=True):
        if mark.protected != protected_header(key, PACKET_TYPE):
            raise PacketSignatureInvalid("signed with another key, or as something else")
        try:
            require_detached(key, mark.signature, mark.protected, packet.signed.payload)
        except SignatureInvalid:
            raise PacketSignatureInvalid("a signature over the packet does not verify") from None


def centre_key_of(envelope: PacketEnvelope) -> str:
    """The id of the centre's key that a packet is encrypted to; raises PacketMalformed."""
    return packet_encryption.recipient(envelope.particulars)


def open_packet(packet: UnverifiedPacket, content: bytes, key: ec.EllipticCurvePrivateKey) -> OpenedPacket:
    """Decrypt a packet whose signatures were verified; raises PacketAltered or PacketMalformed."""
    return open_items(packet, split_content(packet.envelope, content), key)


def open_items(
    packet: UnverifiedPacket, sealed: Mapping[str, memoryview], key: ec.EllipticCurvePrivateKey
) -> OpenedPacket:
    """Decrypt a packet whose content is split already; raises PacketAltered or PacketMalformed."""
    envelope = packet.envelope
    content_key, particulars = _opened_particulars(envelope, key)
    context = _context(envelope.kit, envelope.sequence, envelope.officer)
    blobs = {
        item.name: _open_item(item, sealed[item.name], content_key, context) for item in particulars.items
    }
    return OpenedPacket(packet.packet_hash, envelope, particulars, blobs)


def reopen_packet(
    packet: UnverifiedPacket, blobs: Mapping[str, bytes], key: ec.EllipticCurvePrivateKey
) -> OpenedPacket:
    """A packet whose items were opened before: what is still here must be as listed; raises PacketAltered."""
    _, particulars = _opened_particulars(packet.envelope, key)
    listed = {item.name: item.sha256 for item in particulars.items}
    for name, content in blobs.items():
        if hashlib.sha256(content).hexdigest() != listed.get(name):
            raise PacketAltered("an item is not the one that was captured")
    return OpenedPacket(packet.packet_hash, packet.envelope, particulars, blobs)


def _opened_particulars(
    envelope: PacketEnvelope, key: ec.EllipticCurvePrivateKey
) -> tuple[bytes, PacketParticulars]:
    """The key of the items, and what only the centre reads."""
    context = _context(envelope.kit, envelope.sequence, envelope.officer)
    try:
        secret = msgspec.json.decode(
            packet_encryption.decrypt(envelope.particulars, context, key), type=_Sealed
        )
        content_key = from_b64url(secret.content_key)
    except (msgspec.DecodeError, ValueError):
        raise PacketMalformed("what was sealed are no particulars") from None
    if len(content_key) != _CONTENT_KEY_BYTES:
        raise PacketMalformed("the key of the items is not 32 bytes")
    _require_particulars(secret.particulars, envelope)
    return content_key, secret.particulars


def split_content(envelope: PacketEnvelope, content: bytes) -> dict[str, memoryview]:
    """The sealed items by name, each with the hash that was signed; raises PacketAltered."""
    if len(content) != envelope.content_size:
        raise PacketAltered("the content has another length than was signed")
    whole, parts, offset = memoryview(content), {}, 0
    for item in envelope.items:
        part = whole[offset : offset + item.size]
        if hashlib.sha256(part).hexdigest() != item.sha256:
            raise PacketAltered("an item is not the one that was signed")
        parts[item.name] = part
        offset += item.size
    return parts


def sign_packet_receipt(receipt: PacketReceipt, key: SigningKey) -> str:
    """The receipt as a compact JWS."""
    return sign_statement(_canonical(receipt), RECEIPT_TYPE, key)


def read_packet_receipt(token: str, keys: Mapping[str, PublicKey]) -> PacketReceipt:
    """The receipt, if a trusted key (by thumbprint) signed it; raises PacketSignatureInvalid."""
    try:
        return msgspec.json.decode(read_statement(token, RECEIPT_TYPE, keys), type=PacketReceipt)
    except (SignatureInvalid, msgspec.DecodeError):
        raise PacketSignatureInvalid("no receipt of this centre") from None


def to_file(metadata: bytes, content: bytes) -> bytes:
    """The packet as one file, for a stick."""
    return _FILE_HEAD + len(metadata).to_bytes(_LENGTH_BYTES, "big") + metadata + content


def from_file(file: bytes) -> tuple[bytes, bytes]:
    """Metadata and content of a packet file; raises LimitExceeded or PacketMalformed."""
    begins = len(_FILE_HEAD) + _LENGTH_BYTES
    if len(file) > begins + MAX_METADATA_BYTES + MAX_CONTENT_BYTES:
        raise LimitExceeded(f"packet file of {len(file)} bytes")
    if not file.startswith(_FILE_HEAD) or len(file) < begins:
        raise PacketMalformed("no packet file")
    length = int.from_bytes(file[len(_FILE_HEAD) : begins], "big")
    if length > MAX_METADATA_BYTES or begins + length > len(file):
        raise PacketMalformed("the packet file claims more metadata than it has")
    return file[begins : begins + length], file[begins + length :]


def chunk_offsets(size: int) -> range:
    """Where the chunks of a content begin."""
    return range(0, size, CHUNK_BYTES)


def _signed_packet(envelope: PacketEnvelope, keys: PacketKeys, content: bytes) -> SealedPacket:
    if (keys.supervisor is None) != (envelope.supervisor is None):
        raise PacketSupervisorMissing("a supervisor is named and does not sign, or the other way round")
    encoded = _canonical(envelope)
    payload = b64url(encoded)
    marks = []
    for key in (keys.officer, keys.kit, *([keys.supervisor] if keys.supervisor else [])):
        header = protected_header(key.public_key(), PACKET_TYPE)
        marks.append(_Signature(header, b64url(sign(key, f"{header}.{payload}".encode()))))
    metadata = _canonical(_Signed(payload, tuple(marks)))
    if len(metadata) > MAX_METADATA_BYTES:
        raise LimitExceeded(f"packet metadata of {len(metadata)} bytes")
    return SealedPacket(hashlib.sha256(encoded).hexdigest(), metadata, content)


def _canonical(message: msgspec.Struct) -> bytes:
    """As ``canonical_json`` spells it: our messages have no member that it would refuse."""
    return msgspec.json.encode(message, order="sorted")


def _header(protected: str) -> _Header:
    return msgspec.json.decode(from_b64url(protected), type=_Header)


def _context(kit: str, sequence: int, officer: str) -> bytes:
    """What ties sealed content to the one packet it was sealed in: nobody else can sign it as their own."""
    return canonical_json([kit, sequence, officer])


def _seal_item(name: str, content: bytes, key: bytes, nonce: bytes, context: bytes) -> bytes:
    return nonce + AESGCM(derive_key(key, f"packet item {name}")).encrypt(nonce, content, context)


def _open_item(item: PacketItem, sealed: memoryview, key: bytes, context: bytes) -> bytes:
    cipher = AESGCM(derive_key(key, f"packet item {item.name}"))
    content = packet_encryption.unseal(cipher, sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    if hashlib.sha256(content).hexdigest() != item.sha256:
        raise PacketAltered("an item is not the one that was captured")
    return content


def _require_envelope(envelope: PacketEnvelope) -> None:
    is_sound = (
        envelope.version == VERSION
        and _NAME.fullmatch(envelope.kit)
        and _NAME.fullmatch(envelope.officer)
        and (envelope.supervisor is None or _NAME.fullmatch(envelope.supervisor))
        and 1 <= envelope.sequence <= _MAX_SEQUENCE
        and _HASH.fullmatch(envelope.previous)
        and (envelope.previous == FIRST) == (envelope.sequence == 1)
        and _is_moment(envelope.happened_at)
    )
    if not is_sound:
        raise PacketMalformed("the envelope is not one of this form")
    _require_items(envelope.items, SEAL_BYTES)
    if envelope.content_size > MAX_CONTENT_BYTES:
        raise LimitExceeded(f"packet content of {envelope.content_size} bytes")


def _require_items(items: Sequence[SealedItem | PacketItem], shortest: int) -> None:
    if len(items) > MAX_ITEMS:
        raise LimitExceeded(f"{len(items)} items")
    if len({item.name for item in items}) != len(items):
        raise PacketMalformed("an item is named twice")
    for item in items:
        if not (_ITEM.fullmatch(item.name) and _HASH.fullmatch(item.sha256)):
            raise PacketMalformed("an item is not named as items are")
        if not shortest <= item.size <= MAX_ITEM_BYTES + shortest:
            raise LimitExceeded(f"an item of {item.size} bytes")


def _require_particulars(particulars: PacketParticulars, envelope: PacketEnvelope) -> None:
    _require_items(particulars.items, 0)
    captured = [(item.name, item.size + SEAL_BYTES) for item in particulars.items]
    if captured != [(item.name, item.size) for item in envelope.items]:
        raise PacketMalformed("other items were sealed than were captured")
    if not all(_MEDIA_TYPE.fullmatch(item.media_type) for item in particulars.items):
        raise PacketMalformed("an item has no media type")
    coded = [(_ITEM.fullmatch(each.item), _CODE.fullmatch(each.code)) for each in particulars.exceptions]
    if not all(item and code for item, code in coded):
        raise PacketMalformed("an exception has no item or no code")
    _require_recorded(particulars.printed_form)
    require_told(particulars.prints or ())
    if particulars.begun_at is not None and not _is_moment(particulars.begun_at):
        raise PacketMalformed("begun at no moment")
    if particulars.terms is not msgspec.UNSET:
        require_well_formed(particulars.terms)
    _require_agreed(particulars, envelope.happened_at)
    _require_answered_for(particulars, envelope)


def _require_recorded(printed: PrintedFormMark) -> None:
    """The form's hash is one, and so is what was found of it, where the kit judged it."""
    if not _HASH.fullmatch(printed.sha256):
        raise PacketMalformed("the printed form is not recorded")
    judged = (printed.limits is None, printed.likeness is None)
    if not all(judged) and (
        any(judged) or not _NAME.fullmatch(printed.limits or "") or not 0 <= (printed.likeness or 0) <= 1
    ):
        raise PacketMalformed("the judgement of the printed form is none")


def _require_agreed(particulars: PacketParticulars, sealed_at: str) -> None:
    """The citizen was told in some language, and agreed to the form that was printed before it was sealed."""
    consent = particulars.consent
    if not (_LANGUAGE.fullmatch(consent.language) and _is_moment(consent.given_at)):
        raise PacketMalformed("consent is not recorded")
    if consent.form_sha256 != particulars.printed_form.sha256:
        raise CitizenConsentInvalid("agreed to another print of the form")
    if datetime.fromisoformat(consent.given_at) > datetime.fromisoformat(sealed_at):
        raise CitizenConsentInvalid("agreed after the packet was sealed")


def _require_answered_for(particulars: PacketParticulars, envelope: PacketEnvelope) -> None:
    """The citizen signed; what is missing from a capture is answered for by somebody else as well."""
    here = {item.name for item in particulars.items if item.size}
    if CITIZEN_SIGNATURE not in here.union(each.item for each in particulars.exceptions):
        raise CitizenSignatureMissing("neither a signature nor a reason")
    if envelope.supervisor == envelope.officer:
        raise PacketSupervisorMissing("nobody supervises their own capture")
    if particulars.exceptions and envelope.supervisor is None:
        raise PacketSupervisorMissing("exceptions without a supervisor")


def _is_moment(text: str) -> bool:
    """Whether this is a moment with its zone that any other zone can tell as well: not in year 1 or 9999."""
    if len(text) > _MAX_MOMENT:
        return False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.tzinfo is not None and MINYEAR < moment.year < MAXYEAR
