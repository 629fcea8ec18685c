"""`make demo`, as a newcomer runs it: the whole chain over real processes, and what must be refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring.virtual_reader import VirtualReader

EXPECTED = {
    "genuine": ("verified", None, "chip-live-gateway"),
    "cloned_chip": ("refused", "CHIP_CLONED", "signed-data"),
    "swapped_dg14": ("refused", "CHIP_DATA_ALTERED", "none"),
    "flipped_dg13": ("refused", "CHIP_DATA_ALTERED", "none"),
    "impostor": ("refused", "FACE_NOT_MATCHED", "chip-live-gateway"),
    "flat_photo": ("refused", "FACE_TURN_NOT_SHOWN", "chip-live-gateway"),
    "lost_card": ("refused", "CARD_LOST", "chip-live-gateway"),
    "registry_down": ("unavailable", "REGISTRY_UNAVAILABLE", "chip-live-gateway"),
}
MAX_TAP_SECONDS = 1.5

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]


@pytest.mark.parametrize("transport", ["pcscd", "socket"])
def test_the_demo_ends_with_the_outcome_of_every_scenario(
    transport: str, tmp_path: Path, model_directory: Path
) -> None:
    if transport == "pcscd" and VirtualReader.available():
        pytest.skip(f"pcscd cannot run here: {VirtualReader.available()}")
    command = [sys.executable, "-m", "monitoring", "demo", "--folder", str(tmp_path / "demo")]
    command += ["--models", str(model_directory), "--transport", transport]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    scenarios = json.loads(done.stdout.splitlines()[-1])["scenarios"]
    assert list(scenarios) == list(EXPECTED)
    for name, result in scenarios.items():
        assert (result["outcome"], result["code"], result["assurance"]) == EXPECTED[name], name
    assert scenarios["genuine"]["seconds"] <= MAX_TAP_SECONDS
    assert "the receipt verifies offline" in done.stdout
    require_no_person_in_logs(tmp_path / "demo")


def require_no_person_in_logs(folder: Path) -> None:
    people = json.loads((folder / "people.json").read_text(encoding="utf-8"))[:3]
    canaries = [person["citizen_number"] for person in people] + [person["full_name"] for person in people]
    logs = list((folder / "logs").glob("*.log"))
    assert {"agent", "gateway", "registry", "issuance", "admin", "wallet"} <= {path.stem for path in logs}
    for path in logs:
        text = path.read_text(encoding="utf-8")
        assert not [canary for canary in canaries if canary in text], path.name
