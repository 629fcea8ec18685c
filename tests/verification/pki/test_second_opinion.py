"""What we read and write, read again by a parser that is not ours: asn1crypto.

The product walks DER with its own reader (DECISIONS.md); here the two have to agree, on our own
files and on every certificate of a real master list.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any, ClassVar

import pytest
from asn1crypto import cms, core, crl, keys, x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import Ceremony
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_security_object
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.encoding.object_identifier import decode_oid
from verification.lds.dg15 import parse_dg15
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import HASH_LENGTHS
from verification.lds.security_infos import parse_card_access, parse_dg14
from verification.lds.security_object import parse_security_object
from verification.lds.template import template_value
from verification.pki.certificate import Certificate, parse_certificate
from verification.pki.distinguished_name import country_of
from verification.pki.master_list import parse_master_list
from verification.pki.public_keys import load_public_key
from verification.pki.revocation import parse_revocation_list
from verification.pki.trust_store import TrustStore

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"


class DataGroupHash(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("number", core.Integer), ("value", core.OctetString)]


class DataGroupHashes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = DataGroupHash


class LdsVersionInfo(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[Any]] = [("lds", core.PrintableString), ("unicode", core.PrintableString)]


class LdsSecurityObject(core.Sequence):  # type: ignore[misc]
    """ICAO 9303-10, 4.6.2.3."""

    _fields: ClassVar[list[Any]] = [
        ("version", core.Integer),
        ("hash_algorithm", cms.DigestAlgorithm),
        ("hashes", DataGroupHashes),
        ("version_info", LdsVersionInfo, {"optional": True}),
    ]


class SecurityInfo(core.Sequence):  # type: ignore[misc]
    """ICAO 9303-11, 9.2."""

    _fields: ClassVar[list[Any]] = [
        ("protocol", core.ObjectIdentifier),
        ("required", core.Any),
        ("optional", core.Any, {"optional": True}),
    ]


class SecurityInfos(core.SetOf):  # type: ignore[misc]
    _child_spec = SecurityInfo


def encoded(certificate: Any) -> bytes:
    return bytes(certificate.public_bytes(Encoding.DER))


@pytest.fixture(params=["p256", "product curves"], scope="module")
def issuer(request: pytest.FixtureRequest) -> Ceremony:
    return pki.quick_issuer() if request.param == "p256" else pki.issuer()


# -- EF.SOD -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version_info", [None, ("0108", "040000")], ids=["version 0", "version 1"])
@pytest.mark.parametrize("name", sorted(HASH_LENGTHS))
def test_the_security_object(issuer: Ceremony, name: str, version_info: tuple[str, str] | None) -> None:
    hashes = data_group_hashes(pki.quick_card().files, name)
    file = sign_security_object(
        hashes,
        issuer.document_signer,
        hash_algorithm=name,
        version_info=version_info,
        signing_time=pki.SIGNED,
    )
    ours = parse_security_object(file)
    envelope = cms.ContentInfo.load(template_value(file, LdsFile.SOD), strict=True)
    assert envelope["content_type"].native == "signed_data"
    theirs = envelope["content"]
    assert theirs["version"].native == "v3"
    assert theirs["encap_content_info"]["content_type"].dotted == ours.content_type == LDS_SECURITY_OBJECT
    content = theirs["encap_content_info"]["content"].native
    assert content == ours.content
    listed = LdsSecurityObject.load(content, strict=True)
    assert listed["version"].native == ours.lds_version == (0 if version_info is None else 1)
    assert listed["hash_algorithm"]["algorithm"].native == ours.hash_algorithm == name
    assert {entry["number"].native: entry["value"].native for entry in listed["hashes"]} == dict(ours.hashes)
    assert ours.hashes == hashes
    stated = None if version_info is None else tuple(listed["version_info"].native.values())
    assert stated == ours.lds_version_info == version_info
    assert [choice.chosen.dump() for choice in theirs["certificates"]] == list(ours.certificates)
    (signer,) = theirs["signer_infos"]
    require_same_signer(ours.signer, signer, theirs)
    # The strictest question last: does it write the same bytes when it writes all of them anew?
    assert envelope.copy().dump(force=True) == template_value(file, LdsFile.SOD)
    assert listed.copy().dump(force=True) == content


def require_same_signer(ours: Any, theirs: Any, signed_data: Any) -> None:
    assert theirs["version"].native == "v1"
    assert theirs["sid"].name == "issuer_and_serial_number"
    assert theirs["sid"].chosen["issuer"].dump() == ours.issuer
    assert theirs["sid"].chosen["serial_number"].native == int.from_bytes(ours.serial_number, "big")
    assert theirs["digest_algorithm"]["algorithm"].native == ours.digest_algorithm
    assert [entry["algorithm"].native for entry in signed_data["digest_algorithms"]] == [
        ours.digest_algorithm
    ]
    assert theirs["signature_algorithm"].dump() == ours.signature_algorithm
    assert theirs["signature"].native == ours.signature
    attributes = {entry["type"].native: entry["values"][0] for entry in theirs["signed_attrs"]}
    assert len(attributes) == len(theirs["signed_attrs"]) == 3
    assert attributes["content_type"].dotted == decode_oid(ours.attributes.content_type)
    assert attributes["message_digest"].native == ours.attributes.message_digest
    assert attributes["signing_time"].native == ours.attributes.signing_time == pki.SIGNED
    # What is signed is the SET, not the [0] in the file (RFC 5652, 5.4).
    assert theirs["signed_attrs"].untag().dump() == ours.attributes.encoded


# -- DG14, EF.CardAccess, DG15 ----------------------------------------------------------------


def test_the_security_infos() -> None:
    files = pki.quick_card().files
    for inner, ours in (
        (template_value(files[LdsFile.DG14], LdsFile.DG14), parse_dg14(files[LdsFile.DG14])),
        (files[LdsFile.CARD_ACCESS], parse_card_access(files[LdsFile.CARD_ACCESS])),
    ):
        theirs = SecurityInfos.load(inner, strict=True)
        known = Counter(
            entry.protocol
            for kind in (ours.pace, ours.chip_authentication, ours.chip_authentication_keys, ours.unknown)
            for entry in kind
        )
        known.update("0.4.0.127.0.7.2.2.2" for _ in ours.terminal_authentication)
        known.update("2.23.136.1.1.5" for _ in ours.active_authentication)
        assert Counter(entry["protocol"].dotted for entry in theirs) == known
        by_protocol = {entry["protocol"].dotted: entry for entry in theirs}
        for pace in ours.pace:
            entry = by_protocol[pace.protocol]
            assert entry["required"].parse(core.Integer).native == pace.version
            assert entry["optional"].parse(core.Integer).native == pace.parameter_id
        for held in ours.chip_authentication_keys:
            info = by_protocol[held.protocol]["required"].parse(keys.PublicKeyInfo)
            assert info.dump() == held.public_key_info
        # DER: the members of a SET OF stand in ascending order, which asn1crypto restores by itself.
        assert theirs.copy().dump(force=True) == inner


def test_the_active_authentication_key() -> None:
    file = pki.quick_card().files[LdsFile.DG15]
    theirs = keys.PublicKeyInfo.load(template_value(file, LdsFile.DG15), strict=True)
    assert theirs.dump() == parse_dg15(file).public_key_info
    assert (theirs.algorithm, theirs.curve) == ("ec", ("named", "secp256r1"))
    assert theirs.copy().dump(force=True) == parse_dg15(file).public_key_info


# -- certificates and lists -------------------------------------------------------------------


def require_same_certificate(ours: Certificate, theirs: Any) -> None:
    part = theirs["tbs_certificate"]
    assert int.from_bytes(ours.serial_number, "big", signed=True) == part["serial_number"].native
    assert (ours.signed, ours.signature) == (part.dump(), theirs["signature_value"].native)
    assert ours.signature_algorithm == theirs["signature_algorithm"].dump() == part["signature"].dump()
    assert (ours.issuer, ours.subject) == (part["issuer"].dump(), part["subject"].dump())
    assert ours.not_before == part["validity"]["not_before"].native.astimezone(UTC)
    assert ours.not_after == part["validity"]["not_after"].native.astimezone(UTC)
    assert ours.public_key_info == part["subject_public_key_info"].dump()
    extensions = {entry["extn_id"].dotted: entry["extn_value"].native for entry in part["extensions"]}
    assert {decode_oid(oid): value for oid, value in ours.extensions.items()} == {
        entry["extn_id"].dotted: entry["extn_value"].contents for entry in part["extensions"]
    }
    assert len(extensions) == len(part["extensions"])
    # TRUE is FF in DER (X.690, 11.1); asn1crypto, as we, takes any other octet but 00 for it too.
    assert ours.is_authority == bool(theirs.ca)
    assert ours.subject_key_id == theirs.key_identifier
    assert ours.authority_key_id == theirs.authority_key_identifier
    usage = theirs.key_usage_value
    assert bool((ours.key_usage or 0) & 0x80) == bool(usage and "digital_signature" in usage.native)
    assert bool((ours.key_usage or 0) & 0x04) == bool(usage and "key_cert_sign" in usage.native)
    assert bool((ours.key_usage or 0) & 0x02) == bool(usage and "crl_sign" in usage.native)
    country = part["subject"].native.get("country_name")
    assert country_of(ours.subject) == (country.upper() if country else None)


def test_our_certificates(issuer: Ceremony) -> None:
    for certificate in (issuer.csca.certificate, issuer.document_signer.certificate):
        theirs = x509.Certificate.load(encoded(certificate), strict=True)
        require_same_certificate(parse_certificate(encoded(certificate)), theirs)
        assert theirs.copy().dump(force=True) == encoded(certificate)


@pytest.mark.parametrize("revoked", [(), (5,), (5, 127, 128, 255, 2**64, 2**158)])
def test_our_revocation_lists(issuer: Ceremony, revoked: tuple[int, ...]) -> None:
    file = encoded(issue_revocation_list(issuer.csca, pki.NOW, revoke=revoked))
    ours, theirs = parse_revocation_list(file), crl.CertificateList.load(file, strict=True)
    part = theirs["tbs_cert_list"]
    assert ours.issuer == part["issuer"].dump()
    assert (ours.this_update, ours.next_update) == (part["this_update"].native, part["next_update"].native)
    found = {int.from_bytes(number, "big") for number in ours.serial_numbers}
    listed = part["revoked_certificates"]
    assert found == {entry["user_certificate"].native for entry in listed} == set(revoked)
    assert ours.number == theirs.crl_number_value.native
    assert ours.issuer_key_id == theirs.authority_key_identifier
    assert (ours.signed, ours.signature) == (part.dump(), theirs["signature"].native)
    assert ours.signature_algorithm == theirs["signature_algorithm"].dump() == part["signature"].dump()
    assert theirs.copy().dump(force=True) == file


# -- other countries' certificates ------------------------------------------------------------


class Certificates(core.SetOf):  # type: ignore[misc]
    _child_spec = x509.Certificate


class MasterList(core.Sequence):  # type: ignore[misc]
    """ICAO 9303-12, 9."""

    _fields: ClassVar[list[Any]] = [("version", core.Integer), ("certificates", Certificates)]


@pytest.fixture(scope="module")
def real_certificates(shared: Path) -> list[bytes]:
    """Every country signing CA of a published master list."""
    lists = sorted((shared / "data" / "emrtd" / "masterlists").glob("*.ml"))
    content = cms.ContentInfo.load(lists[0].read_bytes())["content"]["encap_content_info"]["content"]
    return [member.dump() for member in MasterList.load(content.native)["certificates"]]


@pytest.mark.shared_data
def test_every_certificate_of_a_real_master_list(real_certificates: list[bytes]) -> None:
    assert len(real_certificates) > 400
    for certificate in real_certificates:
        ours = parse_certificate(certificate)
        require_same_certificate(ours, x509.Certificate.load(certificate))
        load_public_key(ours.public_key_info)


@pytest.mark.shared_data
def test_the_real_master_list_is_taken_apart_alike(shared: Path, real_certificates: list[bytes]) -> None:
    encoded = (shared / "data/emrtd/masterlists/NL_ML_2026-07-22.ml").read_bytes()
    ours, theirs = parse_master_list(encoded), cms.ContentInfo.load(encoded)["content"]
    assert list(ours.members) == real_certificates
    assert ours.content == theirs["encap_content_info"]["content"].native
    assert [choice.chosen.dump() for choice in theirs["certificates"]] == list(ours.certificates)
    (signer,) = theirs["signer_infos"]
    assert ours.signer.subject_key_id == signer["sid"].chosen.native
    assert ours.signer.signature == signer["signature"].native
    purposes = x509.Certificate.load(ours.certificates[0]).extended_key_usage_value.native
    assert parse_certificate(ours.certificates[0]).extended_key_usages == tuple(purposes)


@pytest.mark.shared_data
def test_a_real_master_list_is_a_usable_trust_store(real_certificates: list[bytes]) -> None:
    store = TrustStore.from_certificates(real_certificates)
    assert len(store.authorities) == len(real_certificates)
    assert store.rejected == ()


@pytest.mark.shared_data
def test_the_security_objects_of_other_issuers(shared: Path) -> None:
    read = 0
    for path in sorted((shared / "data" / "emrtd").rglob("EF_SOD.bin")):
        file = path.read_bytes()
        ours = parse_security_object(file)
        theirs = cms.ContentInfo.load(template_value(file, LdsFile.SOD))["content"]
        content = theirs["encap_content_info"]["content"].native
        assert content == ours.content
        listed = LdsSecurityObject.load(content)
        assert {entry["number"].native: entry["value"].native for entry in listed["hashes"]} == ours.hashes
        assert [choice.chosen.dump() for choice in theirs["certificates"]] == list(ours.certificates)
        assert theirs["signer_infos"][0]["signature"].native == ours.signature
        assert theirs["signer_infos"][0]["signed_attrs"].untag().dump() == ours.signer.attributes.encoded  # type: ignore[union-attr]
        read += 1
    assert read >= 3
