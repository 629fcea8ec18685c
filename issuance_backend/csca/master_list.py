"""Master lists: the CSCA certificates that an issuer has checked, for whoever verifies cards (9303-12, 9)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509

from issuance_backend.csca.signed_object import SignedObject
from issuance_backend.csca.signer import Signer
from verification.encoding.tlv import SEQUENCE, SET, build, build_integer
from verification.errors import UntrustedDocument
from verification.pki.certificate import parse_certificate
from verification.pki.master_list import MASTER_LIST

_VERSION_0 = 0


def sign_master_list(
    certificates: Iterable[bytes], signer: Signer, authority: x509.Certificate, moment: datetime
) -> bytes:
    """Sign a list of CSCA certificates; ``authority`` is the CSCA that made the signer.

    Raises UntrustedDocument for a certificate that is no authority's, MalformedDocument for what
    is no certificate.
    """
    members = set(certificates)
    for member in members:
        if not parse_certificate(member).is_authority:
            raise UntrustedDocument("a master list holds certificates of country signing CAs only")
    # X.690, 11.6: the members of a SET OF stand in ascending order of their encodings.
    content = build(SEQUENCE, build_integer(_VERSION_0) + build(SET, b"".join(sorted(members))))
    return SignedObject(MASTER_LIST, signer, [authority], by_key_id=True).sign(content, moment)
