"""Hardware tokens for tests: SoftHSM2 in a folder of its own, one fresh token whenever one is asked for."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pkcs11
import pytest

from issuance_backend.csca.pki_records import TokenName
from tests.support.machine import lacks

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"


class SoftToken(NamedTuple):
    """A token with the PIN that it has at first."""

    name: TokenName
    pin: str


@pytest.fixture(scope="session")
def _soft_hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The module reads its configuration once a process."""
    if not Path(LIBRARY).exists():
        lacks("SoftHSM2 is not installed: run `make setup`")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    yield
    pkcs11.unload(LIBRARY)
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def make_token(_soft_hsm: None) -> Callable[[], SoftToken]:
    def make() -> SoftToken:
        label, pin = f"token-{secrets.token_hex(4)}", secrets.token_hex(4)
        subprocess.run(
            [
                "softhsm2-util",
                "--init-token",
                "--free",
                "--label",
                label,
                "--so-pin",
                "87654321",
                "--pin",
                pin,
            ],
            check=True,
            capture_output=True,
        )
        # The module lists its slots when it starts.
        pkcs11.lib(LIBRARY).reinitialize()
        return SoftToken(TokenName(LIBRARY, label), pin)

    return make


@pytest.fixture
def token(make_token: Callable[[], SoftToken]) -> SoftToken:
    return make_token()
