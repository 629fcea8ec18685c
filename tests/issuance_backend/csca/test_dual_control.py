"""Nothing is signed by one custodian alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from issuance_backend.csca.crl import number_of
from issuance_backend.csca.pki_directory import PkiDirectory
from tests.support.founded_pki import certificate, log, require_authentic, run, signed_card, the_list


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """``NAME=FILE`` of three custodians."""
    folder, given = tmp_path_factory.mktemp("custodians"), {}
    for name in ("lan", "minh", "hoa"):
        (folder / name).write_text(f"the own passphrase of {name}\n")
        given[name] = f"{name}={folder / name}"
    return given


@pytest.fixture(scope="module")
def guarded_once(tmp_path_factory: pytest.TempPathFactory, secrets: dict[str, str]) -> Path:
    path = tmp_path_factory.mktemp("guarded") / "pki"
    custodians = [part for given in secrets.values() for part in ("--custodian", given)]
    assert run(path, "ceremony", *custodians) == 0
    return path


class TestDualControl:
    @pytest.fixture
    def guarded(self, guarded_once: Path, tmp_path: Path) -> Path:
        return shutil.copytree(guarded_once, tmp_path / "guarded")

    def test_two_custodians_of_three_issue_a_list(self, guarded: Path, secrets: dict[str, str]) -> None:
        for number, names in enumerate((("lan", "minh"), ("minh", "hoa"), ("hoa", "lan")), 2):
            given = [part for name in names for part in ("--custodian", secrets[name])]
            assert run(guarded, "crl", *given) == 0
            assert number_of(the_list(guarded)) == number
            assert log(guarded)[-3]["custodians"] == sorted(names)

    @pytest.mark.parametrize("names", [(), ("lan",), ("lan", "lan")])
    @pytest.mark.parametrize(
        "command", ["crl", "revoke", "document-signer", "rotate", "rollover", "master-list-signer", "cvca"]
    )
    def test_nothing_is_signed_with_fewer(
        self, guarded: Path, secrets: dict[str, str], command: str, names: tuple[str, ...]
    ) -> None:
        given = [part for name in names for part in ("--custodian", secrets[name])]
        before = the_list(guarded), certificate(guarded)
        assert run(guarded, command, *given) == 1
        assert (the_list(guarded), certificate(guarded)) == before
        assert log(guarded)[-1]["event"] == "custodians refused"
        assert log(guarded)[-1]["code"] == "DUAL_CONTROL_MISSING"

    def test_a_false_passphrase_is_refused_and_logged(
        self, guarded: Path, secrets: dict[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "false").write_text("not the passphrase")
        given = ("--custodian", secrets["lan"], "--custodian", f"minh={tmp_path / 'false'}")
        assert run(guarded, "crl", *given) == 1
        assert log(guarded)[-1]["code"] == "CUSTODIAN_NOT_PROVEN"

    def test_no_passphrase_lies_beside_the_keys(self, guarded: Path) -> None:
        assert not PkiDirectory(guarded).kept_custodians()
        for path in guarded.rglob("*"):
            if path.is_file():
                assert b"own passphrase" not in path.read_bytes()

    def test_the_office_signs_cards_without_custodians(self, guarded: Path) -> None:
        require_authentic(signed_card(guarded), guarded)

    @pytest.mark.parametrize("needed", ["1", "4"])
    def test_a_ceremony_that_is_not_dual_control_is_not_held(
        self, tmp_path: Path, secrets: dict[str, str], needed: str
    ) -> None:
        custodians = [part for given in secrets.values() for part in ("--custodian", given)]
        assert run(tmp_path / "new", "ceremony", *custodians, "--needed", needed) == 1

    def test_key_files_and_invented_custodians_are_not_called_production(
        self, tmp_path: Path, secrets: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        custodians = [part for given in secrets.values() for part in ("--custodian", given)]
        for options in ([], custodians):
            assert run(tmp_path / "new", "ceremony", "--profile", "production", *options) == 1
            assert "hardware tokens" in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
