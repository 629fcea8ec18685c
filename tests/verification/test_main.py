"""``python -m verification``: what support and integrators see, and the exit codes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import issue_master_list_signer
from issuance_backend.csca.master_list import sign_master_list
from issuance_backend.csca.signer import PrivateKey
from tests.support import pki
from tests.support.signed_files import without_signed_attributes, without_signing_time
from verification.__main__ import INVALID, UNDETERMINED, USAGE, VALID, main
from verification.inspection.report import Check, Outcome
from verification.lds.files import LdsFile
from verification.messages.fault_catalogue import fault_catalogue

AT = pki.NOW.isoformat()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The quick card as a reader would leave it on disk."""
    card = tmp_path / "card"
    card.mkdir()
    for file, content in pki.quick_card().files.items():
        (card / f"EF_{file.name}.bin").write_bytes(content)
    return card


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """The issuer's certificate and list."""
    found = tmp_path / "trust"
    found.mkdir()
    issuer = pki.quick_issuer()
    (found / "csca.cer").write_bytes(issuer.csca.certificate.public_bytes(Encoding.DER))
    (found / "csca.pem").write_bytes(issuer.csca.certificate.public_bytes(Encoding.PEM))
    (found / "csca.crl").write_bytes(issuer.revocation_list.public_bytes(Encoding.DER))
    return found


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main([*map(str, arguments), "--json"])
    printed = capsys.readouterr().out
    assert printed.count("\n") == (1 if printed else 0)
    return code, json.loads(printed) if printed else None


