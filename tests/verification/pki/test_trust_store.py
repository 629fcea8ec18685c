"""Which certificates and lists are believed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support import hostile
from tests.support.explicit_curve import explicit_key_info, explicit_parameters
from tests.support.trust_material import (
    IS_AUTHORITY,
    NOW,
    SIGNS,
    SIGNS_CERTIFICATES,
    SINCE,
    UNTIL,
    Csca,
    Extension,
    MasterListMaker,
    issuer_key_id,
    key_id,
    name,
    new_key,
    signed_anew,
    usage,
    with_sha_1,
)
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.encoding.tlv import INTEGER, SEQUENCE, DerReader, build
from verification.errors import AlgorithmRefused, SignerUntrusted, VerificationError
from verification.pki import authorities
from verification.pki.authorities import MAX_CANDIDATES, follow_links, read_authority
from verification.pki.certificate import parse_certificate
from verification.pki.defect_list import DefectKind, parse_defect_list
from verification.pki.revocation import require_not_revoked
from verification.pki.signature_policy import Departure, SignaturePolicy
from verification.pki.trust_store import MAX_CACHED_SIGNERS, TrustStore

ISSUER = Csca()
CSCA = ISSUER.certificate
SIGNER = ISSUER.document_signer()
CRL = ISSUER.revocation_list()
LEGACY = SignaturePolicy(accepts_legacy=True)


def store(*csca: bytes, policy: SignaturePolicy | None = None) -> TrustStore:
    return TrustStore.from_certificates(csca or [CSCA], policy=policy or SignaturePolicy())


def codes(trust: TrustStore) -> list[str]:
    return [entry.code for entry in trust.rejected]


class TestDocumentSigner:
    def test_a_plain_signer_is_accepted(self) -> None:
        assert store().document_signer(SIGNER).authority.encoded == CSCA

    @pytest.mark.parametrize(
        "extensions",
        [
            [(x509.SubjectKeyIdentifier(bytes(20)), False)],
            [usage(crl_sign=True)],
            [SIGNS, (x509.BasicConstraints(ca=True, path_length=None), True)],
            [SIGNS, (x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.136.1.1.3")]), False)],
            [SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)],
            [SIGNS, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)],
        ],
        ids=["no key usage", "other usage", "authority", "master list signer", "server", "unknown critical"],
    )
    def test_a_certificate_that_is_not_for_documents_is_refused(self, extensions: list[Extension]) -> None:
        with pytest.raises(SignerUntrusted):
            store().document_signer(ISSUER.document_signer(*extensions))

    def test_an_unknown_extension_that_is_not_critical_is_no_obstacle(self) -> None:
        extra = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        store().document_signer(ISSUER.document_signer(SIGNS, (extra, False)))

    @pytest.mark.parametrize("country", ["vn", "VN"])
    def test_the_country_is_compared_without_case(self, country: str) -> None:
        store().document_signer(ISSUER.document_signer(subject=name("Signer", country)))

    def test_a_csca_makes_no_signers_for_another_country(self) -> None:
        """Otherwise any State of a master list could sign the documents of all the others."""
        with pytest.raises(SignerUntrusted, match="another country"):
            store().document_signer(ISSUER.document_signer(subject=name("Signer", "NL")))

    def test_the_csca_must_have_been_valid_when_it_issued(self) -> None:
        late = ISSUER.issue(
            name("Signer"), new_key(), SIGNS, valid=(UNTIL + timedelta(1), UNTIL + timedelta(9))
        )
        with pytest.raises(SignerUntrusted, match="was not valid"):
            store().document_signer(late)

    def test_a_weak_signature_is_named_as_the_reason(self) -> None:
        weak = with_sha_1(SIGNER, ISSUER.key)
        with pytest.raises(AlgorithmRefused, match="sha1"):
            store().document_signer(weak)
        signer = store(policy=LEGACY).document_signer(weak)
        assert signer.departures == {Departure.LEGACY_ALGORITHM}
        assert store(policy=LEGACY).document_signer(SIGNER).departures == frozenset()

    def test_a_short_key_needs_the_policy(self) -> None:
        short = ISSUER.issue(name("Signer"), ec.generate_private_key(ec.SECP224R1()), SIGNS)
        with pytest.raises(AlgorithmRefused, match="224"):
            store().document_signer(short)
        assert store(policy=LEGACY).document_signer(short).departures == {Departure.LEGACY_ALGORITHM}

    def test_a_known_defect_comes_with_the_signer(self) -> None:
        digest = hashes.Hash(hashes.SHA256())
        digest.update(SIGNER)
        entry = f'{{"certificate_sha256": "{digest.finalize().hex()}", '
        entry += '"kind": "data_group_malformed", "reason": "Notice 7"}'
        defects = parse_defect_list(f'{{"version": 1, "defects": [{entry}]}}'.encode())
        (found,) = TrustStore.from_certificates([CSCA], defects=defects).document_signer(SIGNER).defects
        assert found == (DefectKind.DATA_GROUP_MALFORMED, "Notice 7")
        assert store().document_signer(SIGNER).defects == ()


class TestWhatIsHandedIn:
    def test_what_cannot_be_used_is_listed_and_does_not_hinder_the_rest(self) -> None:
        trust = TrustStore.from_certificates([b"junk", SIGNER, CSCA, CSCA], [b"junk", CRL])
        assert len(trust.authorities) == 1
        assert codes(trust) == ["DOCUMENT_MALFORMED", "CHIP_DS_UNTRUSTED", "DOCUMENT_MALFORMED"]

    def test_a_folder_is_read_in_any_order(self) -> None:
        for contents in ([CRL, CSCA], [CSCA, CRL]):
            trust = TrustStore.from_files(contents)
            assert trust.document_signer(SIGNER).revocation_lists
            assert trust.rejected == ()

    def test_an_altered_csca_is_not_trusted(self) -> None:
        altered = bytearray(CSCA)
        altered[-1] ^= 1
        assert store(bytes(altered)).authorities == ()

    def test_true_written_as_one_is_true(self) -> None:
        """As the Ukrainian CSCA has it; its own signature is over these very octets."""
        odd = Csca(extensions=(_RAW_AUTHORITY, SIGNS_CERTIFICATES))
        assert store(odd.certificate).document_signer(odd.document_signer())

    @pytest.mark.parametrize("value", ["300301010", "3003010100", "3000", "0400", "30030201"])
    def test_broken_basic_constraints_are_refused_with_a_reason(self, value: str) -> None:
        broken = x509.UnrecognizedExtension(_BASIC_CONSTRAINTS, bytes.fromhex(value.ljust(10, "0")))
        trust = store(Csca(extensions=((broken, True), SIGNS_CERTIFICATES)).certificate)
        assert trust.authorities == ()
        assert trust.rejected[0].reason

    def test_a_negative_serial_number_is_no_obstacle(self) -> None:
        positive = Csca()
        assert store(positive.certificate).authorities
        for serial in (b"\x80\x01", b"\xff"):
            encoded = _with_serial(positive, serial)
            assert store(encoded).authorities[0].certificate.serial_number == serial

    def test_explicit_parameters_of_a_csca_are_read(self) -> None:
        """OpenSSL refuses such a certificate in a chain; most real CSCAs are so."""
        odd = _with_explicit_parameters(ISSUER)
        assert store(odd).document_signer(SIGNER).authority.encoded == odd


_BASIC_CONSTRAINTS = x509.ObjectIdentifier("2.5.29.19")
_RAW_AUTHORITY: Extension = (
    x509.UnrecognizedExtension(_BASIC_CONSTRAINTS, bytes.fromhex("3006010101020100")),
    True,
)


def _with_serial(issuer: Csca, serial: bytes) -> bytes:
    inner = DerReader(parse_certificate(issuer.certificate).signed).enter(SEQUENCE)
    version = inner.take_encoded(0xA0)
    inner.take(INTEGER)
    signed = build(SEQUENCE, version + build(INTEGER, serial) + inner.remaining())
    return signed_anew(issuer.certificate, issuer.key, signed=signed)


def _with_explicit_parameters(issuer: Csca) -> bytes:
    parsed = parse_certificate(issuer.certificate)
    explicit = explicit_key_info(
        explicit_parameters(PARAMETERS_BY_NAME["secp256r1"]), parsed.public_key_info[-65:]
    )
    members = DerReader(parsed.signed).enter(SEQUENCE).remaining()
    signed = build(SEQUENCE, members.replace(parsed.public_key_info, explicit))
    return signed_anew(issuer.certificate, issuer.key, signed=signed)


class TestSuccessors:
    def test_successors_of_one_name_are_told_apart_by_signature(self) -> None:
        trust = store(*(Csca().certificate for _ in range(3)), CSCA)
        assert trust.document_signer(SIGNER).authority.encoded == CSCA

    def test_a_key_identifier_of_another_key_does_not_hide_the_right_one(self) -> None:
        """Two real CSCAs share an identifier; the name leads to the one that signed."""
        impostor = Csca()
        borrowed = impostor.issue(
            impostor.subject, impostor.key, IS_AUTHORITY, SIGNS_CERTIFICATES, key_id(ISSUER.key)
        )
        signer = ISSUER.document_signer(SIGNS, issuer_key_id(ISSUER.key))
        for order in ([borrowed, CSCA], [CSCA, borrowed]):
            assert store(*order).document_signer(signer).authority.encoded == CSCA

    def test_a_name_written_in_another_string_type_is_the_same_name(self) -> None:
        subject = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "VN"),
                x509.NameAttribute(
                    x509.NameOID.COMMON_NAME, "Csca  2", _type=x509.name._ASN1Type.PrintableString
                ),
            ]
        )
        written = Csca(subject=subject)
        signer = Csca(
            subject=x509.Name([*list(subject)[:1], x509.NameAttribute(x509.NameOID.COMMON_NAME, "CSCA 2")]),
            key=written.key,
        ).document_signer()
        assert store(written.certificate).document_signer(signer)

    def test_links_lead_on_from_a_trusted_csca_only(self) -> None:
        second, third = Csca(subject=name("CSCA 2")), Csca(subject=name("CSCA 3"))
        links = [second.link_to(third), ISSUER.link_to(second)]
        assert store(*links).authorities == ()
        assert codes(store(*links)) == ["CHIP_DS_UNTRUSTED"] * 2
        trust = store(*links, CSCA)
        assert len(trust.authorities) == 3
        assert trust.document_signer(third.document_signer())

    def test_a_crowd_of_false_links_costs_little(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All of one name: each is asked for its signature by a few authorities, not by all."""
        asked = 0

        def counted(*_: object, **__: object) -> bool:
            nonlocal asked
            asked += 1
            return False

        issuers = [read_authority(Csca().certificate) for _ in range(40)]
        links = [read_authority(ISSUER.link_to(Csca(subject=name("CSCA")))) for _ in range(40)]
        monkeypatch.setattr(authorities, "is_signed_by", counted)
        assert follow_links(issuers, links) == ([], links)
        assert asked == len(links) * MAX_CANDIDATES

    def test_a_link_to_another_country_is_not_followed(self) -> None:
        foreign = Csca(subject=name("CSCA", "NL"))
        assert len(store(CSCA, ISSUER.link_to(foreign)).authorities) == 1

    def test_a_link_made_after_the_csca_expired_is_not_followed(self) -> None:
        late = Csca(subject=name("CSCA 2"), valid=(UNTIL + timedelta(days=1), UNTIL + timedelta(days=900)))
        assert len(store(CSCA, ISSUER.link_to(late)).authorities) == 1


