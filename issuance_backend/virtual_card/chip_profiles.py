"""Which protocols a chip speaks, and the keys and SecurityInfos that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from issuance_backend.virtual_card.card_image import RsaHash
from issuance_backend.virtual_card.chip_keys import (
    StaticChipKey,
    build_private_key,
    build_public_key_info,
    generate,
)
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_pace import NonceMapping
from issuance_backend.virtual_card.icc_random import Random
from issuance_backend.virtual_card.quirks import STANDARD, Quirks
from verification.chip.keys import Suite
from verification.lds.security_infos import (
    PUBLIC_KEY_DH,
    PUBLIC_KEY_ECDH,
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    TerminalAuthenticationInfo,
)

BRAINPOOL_P256R1 = 13
"""Standardised domain parameters (ICAO 9303-11, 9.5.1)."""

_ECDSA_PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"
_RSA_BITS = 2048
_CIPHER_ARCS = {Suite.TRIPLE_DES: 1, Suite.AES_128: 2, Suite.AES_192: 3, Suite.AES_256: 4}
_PACE_ARCS: Mapping[tuple[NonceMapping, bool], int] = {
    (NonceMapping.GENERIC, False): 1,
    (NonceMapping.GENERIC, True): 2,
    (NonceMapping.INTEGRATED, False): 3,
    (NonceMapping.INTEGRATED, True): 4,
    (NonceMapping.CHIP_AUTHENTICATION, True): 6,
}


class PaceOffer(NamedTuple):
    """One way of PACE; ``parameter_id`` names standardised domain parameters."""

    mapping: NonceMapping = NonceMapping.GENERIC
    suite: Suite = Suite.AES_128
    parameter_id: int = BRAINPOOL_P256R1

    @property
    def info(self) -> PaceInfo:
        """The entry of EF.CardAccess; raises KeyError for chip authentication mapping without a curve."""
        arc = _PACE_ARCS[self.mapping, _is_elliptic(self.parameter_id)]
        return PaceInfo(f"0.4.0.127.0.7.2.2.4.{arc}.{_CIPHER_ARCS[self.suite]}", 2, self.parameter_id)


class AgreementOffer(NamedTuple):
    """One key of chip authentication; several on a chip each need a ``key_id``."""

    suite: Suite = Suite.AES_128
    parameter_id: int = BRAINPOOL_P256R1
    key_id: int | None = None

    @property
    def info(self) -> ChipAuthenticationInfo:
        """The entry of DG14."""
        arc = 2 if _is_elliptic(self.parameter_id) else 1
        return ChipAuthenticationInfo(f"0.4.0.127.0.7.2.2.3.{arc}.{_CIPHER_ARCS[self.suite]}", 1, self.key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProfile:
    """What a card can do. With ``rsa_hash`` its active authentication is RSA, else ECDSA.

    ``fingers`` are behind terminal authentication; ``national`` adds the holder's data of the
    national card and makes the chip answer as that one does.
    """

    pace: tuple[PaceOffer, ...] = (PaceOffer(),)
    bac: bool = True
    agreement: tuple[AgreementOffer, ...] = (AgreementOffer(),)
    rsa_hash: RsaHash | None = None
    fingers: bool = False
    national: bool = False
    extended_length: bool = True
    quirks: Quirks = STANDARD

    def __post_init__(self) -> None:
        key_ids = {offer.key_id for offer in self.agreement}
        if len(self.agreement) > 1 and (None in key_ids or len(key_ids) < len(self.agreement)):
            raise ValueError("several keys of chip authentication each need a number of their own")

    @property
    def mapping_parameter_id(self) -> int | None:
        """The curve of the key in EF.CardSecurity, None where no mapping proves one."""
        mapped = (o.parameter_id for o in self.pace if o.mapping is NonceMapping.CHIP_AUTHENTICATION)
        return next(mapped, None)


PROFILES = {
    "bac": ChipProfile(pace=(), agreement=(AgreementOffer(Suite.TRIPLE_DES),), rsa_hash="sha256"),
    "pace-gm": ChipProfile(),
    "pace-im": ChipProfile(pace=(PaceOffer(NonceMapping.INTEGRATED),)),
    # Terminals need not know chip authentication mapping, so a chip has another one beside it.
    "pace-cam": ChipProfile(pace=(PaceOffer(NonceMapping.CHIP_AUTHENTICATION), PaceOffer()), fingers=True),
    "cccd": ChipProfile(fingers=True, national=True),
}


@dataclass(frozen=True, slots=True, repr=False)
class ChipKeys:
    """The private keys of one chip."""

    agreement: tuple[StaticChipKey, ...]
    mapping: StaticChipKey | None
    signing: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @classmethod
    def generate(cls, profile: ChipProfile, random: Random) -> ChipKeys:
        """Fresh keys for all that the profile has."""
        mapping = profile.mapping_parameter_id
        return cls(
            agreement=tuple(generate(offer.parameter_id, random) for offer in profile.agreement),
            mapping=None if mapping is None else generate(mapping, random),
            signing=_signing_key(profile),
        )

    @property
    def signing_info(self) -> bytes:
        """The public key for DG15."""
        return self.signing.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def signing_private(self) -> bytes:
        """The private key to DG15 as PKCS #8."""
        return self.signing.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @property
    def mapping_private(self) -> bytes | None:
        """The private key to EF.CardSecurity as PKCS #8."""
        return None if self.mapping is None else build_private_key(self.mapping)

    @property
    def agreement_private(self) -> tuple[bytes, ...]:
        """The private keys to DG14 as PKCS #8, in the order of the profile."""
        return tuple(build_private_key(key) for key in self.agreement)


