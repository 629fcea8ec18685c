"""EF.CardSecurity: signed SecurityInfos in the master file (ICAO 9303-11, 9.2.11; TR-03110-3, A.1.2).

PACE with chip authentication mapping proves that the chip holds the key to a public key in
this file; the signature here is what binds that key to the issuer.
"""

from __future__ import annotations

from typing import NamedTuple

from verification.lds.security_infos import SecurityInfos, parse_card_access
from verification.lds.signed_data import SignerInfo, parse_signed_file, read_signed_data

SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"
"""id-SecurityObject: the content type of EF.CardSecurity."""


class CardSecurity(NamedTuple):
    """EF.CardSecurity taken apart; ``content`` are the SecurityInfos as they were signed.

    Nothing in ``security_infos`` is proven before the signature is.
    """

    content: bytes
    content_type: str
    security_infos: SecurityInfos
    signer: SignerInfo
    certificates: tuple[bytes, ...]


def parse_card_security(encoded: bytes) -> CardSecurity:
    """Take EF.CardSecurity apart; raises MalformedDocument or LimitExceeded.

    BER with indefinite lengths is rewritten first, as in EF.SOD; everything else must be DER.
    """
    return parse_signed_file(encoded, _read, "EF.CardSecurity")


def _read(data: bytes) -> CardSecurity:
    content, content_type, signer, certificates = read_signed_data(data)
    # EF.CardAccess holds such SecurityInfos too, without the signature.
    return CardSecurity(content, content_type, parse_card_access(content), signer, certificates)
