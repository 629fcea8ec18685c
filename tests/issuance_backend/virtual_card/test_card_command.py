"""``python -m issuance_backend.virtual_card``: the contract that outside readers rely on."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from cryptography import x509

from issuance_backend.virtual_card.__main__ import main
from reader_agent.transports.vpcd_socket import VpcdListener
from tests.support.virtual_reader_bed import card_process
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.encoding.mrz import mrz_information_from, parse_td1
from verification.inspection.inspect import inspect
from verification.pki.trust_store import TrustStore


@pytest.mark.parametrize("profile", ["bac", "pace-gm", "cccd"])
def test_a_fresh_card_tells_what_opens_it_and_is_genuine_by_its_csca(profile: str, tmp_path: Path) -> None:
    reader = VpcdListener("127.0.0.1", 0)
    with card_process(f"127.0.0.1:{reader.port}", tmp_path, profile) as told:
        assert set(told) == {"mrz", "can", "sha256"}
        assert parse_td1(told["mrz"]).optional_data_1.startswith(told["mrz"][15:27])
        assert reader.wait_for_card(10)
        document = DocumentReader(reader.connect(), os.urandom)
        document.open(MrzKey(mrz_information_from(told["mrz"])) if profile == "bac" else Can(told["can"]))
        files = document.read_files()
    reader.close()
    groups = {str(f.value): hashlib.sha256(data).hexdigest() for f, data in files.items() if f.is_data_group}
    assert groups.items() <= told["sha256"].items()
    assert set(told["sha256"]) - set(groups) == ({"3"} if profile == "cccd" else set())
    csca = (tmp_path / "csca.der").read_bytes()
    moment = x509.load_der_x509_certificate(csca).not_valid_before_utc.replace(hour=23, minute=59)
    assert inspect(files, TrustStore.from_certificates([csca]), moment).fault_code is None


@pytest.mark.parametrize("profile", ["pace-im", "pace-cam"])
def test_a_mapping_that_the_chip_does_not_speak_is_refused_in_words(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--vpcd", "127.0.0.1:1", "--profile", profile, "--export", str(tmp_path)]
    assert main(arguments) == 2
    assert profile in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", ["--vpcd", "--profile", "--export"])
def test_every_argument_is_needed(missing: str, tmp_path: Path) -> None:
    given = {"--vpcd": "127.0.0.1:1", "--profile": "cccd", "--export": str(tmp_path)}
    with pytest.raises(SystemExit) as ended:
        main([part for name, value in given.items() if name != missing for part in (name, value)])
    assert ended.value.code == 2