class TestMasterLists:
    """What a list adds to a store; the list itself is judged in test_master_list.py."""

    def test_a_list_of_a_trusted_csca_brings_its_members(self) -> None:
        foreign = Csca(subject=name("CSCA", "NL"))
        signed = MasterListMaker(ISSUER).sign([CSCA, foreign.certificate])
        trust = TrustStore.from_files([signed, CSCA, foreign.revocation_list(), CRL])
        assert trust.rejected == ()
        assert len(trust.authorities) == 2
        signer = trust.document_signer(foreign.document_signer(subject=name("Signer", "NL")))
        assert signer.authority.encoded == foreign.certificate
        require_not_revoked(signer.certificate, signer.revocation_lists, SINCE)

    def test_a_list_of_somebody_else_brings_nothing(self) -> None:
        foreign = Csca(subject=name("CSCA", "NL"))
        trust = TrustStore.from_files([MasterListMaker(foreign).sign([foreign.certificate]), CSCA])
        assert [known.certificate.encoded for known in trust.authorities] == [CSCA]
        assert codes(trust) == ["MASTER_LIST_UNTRUSTED"]

    def test_one_list_does_not_make_another_believed(self) -> None:
        second, third = Csca(subject=name("CSCA", "NL")), Csca(subject=name("CSCA", "DE"))
        lists = [
            MasterListMaker(second, subject=name("Signer", "NL")).sign([third.certificate]),
            MasterListMaker(ISSUER).sign([second.certificate]),
        ]
        trust = TrustStore.from_files([CSCA, *lists])
        assert {known.country for known in trust.authorities} == {"VN", "NL"}
        assert codes(trust) == ["MASTER_LIST_UNTRUSTED"]

    def test_a_revoked_signer_of_lists_is_not_believed(self) -> None:
        maker = MasterListMaker(ISSUER)
        signed = maker.sign([Csca().certificate])
        trust = TrustStore.from_files([signed, CSCA, ISSUER.revocation_list([maker.certificate])])
        assert len(trust.authorities) == 1
        assert codes(trust) == ["CHIP_DS_REVOKED"]

    def test_a_bad_member_is_listed_and_hinders_no_other(self) -> None:
        good = Csca(subject=name("CSCA", "NL"))
        trust = TrustStore.from_files([CSCA, MasterListMaker(ISSUER).sign([good.certificate, SIGNER])])
        assert len(trust.authorities) == 2
        assert codes(trust) == ["CHIP_DS_UNTRUSTED"]


