"""Card images for tests of the reader: small, unsigned, with every key known."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import (
    ChipKeys,
    ChipProfile,
    card_access_infos,
    card_security_infos,
    dg14_infos,
)
from issuance_backend.virtual_card.virtual_card import VirtualCard
from verification.encoding.tlv import SEQUENCE, build
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.files import LdsFile
from verification.lds.security_infos import (
    PUBLIC_KEY_ECDH,
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    build_card_access,
    build_dg14,
)

CAN = "123456"
MRZ_INFORMATION = "090123456290010113001019"
PACE_AES_128 = PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13)
CHIP_AUTHENTICATION = "0.4.0.127.0.7.2.2.3.2."
ECDSA_PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"

AGREEMENT_KEY = ec.derive_private_key(0x5E6331B8870151C5, ec.BrainpoolP256R1())
SIGNING_KEY = ec.derive_private_key(0x28E3DF6406742CE1, ec.BrainpoolP256R1())


def public_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def dg14(
    suite_arc: int = 2, key_id: int | None = None, pace: tuple[PaceInfo, ...] = (PACE_AES_128,)
) -> bytes:
    return build_dg14(
        SecurityInfos(
            pace=pace,
            chip_authentication=(ChipAuthenticationInfo(f"{CHIP_AUTHENTICATION}{suite_arc}", 1, key_id),),
            chip_authentication_keys=(
                ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, public_info(AGREEMENT_KEY), key_id),
            ),
            active_authentication=(ActiveAuthenticationInfo(1, ECDSA_PLAIN_SHA256),),
        )
    )


def filled(file: LdsFile, size: int) -> bytes:
    """A file of this many content octets, no two stretches of it alike."""
    return build(file.tag, b"".join(i.to_bytes(2, "big") for i in range(size))[:size])


def image(*, without: tuple[LdsFile, ...] = (), **changes: Any) -> CardImage:
    groups = {
        LdsFile.DG1: filled(LdsFile.DG1, 93),
        LdsFile.DG2: filled(LdsFile.DG2, 3000),
        LdsFile.DG3: filled(LdsFile.DG3, 40),
        LdsFile.DG13: filled(LdsFile.DG13, 420),
        LdsFile.DG14: dg14(),
        LdsFile.DG15: build_dg15(Dg15(public_info(SIGNING_KEY))),
    }
    files = {
        LdsFile.CARD_ACCESS: build_card_access(SecurityInfos(pace=(PACE_AES_128,))),
        LdsFile.COM: build_common_data(CommonData("0107", "040000", tuple(groups))),
        LdsFile.SOD: filled(LdsFile.SOD, 1500),
        **groups,
    } | changes.pop("files", {})
    whole = CardImage(
        files={file: content for file, content in files.items() if file not in without},
        can=CAN,
        mrz_information=MRZ_INFORMATION,
        chip_authentication_key=private_info(AGREEMENT_KEY),
        active_authentication_key=private_info(SIGNING_KEY),
        locked=frozenset({LdsFile.DG3}),
    )
    return msgspec.structs.replace(whole, **changes)


def profiled(profile: ChipProfile, *, trust_points: tuple[bytes, ...] = (), **changes: Any) -> CardImage:
    """The same small card with the protocols, keys and quirks of ``profile``; EF.CardSecurity is unsigned."""
    keys = ChipKeys.generate(profile, os.urandom)
    own, *others = zip(profile.agreement, keys.agreement_private, strict=True)
    files = {
        LdsFile.DG14: build_dg14(dg14_infos(profile, keys)),
        LdsFile.DG15: build_dg15(Dg15(keys.signing_info)),
        LdsFile.CARD_ACCESS: build_card_access(card_access_infos(profile)),
    }
    if keys.mapping is not None:
        infos = build_card_access(card_security_infos(profile, keys.mapping))
        files[LdsFile.CARD_SECURITY] = build(SEQUENCE, infos)
    return image(
        files=files | changes.pop("files", {}),
        chip_authentication_key=own[1],
        further_agreement_keys={offer.key_id: key for offer, key in others},
        mapping_key=keys.mapping_private,
        active_authentication_key=keys.signing_private,
        active_authentication_hash=profile.rsa_hash or "sha256",
        trust_points=trust_points,
        pace=bool(profile.pace),
        extended_length=profile.extended_length,
        quirks=profile.quirks,
        **changes,
    )


class Interposed:
    """A card whose answers pass through ``alter(index, command, answer)``; it may also raise."""

    def __init__(self, card: VirtualCard, alter: Callable[[int, bytes, bytes], bytes]) -> None:
        self.count = 0
        self._card = card
        self._alter = alter

    def transmit(self, command: bytes) -> bytes:
        index, self.count = self.count, self.count + 1
        return self._alter(index, command, self._card.transmit(command))
