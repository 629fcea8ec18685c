"""Card verifiable certificates: worked values of BSI and our own, what is refused, both directions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.terminal_pki import content, terminal_chain
from tests.support.vectors import load
from verification.encoding.curve_parameters import CURVES, PARAMETERS_BY_NAME
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build, children, only
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.card_verifiable import (
    AUTHENTICATION_TERMINAL,
    CV_ALGORITHMS,
    INSPECTION_SYSTEM,
    MAX_CERTIFICATE,
    SIGNATURE_TERMINAL,
    CardVerifiableCertificate,
    CvCertificateContent,
    CvEcKey,
    CvPublicKey,
    CvRsaKey,
    HolderAuthorization,
    HolderRole,
    SignatureScheme,
    build_cv_certificate,
    build_cv_certificate_body,
    parse_cv_certificate,
)

EAC = load("eacv1_ca_ta_synthetic")["cv_chain"]
BSI_ECDH = load("tr03110_eac_ecdh")
BSI_DH = load("tr03110_eac_dh")
DV = bytes.fromhex(EAC["dv"])
CVCA = bytes.fromhex(EAC["cvca"])
IDENTIFIER = "0.4.0.127.0.7.2.2.2.2.3"


def rebuilt(certificate: CardVerifiableCertificate) -> bytes:
    return build_cv_certificate(build_cv_certificate_body(certificate), certificate.signature)


# -- worked values ----------------------------------------------------------------------------


def test_a_chain_of_eac_version_1() -> None:
    cvca, dv, terminal = (parse_cv_certificate(bytes.fromhex(EAC[name])) for name in ("cvca", "dv", "is_dg3"))
    assert cvca.is_self_signed
    assert cvca.holder_reference == dv.authority_reference == "VNTESTCVCA00001"
    assert dv.holder_reference == terminal.authority_reference == "VNTESTDV00001"
    assert terminal.holder_reference == "VNTESTIS00001"
    assert not dv.is_self_signed
    roles = [held.authorization.role for held in (cvca, dv, terminal)]
    assert roles == [HolderRole.CVCA, HolderRole.DV_DOMESTIC, HolderRole.IS]
    assert [held.authorization.rights for held in (cvca, dv, terminal)] == [0b11, 0b11, 0b01]
    assert terminal.authorization.reads_dg3
    assert not terminal.authorization.reads_dg4
    assert (terminal.effective, terminal.expiration) == (date(2025, 1, 1), date(2025, 1, 31))
    assert isinstance(cvca.public_key.key, CvEcKey)
    assert cvca.public_key.key.curve == PARAMETERS_BY_NAME["brainpoolP256r1"]
    assert isinstance(terminal.public_key.key, CvEcKey)
    assert terminal.public_key.key.curve is None
    assert CV_ALGORITHMS[terminal.public_key.algorithm] == (SignatureScheme.ECDSA, "sha256")


@pytest.mark.parametrize(
    ("vector", "names"),
    [(BSI_ECDH, ("cvca_cert", "dv_cert", "ta_cert")), (BSI_DH, ("cvca", "dv_cert", "ta_cert"))],
    ids=["ecdh", "dh"],
)
def test_the_certificates_of_the_worked_example(vector: dict[str, object], names: tuple[str, ...]) -> None:
    for name, told in zip(names, vector["cvc_chain"], strict=True):  # type: ignore[call-overload]
        encoded = bytes.fromhex(vector["values"][name])  # type: ignore[index]
        certificate = parse_cv_certificate(encoded)
        assert certificate.authority_reference == told["car"]
        assert certificate.holder_reference == told["chr"]
        assert certificate.public_key.algorithm == told["alg"]
        assert build(0x7F4C, bytes.fromhex(told["chat"])) in certificate.body
        assert certificate.effective.strftime("%y%m%d") == told["eff"][1::2]
        assert certificate.expiration.strftime("%y%m%d") == told["exp"][1::2]
        assert rebuilt(certificate) == encoded


def test_what_a_chip_takes_is_body_and_signature() -> None:
    certificate = parse_cv_certificate(DV)
    assert certificate.content_octets == only(DV, 0x7F21)
    assert certificate.body == children(only(DV, 0x7F21))[0].encoded


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "terminal", "rights"),
    [
        ("cvca-epass.cv", INSPECTION_SYSTEM, 0b01),
        ("cvca-eid.cv", AUTHENTICATION_TERMINAL, 0x3E0F01FFFF),
        ("cvca-esign.cv", SIGNATURE_TERMINAL, 0b10),
    ],
)
def test_the_german_authorities(shared: Path, file: str, terminal: str, rights: int) -> None:
    encoded = (shared / "data" / "emrtd" / "openpace" / file).read_bytes()
    certificate = parse_cv_certificate(encoded)
    assert certificate.is_self_signed
    assert certificate.authorization.oid == terminal
    assert certificate.authorization.role is HolderRole.CVCA
    assert certificate.authorization.reads_dg3 == (terminal == INSPECTION_SYSTEM)
    assert certificate.authorization.rights == rights
    assert rebuilt(certificate) == encoded


# -- both directions --------------------------------------------------------------------------

_references = st.builds(
    "{}{}{}".format,
    st.sampled_from(["VN", "DE", "NL"]),
    st.text(st.characters(codec="latin-1", exclude_categories=("C",)), min_size=1, max_size=9),
    st.from_regex(r"[0-9A-Z]{5}", fullmatch=True),
)
_days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
_ec_keys = st.builds(
    CvEcKey, st.one_of(st.none(), st.sampled_from(CURVES)), st.binary(min_size=1, max_size=133)
)
_rsa_keys = st.builds(CvRsaKey, st.integers(1, 2**4096), st.integers(1, 2**32))
_keys = st.sampled_from(sorted(CV_ALGORITHMS)).flatmap(
    lambda oid: st.builds(
        CvPublicKey,
        st.just(oid),
        _ec_keys if CV_ALGORITHMS[oid].scheme is SignatureScheme.ECDSA else _rsa_keys,
    )
)
_authorizations = st.one_of(
    st.builds(
        HolderAuthorization,
        st.sampled_from([INSPECTION_SYSTEM, SIGNATURE_TERMINAL]),
        st.sampled_from(HolderRole),
        st.integers(0, 2**6 - 1),
    ),
    st.builds(
        HolderAuthorization,
        st.just(AUTHENTICATION_TERMINAL),
        st.sampled_from(HolderRole),
        st.integers(0, 2**38 - 1),
    ),
)
_contents = st.builds(
    CvCertificateContent,
    authority_reference=_references,
    holder_reference=_references,
    public_key=_keys,
    authorization=_authorizations,
    effective=_days,
    expiration=_days,
    extensions=st.sampled_from([b"", build(0x73, build(0x06, b"\x2a\x03") + build(0x80, bytes(32)))]),
)


@given(_contents, st.binary(min_size=1, max_size=512))
def test_what_is_built_is_read_again(held: CvCertificateContent, signature: bytes) -> None:
    encoded = build_cv_certificate(build_cv_certificate_body(held), signature)
    read = parse_cv_certificate(encoded)
    names = CvCertificateContent.__dataclass_fields__
    assert {name: getattr(read, name) for name in names} == {name: getattr(held, name) for name in names}
    assert (read.encoded, read.signature) == (encoded, signature)
    assert rebuilt(read) == encoded


def test_a_number_filled_up_to_the_length_of_the_field_is_read() -> None:
    known = PARAMETERS_BY_NAME["secp521r1"]
    key = CvPublicKey(IDENTIFIER, CvEcKey(known, b"\x04" + bytes(132)))
    body = build_cv_certificate_body(content("VNCVCA00001", "VNCVCA00001", HolderRole.CVCA, key))
    short = build(0x83, known.b.to_bytes(65, "big"))
    assert short in body
    changed = _with_public_key(
        body, lambda value: value.replace(short, build(0x83, known.b.to_bytes(66, "big")))
    )
    read = parse_cv_certificate(build_cv_certificate(changed, b"\x01"))
    assert read.public_key == key


def _with_public_key(body: bytes, change: object) -> bytes:
    fields = [
        build(field.tag, change(field.value)) if field.tag == 0x7F49 else field.encoded  # type: ignore[operator]
        for field in children(only(body, 0x7F4E))
    ]
    return build(0x7F4E, b"".join(fields))


# -- refused ----------------------------------------------------------------------------------


def _with_field(tag: int, value: bytes | None) -> bytes:
    """The DV certificate with another value, or none, in one field of its body."""
    body, signature = children(only(DV, 0x7F21))
    fields = []
    for field in children(body.value):
        if field.tag != tag:
            fields.append(field.encoded)
        elif value is not None:
            fields.append(build(tag, value))
    return build(0x7F21, build(0x7F4E, b"".join(fields)) + signature.encoded)


FIELDS = (0x5F29, 0x42, 0x7F49, 0x5F20, 0x7F4C, 0x5F25, 0x5F24)


@pytest.mark.parametrize("tag", FIELDS)
def test_every_field_is_needed(tag: int) -> None:
    assert parse_cv_certificate(DV)
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(_with_field(tag, None))


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x5F29, b"\x01"),
        (0x5F29, b""),
        (0x42, b"VNTESTCVCAX00001X"),  # 17 characters
        (0x42, b"VN00001"),  # no mnemonic
        (0x42, b"V1TESTCVCA00001"),
        (0x42, b"VNTEST\x00CVC00001"),
        (0x42, b"VNTESTCVCA0 001"),
        (0x5F20, b""),
        (0x5F25, bytes((2, 5, 1, 3, 0, 1))),  # month 13
        (0x5F25, bytes((2, 5, 0, 2, 3, 0))),  # 30 February
        (0x5F25, bytes((2, 5, 0, 1, 0, 10))),
        (0x5F24, b"250101"),  # digits as text
        (0x5F24, bytes(5)),
        (0x7F4C, b""),
        (0x7F4C, build(0x06, encode_oid(INSPECTION_SYSTEM)) + build(0x53, b"\x83\x00")),
        (0x7F4C, build(0x06, encode_oid(AUTHENTICATION_TERMINAL)) + build(0x53, b"\x83")),
        (0x7F4C, build(0x06, encode_oid("0.4.0.127.0.7.3.1.2.9")) + build(0x53, b"\x83")),
        (0x7F4C, build(0x06, encode_oid(INSPECTION_SYSTEM)) + build(0x53, b"\x83") + build(0x53, b"\x83")),
        (0x7F49, build(0x06, encode_oid("0.4.0.127.0.7.2.2.2.2.6")) + build(0x86, bytes(65))),
        (0x7F49, build(0x06, encode_oid(IDENTIFIER))),
        (0x7F49, build(0x06, encode_oid(IDENTIFIER)) + build(0x86, bytes(65)) + build(0x88, b"")),
        (0x7F49, build(0x06, encode_oid("0.4.0.127.0.7.2.2.2.1.2")) + build(0x81, bytes(128))),
    ],
)
def test_a_field_that_is_not_as_prescribed(tag: int, value: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(_with_field(tag, value))


def test_fields_out_of_their_order_are_refused() -> None:
    body, signature = children(only(DV, 0x7F21))
    fields = [field.encoded for field in children(body.value)]
    swapped = build(0x7F4E, b"".join([fields[0], fields[3], fields[2], fields[1], *fields[4:]]))
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(build(0x7F21, swapped + signature.encoded))
    twice = build(0x7F4E, b"".join([*fields, fields[-1]]))
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(build(0x7F21, twice + signature.encoded))
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(build(0x7F21, signature.encoded + body.encoded))
    with pytest.raises(MalformedDocument):
        parse_cv_certificate(DV + b"\x00")


@pytest.mark.parametrize("position", range(7))
def test_curve_parameters_are_compared_to_the_last_value(position: int) -> None:
    """One bit of p, a, b, G, n or h is another curve, and all of them or none are written."""
    tags = (0x81, 0x82, 0x83, 0x84, 0x85, 0x87)
    body, signature = children(only(CVCA, 0x7F21))

    def changed(value: bytes) -> bytes:
        fields = []
        for field in children(value):
            octets = field.value
            if position < len(tags) and field.tag == tags[position]:
                octets = octets[:-1] + bytes((octets[-1] ^ 2,))
            if position == len(tags) and field.tag == 0x87:
                continue
            fields.append(build(field.tag, octets))
        return b"".join(fields)

    with pytest.raises(MalformedDocument):
        parse_cv_certificate(build(0x7F21, _with_public_key(body.encoded, changed) + signature.encoded))


def test_limits_come_before_parsing() -> None:
    with pytest.raises(LimitExceeded):
        parse_cv_certificate(build(0x7F21, bytes(MAX_CERTIFICATE)))
    deep = b"\x30\x00"
    for _ in range(20):
        deep = build(0x30, deep)
    with pytest.raises(LimitExceeded):
        parse_cv_certificate(build(0x7F21, deep))
    bomb = build(0x06, b"\x81" * 1000 + b"\x01") + build(0x86, bytes(65))
    with pytest.raises(LimitExceeded):
        parse_cv_certificate(_with_field(0x7F49, bomb))
    with pytest.raises(LimitExceeded):
        parse_cv_certificate(build(0x7F21, build(0x42, b"") * 500))


def test_truncated_and_damaged_certificates_meet_our_own_errors() -> None:
    for encoded in (CVCA, DV):
        assert all(is_refused(parse_cv_certificate, part) for part in truncations(encoded))
        for copy in damaged(encoded, count=1500, seed=3):
            is_refused(parse_cv_certificate, copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"authority_reference": "VN00001"},
        {"holder_reference": "VNTRẦN00001"},
        {"effective": date(1999, 12, 31)},
        {"expiration": date(2100, 1, 1)},
        {"authorization": HolderAuthorization(INSPECTION_SYSTEM, HolderRole.IS, 0x40)},
        {"authorization": HolderAuthorization(INSPECTION_SYSTEM, HolderRole.IS, -1)},
    ],
)
def test_what_cannot_be_written_is_no_certificate(changes: dict[str, object]) -> None:
    _, _, terminal = terminal_chain()
    with pytest.raises(ValueError):  # noqa: PT011 - of several writers
        build_cv_certificate_body(replace(terminal.certificate, **changes))  # type: ignore[arg-type]
