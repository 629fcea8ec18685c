"""Master lists: who may sign one, and what becomes of the certificates in it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec

from tests.support import hostile
from tests.support.trust_material import (
    IS_AUTHORITY,
    NOW,
    SIGNED,
    SIGNS,
    SIGNS_CERTIFICATES,
    SIGNS_MASTER_LISTS,
    SINCE,
    UNTIL,
    Csca,
    MasterListMaker,
    name,
    usage,
)
from verification.encoding.tlv import SEQUENCE, build, children, only
from verification.errors import LimitExceeded, MalformedDocument, MasterListUntrusted, VerificationError
from verification.lds.signed_data import LDS_SECURITY_OBJECT
from verification.pki import master_list
from verification.pki.authorities import Authority, trusted_authorities
from verification.pki.cms_signature import MAX_CARRIED
from verification.pki.master_list import (
    MasterListFindings,
    examine_master_list,
    judge_members,
    parse_master_list,
    require_signed_list,
)

ROOT = Csca()
FOREIGN = Csca(subject=name("CSCA", "NL"))
MEMBERS = [ROOT.certificate, FOREIGN.certificate]
MAKER = MasterListMaker(ROOT)
LIST = MAKER.sign(MEMBERS)


def trusted(*csca: Csca) -> list[Authority]:
    return trusted_authorities(issuer.certificate for issuer in csca or (ROOT,))[0]


def examined(encoded: bytes, root: bytes | None = ROOT.certificate) -> MasterListFindings:
    return examine_master_list(encoded, root, NOW)


class TestItsParts:
    def test_they_are_read(self) -> None:
        found = parse_master_list(LIST)
        assert sorted(found.members) == sorted(MEMBERS)
        assert found.certificates == (MAKER.certificate,)
        assert found.signer.attributes is not None
        assert found.signer.attributes.signing_time == SIGNED

    def test_another_content_type_is_no_master_list(self) -> None:
        with pytest.raises(MalformedDocument, match="no master list"):
            parse_master_list(MAKER.sign(MEMBERS, content_type=LDS_SECURITY_OBJECT))

    def test_another_version_is_refused(self) -> None:
        with pytest.raises(MalformedDocument, match="version"):
            parse_master_list(MAKER.sign(MEMBERS, version=1))

    def test_limits_come_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(LimitExceeded):
            parse_master_list(MAKER.sign(MEMBERS, carried=[ROOT.certificate] * MAX_CARRIED))
        monkeypatch.setattr(master_list, "MAX_MEMBERS", 1)
        with pytest.raises(LimitExceeded):
            parse_master_list(LIST)
        monkeypatch.setattr(master_list, "MAX_MASTER_LIST", len(LIST) - 1)
        with pytest.raises(LimitExceeded):
            parse_master_list(LIST)

    def test_indefinite_lengths_are_read(self) -> None:
        """BER as `openssl cms -stream` writes it: the wrappers only, what was signed keeps its octets."""
        inner = only(LIST, SEQUENCE)
        oid, explicit = children(inner)
        indefinite = b"\x30\x80" + oid.encoded + b"\xa0\x80" + explicit.value + b"\x00\x00" + b"\x00\x00"
        assert parse_master_list(indefinite) == parse_master_list(LIST)

    def test_an_empty_list_is_a_list(self) -> None:
        assert examined(MAKER.sign([])).certificates == 0


class TestWhoSignedIt:
    def test_a_signer_of_the_root_is_believed(self) -> None:
        assert require_signed_list(parse_master_list(LIST), trusted()).encoded == MAKER.certificate
        found = examined(LIST)
        assert (found.signature, found.signature_code, found.signature_reason) == ("successful", None, "")
        assert (found.certificates, found.loaded, found.usable_keys, found.refused) == (2, 2, 2, ())

    @pytest.mark.parametrize(
        ("extensions", "reason"),
        [
            ((SIGNS,), "not for signing master lists"),
            ((SIGNS_MASTER_LISTS,), "not for signing$"),
            ((usage(crl_sign=True), SIGNS_MASTER_LISTS), "not for signing$"),
            ((SIGNS, SIGNS_MASTER_LISTS, IS_AUTHORITY), "not for signing$"),
        ],
        ids=["document signer", "no key usage", "other usage", "authority"],
    )
    def test_only_a_signer_made_for_it_may(self, extensions: tuple, reason: str) -> None:  # type: ignore[type-arg]
        signed = MasterListMaker(ROOT, extensions).sign(MEMBERS)
        with pytest.raises(MasterListUntrusted, match=reason):
            require_signed_list(parse_master_list(signed), trusted())
        assert (examined(signed).signature, examined(signed).signature_code) == (
            "failed",
            "MASTER_LIST_UNTRUSTED",
        )

    def test_the_root_must_have_made_the_signer(self) -> None:
        with pytest.raises(MasterListUntrusted, match="no trusted CSCA"):
            require_signed_list(parse_master_list(LIST), trusted(FOREIGN))
        with pytest.raises(MasterListUntrusted, match="no trusted CSCA"):
            require_signed_list(parse_master_list(LIST), trusted(Csca()))

    def test_a_root_inside_the_list_is_not_believed_because_it_is_there(self) -> None:
        rogue = Csca()
        signed = MasterListMaker(rogue).sign([rogue.certificate], carried=[rogue.certificate])
        assert examined(signed).signature == "failed"

    def test_a_link_beside_the_list_leads_on_from_the_root(self) -> None:
        successor = Csca(subject=name("CSCA 2"))
        maker = MasterListMaker(successor)
        assert examined(maker.sign(MEMBERS)).signature == "failed"
        assert examined(maker.sign(MEMBERS, carried=[ROOT.link_to(successor)])).signature == "successful"

    def test_a_signer_of_another_country_is_refused(self) -> None:
        maker = MasterListMaker(ROOT, subject=name("Master List Signer", "NL"))
        assert examined(maker.sign(MEMBERS)).signature == "failed"

    def test_without_a_root_the_question_stays_open(self) -> None:
        found = examined(LIST, None)
        assert (found.signature, found.signature_code) == ("undetermined", "MASTER_LIST_UNTRUSTED")
        assert found.loaded == 2
        assert examined(LIST, b"no certificate").signature == "undetermined"


class TestWhen:
    def test_the_signer_was_valid_when_it_signed(self) -> None:
        for moment in (SINCE - timedelta(days=1), UNTIL + timedelta(days=1), None):
            assert examined(MAKER.sign(MEMBERS, signed=moment)).signature == "failed"

    def test_having_expired_since_is_said(self) -> None:
        found = examine_master_list(LIST, ROOT.certificate, UNTIL + timedelta(days=1))
        assert (found.signature, found.signature_code) == ("successful", "CHIP_DS_EXPIRED_SINCE")

    def test_not_valid_yet_is_a_failure(self) -> None:
        found = examine_master_list(LIST, ROOT.certificate, SINCE - timedelta(days=1))
        assert (found.signature, found.signature_code) == ("failed", "CHIP_DS_NOT_VALID")

    def test_the_root_was_valid_when_it_made_the_signer(self) -> None:
        early = MasterListMaker(ROOT, valid=(SINCE - timedelta(days=9), UNTIL))
        assert examined(early.sign(MEMBERS)).signature == "failed"


class TestItsMembers:
    def test_each_is_judged_by_itself(self) -> None:
        successor, unknown = Csca(subject=name("CSCA 2")), Csca(subject=name("CSCA 9", "DE"))
        link, orphan = ROOT.link_to(successor), unknown.link_to(Csca(subject=name("CSCA 10", "DE")))
        signer = ROOT.document_signer()
        found = examined(MAKER.sign([*MEMBERS, link, orphan, signer, b"\x30\x00"]))
        assert (found.certificates, found.loaded, found.usable_keys) == (6, 5, 5)
        members = found.members
        assert (members.self_signed, members.links, members.unproven) == (2, 1, 1)
        reasons = dict(found.refused)
        assert reasons["C=VN, O=Test Issuing Authority, CN=Document Signer"] == (
            "CHIP_DS_UNTRUSTED: certificate is not an authority"
        )
        unread = f"certificate with SHA-256 {hashlib.sha256(bytes((0x30, 0))).hexdigest()}"
        assert reasons[unread].startswith("DOCUMENT_MALFORMED")
        assert len(found.refused) == 2

    def test_a_link_is_proven_by_a_csca_that_was_trusted_before(self) -> None:
        successor = Csca(subject=name("CSCA 2"))
        members = judge_members(parse_master_list(MAKER.sign([ROOT.link_to(successor)])), trusted())
        assert (members.links, members.unproven) == (1, 0)

    def test_a_broken_self_signature_is_refused(self) -> None:
        altered = FOREIGN.certificate[:-1] + bytes((FOREIGN.certificate[-1] ^ 1,))
        found = examined(MAKER.sign([altered]))
        assert found.members.authorities == ()
        assert "does not verify" in found.refused[0].reason

    def test_a_key_that_is_not_relied_on_is_refused_with_its_reason(self) -> None:
        short = ec.generate_private_key(ec.SECP224R1())
        withdrawn = dsa.generate_private_key(2048)
        members = [
            ROOT.issue(name(f"CSCA {count}"), key, IS_AUTHORITY, SIGNS_CERTIFICATES)  # type: ignore[arg-type]
            for count, key in enumerate((short, withdrawn))
        ]
        found = examined(MAKER.sign(members))
        assert (found.loaded, found.usable_keys) == (2, 0)
        assert [entry.reason for entry in sorted(found.refused)] == [
            "CHIP_ALGORITHM_REFUSED: key of 224 bits",
            "CHIP_ALGORITHM_REFUSED: DSA key: no document signer known uses one, and FIPS 186-5 withdrew it",
        ]


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_flipped_byte_is_refused(mask: int) -> None:
    """Refused as a list, by our own error: nothing of it is ever believed."""
    anchors = trusted()
    for position in range(len(LIST)):
        altered = bytearray(LIST)
        altered[position] ^= mask
        with pytest.raises(VerificationError):
            require_signed_list(parse_master_list(bytes(altered)), anchors)


def test_damage_ends_in_our_own_error() -> None:
    for data in hostile.truncations(LIST):
        assert hostile.is_refused(parse_master_list, data)
    for data in hostile.damaged(LIST, count=1500, seed=7):
        hostile.is_refused(examined, data)


def test_a_member_with_any_damage_hinders_no_other() -> None:
    damaged = set(hostile.damaged(FOREIGN.certificate, count=800, seed=8))
    whole = [data for data in damaged if data[:1] == b"\x30" and _is_one_object(data)]
    assert len(whole) > 500
    members = judge_members(parse_master_list(MAKER.sign([*whole, ROOT.certificate])))
    assert ROOT.certificate in {known.certificate.encoded for known in members.authorities}
    assert len(members.authorities) + len(members.refused) == len(whole) + 1
    # A certificate whose names were changed no longer says that it signed itself.
    assert all(not known.names_itself for known in members.authorities[1:])


def _is_one_object(data: bytes) -> bool:
    return build(SEQUENCE, data[4:]) == data


@pytest.mark.shared_data
class TestTheDutchList:
    @pytest.fixture
    def folder(self, shared: Path) -> Path:
        return shared / "data" / "emrtd" / "masterlists"

    @pytest.fixture
    def encoded(self, folder: Path) -> bytes:
        return (folder / "NL_ML_2026-07-22.ml").read_bytes()

    @pytest.fixture
    def root(self, folder: Path) -> bytes:
        return (folder / "NL_ROOT_CA.cer").read_bytes()

    def test_every_certificate_loads_and_every_signature_that_can_be_is_verified(
        self, encoded: bytes, root: bytes
    ) -> None:
        found = examine_master_list(encoded, root, NOW)
        assert (found.signature, found.signature_reason) == ("successful", "")
        assert (found.certificates, found.loaded, found.usable_keys) == (411, 411, 411)
        assert found.refused == ()
        assert (found.members.self_signed, found.members.links, found.members.unproven) == (411, 0, 0)

    def test_the_ukrainian_csca_is_among_them(self, encoded: bytes, root: bytes) -> None:
        """It writes TRUE as 01 where it says that it is an authority."""
        members = examine_master_list(encoded, root, NOW).members
        odd = [
            known
            for known in members.authorities
            if bytes.fromhex("3006010101020100") in known.certificate.extensions.values()
        ]
        assert [known.country for known in odd] == ["UA"]

    def test_sampled_flipped_bytes_are_refused(self, encoded: bytes, root: bytes) -> None:
        """All of the wrappers and the signer, and one byte in 4,001 of the certificates."""
        anchors = trusted_authorities([root])[0]
        end_of_content = encoded.index(parse_master_list(encoded).certificates[0])
        positions = [*range(100), *range(100, end_of_content, 4001), *range(end_of_content, len(encoded))]
        for position in positions:
            altered = bytearray(encoded)
            altered[position] ^= 0x01
            with pytest.raises(VerificationError):
                require_signed_list(parse_master_list(bytes(altered)), anchors)


@pytest.mark.shared_data
class TestTheSyntheticList:
    @pytest.fixture
    def folder(self, shared: Path) -> Path:
        return shared / "data" / "emrtd" / "synthetic_cccd" / "pki"

    def test_its_members_load_and_are_proven(self, folder: Path) -> None:
        found = examine_master_list((folder / "masterlist.ml").read_bytes(), None, NOW)
        assert (found.certificates, found.loaded, found.usable_keys, found.refused) == (3, 3, 3, ())
        assert (found.members.self_signed, found.members.links) == (2, 1)

    def test_its_signer_lacks_the_extended_key_usage(self, folder: Path) -> None:
        """9303-12 demands it: without, any document signer could name country signing CAs."""
        root = (folder / "csca1.cer").read_bytes()
        found = examine_master_list((folder / "masterlist.ml").read_bytes(), root, NOW)
        assert (found.signature, found.signature_code) == ("failed", "MASTER_LIST_UNTRUSTED")
        assert "not for signing master lists" in found.signature_reason


@pytest.mark.shared_data
def test_a_german_csca_of_2008_is_a_usable_root(shared: Path) -> None:
    """csca-germany 013: explicit parameters of brainpoolP256r1."""
    encoded = (shared / "data/emrtd/openpace/csca-germany_013_self_signed_cer.cer").read_bytes()
    (authority,), refused = trusted_authorities([encoded])
    assert refused == []
    assert (authority.country, authority.key.key_size) == ("DE", 256)
    for position in range(len(encoded)):
        altered = bytearray(encoded)
        altered[position] ^= 0x01
        assert trusted_authorities([bytes(altered)])[0] == [], position
