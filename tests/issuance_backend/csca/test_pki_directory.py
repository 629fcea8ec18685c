"""The ceremony and what follows it, by the command that an operator types."""

from __future__ import annotations

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.ceremony import CeremonyPlan
from issuance_backend.csca.crl import issue_revocation_list, number_of
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import Founding, PkiDirectory
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import SigningAlgorithm
from issuance_backend.refusals import DocumentSignerExhausted, IssuingRecordsBroken, SigningKeyUnavailable
from tests.support import pki
from tests.support.founded_pki import certificate, log, require_authentic, run, signed_card, the_list, trust
from tests.support.group_hashes import data_group_hashes
from verification.errors import SignerRevoked, UntrustedDocument
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile

TODAY = datetime.now(UTC).replace(microsecond=0)
LAST_YEAR = TODAY - timedelta(days=365)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("founded") / "pki"
    assert main(["ceremony", "--out", str(path)]) == 0
    return path


@pytest.fixture
def directory(founded: Path, tmp_path: Path) -> Path:
    """A founded demonstration, whose custodians' passphrases are kept."""
    shutil.copytree(founded, tmp_path / "pki")
    return tmp_path / "pki"


def test_a_card_signed_after_the_ceremony_is_authentic(directory: Path) -> None:
    require_authentic(signed_card(directory), directory)


def test_keys_are_encrypted_and_for_their_owner_only(directory: Path) -> None:
    secrets = [
        path for path in directory.rglob("*") if path.parent.name in {"keys", "root", "signers", "custodians"}
    ]
    kept = {path for path in secrets if path.is_file() and path.suffix != ".der"}
    assert {path.name for path in kept} == {
        *("csca-1.pem", "ds-0001.pem", "signers.secret", "ds-0001.count"),
        *("demo-first.share", "demo-second.share", "demo-first.passphrase", "demo-second.passphrase"),
    }
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for folder in ("keys", "keys/root", "keys/signers", "custodians"):
        assert stat.S_IMODE((directory / folder).stat().st_mode) == 0o700, folder
    for name in ("root/csca-1.pem", "signers/ds-0001.pem"):
        assert (directory / "keys" / name).read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY")


def test_the_log_tells_what_was_made_and_no_secret(directory: Path) -> None:
    events = [entry["event"] for entry in log(directory)]
    assert events == [
        "ceremony begun",
        "key made",
        "certificate issued",
        "key made",
        "certificate issued",
        "certificate issued",
        "revocation list issued",
        "log sealed",
    ]
    csca = (directory / "csca.der").read_bytes()
    assert (
        log(directory)[2]["sha256"] == certificate(directory, "csca.der").fingerprint(hashes.SHA256()).hex()
    )
    assert log(directory)[0]["profile"] == "demo"
    text = (directory / "ceremony.log").read_text()
    for secret in ("custodians/demo-first.passphrase", "keys/signers.secret"):
        assert (directory / secret).read_text().strip() not in text
    assert csca


