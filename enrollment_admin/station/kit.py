"""A kit: its folder, its keys, what it was told of the centre, and the form that it prints.

``kit.json`` says what the kit is; ``store.db`` keeps captures, encrypted; ``kit_key.pem`` signs packets,
``opening_key.pem`` opens what the centre sends; ``officers`` has the officers' keys, ``outbox`` the packets,
``commune_extract.jwe`` and ``returns.jwe`` what the centre sent, as it sealed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.claim_store import ClaimStore
from enrollment_admin.station.durable_files import disk, make_folder, write_whole
from enrollment_admin.station.kit_database import KitDatabase
from enrollment_admin.station.kit_keys import (
    KitCipher,
    Random,
    read_key,
    read_store_key,
    write_key,
)
from enrollment_admin.station.kit_store import KitStore
from enrollment_admin.station.officer_keys import OfficerKeys
from enrollment_admin.station.packet_folder import PacketFolder
from enrollment_admin.station.refusals import KitAlreadyMade, KitStoreAltered
from monitoring.environment import ConfigurationFault
from verification.errors import FieldsRefused, LimitExceeded
from verification.fingerprint.engine import FingerEngine
from verification.messages.commune_extract import (
    MAX_TOKEN,
    CommuneExtract,
    ExtractRequest,
    ExtractWanted,
    extract_file,
    open_extract,
    sign_request,
)
from verification.messages.forms import FormEdition
from verification.messages.packet_intake import KitRegistration, PacketKeyList
from verification.messages.seal import derive_key
from verification.messages.signing_key import PublicKey, public_jwk, public_key_of, thumbprint

Clock = Callable[[], datetime]
Fingers = Callable[[], FingerEngine]
"""The engine of prints, started by who first needs it."""

EXTRACT_FILE = "commune_extract.jwe"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")


class KitProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kit is: its name and unit, the centre's public keys, the form in force.

    ``status_address`` is the public page on which citizens ask where things stand; ``slap_scanner`` says
    whether several fingers can be taken at once.
    """

    name: str
    unit: str
    centre: PacketKeyList
    form: FormEdition
    status_address: str | None = None
    slap_scanner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One kit at work; ``clock``, ``random`` and ``fingers`` are the machine's."""

    folder: Path
    profile: KitProfile
    database: KitDatabase
    store: KitStore
    claims: ClaimStore
    packets: PacketFolder
    officers: OfficerKeys
    key: ec.EllipticCurvePrivateKey
    opening_key: ec.EllipticCurvePrivateKey
    clock: Clock
    random: Random
    fingers: Fingers

    def registration(self) -> KitRegistration:
        """What the centre's register needs to know of this kit."""
        jwk = public_jwk(self.key.public_key())
        return KitRegistration(kit=self.profile.name, jwk=jwk, unit=self.profile.unit)

    def centre_key(self) -> ec.EllipticCurvePublicKey:
        """The centre's key that packets are sealed to."""
        key = public_key_of(self.profile.centre.opening)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ConfigurationFault("the centre's key for packets is none on a curve")
        return key

    def receipt_keys(self) -> Mapping[str, PublicKey]:
        """The centre's key that receipts and extracts are checked with, by thumbprint."""
        key = public_key_of(self.profile.centre.receipts)
        return {thumbprint(key): key}

    def extract_request(self) -> ExtractRequest:
        """What the centre is asked for an extract with: the kit's own word, for its opening key."""
        opening = public_jwk(self.opening_key.public_key())
        return sign_request(ExtractWanted(self.profile.name, opening, self.now()), self.key)

    def leave_request(self, folder: Path) -> None:
        """Write the request to a stick; what the centre answers comes back on the same one."""
        request = msgspec.json.encode(self.extract_request())
        write_whole(folder / f"{self.profile.name}-extract_request.json", request)

    def keep_extract(self, token: str) -> CommuneExtract:
        """Put an extract of the commune in the place of the former; raises as ``open_extract`` does."""
        extract = open_extract(token, self.receipt_keys(), self.opening_key, self.clock())
        write_whole(self._extract, token.encode())
        return extract

    def take_extract(self, folder: Path) -> bool:
        """Keep the extract that a stick brings for this kit; False where it brings none."""
        brought = folder / extract_file(self.profile.name)
        with disk():
            if not brought.exists():
                return False
            if brought.stat().st_size > MAX_TOKEN:
                raise LimitExceeded("longer than any extract")
            token = brought.read_bytes().decode("ascii", "replace")
        self.keep_extract(token)
        return True

    def extract(self) -> CommuneExtract | None:
        """The extract that is here, None where none was brought; raises as ``open_extract`` does."""
        if not self._extract.exists():
            return None
        with disk():
            token = self._extract.read_bytes().decode("ascii", "replace")
        return open_extract(token, self.receipt_keys(), self.opening_key, self.clock())

    def settle(self) -> None:
        """See to it that the outbox has the packets that have a number and no receipt, and those alone."""
        # Whoever seals holds this transaction: no file is without a number merely because it has none yet.
        with self.database.writing() as connection:
            self.packets.settle({row.packet for row in self.store.waiting(connection)})

    def extract_brought(self) -> int:
        """Changes when another extract is brought; 0 while there is none."""
        return self._extract.stat().st_mtime_ns if self._extract.exists() else 0

    def now(self) -> str:
        """The moment as the kit writes it."""
        return moment_text(self.clock())

    @property
    def _extract(self) -> Path:
        return self.folder / EXTRACT_FILE


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def moment_text(moment: datetime) -> str:
    """A moment in UTC, in one width."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def make_kit(folder: Path, store_key: Path, profile: KitProfile, random: Random) -> None:
    """Make a new kit in a folder; raises KitAlreadyMade, FieldsRefused and ConfigurationFault."""
    if not _NAME.fullmatch(profile.name):
        raise FieldsRefused({"kit": "FIELD_CHARACTERS"})
    if _profile_file(folder).exists():
        raise KitAlreadyMade("its numbers may not begin anew")
    make_folder(store_key.parent)
    if not store_key.exists():
        write_whole(store_key, random(32))
    password = _password(read_store_key(store_key))
    make_folder(folder)
    for name in ("kit_key.pem", "opening_key.pem"):
        write_key(folder / name, ec.generate_private_key(ec.SECP256R1()), password)
    for inner in ("officers", "outbox"):
        make_folder(folder / inner)
    # Last: a kit that was interrupted while it was made is made again.
    write_whole(_profile_file(folder), msgspec.json.encode(profile))


def renew_profile(folder: Path, **changes: object) -> None:
    """Give a kit other keys of the centre, or another form; programs take it when they start."""
    renewed = msgspec.structs.replace(_read_profile(folder), **changes)
    write_whole(_profile_file(folder), msgspec.json.encode(renewed))


def open_kit(folder: Path, store_key: Path, clock: Clock, random: Random, fingers: Fingers) -> Kit:
    """The kit of a folder, with what a power cut interrupted brought to its end.

    Raises ConfigurationFault, KitStoreAltered and KitStorageUnavailable.
    """
    profile = _read_profile(folder)
    secret = read_store_key(store_key)
    cipher = KitCipher(secret, random)
    database, store = KitDatabase(folder / "store.db"), KitStore(profile.name, cipher)
    kit = Kit(
        folder=folder,
        profile=profile,
        database=database,
        store=store,
        claims=ClaimStore(cipher.mark),
        packets=PacketFolder(folder / "outbox"),
        officers=OfficerKeys(folder / "officers", database, store, clock),
        key=_own_key(folder / "kit_key.pem", secret),
        opening_key=_own_key(folder / "opening_key.pem", secret),
        clock=clock,
        random=random,
        fingers=fingers,
    )
    kit.settle()
    return kit


def _read_profile(folder: Path) -> KitProfile:
    try:
        return msgspec.json.decode(_profile_file(folder).read_bytes(), type=KitProfile)
    except (OSError, msgspec.DecodeError) as fault:
        raise ConfigurationFault(f"{folder.name} is no kit: {type(fault).__name__}") from None


def _own_key(path: Path, secret: bytes) -> ec.EllipticCurvePrivateKey:
    key = read_key(path, _password(secret))
    if key is None:
        raise KitStoreAltered("the kit's key does not open with this key of the store")
    return key


def _password(secret: bytes) -> bytes:
    return derive_key(secret, "kit keys").hex().encode()


def _profile_file(folder: Path) -> Path:
    return folder / "kit.json"
