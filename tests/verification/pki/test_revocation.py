"""Revocation lists: what they must be, and whom they refuse."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.support import hostile
from tests.support.trust_material import (
    IS_AUTHORITY,
    NOW,
    SINCE,
    UNTIL,
    Csca,
    Extension,
    name,
    revoked_entry,
    serial_of,
    signed_anew,
    usage,
    with_sha_1,
)
from verification.encoding.tlv import SEQUENCE, DerReader, build
from verification.errors import (
    LimitExceeded,
    MalformedDocument,
    RevocationUnknown,
    SignerRevoked,
    VerificationError,
)
from verification.pki.certificate import parse_certificate
from verification.pki.revocation import parse_revocation_list, require_not_revoked
from verification.pki.trust_store import TrustStore

ISSUER = Csca()
SIGNER = ISSUER.document_signer()
CRL = ISSUER.revocation_list()
CURRENT = SINCE + timedelta(days=30)


def store(*lists: bytes, csca: Csca = ISSUER) -> TrustStore:
    return TrustStore.from_certificates([csca.certificate], lists)


def codes(trust: TrustStore) -> list[str]:
    return [entry.code for entry in trust.rejected]


class TestItsParts:
    def test_they_are_read(self) -> None:
        found = parse_revocation_list(
            ISSUER.revocation_list([revoked_entry(number) for number in (5, 128, 2**100)], number=7)
        )
        assert found.issuer == parse_certificate(ISSUER.certificate).subject
        assert {int.from_bytes(number, "big") for number in found.serial_numbers} == {5, 128, 2**100}
        assert (found.number, found.this_update) == (7, SINCE)
        assert found.next_update - found.this_update == timedelta(days=90)
        assert found.issuer_key_id == parse_certificate(ISSUER.certificate).subject_key_id

    def test_there_is_room_for_more_signers_than_any_state_has_and_no_more(self) -> None:
        """A longer list would hold up whoever fetches it before its signature can be asked for."""
        entries = [revoked_entry(2**31 + number) for number in range(50_000)]
        assert len(parse_revocation_list(ISSUER.revocation_list(entries)).serial_numbers) == 50_000
        with pytest.raises(LimitExceeded):
            parse_revocation_list(ISSUER.revocation_list(entries * 2))

    @pytest.mark.parametrize("number", [0, 2**159 - 1])
    def test_a_number_is_up_to_twenty_octets(self, number: int) -> None:
        assert parse_revocation_list(ISSUER.revocation_list(number=number)).number == number

    @pytest.mark.parametrize("value", ["0201ff", "0200", "0215" + "01" * 21, "0401aa", "0201"])
    def test_another_number_is_refused(self, value: str) -> None:
        odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.20"), bytes.fromhex(value))
        with pytest.raises(MalformedDocument):
            parse_revocation_list(ISSUER.revocation_list(number=None, extensions=[(odd, False)]))

    def test_a_list_without_a_number_still_revokes(self) -> None:
        trust = store(ISSUER.revocation_list([SIGNER], number=None))
        signer = trust.document_signer(SIGNER)
        with pytest.raises(SignerRevoked):
            require_not_revoked(signer.certificate, signer.revocation_lists, CURRENT)

    @pytest.mark.parametrize("critical", [True, False])
    @pytest.mark.parametrize(
        "extension",
        [
            x509.DeltaCRLIndicator(1),
            x509.IssuingDistributionPoint(None, None, True, False, None, False, False),
            x509.IssuingDistributionPoint(None, None, False, False, None, True, False),
        ],
        ids=["delta", "for a part", "indirect"],
    )
    def test_a_partial_or_indirect_list_is_refused(
        self, extension: x509.ExtensionType, critical: bool
    ) -> None:
        with pytest.raises(MalformedDocument):
            parse_revocation_list(ISSUER.revocation_list(extensions=[(extension, critical)]))

    def test_an_unknown_extension_is_refused_where_it_is_critical(self) -> None:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        parse_revocation_list(ISSUER.revocation_list(extensions=[(unknown, False)]))
        with pytest.raises(MalformedDocument):
            parse_revocation_list(ISSUER.revocation_list(extensions=[(unknown, True)]))

    def test_a_list_that_ends_before_it_begins_is_refused(self) -> None:
        found = parse_revocation_list(CRL)
        first, second = (
            moment.strftime("%y%m%d%H%M%SZ").encode() for moment in (found.this_update, found.next_update)
        )
        # Long enough that no signature holds it by chance.
        place = b"<the first moment>"
        swapped = CRL.replace(first, place).replace(second, first).replace(place, second)
        with pytest.raises(MalformedDocument, match="ends before"):
            parse_revocation_list(swapped)

    def test_a_list_that_does_not_say_until_when_it_counts_is_refused(self) -> None:
        found = parse_revocation_list(CRL)
        until = found.next_update.strftime("%y%m%d%H%M%SZ").encode()
        members = DerReader(found.signed).enter(SEQUENCE).remaining()
        assert members.count(until) == 1
        signed = build(SEQUENCE, members.replace(b"\x17\x0d" + until, b""))
        with pytest.raises(MalformedDocument):
            parse_revocation_list(signed_anew(CRL, ISSUER.key, signed=signed))


class TestItsEntries:
    def test_a_reason_is_passed_over(self) -> None:
        entry = revoked_entry(9, (x509.CRLReason(x509.ReasonFlags.key_compromise), False))
        assert parse_revocation_list(ISSUER.revocation_list([entry])).serial_numbers == {b"\x09"}

    @pytest.mark.parametrize("critical", [True, False])
    def test_an_entry_of_another_issuer_is_refused(self, critical: bool) -> None:
        """An indirect list that does not say so would revoke the wrong certificate."""
        other: Extension = (x509.CertificateIssuer([x509.DirectoryName(name("Other", "NL"))]), critical)
        with pytest.raises(MalformedDocument):
            parse_revocation_list(ISSUER.revocation_list([revoked_entry(9, other)]))

    def test_an_unknown_critical_extension_of_an_entry_is_refused(self) -> None:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        parse_revocation_list(ISSUER.revocation_list([revoked_entry(9, (unknown, False))]))
        with pytest.raises(MalformedDocument):
            parse_revocation_list(ISSUER.revocation_list([revoked_entry(9, (unknown, True))]))


class TestWhomItRefuses:
    def test_a_serial_number_decides(self) -> None:
        certificate = parse_certificate(SIGNER)
        empty, listed = parse_revocation_list(CRL), parse_revocation_list(ISSUER.revocation_list([SIGNER]))
        require_not_revoked(certificate, [empty], CURRENT)
        with pytest.raises(SignerRevoked):
            require_not_revoked(certificate, [empty, listed], CURRENT)
        with pytest.raises(RevocationUnknown):
            require_not_revoked(certificate, [], CURRENT)

    def test_one_number_written_in_two_ways_is_one_number(self) -> None:
        """A negative serial number and the same octets with a leading zero: real issuers mix them."""
        certificate = parse_certificate(SIGNER)._replace(serial_number=b"\x9a\x01")
        listed = parse_revocation_list(ISSUER.revocation_list([revoked_entry(0x9A01)]))
        with pytest.raises(SignerRevoked):
            require_not_revoked(certificate, [listed], CURRENT)

    def test_out_of_date_it_still_revokes_and_otherwise_knows_nothing(self) -> None:
        late = SINCE + timedelta(days=91)
        certificate = parse_certificate(SIGNER)
        with pytest.raises(SignerRevoked):
            require_not_revoked(certificate, [parse_revocation_list(ISSUER.revocation_list([SIGNER]))], late)
        with pytest.raises(RevocationUnknown):
            require_not_revoked(certificate, [parse_revocation_list(CRL)], late)


class TestWhoSignedIt:
    def test_the_successor_signs_for_the_signers_of_its_predecessor(self) -> None:
        """One name, two keys: the list of the new key holds the old key's signers (9303-12, 7.1.4)."""
        successor = Csca()
        trust = TrustStore.from_certificates(
            [ISSUER.certificate, successor.certificate], [successor.revocation_list([SIGNER])]
        )
        signer = trust.document_signer(SIGNER)
        with pytest.raises(SignerRevoked):
            require_not_revoked(signer.certificate, signer.revocation_lists, CURRENT)

    def test_somebody_elses_list_is_not_used(self) -> None:
        assert codes(store(Csca(subject=name("Other")).revocation_list())) == ["CHIP_DS_UNTRUSTED"]
        impostor = Csca()
        impostor.subject = ISSUER.subject
        assert codes(store(impostor.revocation_list())) == ["CHIP_DS_UNTRUSTED"]

    def test_a_key_that_may_not_sign_lists_is_not_believed(self) -> None:
        issuer = Csca(extensions=(IS_AUTHORITY, usage(key_cert_sign=True)))
        assert codes(store(issuer.revocation_list(), csca=issuer)) == ["CHIP_DS_UNTRUSTED"]

    def test_a_list_signed_after_the_csca_expired_is_not_used(self) -> None:
        late = ISSUER.revocation_list(issued=UNTIL + timedelta(days=1))
        assert codes(store(late)) == ["CHIP_DS_UNTRUSTED"]

    def test_a_weak_signature_is_not_believed(self) -> None:
        weak = with_sha_1(CRL, ISSUER.key)
        assert codes(store(weak)) == ["CHIP_DS_UNTRUSTED"]