class TestInspect:
    def test_a_genuine_card(self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path) -> None:
        code, found = run(
            capsys, "inspect", folder, "--csca", trust / "csca.cer", "--crl", trust / "csca.crl", "--at", AT
        )
        assert (code, found["verdict"], found["fault_code"]) == (VALID, "valid", None)
        assert set(found["checks"]) == {check.value for check in Check}
        for result in found["checks"].values():
            assert result.keys() == {"outcome", "code", "reason"}
            assert result["outcome"] in set(Outcome)
            assert (result["outcome"] == "successful") == (result["code"] is None)
            assert result["code"] is None or result["code"] in fault_catalogue()
        assert found["checks"]["signer_revocation"]["outcome"] == "successful"
        assert found["checks"]["chip_authentication"]["outcome"] == "undetermined"
        assert found["data_groups"]["DG1"] == "identical"
        assert found["trust_refused"] == []
        assert found["at"] == AT

    def test_without_a_list_revocation_is_open(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", AT)
        assert code == VALID
        assert found["checks"]["signer_revocation"] == {
            "outcome": "undetermined",
            "code": "CHIP_REVOCATION_UNKNOWN",
            "reason": "no current revocation list of this issuer",
        }

    def test_an_altered_card(self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path) -> None:
        path = folder / "EF_DG13.bin"
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", AT)
        assert (code, found["verdict"], found["fault_code"]) == (INVALID, "invalid", "CHIP_DATA_ALTERED")
        assert found["data_groups"]["DG13"] == "not identical"

    def test_a_moment_without_a_known_signing_time_is_undetermined(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        """No DG13, no signing time, an expired signer: nothing tells when it signed."""
        for name in ("EF_DG13.bin", "EF_COM.bin"):
            (folder / name).unlink()
        (folder / "EF_SOD.bin").write_bytes(without_signing_time())
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", "2060-01-01")
        assert (code, found["verdict"]) == (UNDETERMINED, "undetermined")
        assert found["fault_code"] == "CHIP_SIGNING_TIME_UNKNOWN"

    def test_an_unknown_issuer(
        self, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "other.cer"
        other.write_bytes(pki.issuer().csca.certificate.public_bytes(Encoding.DER))
        code, found = run(capsys, "inspect", folder, "--csca", other, "--at", AT)
        assert (code, found["fault_code"]) == (INVALID, "CHIP_DS_UNTRUSTED")

    def test_pem_is_read_and_a_useless_trust_file_is_told(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        junk = trust / "junk.cer"
        junk.write_bytes(b"no certificate")
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.pem", junk, "--at", AT)
        assert code == VALID
        assert [one["code"] for one in found["trust_refused"]] == ["DOCUMENT_MALFORMED"]

    def test_files_given_one_by_one_add_up(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path, tmp_path: Path
    ) -> None:
        """Were the last to count alone, a revocation list would drop out without a word."""
        foreign = pki.issuer()
        (tmp_path / "other.cer").write_bytes(foreign.csca.certificate.public_bytes(Encoding.DER))
        (tmp_path / "other.crl").write_bytes(foreign.revocation_list.public_bytes(Encoding.DER))
        once = ("--csca", trust / "csca.cer", "--crl", trust / "csca.crl")
        again = ("--csca", tmp_path / "other.cer", "--crl", tmp_path / "other.crl")
        code, found = run(capsys, "inspect", folder, *once, *again, "--at", pki.SIGNED.isoformat())
        assert (code, found["trusted_authorities"], found["trust_refused"]) == (VALID, 2, [])
        assert found["checks"]["signer_revocation"]["outcome"] == "successful"

    def test_a_certificate_among_the_lists_is_not_trusted(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path, tmp_path: Path
    ) -> None:
        """Lists are fetched from anywhere: a CSCA that lies among them must not come to be believed."""
        other = tmp_path / "other.cer"
        other.write_bytes(pki.issuer().csca.certificate.public_bytes(Encoding.DER))
        order = ("--csca", other, "--crl", trust / "csca.crl", trust / "csca.cer", "--at", AT)
        code, found = run(capsys, "inspect", folder, *order)
        assert (code, found["fault_code"], found["trusted_authorities"]) == (INVALID, "CHIP_DS_UNTRUSTED", 1)
        assert len(found["trust_refused"]) == 2

    @pytest.mark.parametrize("cut", [-30, 40])
    def test_pem_that_is_cut_off_is_no_empty_list(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path, cut: int
    ) -> None:
        pem = trust / "csca.pem"
        pem.write_bytes(pem.read_bytes()[:cut])
        for option in ("--csca", "--crl"):
            order = ("--csca", trust / "csca.cer", option, pem, "--at", AT)
            assert run(capsys, "inspect", folder, *order) == (USAGE, None)

    def test_a_master_list_brings_the_issuers_it_names(
        self, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
    ) -> None:
        root, master_list = tmp_path / "root.cer", tmp_path / "list.ml"
        authority = pki.issuer().csca
        key = PrivateKey.generate(ec.SECP256R1(), "sha256")
        certificate = issue_master_list_signer(authority, key, pki.P256, pki.CEREMONY)
        named = pki.quick_issuer().csca.certificate.public_bytes(Encoding.DER)
        root.write_bytes(authority.certificate.public_bytes(Encoding.DER))
        master_list.write_bytes(
            sign_master_list([named], key.with_certificate(certificate), authority.certificate, pki.SIGNED)
        )
        code, found = run(capsys, "masterlist", master_list, "--root", root, "--at", AT)
        assert (code, found["certificates"], found["usable_keys"]) == (VALID, 1, 1)
        code, found = run(capsys, "inspect", folder, "--csca", root, master_list, "--at", AT)
        assert (code, found["verdict"], found["trusted_authorities"]) == (VALID, "valid", 2)

    def test_files_of_other_names_are_told(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        (folder / "EF_DG2_jpeg.bin").write_bytes(b"x")
        (folder / "notes.txt").write_bytes(b"x")
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", AT)
        assert code == VALID
        assert found["files_ignored"] == ["EF_DG2_jpeg.bin", "notes.txt"]

    def test_a_file_larger_than_a_card_holds_is_refused(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        (folder / "EF_DG11.bin").write_bytes(bytes(70_000))
        code, found = run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", AT)
        assert (code, found["verdict"]) == (INVALID, "invalid")

    def test_the_policies(self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path) -> None:
        from_trust = ("--csca", trust / "csca.cer", "--at", AT)
        (folder / "EF_SOD.bin").write_bytes(without_signed_attributes())
        assert run(capsys, "inspect", folder, *from_trust)[0] == INVALID
        code, found = run(capsys, "inspect", folder, *from_trust, "--accept-no-signed-attributes")
        assert code == VALID
        assert found["checks"]["sod_signature"]["code"] == "CHIP_SOD_NO_SIGNED_ATTRIBUTES"

    def test_known_defects(self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path) -> None:
        defects = trust / "defects.json"
        certificate = pki.quick_issuer().document_signer.certificate.public_bytes(Encoding.DER)
        entry = {
            "certificate_sha256": hashlib.sha256(certificate).hexdigest(),
            "kind": "signer_revoked",
            "reason": "notice 12 of 2026",
        }
        defects.write_text(json.dumps({"version": 1, "defects": [entry]}))
        order = ("inspect", folder, "--csca", trust / "csca.cer", "--at", AT, "--defects", defects)
        code, found = run(capsys, *order)
        assert (code, found["fault_code"]) == (INVALID, "CHIP_DS_REVOKED")
        defects.write_text("{}")
        assert run(capsys, *order) == (USAGE, None)

    @pytest.mark.parametrize("at", ["yesterday", "2026-13-01", ""])
    def test_a_moment_that_is_none(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path, at: str
    ) -> None:
        assert run(capsys, "inspect", folder, "--csca", trust / "csca.cer", "--at", at) == (USAGE, None)

    def test_a_folder_that_is_none_or_holds_nothing(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, trust: Path
    ) -> None:
        for path in (tmp_path / "nowhere", trust):
            assert run(capsys, "inspect", path, "--csca", trust / "csca.cer") == (USAGE, None)
        assert run(capsys, "inspect", trust, "--csca", tmp_path / "nowhere") == (USAGE, None)

    def test_one_file_under_two_names(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        (folder / "Datagroup1.bin").write_bytes(b"x")
        assert run(capsys, "inspect", folder, "--csca", trust / "csca.cer") == (USAGE, None)

    def test_nothing_names_the_person(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        (folder / "EF_DG1.bin").write_bytes(pki.make_card(pki.Holder(sex="Nam")).files[LdsFile.DG1])
        for option in ("--json",), ():
            main(["inspect", str(folder), "--csca", str(trust / "csca.cer"), "--at", AT, *option])
            printed = capsys.readouterr().out
            for secret in ("001090123456", "090123456", "NGHIEM", "Nghiệm", "900101"):
                assert secret not in printed

    def test_for_people_each_check_has_a_line(
        self, capsys: pytest.CaptureFixture[str], folder: Path, trust: Path
    ) -> None:
        assert main(["inspect", str(folder), "--csca", str(trust / "csca.cer"), "--at", AT]) == VALID
        lines = capsys.readouterr().out.splitlines()
        assert any(line.split() == ["sod_signature", "successful"] for line in lines)
        assert any("signer_revocation" in line and "CHIP_REVOCATION_UNKNOWN" in line for line in lines)


class TestDump:
    def test_a_file(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        code, found = run(capsys, "dump", folder / "EF_SOD.bin")
        assert (code, found["kind"], found["fault"]) == (VALID, "EF.SOD", None)
        assert found["outline"][0].split() == ["0", "77", str(found["bytes"] - 4)]

    def test_the_person_only_when_asked_for(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        assert "001090123456" not in json.dumps(run(capsys, "dump", folder / "EF_DG13.bin"))
        _, found = run(capsys, "dump", folder / "EF_DG13.bin", "--with-person")
        assert found["facts"]["person"]["1 number"] == ["001090123456"]

    def test_a_broken_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        broken = tmp_path / "x"
        broken.write_bytes(b"\x77\x03\x30\x01\x00")
        code, found = run(capsys, "dump", broken)
        assert (code, found["fault"]["code"]) == (INVALID, "DOCUMENT_MALFORMED")

    def test_a_file_that_is_not_there_or_broken_pem(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        pem = tmp_path / "x.pem"
        pem.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n")
        for path in (tmp_path / "nowhere", pem):
            assert run(capsys, "dump", path) == (USAGE, None)


@pytest.mark.shared_data
class TestSpecimens:
    """The commands as issue and support use them, over the shared sets."""

    def test_the_card(self, capsys: pytest.CaptureFixture[str], shared: Path) -> None:
        folder = shared / "data" / "emrtd" / "synthetic_cccd"
        order = ("--csca", folder / "pki" / "csca1.cer", "--crl", folder / "pki" / "csca1.crl")
        code, found = run(capsys, "inspect", folder / "card", *order, "--at", "2025-02-01T00:00:00Z")
        assert (code, found["verdict"]) == (VALID, "valid")
        assert len(found["files_ignored"]) == 3
        untrusted = ("--csca", folder / "pki" / "csca_rogue_same_dn.cer")
        code, found = run(capsys, "inspect", folder / "card", *untrusted, "--at", "2025-02-01T00:00:00Z")
        assert (code, found["fault_code"]) == (INVALID, "CHIP_DS_UNTRUSTED")

    def test_a_master_list_whose_signer_was_not_made_for_it_adds_nothing(
        self, capsys: pytest.CaptureFixture[str], shared: Path
    ) -> None:
        """The signer of the synthetic list has no extended key usage."""
        pki_folder = shared / "data" / "emrtd" / "synthetic_cccd" / "pki"
        master_list, csca = pki_folder / "masterlist.ml", pki_folder / "csca1.cer"
        code, found = run(capsys, "masterlist", master_list, "--root", csca, "--at", "2025-02-01")
        assert (code, found["signature"]) == (INVALID, "failed")
        assert (found["certificates"], found["loaded"], found["usable_keys"]) == (3, 3, 3)
        card = pki_folder.parent / "card"
        _, found = run(capsys, "inspect", card, "--csca", csca, master_list, "--at", "2025-02-01")
        assert found["trusted_authorities"] == 1
        assert [one["code"] for one in found["trust_refused"]] == ["MASTER_LIST_UNTRUSTED"]

    @pytest.mark.parametrize("name", ["bsi_tr03105_5", "bsi2008", "nl_test2006"])
    def test_the_sets_of_others(self, capsys: pytest.CaptureFixture[str], shared: Path, name: str) -> None:
        folder = shared / "data" / "emrtd"
        csca = folder / "openpace" / "csca-germany_013_self_signed_cer.cer"
        code, found = run(capsys, "inspect", folder / name, "--csca", csca)
        assert (code, found["verdict"]) == (INVALID, "invalid")
        assert found["files_ignored"] == []
        assert found["checks"]["document_structure"]["outcome"] == "successful"

    def test_the_real_master_list(self, capsys: pytest.CaptureFixture[str], shared: Path) -> None:
        folder = shared / "data" / "emrtd" / "masterlists"
        master_list, root = folder / "NL_ML_2026-07-22.ml", folder / "NL_ROOT_CA.cer"
        code, found = run(capsys, "masterlist", master_list, "--root", root)
        assert (code, found["certificates"], found["loaded"]) == (VALID, 411, 411)
        assert found["signature"] == "successful"
        assert found["usable_keys"] + len(found["refused"]) >= found["certificates"]
        for refused in found["refused"]:
            assert refused.keys() == {"subject", "reason"}
            assert refused["reason"]
        code, found = run(capsys, "masterlist", master_list)
        assert (code, found["signature"]) == (UNDETERMINED, "undetermined")

    def test_a_master_list_under_another_root(self, capsys: pytest.CaptureFixture[str], shared: Path) -> None:
        folder = shared / "data" / "emrtd"
        other = folder / "openpace" / "csca-germany_013_self_signed_cer.cer"
        code, found = run(
            capsys, "masterlist", folder / "masterlists" / "NL_ML_2026-07-22.ml", "--root", other
        )
        assert (code, found["signature"]) == (INVALID, "failed")


def test_a_file_that_is_no_master_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    junk = tmp_path / "x.ml"
    junk.write_bytes(b"\x30\x03\x02\x01\x01")
    code, found = run(capsys, "masterlist", junk)
    assert (code, found["signature"], found["signature_code"]) == (INVALID, "failed", "DOCUMENT_MALFORMED")


def test_the_module_runs_by_itself() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "verification", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0
    for command in ("inspect", "masterlist", "dump"):
        assert command in answer.stdout
