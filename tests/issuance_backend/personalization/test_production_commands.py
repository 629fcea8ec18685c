"""``python -m issuance_backend produce work``: its settings are the office's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.issuance_office import Office

ROOT = Path(__file__).parents[3]


def test_a_worker_starts_with_the_settings_of_the_office_and_stops_when_idle(office: Office) -> None:
    settings = office.settings
    environ = {
        "ISSUANCE_SERVICE_TOKENS": settings.service_tokens,
        "ISSUANCE_REGISTRY_URL": settings.registry_url,
        "ISSUANCE_REGISTRY_TOKEN_FILE": settings.registry_token_file,
        "ISSUANCE_PKI_DIR": settings.pki_dir,
        "ISSUANCE_CARD_DIR": settings.card_dir,
        "ISSUANCE_BLOB_KEYS_FILE": settings.blob_keys_file,
        "ISSUANCE_BLOB_DIR": settings.blob_dir,
        "ISSUANCE_DATABASE_URL": settings.database_url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "issuance_backend", "produce", "work", "--until-idle"],
        check=False,
        cwd=ROOT,
        env={**os.environ, **{name: str(value) for name, value in environ.items()}},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0 orders worked on"), done.stderr