class TestReplacing:
    def test_an_older_list_put_back_does_not_make_a_revoked_signer_good(self) -> None:
        trust = store(ISSUER.revocation_list([SIGNER], number=2))
        trust.replace_revocation_lists([ISSUER.revocation_list(number=1)])
        assert codes(trust) == ["REVOCATION_LIST_OUTDATED"]
        signer = trust.document_signer(SIGNER)
        with pytest.raises(SignerRevoked):
            require_not_revoked(signer.certificate, signer.revocation_lists, CURRENT)

    def test_the_same_list_and_newer_ones_replace_it(self) -> None:
        trust = store(ISSUER.revocation_list(number=2))
        for number in (2, 3, 3):
            trust.replace_revocation_lists([ISSUER.revocation_list(number=number)])
            assert codes(trust) == []
            assert [known.number for known in trust.document_signer(SIGNER).revocation_lists] == [number]

    def test_old_and_new_handed_in_together_are_both_used(self) -> None:
        trust = store(ISSUER.revocation_list([SIGNER], number=1), ISSUER.revocation_list(number=2))
        assert codes(trust) == []
        assert len(trust.document_signer(SIGNER).revocation_lists) == 2

    def test_rejected_lists_do_not_pile_up(self) -> None:
        trust = TrustStore.from_certificates([ISSUER.certificate, SIGNER], [b"junk"])
        for _ in range(3):
            trust.replace_revocation_lists([b"junk", CRL])
            assert codes(trust) == ["CHIP_DS_UNTRUSTED", "DOCUMENT_MALFORMED"]
        trust.replace_revocation_lists([CRL])
        assert codes(trust) == ["CHIP_DS_UNTRUSTED"]


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
@pytest.mark.parametrize("listed", [(), (9, 2**100)], ids=["empty", "with entries"])
def test_every_flipped_byte_is_refused(mask: int, listed: tuple[int, ...]) -> None:
    crl = ISSUER.revocation_list([revoked_entry(number) for number in listed])
    trust = store()
    for position in range(len(crl)):
        altered = bytearray(crl)
        altered[position] ^= mask
        trust.replace_revocation_lists([bytes(altered)])
        assert len(trust.rejected) == 1, position


