"""The master list that we issue: our own CSCA with its links, and those of others that we checked."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.refusals import SigningKeyUnavailable
from tests.support import pki
from verification.pki.master_list import MasterListFindings, examine_master_list


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("founded") / "pki"
    for command in ("ceremony", "rollover", "master-list-signer"):
        assert main([command, "--out", str(path)]) == 0
    return path


@pytest.fixture
def directory(founded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(founded, tmp_path / "pki")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.der"
    path.write_bytes(pki.rogue().csca.certificate.public_bytes(Encoding.DER))
    return path


def run(directory: Path, command: str, *options: str) -> int:
    return main([command, "--out", str(directory), *options])


def findings(directory: Path) -> MasterListFindings:
    root = (directory / "csca.der").read_bytes()
    return examine_master_list((directory / "masterlist.ml").read_bytes(), root, datetime.now(UTC))


def test_it_holds_our_keys_our_links_and_theirs(directory: Path, foreign: Path) -> None:
    assert run(directory, "master-list", "--certificate", str(foreign)) == 0
    found = findings(directory)
    assert (found.signature, found.refused) == ("successful", ())
    assert found.certificates == found.loaded == found.usable_keys == 4
    assert (found.members.self_signed, found.members.links) == (3, 1)


def test_one_given_twice_stands_once(directory: Path, foreign: Path) -> None:
    given = ("--certificate", str(foreign), "--certificate", str(foreign))
    assert run(directory, "master-list", *given) == 0
    assert findings(directory).certificates == 4


def test_what_is_no_authority_is_refused(directory: Path, tmp_path: Path) -> None:
    for content in ((directory / "ds.der").read_bytes(), b"no certificate"):
        (tmp_path / "other.der").write_bytes(content)
        assert run(directory, "master-list", "--certificate", str(tmp_path / "other.der")) == 1
    assert not (directory / "masterlist.ml").exists()


def test_a_signer_from_before_the_rollover_signs_no_more(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who trusts the new key only could not tell that the list is ours."""
    assert run(directory, "rollover") == 0
    assert run(directory, "master-list") == 1
    assert "make the next one" in capsys.readouterr().err
    assert run(directory, "master-list-signer") == 0
    assert run(directory, "master-list") == 0
    assert findings(directory).signature == "successful"


def test_a_signer_past_its_use_signs_no_more(directory: Path) -> None:
    for moment in (datetime.now(UTC) + timedelta(days=400), datetime.now(UTC) - timedelta(days=2)):
        with pytest.raises(SigningKeyUnavailable):
            PkiDirectory(directory).issue_master_list([], moment)


def test_the_next_signer_replaces_the_one_before(directory: Path) -> None:
    assert run(directory, "master-list-signer") == 0
    assert run(directory, "master-list") == 0
    assert findings(directory).signature == "successful"
    assert [path.name for path in (directory / "keys" / "signers").glob("mls*")] == ["mls-2.pem"]


def test_without_a_signer_nothing_is_signed(directory: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "new", "ceremony") == 0
    assert run(tmp_path / "new", "master-list") == 1
