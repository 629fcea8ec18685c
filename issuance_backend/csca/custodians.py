"""Dual control: the issuer's root secret is split, and no custodian alone can put it together.

The secret opens the folder or the hardware token that holds the CSCA's key. It is shared out by
Shamir's scheme (Communications of the ACM, 1979): any ``needed`` shares give it back, fewer tell
nothing. Each custodian's share is sealed under that custodian's own passphrase.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from issuance_backend.csca.signer import write_secret
from issuance_backend.refusals import CustodianNotProven, DualControlMissing

MIN_NEEDED = 2
MIN_PASSPHRASE = 12
"""Characters of a custodian's passphrase."""

_MAX_CUSTODIANS = 16
_NAME = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_SECRET_BYTES = 32
# A Mersenne prime above every secret: the field in which shares are computed.
_PRIME = 2**521 - 1
_SHARE_BYTES = 66
# scrypt (RFC 7914): 32 MB and about a tenth of a second for each guess at a passphrase.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P, _SCRYPT_MEMORY = 2**15, 8, 1, 2**26
_SALT_BYTES, _NONCE_BYTES = 16, 12


class Custodian(NamedTuple):
    """A named person with the passphrase that only this person knows."""

    name: str
    passphrase: bytes

    def __repr__(self) -> str:
        return f"Custodian({self.name})"


class Share(NamedTuple):
    """A point of the polynomial whose value at zero is the secret."""

    number: int
    value: int


class _SealedShare(msgspec.Struct, forbid_unknown_fields=True):
    custodian: str
    number: int
    needed: int
    salt: bytes
    nonce: bytes
    sealed: bytes

    @property
    def bound(self) -> bytes:
        """What the seal covers besides the share: nobody can present it under another name."""
        return f"{self.custodian}/{self.number}/{self.needed}".encode()


def entrust(folder: Path, custodians: Sequence[Custodian], needed: int) -> bytes:
    """Make a new root secret, write each custodian's sealed share, and return the secret.

    Raises DualControlMissing where this would not be dual control.
    """
    require_dual_control(custodians, needed)
    folder.mkdir(mode=0o700)
    secret = secrets.token_bytes(_SECRET_BYTES)
    for custodian, share in zip(custodians, split(secret, needed, len(custodians)), strict=True):
        write_secret(folder / f"{custodian.name}.share", _seal(custodian, share, needed))
    return _as_passphrase(secret)


def put_together(folder: Path, custodians: Sequence[Custodian]) -> bytes:
    """The root secret from enough custodians' shares.

    Raises CustodianNotProven for a passphrase that does not fit, DualControlMissing for too few.
    """
    sealed = {custodian.name: _read(folder, custodian.name) for custodian in custodians}
    needed = max((MIN_NEEDED, *(share.needed for share in sealed.values())))
    if len(sealed) < needed or len(sealed) != len(custodians):
        raise DualControlMissing(f"{needed} different custodians are needed")
    return _as_passphrase(join([_open(custodian, sealed[custodian.name]) for custodian in custodians]))


def split(secret: bytes, needed: int, count: int) -> list[Share]:
    """Share a secret out so that any ``needed`` of ``count`` shares give it back."""
    polynomial = [int.from_bytes(secret, "big"), *(secrets.randbelow(_PRIME) for _ in range(needed - 1))]
    return [Share(number, _value_at(polynomial, number)) for number in range(1, count + 1)]


def join(shares: Sequence[Share]) -> bytes:
    """The value at zero of the polynomial through these points (Lagrange); wrong shares give another."""
    total = 0
    for number, value in shares:
        numerator = denominator = 1
        for other, _ in shares:
            if other != number:
                numerator = numerator * other % _PRIME
                denominator = denominator * (other - number) % _PRIME
        total += value * numerator * pow(denominator, -1, _PRIME)
    return (total % _PRIME).to_bytes(_SHARE_BYTES, "big")[-_SECRET_BYTES:]


def _value_at(polynomial: Sequence[int], place: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * place + coefficient) % _PRIME
    return value


def require_dual_control(custodians: Sequence[Custodian], needed: int) -> None:
    """Several persons, each with an own secret, of whom one is not enough; raises DualControlMissing."""
    names = {custodian.name for custodian in custodians}
    if not MIN_NEEDED <= needed <= len(custodians) <= _MAX_CUSTODIANS:
        raise DualControlMissing(f"at least {MIN_NEEDED} custodians must be needed, and as many be there")
    if len(names) != len(custodians) or not all(_NAME.fullmatch(name) for name in names):
        raise DualControlMissing("custodians need different names of small letters, digits, dots and dashes")
    if len({custodian.passphrase for custodian in custodians}) != len(custodians):
        raise DualControlMissing("two custodians have the same passphrase: each needs an own one")
    if min(len(custodian.passphrase) for custodian in custodians) < MIN_PASSPHRASE:
        raise DualControlMissing(f"a custodian's passphrase has at least {MIN_PASSPHRASE} characters")


def _seal(custodian: Custodian, share: Share, needed: int) -> bytes:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    record = _SealedShare(custodian.name, share.number, needed, salt, nonce, b"")
    value = share.value.to_bytes(_SHARE_BYTES, "big")
    record.sealed = AESGCM(_key(custodian, salt)).encrypt(nonce, value, record.bound)
    return msgspec.json.format(msgspec.json.encode(record)) + b"\n"


def _read(folder: Path, name: str) -> _SealedShare:
    # A name that is none must not become a path. Who is no custodian is told what a wrong passphrase is.
    if not _NAME.fullmatch(name):
        raise CustodianNotProven("no such custodian, or another passphrase")
    try:
        return msgspec.json.decode((folder / f"{name}.share").read_bytes(), type=_SealedShare)
    except (OSError, msgspec.MsgspecError):
        raise CustodianNotProven("no such custodian, or another passphrase") from None


def _open(custodian: Custodian, share: _SealedShare) -> Share:
    try:
        key = _key(custodian, share.salt)
        value = AESGCM(key).decrypt(share.nonce, share.sealed, share.bound)
    except (InvalidTag, ValueError):
        raise CustodianNotProven("no such custodian, or another passphrase") from None
    return Share(share.number, int.from_bytes(value, "big"))


def _key(custodian: Custodian, salt: bytes) -> bytes:
    return hashlib.scrypt(
        custodian.passphrase,
        salt=salt,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=32,
    )


def _as_passphrase(secret: bytes) -> bytes:
    """In hexadecimal: hardware tokens take a PIN of printable characters."""
    return secret.hex().encode("ascii")