def card_access_infos(profile: ChipProfile) -> SecurityInfos:
    """What EF.CardAccess says before anything is proven."""
    pace = tuple(offer.info for offer in profile.pace)
    if not profile.national:
        return SecurityInfos(pace=pace)
    # The national card announces chip and terminal authentication here too.
    return SecurityInfos(
        pace=pace,
        chip_authentication=tuple(offer.info for offer in profile.agreement),
        terminal_authentication=(TerminalAuthenticationInfo(1),),
    )


def dg14_infos(profile: ChipProfile, keys: ChipKeys) -> SecurityInfos:
    """What DG14 says: all of EF.CardAccess again, and the keys (ICAO 9303-11, 9.2.11)."""
    return SecurityInfos(
        pace=tuple(offer.info for offer in profile.pace),
        chip_authentication=tuple(offer.info for offer in profile.agreement),
        chip_authentication_keys=tuple(
            _public_key(key, offer.key_id)
            for key, offer in zip(keys.agreement, profile.agreement, strict=True)
        ),
        active_authentication=(
            () if profile.rsa_hash else (ActiveAuthenticationInfo(1, _ECDSA_PLAIN_SHA256),)
        ),
        terminal_authentication=(TerminalAuthenticationInfo(1),) if profile.fingers else (),
    )


def card_security_infos(profile: ChipProfile, mapping_key: StaticChipKey) -> SecurityInfos:
    """What EF.CardSecurity says: EF.CardAccess, and the mapping's key under the number of its curve."""
    access = card_access_infos(profile)
    return SecurityInfos(
        pace=access.pace,
        chip_authentication=access.chip_authentication,
        chip_authentication_keys=(_public_key(mapping_key, profile.mapping_parameter_id),),
        terminal_authentication=access.terminal_authentication,
    )


def _public_key(key: StaticChipKey, key_id: int | None) -> ChipAuthenticationPublicKey:
    protocol = PUBLIC_KEY_ECDH if _is_elliptic(key.group.parameter_id) else PUBLIC_KEY_DH
    return ChipAuthenticationPublicKey(protocol, build_public_key_info(key), key_id)


def _signing_key(profile: ChipProfile) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if profile.rsa_hash:
        return rsa.generate_private_key(65537, _RSA_BITS)
    return ec.generate_private_key(ec.BrainpoolP256R1())


def _is_elliptic(parameter_id: int) -> bool:
    return parameter_id not in MODULAR_GROUPS
