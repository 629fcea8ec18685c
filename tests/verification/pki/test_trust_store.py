"""Which certificates and lists are believed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from issuance_backend.csca.crl import issue_revocation_list
from tests.support import hostile, pki
from verification.errors import MalformedDocument, RevocationUnknown, SignerRevoked, SignerUntrusted
from verification.pki.certificate import parse_certificate
from verification.pki.revocation import parse_revocation_list, require_not_revoked
from verification.pki.trust_store import MAX_CACHED_SIGNERS, TrustStore

CSCA = pki.quick_issuer().csca.certificate.public_bytes(Encoding.DER)
SIGNER = pki.quick_issuer().document_signer.certificate.public_bytes(Encoding.DER)
CRL = pki.quick_issuer().revocation_list.public_bytes(Encoding.DER)


def signer_certificate(*extensions: tuple[x509.ExtensionType, bool], ca: bool = False) -> bytes:
    """A certificate under the trusted CSCA with a profile of our choice."""
    csca = pki.quick_issuer().csca
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Signer")]))
        .issuer_name(csca.certificate.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(77)
        .not_valid_before(pki.CEREMONY)
        .not_valid_after(pki.CEREMONY + timedelta(days=1000))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(csca._key, hashes.SHA384()).public_bytes(Encoding.DER)


def usage(**allowed: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    names += ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


SIGNS = (usage(digital_signature=True), True)


def test_a_plain_signer_is_accepted() -> None:
    pki.trust_store(pki.quick_issuer()).document_signer(signer_certificate(SIGNS))


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [(usage(crl_sign=True), True)],
        [SIGNS, (x509.BasicConstraints(ca=True, path_length=None), True)],
        [SIGNS, (x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.136.1.1.3")]), False)],
        [SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)],
        [SIGNS, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)],
    ],
    ids=["no key usage", "other usage", "authority", "master list signer", "server", "unknown critical"],
)
def test_a_certificate_that_is_not_for_documents_is_refused(
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> None:
    with pytest.raises(SignerUntrusted):
        pki.trust_store(pki.quick_issuer()).document_signer(signer_certificate(*extensions))


def test_an_unknown_extension_that_is_not_critical_is_no_obstacle() -> None:
    extra = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    pki.trust_store(pki.quick_issuer()).document_signer(signer_certificate(SIGNS, (extra, False)))


def test_what_cannot_be_used_is_listed_and_does_not_hinder_the_rest() -> None:
    store = TrustStore.from_certificates([b"junk", SIGNER, CSCA, CSCA], [b"junk", CRL])
    assert len(store.authorities) == 1
    assert [entry.code for entry in store.rejected] == [
        "DOCUMENT_MALFORMED",
        "CHIP_DS_UNTRUSTED",
        "DOCUMENT_MALFORMED",
    ]


def test_a_folder_is_read_in_any_order() -> None:
    for contents in ([CRL, CSCA], [CSCA, CRL]):
        store = TrustStore.from_files(contents)
        assert store.document_signer(SIGNER).revocation_lists
        assert store.rejected == ()


def test_an_altered_csca_is_not_trusted() -> None:
    altered = bytearray(CSCA)
    altered[-1] ^= 1
    assert TrustStore.from_certificates([bytes(altered)]).authorities == ()


def test_successors_of_one_name_are_told_apart_by_signature() -> None:
    csca = [pki.rogue(pki.P256).csca.certificate.public_bytes(Encoding.DER) for _ in range(3)]
    store = TrustStore.from_certificates([*csca, CSCA])
    assert store.document_signer(SIGNER).authority.encoded == CSCA


def test_the_memory_of_signers_is_bounded() -> None:
    store = pki.trust_store(pki.quick_issuer())
    store._signers = {
        (bytes(4), number): store.document_signer(SIGNER) for number in range(MAX_CACHED_SIGNERS)
    }
    store.document_signer(signer_certificate(SIGNS))
    assert len(store._signers) == 1


def test_a_refused_signer_is_not_remembered() -> None:
    store = TrustStore.from_certificates([])
    for _ in range(2):
        with pytest.raises(SignerUntrusted):
            store.document_signer(SIGNER)
    assert not store._signers


def test_lists_may_be_replaced_while_others_read() -> None:
    store = pki.trust_store(pki.quick_issuer())
    faults: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(500):
                store.document_signer(SIGNER)
        except BaseException as fault:  # noqa: BLE001 - carried out of the thread
            faults.append(fault)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        store.replace_revocation_lists([CRL])
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.generation == 101


def times_of(crl: bytes) -> tuple[datetime, datetime]:
    found = parse_revocation_list(crl)
    return found.this_update, found.next_update


class TestRevocationList:
    def test_its_parts(self) -> None:
        issuer = pki.quick_issuer()
        crl = issue_revocation_list(issuer.csca, pki.NOW, revoke=[5, 128, 2**100])
        found = parse_revocation_list(crl.public_bytes(Encoding.DER))
        assert found.issuer == parse_certificate(CSCA).subject
        assert {int.from_bytes(number, "big") for number in found.serial_numbers} == {5, 128, 2**100}
        assert found.next_update - found.this_update == timedelta(days=90)

    def test_a_serial_number_decides(self) -> None:
        certificate = parse_certificate(SIGNER)
        empty = parse_revocation_list(CRL)
        require_not_revoked(certificate, [empty], pki.NOW)
        listed = empty._replace(serial_numbers=frozenset({certificate.serial_number}))
        with pytest.raises(SignerRevoked):
            require_not_revoked(certificate, [empty, listed], pki.NOW)
        with pytest.raises(RevocationUnknown):
            require_not_revoked(certificate, [], pki.NOW)

    @pytest.mark.parametrize("critical", [True, False])
    @pytest.mark.parametrize(
        "extension",
        [
            x509.DeltaCRLIndicator(1),
            x509.IssuingDistributionPoint(None, None, True, False, None, False, False),
        ],
    )
    def test_a_partial_list_is_refused(self, extension: x509.ExtensionType, critical: bool) -> None:
        csca = pki.quick_issuer().csca
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(csca.certificate.subject)
            .last_update(pki.NOW)
            .next_update(pki.NOW + timedelta(days=1))
            .add_extension(extension, critical=critical)
        )
        part = builder.sign(csca._key, hashes.SHA384())
        with pytest.raises(MalformedDocument):
            parse_revocation_list(part.public_bytes(Encoding.DER))

    def test_a_list_that_ends_before_it_begins_is_refused(self) -> None:
        first, second = (moment.strftime("%y%m%d%H%M%SZ").encode() for moment in times_of(CRL))
        # Long enough that no signature holds it by chance.
        place = b"<the first moment>"
        swapped = CRL.replace(first, place).replace(second, first).replace(place, second)
        with pytest.raises(MalformedDocument, match="ends before"):
            parse_revocation_list(swapped)

    def test_rejected_lists_do_not_pile_up(self) -> None:
        store = TrustStore.from_certificates([CSCA, SIGNER], [b"junk"])
        for _ in range(3):
            store.replace_revocation_lists([b"junk", CRL])
            assert [entry.code for entry in store.rejected] == ["CHIP_DS_UNTRUSTED", "DOCUMENT_MALFORMED"]
        store.replace_revocation_lists([CRL])
        assert [entry.code for entry in store.rejected] == ["CHIP_DS_UNTRUSTED"]

    def test_reasons_of_entries_are_passed_over(self) -> None:
        csca = pki.quick_issuer().csca
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(9)
            .revocation_date(pki.NOW)
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(csca.certificate.subject)
            .last_update(pki.NOW)
            .next_update(pki.NOW + timedelta(days=1))
            .add_revoked_certificate(entry)
        )
        encoded = builder.sign(csca._key, hashes.SHA384()).public_bytes(Encoding.DER)
        assert parse_revocation_list(encoded).serial_numbers == frozenset({b"\x09"})

    def test_every_flipped_byte_is_refused(self) -> None:
        for position in range(len(CRL)):
            altered = bytearray(CRL)
            altered[position] ^= 0x01
            store = TrustStore.from_certificates([CSCA], [bytes(altered)])
            assert len(store.rejected) == 1, position


def test_damage_ends_in_our_own_error() -> None:
    for parse, encoded in ((parse_certificate, SIGNER), (parse_revocation_list, CRL)):
        for data in hostile.truncations(encoded):
            assert hostile.is_refused(parse, data)
        for data in hostile.damaged(encoded, count=2000, seed=3):
            hostile.is_refused(parse, data)


def test_properties_of_a_damaged_certificate_end_in_our_own_error() -> None:
    for data in hostile.damaged(SIGNER, count=3000, seed=4):
        hostile.is_refused(lambda encoded: pki.trust_store().document_signer(encoded), data)


@pytest.mark.shared_data
def test_a_real_list_of_another_country_is_read(shared: Path) -> None:
    found = parse_revocation_list((shared / "data" / "emrtd" / "crl" / "COL.crl").read_bytes())
    assert found.next_update > found.this_update
