"""The production profile: every key in a hardware token, the root token's PIN split among custodians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.hardware_token import HardwareToken
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.refusals import SigningKeyUnavailable
from tests.issuance_backend.csca.conftest import LIBRARY, SoftToken
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore


@pytest.fixture
def tokens(make_token: Callable[[], SoftToken]) -> tuple[SoftToken, SoftToken]:
    """For the root keys and for the signers' keys."""
    return make_token(), make_token()


@pytest.fixture
def custodians(tmp_path: Path) -> list[str]:
    given = []
    for name in ("lan", "minh", "hoa"):
        (tmp_path / name).write_text(f"the own passphrase of {name}")
        given += ["--custodian", f"{name}={tmp_path / name}"]
    return given


@pytest.fixture
def directory(tmp_path: Path, tokens: tuple[SoftToken, SoftToken], custodians: list[str]) -> Path:
    options = ["--profile", "production", "--token-library", LIBRARY, *custodians]
    for kind, token in zip(("root", "signer"), tokens, strict=True):
        (tmp_path / f"{kind}.pin").write_text(token.pin)
        options += [f"--{kind}-token", token.name.label, f"--{kind}-pin-file", str(tmp_path / f"{kind}.pin")]
    assert run(tmp_path / "pki", "ceremony", options) == 0
    return tmp_path / "pki"


def run(directory: Path, command: str, options: Sequence[str] = ()) -> int:
    return main([command, "--out", str(directory), *options])


def require_card_is_authentic(directory: Path) -> None:
    moment = datetime.now(UTC)
    files = pki.card().without(LdsFile.SOD)
    signer = PkiDirectory(directory).open_document_signers().signer_for(moment)
    files[LdsFile.SOD] = sign_security_object(data_group_hashes(files), signer, signing_time=moment)
    handed_out = [*directory.glob("csca*.der"), *directory.glob("*.crl")]
    store = TrustStore.from_files([path.read_bytes() for path in handed_out])
    assert authenticate(files, store, moment).revocation_known


def test_cards_signed_in_the_token_are_authentic(directory: Path) -> None:
    require_card_is_authentic(directory)


def test_no_private_key_lies_on_the_disk(directory: Path) -> None:
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix == ".pem" or b"PRIVATE KEY" in path.read_bytes()]
    assert [path.name for path in (directory / "keys").iterdir()] == ["signers.secret"]


def test_the_root_pin_of_before_opens_nothing(directory: Path, tokens: tuple[SoftToken, SoftToken]) -> None:
    """Whoever set the token up knew that PIN alone."""
    root, _ = tokens
    with pytest.raises(SigningKeyUnavailable, match="refuses the PIN"):
        HardwareToken(LIBRARY, root.name.label, root.pin)


def test_two_custodians_renew_replace_and_roll_over(directory: Path, custodians: list[str]) -> None:
    for command in ("crl", "document-signer", "rollover", "revoke", "document-signer", "cvca"):
        assert run(directory, command, custodians[:4]) == 0
    findings = PkiDirectory(directory).verify_log()
    assert findings.lines == findings.sealed
    require_card_is_authentic(directory)


def test_one_custodian_opens_nothing(directory: Path, custodians: list[str]) -> None:
    before = (directory / "csca.crl").read_bytes()
    for given in ([], custodians[:2], custodians[:2] * 2):
        for command in ("crl", "document-signer", "rollover"):
            assert run(directory, command, given) == 1
    assert (directory / "csca.crl").read_bytes() == before


def test_master_lists_and_terminals_take_no_custodians(
    directory: Path, custodians: list[str], tmp_path: Path
) -> None:
    for command in ("master-list-signer", "cvca", "document-verifier"):
        assert run(directory, command, custodians[:4]) == 0
    assert run(directory, "master-list") == 0
    assert run(directory, "terminal", ["--terminal", str(tmp_path / "terminal")]) == 0
    assert (directory / "masterlist.ml").stat().st_size > 1000


def test_a_token_that_cannot_be_opened_leaves_nothing_behind(
    tmp_path: Path, tokens: tuple[SoftToken, SoftToken], custodians: list[str]
) -> None:
    (tmp_path / "pin").write_text("wrong pin")
    options = ["--profile", "production", "--token-library", LIBRARY, *custodians]
    for kind, token in zip(("root", "signer"), tokens, strict=True):
        options += [f"--{kind}-token", token.name.label, f"--{kind}-pin-file", str(tmp_path / "pin")]
    assert run(tmp_path / "pki", "ceremony", options) == 1
    assert not (tmp_path / "pki").exists()
