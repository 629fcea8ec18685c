"""The dump: right about the kind, right about the structure, silent about the person."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.csca.document_signer import sign_card_security
from tests.support import hostile, pki
from tests.support.stopwatch import within
from verification.inspection.file_dump import Dump, dump
from verification.inspection.report_text import as_lines, dump_facts
from verification.inspection.tlv_outline import MAX_LINES, outline
from verification.lds.files import LdsFile

CARD = pki.quick_card()
HOLDER = CARD.holder


def text_of(found: Dump) -> str:
    """Everything that a dump says, as it is printed either way."""
    facts = dump_facts(found)
    return json.dumps(facts, ensure_ascii=False) + "\n".join(as_lines(facts))


@pytest.mark.parametrize("file", CARD.files, ids=lambda file: file.name)
def test_the_kind_is_told_by_the_content(file: LdsFile) -> None:
    found = dump(CARD.files[file])
    assert found.fault is None
    assert found.size == len(CARD.files[file])
    assert found.kind.upper().replace("EF.", "").replace("CARDACCESS", "CARD_ACCESS") == file.name


@pytest.mark.parametrize("file", CARD.files, ids=lambda file: file.name)
def test_no_dump_names_the_person(file: LdsFile) -> None:
    said = text_of(dump(CARD.files[file]))
    for secret in (HOLDER.citizen_number, HOLDER.citizen_number[3:], "Nghiệm", "NGHIEM", "900101", "Hà Nội"):
        assert secret not in said


def test_hashes_of_data_groups_are_left_out() -> None:
    """Who guesses a person's data could prove the guess by a hash."""
    assert not re.search("[0-9a-f]{64}", text_of(dump(CARD.files[LdsFile.SOD])))


@pytest.mark.parametrize("file", [LdsFile.DG1, LdsFile.DG13])
def test_the_person_is_shown_when_asked_for(file: LdsFile) -> None:
    assert HOLDER.citizen_number in text_of(dump(CARD.files[file], with_person=True))


def test_the_structure_of_the_cards_files() -> None:
    sod = dump(CARD.files[LdsFile.SOD]).facts
    assert sod["data_groups"] == ["DG1", "DG2", "DG13", "DG14", "DG15"]
    assert (sod["hash_algorithm"], sod["signed_attributes"]) == ("sha256", True)
    assert sod["signing_time"] == pki.SIGNED.isoformat()
    assert dump(CARD.files[LdsFile.COM]).facts["lds_version"] == "0107"
    zone = dump(CARD.files[LdsFile.DG1]).facts
    assert zone == {"zone": "TD1", "document_code": "ID", "issuing_state": "VNM"}
    access = dump(CARD.files[LdsFile.CARD_ACCESS]).facts
    assert access["pace"] == [
        {"protocol": "PACE-ECDH-GM-AES-CBC-CMAC-128", "version": 2, "parameters": "brainpoolP256r1"}
    ]
    assert access["terminal_authentication"] == [1]
    assert dump(CARD.files[LdsFile.DG14]).facts["chip_authentication_keys"] == [
        {"key": "EC brainpoolP256r1", "key_id": None}
    ]
    assert dump(CARD.files[LdsFile.DG15]).facts["key"] == "EC secp256r1"
    fields = dump(CARD.files[LdsFile.DG13]).facts
    assert fields["empty"] == ["14 spouse"]
    assert isinstance(fields["fields"], list)
    assert "1 number" in fields["fields"]


def test_the_files_of_a_pki() -> None:
    issuer = pki.quick_issuer()
    csca = dump(issuer.csca.certificate.public_bytes(Encoding.DER))
    assert (csca.kind, csca.facts["authority"], csca.facts["key"]) == ("certificate", True, "EC secp256r1")
    crl = dump(issuer.revocation_list.public_bytes(Encoding.DER))
    assert (crl.kind, crl.facts["revoked"]) == ("certificate revocation list", 0)
    signed = sign_card_security(
        CARD.files[LdsFile.CARD_ACCESS], issuer.document_signer, signing_time=pki.SIGNED
    )
    found = dump(signed)
    assert found.kind == "EF.CardSecurity"
    assert found.facts["content_type"] == "0.4.0.127.0.7.3.2.1"


def test_a_file_that_cannot_be_read_still_has_an_outline() -> None:
    found = dump(CARD.files[LdsFile.DG14][:-1] + b"\xff")
    assert found.kind == "DG14"
    broken = dump(CARD.files[LdsFile.SOD][:200])
    assert broken.fault is not None
    assert broken.fault.code == "DOCUMENT_MALFORMED"
    assert broken.outline


@pytest.mark.parametrize("content", [b"", b"\x00", b"hello", bytes(100), b"\x30", b"\x7f\x21\x00"])
def test_what_is_no_file_is_said_to_be_none(content: bytes) -> None:
    assert dump(content).fault is not None


def test_damage_never_raises() -> None:
    for file in (LdsFile.SOD, LdsFile.DG13, LdsFile.DG14, LdsFile.COM):
        for data in hostile.damaged(CARD.files[file], count=300, seed=4):
            text_of(dump(data))
        for data in hostile.truncations(CARD.files[file][:200]):
            text_of(dump(data))


@given(st.binary(max_size=100))
def test_any_octets_have_a_dump(data: bytes) -> None:
    text_of(dump(data))


@pytest.mark.timed
@pytest.mark.parametrize("bomb", [b"\x30\x00" * 32_000, b"\x04\x00" * 32_000, b"\x7f\xff" * 30_000])
def test_a_bomb_is_bounded(bomb: bytes) -> None:
    with within(0.2, time.thread_time):
        found = dump(bomb)
    assert len(found.outline) <= MAX_LINES + 1


def test_the_outline_tells_tags_and_lengths_only() -> None:
    assert outline(bytes.fromhex("3009 020105 7F6003 5301AA")) == [
        "    0 30 9",
        "    2   02 1",
        "    5   7F60 3",
        "    8     53 1",
    ]
    assert outline(bytes.fromhex("3003 020505")) == ["    0 30 3", "    2   3 bytes that are no data object"]


@pytest.mark.shared_data
def test_every_specimen_is_recognised(shared: Path) -> None:
    kinds: dict[str, int] = {}
    for path in sorted((shared / "data" / "emrtd").rglob("*")):
        if not path.is_file() or path.suffix in {".json", ".asn", ".pem"}:
            continue
        found = dump(path.read_bytes())
        # A bare 19794 record, which no card holds outside its container.
        if path.name == "ISO19794_Test1_Data.bin":
            assert found.kind == "unknown"
            continue
        assert found.fault is None, path.name
        kinds[found.kind] = kinds.get(found.kind, 0) + 1
    assert kinds["EF.SOD"] == 13
    assert kinds["CV certificate"] == 9
    assert kinds["master list"] == 2
    assert kinds["certificate revocation list"] == 2
