"""A file of a known layout is read as the walk reads it: the same fields, the same refusals."""

from __future__ import annotations

import pytest

from tests.support import pki
from tests.support.cms_writer import build_security_object
from verification.encoding.der_layout import KnownLayouts
from verification.encoding.tlv import build
from verification.errors import MalformedDocument
from verification.lds import signed_data
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.lds.signed_data import SignedData, SignerInfo, read_signed_data

GENUINE = parse_security_object(pki.quick_card().files[LdsFile.SOD])
BEGIN = 4
"""Octets of the header of EF.SOD."""

SIGNERS = {
    "by issuer and serial number": GENUINE.signer,
    "by key identifier": GENUINE.signer._replace(
        issuer=b"", serial_number=b"", subject_key_id=bytes(range(20))
    ),
}


@pytest.fixture(params=SIGNERS)
def file(request: pytest.FixtureRequest) -> bytes:
    return written(SIGNERS[request.param])


def written(signer: SignerInfo) -> bytes:
    return build_security_object(GENUINE.content, signer, GENUINE.certificates[0])


def outcome(data: bytes) -> SignedData | None:
    try:
        return read_signed_data(data, BEGIN)
    except (MalformedDocument, IndexError):
        return None


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_data, "_layouts", KnownLayouts())


def test_every_changed_octet_is_read_as_the_walk_reads_it(
    file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for position in range(BEGIN, len(file)):
        for change in (0x01, 0x80, 0xFF):
            altered = bytearray(file)
            altered[position] ^= change
            forget(monkeypatch)
            walked = outcome(bytes(altered))
            forget(monkeypatch)
            assert outcome(file) is not None
            assert outcome(bytes(altered)) == walked, position


def test_another_file_of_the_layout_is_read_without_a_walk(
    file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch)
    first = read_signed_data(file, BEGIN)
    other = written(first.signer._replace(signature=bytes(len(first.signer.signature))))
    monkeypatch.setattr(signed_data, "_walk", None)
    found = read_signed_data(other, BEGIN)
    assert found.signer == first.signer._replace(signature=bytes(len(first.signer.signature)))
    assert (found.content, found.certificates) == (first.content, first.certificates)


def test_fields_of_other_lengths_in_a_file_of_the_same_size_are_found() -> None:
    signer = GENUINE.signer
    serial, signature = signer.serial_number, signer.signature
    longer = signer._replace(serial_number=serial + b"\1", signature=signature[1:])
    assert len(written(longer)) == len(written(signer))
    for each in (signer, longer, signer):
        found = parse_security_object(written(each)).signer
        assert (found.serial_number, found.signature) == (each.serial_number, each.signature)


def test_a_file_in_another_wrapper_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        parse_security_object(build(0x61, written(GENUINE.signer)[BEGIN:]))
