"""`make demo`, as a newcomer runs it: the whole chain over real processes, and what must be refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring.stack import READY_PATHS, WORKERS
from monitoring.virtual_reader import VirtualReader
from tests.support.machine import lacks
from tests.support.stopwatch import require_in_time

EXPECTED = {
    "genuine": ("verified", None, "chip-live-gateway"),
    "cloned_chip": ("refused", "CHIP_CLONED", "signed-data"),
    "swapped_dg14": ("refused", "CHIP_DATA_ALTERED", "none"),
    "flipped_dg13": ("refused", "CHIP_DATA_ALTERED", "none"),
    "impostor": ("refused", "FACE_NOT_MATCHED", "chip-live-gateway"),
    "flat_photo": ("refused", "FACE_TURN_NOT_SHOWN", "chip-live-gateway"),
    "replaced_card": ("refused", "CARD_REPLACED", "chip-live-gateway"),
    "lost_card": ("refused", "CARD_LOST", "chip-live-gateway"),
    "lost_card_elsewhere": ("refused", "CARD_LOST", "chip-live-gateway"),
    "registry_down": ("unavailable", "REGISTRY_UNAVAILABLE", "chip-live-gateway"),
}
FIGURES = {
    "packets_announced": 1,
    "packets_received": 1,
    "captured": 4,
    "sent": 4,
    "approved": 3,
    "completed": 3,
    "ordered": 5,
    "personalised": 5,
    "qa_passed": 4,
    "qa_failed": 2,
    "spoiled": 2,
    "dispatched": 3,
    "received": 3,
    "delivered": 3,
    "fees_paid": 1,
    "old_cards": 1,
    "old_cards_taken": 1,
    "notices_due": 1,
    "adjudications": 1,
    "adjudications_compared": 1,
    "adjudications_decided": 1,
}
"""Four dossiers, of which one is a duplicate; two prints of five are bad, one only to an officer's eye."""

TOLD = (
    "refused by the rules (PORTRAIT_TOO_SMALL)",
    "its own gate stops it, no network is asked (GATE_BIRTH_DATE_DIFFERS)",
    "the same officer, who approves others, tried to approve it: refused",
    "the same face under another number: the search found somebody",
    "rejected by officer-central and officer-central-2: no card",
    "a bad print was stopped (QC_PRINTED_PORTRAIT_BLURRED",
    "quality saw a stain on a card that had passed: refused, made again",
    "2 spoiled blanks destroyed by quality and stock-keeper",
    "handed over against the gateway's receipt",
    "a card is reported lost; both gateways know it",
    "the receipt verifies offline",
    "every_clock_in_one_place holds",
    "every_stay_was_timed holds",
    "blank cards: 40 received = 35 stock, 3 issued, 0 spoiled, 2 destroyed",
    "recorded events, chain unbroken",
)
MAX_SECONDS = 120
"""From the last program that answers to the last figure."""

MAX_TAP_SECONDS = 1.5

pytestmark = [pytest.mark.slow, pytest.mark.needs_models, pytest.mark.alone]


@pytest.mark.parametrize("transport", ["pcscd", "socket"])
def test_the_demo_ends_with_the_outcome_of_every_scenario(
    transport: str, tmp_path: Path, model_directory: Path
) -> None:
    if transport == "pcscd" and (reason := VirtualReader.available()) is not None:
        lacks(f"pcscd cannot run here: {reason}")
    command = [sys.executable, "-m", "monitoring", "demo", "--folder", str(tmp_path / "demo")]
    command += ["--models", str(model_directory), "--transport", transport]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    scenarios = told["scenarios"]
    assert list(scenarios) == list(EXPECTED)
    for name, result in scenarios.items():
        assert (result["outcome"], result["code"], result["assurance"]) == EXPECTED[name], name
    assert told["figures"] == FIGURES
    assert [line for line in TOLD if line not in done.stdout] == []
    assert re.search(r"chunks brought later: [1-9]", done.stdout)
    lines = done.stdout.splitlines()
    (started,) = (line for line in lines if "all programs answer" in line)
    require_no_person_in_logs(tmp_path / "demo")
    require_in_time(scenarios["genuine"]["seconds"], MAX_TAP_SECONDS)
    require_in_time(float(lines[-2].split()[0]) - float(started.split()[0]), MAX_SECONDS)


def require_no_person_in_logs(folder: Path) -> None:
    people = json.loads((folder / "people.json").read_text(encoding="utf-8"))[:4]
    canaries = [person["citizen_number"] for person in people] + [person["full_name"] for person in people]
    logs = list((folder / "logs").glob("*.log"))
    assert {*READY_PATHS, *WORKERS} <= {path.stem for path in logs}
    for path in logs:
        text = path.read_text(encoding="utf-8")
        assert not [canary for canary in canaries if canary in text], path.name
