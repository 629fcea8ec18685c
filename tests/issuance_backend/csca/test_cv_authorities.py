"""CVCA, document verifier and terminals: what we issue is what chips, OpenPACE and our reader accept."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.cv_authorities import (
    CvCeremony,
    CvHolder,
    CvPlan,
    CvSigner,
    hold_cv_ceremony,
    issue_cvca,
    issue_cvca_link,
    issue_document_verifier,
    issue_terminal,
    next_reference,
    sign_plain,
)
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from issuance_backend.refusals import SigningKeyUnavailable
from verification.errors import TerminalCertificateExpired
from verification.lds.card_verifiable import (
    READ_DG3,
    READ_DG4,
    CardVerifiableCertificate,
    CvEcKey,
    HolderRole,
    parse_cv_certificate,
)
from verification.pki.card_verifiable_chain import verify_chain


def today() -> date:
    """By the clock that the commands go by: a run of the tests may pass midnight."""
    return datetime.now(UTC).date()


TODAY = today()
CURVES = [
    ec.SECP256R1(),
    ec.SECP384R1(),
    ec.SECP521R1(),
    ec.BrainpoolP256R1(),
    ec.BrainpoolP384R1(),
    ec.BrainpoolP512R1(),
]


def cvc_print(folder: Path, name: str) -> str:
    """The last word of OpenPACE, which looks up issuers by reference in the folder."""
    answer = subprocess.run(
        ["cvc-print", "--cvc", str(folder / name), "--cvc-dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout


def write(folder: Path, certificates: Iterable[CardVerifiableCertificate]) -> None:
    for certificate in certificates:
        (folder / certificate.holder_reference).write_bytes(certificate.encoded)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
def test_cvc_print_verifies_the_chain(tmp_path: Path, curve: ec.EllipticCurve, hash_name: str) -> None:
    made = hold_cv_ceremony(CvPlan(curve=curve, hash_name=hash_name), TODAY)
    write(tmp_path, (made.cvca.certificate, made.document_verifier.certificate, made.terminal.certificate))
    for name in ("VNCVCA00001", "VNDV00001", "VNIS00001"):
        assert "certificate verified" in cvc_print(tmp_path, name).splitlines()
    told = cvc_print(tmp_path, "VNIS00001")
    assert "Read fingerprint" in told
    assert "Read iris" not in told
    assert "Terminal certificate" in told


def test_cvc_print_refuses_an_altered_certificate(tmp_path: Path) -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    write(tmp_path, (made.cvca.certificate, made.document_verifier.certificate))
    altered = bytearray(made.document_verifier.certificate.encoded)
    altered[-1] ^= 1
    (tmp_path / "VNDV00001").write_bytes(altered)
    assert "certificate not verified" in cvc_print(tmp_path, "VNDV00001").splitlines()


def test_our_own_verification_agrees() -> None:
    made = hold_cv_ceremony(CvPlan(rights=READ_DG3 | READ_DG4), TODAY)
    first, *rest = (parse_cv_certificate(encoded) for encoded in made.chain)
    rights = verify_chain(first, rest, TODAY)
    assert rights.reads_dg3
    assert rights.reads_dg4
    with pytest.raises(TerminalCertificateExpired):
        verify_chain(first, rest, TODAY + timedelta(days=40))


def test_only_the_cvca_writes_its_curve_out() -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    curves = [
        signer.certificate.public_key.key.curve is not None
        for signer in (made.cvca, made.document_verifier, made.terminal)
        if isinstance(signer.certificate.public_key.key, CvEcKey)
    ]
    assert curves == [True, False, False]


def test_a_link_leads_from_the_old_key_to_the_new(tmp_path: Path) -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    key = PrivateKey.generate(ec.BrainpoolP384R1(), "sha384")
    link = issue_cvca_link(made.cvca, key, TODAY)
    assert (link.authority_reference, link.holder_reference) == ("VNCVCA00001", "VNCVCA00002")
    successor = CvSigner(key, issue_cvca(key, link.holder_reference, TODAY))
    holder_key = PrivateKey.generate(ec.BrainpoolP384R1(), "sha384")
    holder = CvHolder(holder_key.public_key, holder_key.algorithm, "VNDV00002", READ_DG3)
    verifier = issue_document_verifier(successor, holder, TODAY)
    assert verify_chain(made.cvca.certificate, [link, verifier], TODAY).reads_dg3
    assert verify_chain(successor.certificate, [verifier], TODAY).reads_dg3
    write(tmp_path, (made.cvca.certificate, link))
    assert "certificate verified" in cvc_print(tmp_path, "VNCVCA00002").splitlines()


def test_a_plain_signature_has_its_length_whatever_the_numbers() -> None:
    """r and s with leading zeros: one signature in 128 has a short one."""
    key = PrivateKey.generate(ec.SECP521R1(), "sha512")
    lengths = {len(sign_plain(key, number.to_bytes(2, "big"))) for number in range(300)}
    assert lengths == {132}


@pytest.mark.parametrize(
    ("issue", "least", "most"),
    [
        (lambda made, days: issue_cvca(made.cvca.key, "VNCVCA00001", TODAY, days), 183, 1095),
        (lambda made, days: issue_cvca_link(made.cvca, made.cvca.key, TODAY, days), 183, 1095),
        (lambda made, days: issue_document_verifier(made.cvca, holder(made), TODAY, days), 14, 92),
        (lambda made, days: issue_terminal(made.document_verifier, holder(made), TODAY, days), 1, 31),
    ],
    ids=["cvca", "link", "document verifier", "terminal"],
)
def test_the_periods_are_those_of_the_guideline(
    issue: Callable[[CvCeremony, int], CardVerifiableCertificate], least: int, most: int
) -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    for days in (least, most):
        issued = issue(made, days)
        assert (issued.effective, issued.expiration) == (TODAY, TODAY + timedelta(days=days - 1))
    for days in (least - 1, most + 1):
        with pytest.raises(ValueError, match="is admitted for"):
            issue(made, days)


def holder(made: CvCeremony) -> CvHolder:
    key = made.terminal.key
    return CvHolder(key.public_key, key.algorithm, "VNX00001", READ_DG3)


def test_nobody_issues_what_is_not_theirs_to_issue() -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    with pytest.raises(ValueError, match="only a country verifying CA"):
        issue_document_verifier(made.document_verifier, holder(made), TODAY)
    with pytest.raises(ValueError, match="only a country verifying CA"):
        issue_document_verifier(made.cvca, holder(made), TODAY, role=HolderRole.IS)
    for issuer in (made.cvca, made.terminal):
        with pytest.raises(ValueError, match="only a document verifier"):
            issue_terminal(issuer, holder(made), TODAY)


def test_a_foreign_document_verifier_is_called_so() -> None:
    made = hold_cv_ceremony(CvPlan(), TODAY)
    issued = issue_document_verifier(made.cvca, holder(made), TODAY, role=HolderRole.DV_FOREIGN)
    assert issued.authorization.role is HolderRole.DV_FOREIGN


@pytest.mark.parametrize("name", ["rsa-pkcs1-sha256", "rsa-pss-sha512"])
def test_an_rsa_chain_is_verified_too(tmp_path: Path, name: str) -> None:
    profile = KeyProfile(2048, SigningAlgorithm.named(name))
    keys = [PrivateKey.of_profile(profile) for _ in range(2)]
    cvca = CvSigner(keys[0], issue_cvca(keys[0], "VNCVCA00001", TODAY))
    verifier = CvHolder(keys[1].public_key, keys[1].algorithm, "VNDV00001", READ_DG3)
    issued = issue_document_verifier(cvca, verifier, TODAY)
    assert verify_chain(cvca.certificate, [issued], TODAY).reads_dg3
    write(tmp_path, (cvca.certificate, issued))
    assert "certificate verified" in cvc_print(tmp_path, "VNDV00001").splitlines()


def test_an_algorithm_that_chips_do_not_know_is_refused() -> None:
    key = PrivateKey.of_profile(KeyProfile(2048, SigningAlgorithm.named("rsa-pss-sha384")))
    with pytest.raises(SigningKeyUnavailable):
        issue_cvca(key, "VNCVCA00001", TODAY)


def test_references_count_on_and_end() -> None:
    assert next_reference("VNCVCA00009") == "VNCVCA00010"
    with pytest.raises(ValueError, match="used up"):
        next_reference("VNCVCA99999")


def test_a_date_that_a_certificate_cannot_name_is_refused() -> None:
    key = PrivateKey.generate(ec.SECP256R1(), "sha256")
    with pytest.raises(ValueError, match="between 2000 and 2099"):
        issue_cvca(key, "VNCVCA00001", date(2099, 12, 1))


class TestCommands:
    def run(self, directory: Path, command: str, *options: str) -> int:
        return main([command, "--out", str(directory), *options])

    @pytest.fixture
    def directory(self, founded: Path, tmp_path: Path) -> Path:
        return shutil.copytree(founded, tmp_path / "pki")

    def chain(self, terminal: Path) -> list[CardVerifiableCertificate]:
        files = sorted(terminal.glob("cvc_*.cvcert"))
        return [parse_cv_certificate(path.read_bytes()) for path in files]

    def test_a_terminal_gets_its_chain_and_its_key(self, directory: Path, tmp_path: Path) -> None:
        assert self.run(directory, "terminal", "--terminal", str(tmp_path / "terminal")) == 0
        names = sorted(path.name for path in (tmp_path / "terminal").iterdir())
        assert names == ["cvc_0_cvca.cvcert", "cvc_1_dv.cvcert", "cvc_2_is.cvcert", "is_key.pkcs8"]
        cvca, *rest = self.chain(tmp_path / "terminal")
        assert verify_chain(cvca, rest, today()).reads_dg3
        key = serialization.load_der_private_key((tmp_path / "terminal" / "is_key.pkcs8").read_bytes(), None)
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        assert rest[-1].public_key.key.point == point  # type: ignore[union-attr]

    def test_every_terminal_has_its_own_name(self, directory: Path, tmp_path: Path) -> None:
        names = set()
        for number in range(3):
            folder = tmp_path / f"terminal-{number}"
            assert self.run(directory, "terminal", "--terminal", str(folder)) == 0
            names.add(self.chain(folder)[-1].holder_reference)
        assert names == {"VNIS00001", "VNIS00002", "VNIS00003"}

    def test_a_folder_that_holds_a_key_is_left_alone(
        self, directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The next certificate beside the key of the last one would open nothing."""
        folder = tmp_path / "terminal"
        assert self.run(directory, "terminal", "--terminal", str(folder)) == 0
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert self.run(directory, "terminal", "--terminal", str(folder)) == 1
        assert "empty folder" in capsys.readouterr().err
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert len(list((directory / "cvc" / "terminals").iterdir())) == 1

    @pytest.mark.parametrize(
        "wrong", [("--country", "V"), ("--country", "VNM"), ("--cvca", ""), ("--holder", "TEN LETTERS")]
    )
    def test_names_that_no_reference_can_hold(self, directory: Path, wrong: tuple[str, str]) -> None:
        before = (directory / "cvc" / "cvca.cvcert").read_bytes()
        assert self.run(directory, "cvca", *wrong) == 1
        assert (directory / "cvc" / "cvca.cvcert").read_bytes() == before

    def test_after_the_next_key_chips_with_either_are_opened(self, directory: Path, tmp_path: Path) -> None:
        old = parse_cv_certificate((directory / "cvc" / "cvca.cvcert").read_bytes())
        assert self.run(directory, "cvca") == 0
        assert self.run(directory, "terminal", "--terminal", str(tmp_path / "early")) == 1
        assert self.run(directory, "document-verifier") == 0
        assert self.run(directory, "terminal", "--terminal", str(tmp_path / "terminal")) == 0
        link, new, verifier, terminal = self.chain(tmp_path / "terminal")
        assert verify_chain(old, [link, verifier, terminal], today()).reads_dg3
        assert verify_chain(new, [verifier, terminal], today()).reads_dg3
        kept = sorted(path.name for path in (directory / "keys").rglob("*.pem"))
        assert kept == ["csca-1.pem", "cvca-2.pem", "ds-0001.pem", "dv-2.pem"]

    def test_a_certificate_that_somebody_put_in_its_place_is_refused(
        self, directory: Path, tmp_path: Path
    ) -> None:
        foreign = hold_cv_ceremony(CvPlan(), TODAY)
        (directory / "cvc" / "dv.cvcert").write_bytes(foreign.document_verifier.certificate.encoded)
        assert self.run(directory, "terminal", "--terminal", str(tmp_path / "terminal")) == 1


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PKI with a CVCA and a document verifier."""
    path = tmp_path_factory.mktemp("founded") / "pki"
    for command in ("ceremony", "cvca", "document-verifier"):
        assert main([command, "--out", str(path)]) == 0
    return path
