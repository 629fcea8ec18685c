"""EF.CardSecurity: what is built is read, damage and bombs end in our own error."""

from __future__ import annotations

import pytest

from issuance_backend.csca.document_signer import sign_card_security
from tests.support import hostile, pki
from tests.support.cms_writer import build_card_security
from verification.encoding.tlv import SEQUENCE, SET, build
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.card_security import SECURITY_OBJECT, parse_card_security
from verification.lds.files import LdsFile
from verification.lds.security_infos import build_card_access, parse_card_access

INFOS = pki.quick_card().files[LdsFile.CARD_ACCESS]
FILE = sign_card_security(INFOS, pki.quick_issuer().document_signer, signing_time=pki.SIGNED)


def test_what_was_signed_is_read() -> None:
    found = parse_card_security(FILE)
    assert found.content == INFOS
    assert found.content_type == SECURITY_OBJECT
    assert found.security_infos == parse_card_access(INFOS)
    assert len(found.certificates) == 1
    assert found.signer.attributes is not None
    assert found.signer.attributes.signing_time == pki.SIGNED


def test_what_is_built_is_read() -> None:
    genuine = parse_card_security(FILE)
    assert build_card_security(genuine.content, genuine.signer, genuine.certificates[0]) == FILE


def test_the_infos_are_kept_as_they_were_signed() -> None:
    """The order of a SET that its maker did not sort is what was signed."""
    members = build_card_access(parse_card_access(INFOS))[2:]
    first = 2 + members[1]
    turned = build(SET, members[first:] + members[:first])
    assert turned != INFOS
    signed = sign_card_security(turned, pki.quick_issuer().document_signer, signing_time=pki.SIGNED)
    assert parse_card_security(signed).content == turned


@pytest.mark.parametrize(
    "content", [b"", b"\x31", build(SET, b"\x05\x00"), build(SEQUENCE, INFOS[2:]), INFOS + b"\x00"]
)
def test_a_content_of_another_kind_is_refused(content: bytes) -> None:
    genuine = parse_card_security(FILE)
    with pytest.raises(MalformedDocument):
        parse_card_security(build_card_security(content, genuine.signer, genuine.certificates[0]))


def test_indefinite_lengths_are_rewritten() -> None:
    envelope = b"\x30\x80" + FILE[4:] + b"\x00\x00"
    assert parse_card_security(envelope) == parse_card_security(FILE)


def test_damage_ends_in_our_own_error_or_in_a_parse() -> None:
    for data in hostile.truncations(FILE):
        assert hostile.is_refused(parse_card_security, data)
    for data in hostile.damaged(FILE, count=2000, seed=3):
        hostile.is_refused(parse_card_security, data)


def test_a_file_that_no_chip_holds_is_refused_unread() -> None:
    with pytest.raises(LimitExceeded):
        parse_card_security(bytes(65_536))


def test_it_is_no_security_object_of_data_groups() -> None:
    with pytest.raises(MalformedDocument):
        parse_card_security(pki.quick_card().files[LdsFile.SOD])