def test_damage_ends_in_our_own_error() -> None:
    crl = ISSUER.revocation_list([revoked_entry(9, (x509.CRLReason(x509.ReasonFlags.superseded), False))])
    for data in hostile.truncations(crl):
        assert hostile.is_refused(parse_revocation_list, data)
    for data in hostile.damaged(crl, count=3000, seed=3):
        hostile.is_refused(parse_revocation_list, data)


@pytest.mark.shared_data
class TestRealLists:
    def test_of_colombia(self, shared: Path) -> None:
        encoded = (shared / "data" / "emrtd" / "crl" / "COL.crl").read_bytes()
        found = parse_revocation_list(encoded)
        theirs = x509.load_der_x509_crl(encoded)
        assert found.number == 891
        assert found.serial_numbers == {
            entry.serial_number.to_bytes((entry.serial_number.bit_length() + 7) // 8, "big")
            for entry in theirs
        }
        assert (found.this_update, found.next_update) == (theirs.last_update_utc, theirs.next_update_utc)

    def test_it_is_believed_through_the_master_list_and_no_flipped_byte_is(self, shared: Path) -> None:
        """Its CSCA is in the Dutch list: the only real list whose signature can be verified here."""
        folder = shared / "data" / "emrtd"
        crl = (folder / "crl" / "COL.crl").read_bytes()
        anchors = [
            (folder / "masterlists" / f).read_bytes() for f in ("NL_ROOT_CA.cer", "NL_ML_2026-07-22.ml")
        ]
        trust = TrustStore.from_files([*anchors, crl])
        assert trust.rejected == ()
        for position in range(len(crl)):
            altered = bytearray(crl)
            altered[position] ^= 0x01
            trust.replace_revocation_lists([bytes(altered)])
            assert len(trust.rejected) == 1, position

    def test_of_the_synthetic_card(self, shared: Path) -> None:
        pki = shared / "data" / "emrtd" / "synthetic_cccd" / "pki"
        trust = TrustStore.from_files([(pki / "csca1.cer").read_bytes(), (pki / "csca1.crl").read_bytes()])
        assert trust.rejected == ()
        revoked = trust.document_signer((pki / "ds_revoked.cer").read_bytes())
        with pytest.raises(VerificationError):
            require_not_revoked(revoked.certificate, revoked.revocation_lists, NOW)
        good = trust.document_signer((pki / "ds1.cer").read_bytes())
        require_not_revoked(good.certificate, good.revocation_lists, good.revocation_lists[0].this_update)
        assert serial_of((pki / "ds_revoked.cer").read_bytes()) == 0x1002