def test_a_second_ceremony_does_not_overwrite_keys(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (directory / "keys" / "root" / "csca-1.pem").read_bytes()
    assert run(directory, "ceremony") == 1
    assert "already holds keys" in capsys.readouterr().err
    assert (directory / "keys" / "root" / "csca-1.pem").read_bytes() == before


@pytest.mark.parametrize(
    "wrong",
    [
        ("--country", "VNM"),
        ("--country", "12"),
        ("--state", "Viet Nam"),
        ("--csca-name", ""),
        ("--csca-use-days", "-5"),
        ("--signer-use-days", "0"),
        ("--document-days", "40000000"),
        ("--crl-days", "91"),
        ("--quota", "0"),
        ("--needed", "3"),
        ("--custodian", "alice=/etc/hostname"),
        ("--root-token", "csca"),
        ("--signer-token", "office", "--token-library", "/nonexistent.so"),
    ],
    ids=" ".join,
)
def test_a_ceremony_that_is_refused_can_be_held_again(
    tmp_path: Path, wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "pki", "ceremony", *wrong) == 1
    assert capsys.readouterr().err.startswith("csca: ")
    assert not (tmp_path / "pki").exists()


def test_a_ceremony_is_not_held_over_keys_that_were_carried_off(directory: Path, tmp_path: Path) -> None:
    (directory / "keys").rename(tmp_path / "another medium")
    (directory / "custodians").rename(tmp_path / "and another")
    assert run(directory, "ceremony") == 1
    assert not (directory / "keys").exists()


class TestRevocation:
    def test_the_signers_cards_are_refused(self, directory: Path) -> None:
        card = signed_card(directory)
        assert run(directory, "revoke") == 0
        with pytest.raises(SignerRevoked):
            authenticate(card, trust(directory), datetime.now(UTC))

    def test_the_signer_signs_no_more(self, directory: Path) -> None:
        signers = PkiDirectory(directory).open_document_signers()
        signers.signer_for(datetime.now(UTC))
        assert run(directory, "revoke") == 0
        assert not (directory / "keys" / "signers" / "ds-0001.pem").exists()
        with pytest.raises(DocumentSignerExhausted):
            signers.signer_for(datetime.now(UTC))

    def test_the_next_list_keeps_what_was_revoked(self, directory: Path) -> None:
        assert run(directory, "revoke") == 0
        assert run(directory, "crl", "--crl-days", "30") == 0
        found = the_list(directory)
        assert len(found) == 1
        assert number_of(found) == 3
        assert found.next_update_utc == found.last_update_utc + timedelta(days=30)

    def test_a_certificate_of_another_issuer_is_not_put_on_our_list(
        self, directory: Path, tmp_path: Path
    ) -> None:
        foreign = pki.hold_ceremony(CeremonyPlan(country="XX"), pki.CEREMONY).document_signer.certificate
        (tmp_path / "foreign.der").write_bytes(foreign.public_bytes(Encoding.DER))
        assert run(directory, "revoke", "--certificate", str(tmp_path / "foreign.der")) == 1
        assert number_of(the_list(directory)) == 1

    @pytest.mark.parametrize("days", ["0", "91"])
    def test_a_list_is_not_valid_for_longer_than_90_days(self, directory: Path, days: str) -> None:
        before = (directory / "csca.crl").read_bytes()
        assert run(directory, "crl", "--crl-days", days) == 1
        assert (directory / "csca.crl").read_bytes() == before

    @pytest.mark.parametrize("command", ["revoke", "rollover"])
    def test_what_ends_in_a_list_does_not_begin_without_one(self, directory: Path, command: str) -> None:
        """Half of it would leave a certificate revoked in the log alone, or a CSCA without a list."""
        before = (directory / "csca.der").read_bytes()
        assert run(directory, command, "--crl-days", "0") == 1
        assert (directory / "csca.der").read_bytes() == before
        assert [entry["event"] for entry in log(directory)][-1] == "root keys opened"
        assert run(directory, command) == 0
        assert (number_of(the_list(directory)), len(the_list(directory))) == (2, int(command == "revoke"))

    def test_what_is_no_certificate_is_named(
        self, directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "notes.txt").write_text("not DER")
        for command in ("revoke", "master-list"):
            assert run(directory, command, "--certificate", str(tmp_path / "notes.txt")) == 1
            assert "notes.txt is no certificate in DER" in capsys.readouterr().err

    def test_revoking_twice_keeps_the_first_date(self) -> None:
        issuer = pki.quick_issuer()
        first = issue_revocation_list(issuer.csca, pki.SIGNED, revoke=[7])
        second = issue_revocation_list(issuer.csca, pki.NOW, previous=first, revoke=[7])
        assert [entry.revocation_date_utc for entry in second] == [pki.SIGNED]

    def test_a_certificate_that_only_names_us_is_not_put_on_our_list(
        self, directory: Path, tmp_path: Path
    ) -> None:
        forged = pki.rogue().document_signer.certificate
        assert forged.issuer == certificate(directory, "csca.der").subject
        (tmp_path / "forged.der").write_bytes(forged.public_bytes(Encoding.DER))
        assert run(directory, "revoke", "--certificate", str(tmp_path / "forged.der")) == 1
        assert number_of(the_list(directory)) == 1

    def test_a_list_is_not_dated_before_the_one_it_follows(self) -> None:
        issuer = pki.quick_issuer()
        first = issue_revocation_list(issuer.csca, pki.SIGNED)
        with pytest.raises(ValueError, match="clock"):
            issue_revocation_list(issuer.csca, pki.SIGNED - timedelta(seconds=1), previous=first)

    def test_a_foreign_list_is_not_gone_on_with(self) -> None:
        """Whoever put it there would have the CSCA itself forget whom it revoked."""
        foreign = pki.rogue(pki.P256).revocation_list
        with pytest.raises(UntrustedDocument):
            issue_revocation_list(pki.quick_issuer().csca, pki.SIGNED, previous=foreign)


class TestPublishedFiles:
    """A file that is not the one issued last stops every command that would go on from it."""

    @pytest.fixture
    def earlier_list(self, directory: Path) -> bytes:
        """A genuine list that was replaced when a signer was revoked."""
        earlier = (directory / "csca.crl").read_bytes()
        assert run(directory, "revoke") == 0
        return earlier

    @pytest.mark.parametrize("planted", ["earlier", "foreign", "altered", "none"])
    def test_another_list_in_its_place(
        self, directory: Path, earlier_list: bytes, planted: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = directory / "csca.crl"
        genuine = path.read_bytes()
        content = {
            "earlier": earlier_list,
            "foreign": pki.rogue().revocation_list.public_bytes(Encoding.DER),
            "altered": genuine[:-1] + bytes((genuine[-1] ^ 1,)),
        }
        path.unlink() if planted == "none" else path.write_bytes(content[planted])
        before = path.exists() and path.read_bytes()
        for command in ("crl", "revoke", "rollover"):
            assert run(directory, command) == 1
            assert "csca.crl" in capsys.readouterr().err
        assert (path.exists() and path.read_bytes()) == before

    def test_without_its_list_the_office_signs_nothing(self, directory: Path) -> None:
        """A list that is gone must not read as one that is empty."""
        (directory / "csca.crl").unlink()
        with pytest.raises(IssuingRecordsBroken):
            PkiDirectory(directory).open_document_signers()

    def test_another_csca_in_its_place(self, directory: Path) -> None:
        (directory / "csca.der").write_bytes(pki.rogue().csca.certificate.public_bytes(Encoding.DER))
        assert run(directory, "crl") == 1
        with pytest.raises(IssuingRecordsBroken):
            PkiDirectory(directory).verify_log()

    def test_another_signer_in_its_place(self, directory: Path) -> None:
        other = pki.rogue().document_signer.certificate.public_bytes(Encoding.DER)
        (directory / "signers" / "ds-0001.der").write_bytes(other)
        with pytest.raises(IssuingRecordsBroken):
            PkiDirectory(directory).open_document_signers()

    def test_a_log_that_somebody_shortened(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """List and log put back together are found by what a custodian wrote down."""
        before = {name: (directory / name).read_bytes() for name in ("ceremony.log", "csca.crl")}
        capsys.readouterr()
        assert run(directory, "crl") == 0
        head = capsys.readouterr().out.split()[-1]
        assert run(directory, "log", "--verify", "--head", head) == 0
        for name, content in before.items():
            (directory / name).write_bytes(content)
        assert run(directory, "log", "--verify") == 0
        assert run(directory, "log", "--verify", "--head", head) == 1
        assert run(directory, "crl", "--head", head) == 1

    def test_a_file_about_to_take_its_place_counts_already(self, directory: Path) -> None:
        """The office goes on reading while a ceremony publishes."""
        assert run(directory, "revoke") == 0
        (directory / "csca.crl").rename(directory / ".csca.crl.new")
        assert len(PkiDirectory(directory).records.revoked()) == 1
        (directory / "csca.crl").write_bytes(b"the list before")
        assert len(PkiDirectory(directory).records.revoked()) == 1

    @pytest.mark.parametrize("cut", ["before the line", "before the file"])
    def test_a_command_that_was_cut_off_while_publishing(self, directory: Path, cut: str) -> None:
        """The finished file lies aside; the log says whether it counts."""
        before = {name: (directory / name).read_bytes() for name in ("ceremony.log", "csca.crl")}
        assert run(directory, "crl") == 0
        drafted = (directory / "csca.crl").read_bytes()
        (directory / ".csca.crl.new").write_bytes(drafted)
        (directory / "csca.crl").write_bytes(before["csca.crl"])
        if cut == "before the line":
            (directory / "ceremony.log").write_bytes(before["ceremony.log"])
        assert run(directory, "crl") == 0
        assert number_of(the_list(directory)) == (3 if cut == "before the file" else 2)

    def test_a_session_that_crashed_is_sealed_by_the_next(self, directory: Path) -> None:
        lines = (directory / "ceremony.log").read_bytes().splitlines(keepends=True)
        assert run(directory, "crl") == 0
        crashed = (directory / "ceremony.log").read_bytes().splitlines(keepends=True)[:-1]
        (directory / "ceremony.log").write_bytes(b"".join(crashed))
        assert len(crashed) == len(lines) + 2
        findings = PkiDirectory(directory).verify_log()
        assert (findings.lines, findings.sealed) == (10, 8)
        assert run(directory, "crl") == 0
        findings = PkiDirectory(directory).verify_log()
        assert findings.lines == findings.sealed == 14


class TestDocumentSigners:
    def test_a_new_one_replaces_the_old_key_and_old_cards_stay_good(self, directory: Path) -> None:
        old_card, old = signed_card(directory), certificate(directory)
        assert run(directory, "document-signer", "--name", "Document Signer 2") == 0
        new_card = signed_card(directory)
        assert certificate(directory) != old
        assert certificate(directory, "signers/ds-0001.der") == old
        assert not (directory / "keys" / "signers" / "ds-0001.pem").exists()
        for card in (old_card, new_card):
            require_authentic(card, directory)

    def test_a_key_that_was_never_published_is_made_again(self, directory: Path) -> None:
        (directory / "keys" / "signers" / "ds-0002.pem").write_bytes(b"cut off")
        assert run(directory, "document-signer") == 0
        require_authentic(signed_card(directory), directory)

    def test_one_made_in_advance_takes_over_on_its_day(self, directory: Path) -> None:
        now = datetime.now(UTC)
        starts = now + timedelta(days=80)
        assert run(directory, "document-signer", "--starts", f"{starts:%Y-%m-%d}", "--name", "Next") == 0
        signers = PkiDirectory(directory).open_document_signers()
        today, later = (signers.signer_for(now + timedelta(days=days)) for days in (0, 100))
        assert certificate(directory, "signers/ds-0001.der") == today.certificate
        assert certificate(directory, "signers/ds-0002.der") == later.certificate

    def test_rotation_makes_one_only_when_it_is_due(self, directory: Path) -> None:
        assert run(directory, "rotate") == 0
        assert len(list((directory / "signers").glob("*.der"))) == 1
        (directory / "signers" / "ds-0001.count").write_text("99999")
        assert run(directory, "rotate") == 0
        assert len(list((directory / "signers").glob("*.der"))) == 2

    def test_rotation_destroys_keys_that_may_sign_no_more(self, directory: Path) -> None:
        (directory / "signers" / "ds-0001.count").write_text("100000")
        assert run(directory, "rotate") == 0
        assert [path.name for path in (directory / "keys" / "signers").iterdir()] == ["ds-0002.pem"]
        require_authentic(signed_card(directory), directory)

    @pytest.mark.parametrize(
        ("age", "next_in", "is_due"),
        [(82, None, False), (85, None, True), (85, 5, False), (85, 6, True), (0, 80, False)],
    )
    def test_rotation_by_date(self, tmp_path: Path, age: int, next_in: int | None, is_due: bool) -> None:
        """A signer signs for 90 days; a week without a gap must lie ahead."""
        keeper, day = PkiDirectory(tmp_path / "pki"), TODAY.replace(hour=0, minute=0, second=0)
        keeper.create(CeremonyPlan(), day - timedelta(days=age))
        with keeper.under_dual_control(keeper.kept_custodians(), day) as session:
            if next_in is not None:
                session.add_document_signer(CeremonyPlan(), starts=day + timedelta(days=next_in))
            assert session.rotate(CeremonyPlan()) is is_due
            assert not session.rotate(CeremonyPlan())

    def test_the_quota_ends_a_signer(self, tmp_path: Path) -> None:
        PkiDirectory(tmp_path / "pki").create(CeremonyPlan(), datetime.now(UTC), Founding(signer_quota=3))
        signers = PkiDirectory(tmp_path / "pki").open_document_signers()
        for _ in range(3):
            signers.signer_for(datetime.now(UTC))
        with pytest.raises(DocumentSignerExhausted):
            signers.signer_for(datetime.now(UTC))
        assert run(tmp_path / "pki", "document-signer") == 0
        signers.signer_for(datetime.now(UTC))

    def test_a_csca_past_its_use_makes_none(self, tmp_path: Path) -> None:
        keeper = PkiDirectory(tmp_path / "old")
        keeper.create(CeremonyPlan(csca_use_days=100), LAST_YEAR)
        for command in ("document-signer", "rollover"):
            assert run(tmp_path / "old", command) == 1
        assert run(tmp_path / "old", "crl") == 0

    def test_one_does_not_outlive_its_csca(self, directory: Path) -> None:
        assert run(directory, "document-signer", "--document-days", "36500") == 1
        assert run(directory, "status") == 0

    def test_a_card_without_expiry_outlives_its_signer(self, tmp_path: Path) -> None:
        """The certificate's validity is a cap; what decides is that the card was signed within it."""
        plan = CeremonyPlan(document_days=1, signer_use_days=30)
        keeper = PkiDirectory(tmp_path / "short")
        keeper.create(plan, LAST_YEAR)
        files = pki.make_card(pki.no_expiry()).without(LdsFile.SOD)
        hashed = data_group_hashes(files)
        signer = keeper.open_document_signers().signer_for(LAST_YEAR)
        assert signer.certificate.not_valid_after_utc < TODAY
        sod = sign_security_object(hashed, signer, signing_time=LAST_YEAR)
        assert run(tmp_path / "short", "crl") == 0
        require_authentic({**files, LdsFile.SOD: sod}, tmp_path / "short")
        with pytest.raises(DocumentSignerExhausted):
            keeper.open_document_signers().signer_for(TODAY)


class TestStatus:
    def test_what_is_in_order(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(directory, "status") == 0
        told = capsys.readouterr().out
        assert told.count("good until") == 3
        assert "100000 of 100000 signatures left" in told

    def test_what_is_overdue(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        PkiDirectory(tmp_path / "old").create(CeremonyPlan(), LAST_YEAR)
        assert run(tmp_path / "old", "status") == 1
        first, second, last = capsys.readouterr().out.splitlines()
        assert "document signer" in first
        assert "revocation list" in second
        assert first.count("OVERDUE") == second.count("OVERDUE") == 1
        assert "CSCA key: good" in last


def test_commands_in_an_empty_directory_are_refused(tmp_path: Path) -> None:
    for command in (
        "crl",
        "revoke",
        "document-signer",
        "rotate",
        "rollover",
        "master-list",
        "cvca",
        "status",
    ):
        assert run(tmp_path / "nothing", command) == 1
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", [("status",), ("log", "--verify"), ("master-list",), ("crl",)])
def test_looking_into_a_wrong_directory_leaves_nothing_in_it(
    tmp_path: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A log left there would keep the ceremony from being held into it."""
    assert run(tmp_path, *command) == 1
    assert "no ceremony was held" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


class TestKeyFile:
    ALGORITHM = SigningAlgorithm.named("ecdsa-sha256")

    @pytest.fixture
    def key_file(self, tmp_path: Path) -> Path:
        PrivateKey.generate(ec.SECP256R1(), "sha256").save(tmp_path / "key.pem", b"passphrase")
        return tmp_path / "key.pem"

    def test_it_opens(self, key_file: Path) -> None:
        key = PrivateKey.load(key_file, b"passphrase", self.ALGORITHM)
        assert isinstance(key.public_key, ec.EllipticCurvePublicKey)
        key.public_key.verify(key.sign(b"data"), b"data", ec.ECDSA(hashes.SHA256()))
        assert "PRIVATE" not in repr(key)

    def test_a_wrong_passphrase_is_refused(self, key_file: Path) -> None:
        for wrong in (b"wrong", b""):
            with pytest.raises(SigningKeyUnavailable):
                PrivateKey.load(key_file, wrong, self.ALGORITHM)

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SigningKeyUnavailable):
            PrivateKey.load(tmp_path / "none.pem", b"passphrase", self.ALGORITHM)

    def test_a_certificate_for_another_key_is_refused(self, key_file: Path) -> None:
        key = PrivateKey.load(key_file, b"passphrase", self.ALGORITHM)
        with pytest.raises(SigningKeyUnavailable):
            key.with_certificate(pki.quick_issuer().csca.certificate)

    def test_a_key_that_is_not_encrypted_is_refused(self, key_file: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(SigningKeyUnavailable):
            PrivateKey.load(key_file, b"passphrase", self.ALGORITHM)

    def test_a_key_of_another_kind_is_refused(self, key_file: Path) -> None:
        key = ed25519.Ed25519PrivateKey.generate()
        protection = BestAvailableEncryption(b"passphrase")
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
        with pytest.raises(SigningKeyUnavailable):
            PrivateKey.load(key_file, b"passphrase", self.ALGORITHM)

    def test_an_existing_key_file_is_not_overwritten(self, key_file: Path) -> None:
        with pytest.raises(FileExistsError):
            PrivateKey.generate(ec.SECP256R1(), "sha256").save(key_file, b"secret")