class TestMemory:
    def test_the_memory_of_signers_is_bounded(self) -> None:
        trust = store()
        known = trust.document_signer(SIGNER)
        for number in range(MAX_CACHED_SIGNERS - 1):
            trust._lists.signers[number.to_bytes(2, "big")] = known
        trust.document_signer(ISSUER.document_signer())
        assert len(trust._lists.signers) == 1

    def test_a_refused_signer_is_not_remembered(self) -> None:
        trust = TrustStore.from_certificates([])
        for _ in range(2):
            with pytest.raises(SignerUntrusted):
                trust.document_signer(SIGNER)
        assert not trust._lists.signers

    def test_a_remembered_signer_is_judged_by_the_lists_of_today(self) -> None:
        trust = TrustStore.from_certificates([CSCA], [CRL])
        first = trust.document_signer(SIGNER)
        assert trust.document_signer(SIGNER) is first
        trust.replace_revocation_lists([ISSUER.revocation_list([SIGNER], number=2)])
        later = trust.document_signer(SIGNER)
        with pytest.raises(VerificationError, match="on the revocation list"):
            require_not_revoked(later.certificate, later.revocation_lists, NOW)

    def test_lists_may_be_replaced_while_others_read(self) -> None:
        trust = TrustStore.from_certificates([CSCA], [CRL])

        def read() -> None:
            for _ in range(500):
                trust.document_signer(SIGNER)

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(read) for _ in range(3)]
            for _ in range(100):
                trust.replace_revocation_lists([CRL])
            for reader in readers:
                reader.result()
        assert trust.generation == 101


def test_damage_ends_in_our_own_error() -> None:
    for data in hostile.truncations(SIGNER):
        assert hostile.is_refused(parse_certificate, data)
    for data in hostile.damaged(SIGNER, count=2000, seed=3):
        hostile.is_refused(parse_certificate, data)
    for data in hostile.damaged(SIGNER, count=2000, seed=4):
        assert hostile.is_refused(store().document_signer, data)


def test_a_damaged_csca_never_stops_the_store() -> None:
    """Whatever is in a certificate that was handed in, it is listed and the rest is used."""
    damaged = list(hostile.damaged(CSCA, count=1500, seed=5))
    trust = TrustStore.from_certificates([*damaged, CSCA])
    assert [known.certificate.encoded for known in trust.authorities] == [CSCA]
    assert len(trust.rejected) == len(set(damaged))
