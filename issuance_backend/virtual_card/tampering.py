"""What a forger can make of a genuine card without the issuer's keys; for demonstrations and tests."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from issuance_backend.refusals import TamperingImpossible
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_keys import (
    build_private_key,
    build_public_key_info,
    generate,
    load_private_key,
)
from verification.lds.files import LdsFile
from verification.lds.security_infos import build_dg14, parse_dg14

# DG13 holds dates as PrintableStrings; the first is the date of birth.
_DATE_OF_BIRTH = re.compile(rb"\x13\x0a\d\d/\d\d/\d{4}")


def clone(image: CardImage) -> CardImage:
    """All files copied; the private keys could not be read out, so the forger's own are in."""
    return msgspec.structs.replace(
        _with_agreement_keys_of_the_forger(image),
        mapping_key=_agreement_key_like(image.mapping_key),
        active_authentication_key=_signing_key_like(image.active_authentication_key),
    )


def swap_dg14(image: CardImage) -> CardImage:
    """The forger's own agreement keys in the chip, and a DG14 that names them.

    Raises TamperingImpossible for a card without chip authentication.
    """
    if image.chip_authentication_key is None or LdsFile.DG14 not in image.files:
        raise TamperingImpossible("a card without chip authentication has no DG14 to swap")
    forged = _with_agreement_keys_of_the_forger(image)
    infos = parse_dg14(image.files[LdsFile.DG14])
    keys = tuple(
        replace(key, public_key_info=_public_info(forged, key.key_id))
        for key in infos.chip_authentication_keys
    )
    dg14 = build_dg14(replace(infos, chip_authentication_keys=keys))
    return msgspec.structs.replace(forged, files=image.files | {LdsFile.DG14: dg14})


def flip_dg13(image: CardImage) -> CardImage:
    """One bit of the holder's data: the year of birth is one off, the file still well formed.

    Raises TamperingImpossible for a card without DG13.
    """
    if LdsFile.DG13 not in image.files:
        raise TamperingImpossible("a card without DG13 has nothing to alter there")
    dg13 = bytearray(image.files[LdsFile.DG13])
    found = _DATE_OF_BIRTH.search(dg13)
    position = (found.end() if found else len(dg13)) - 1
    dg13[position] ^= 0x01
    return msgspec.structs.replace(image, files=image.files | {LdsFile.DG13: bytes(dg13)})


TAMPERING: dict[str, Callable[[CardImage], CardImage]] = {
    "cloned_chip": clone,
    "swapped_dg14": swap_dg14,
    "flipped_dg13": flip_dg13,
}
"""What the wallet offers, by the name it goes under there."""


def _with_agreement_keys_of_the_forger(image: CardImage) -> CardImage:
    return msgspec.structs.replace(
        image,
        chip_authentication_key=_agreement_key_like(image.chip_authentication_key),
        further_agreement_keys={
            key_id: _forged_key(key) for key_id, key in image.further_agreement_keys.items()
        },
    )


def _agreement_key_like(private_key: bytes | None) -> bytes | None:
    return None if private_key is None else _forged_key(private_key)


def _forged_key(private_key: bytes) -> bytes:
    return build_private_key(generate(load_private_key(private_key).group.parameter_id, os.urandom))


def _public_info(image: CardImage, key_id: int | None) -> bytes:
    further = image.further_agreement_keys
    private_key = image.chip_authentication_key if key_id is None else further.get(key_id)
    private_key = private_key or image.chip_authentication_key
    if private_key is None:
        raise TamperingImpossible("a card without chip authentication has no DG14 to swap")
    return build_public_key_info(load_private_key(private_key))


def _signing_key_like(private_key: bytes | None) -> bytes | None:
    if private_key is None:
        return None
    key = load_der_private_key(private_key, None)
    if isinstance(key, rsa.RSAPrivateKey):
        other: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = rsa.generate_private_key(65537, key.key_size)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        other = ec.generate_private_key(key.curve)
    else:
        raise TypeError("a chip signs with RSA or EC")
    return other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
