"""``read``: one card, judged on this machine alone; the result as one JSON object."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from monitoring.environment import ConfigurationFault
from reader_agent import exit_codes
from reader_agent.ports import CardReader
from reader_agent.session.access import Access, access_secret
from reader_agent.session.card_reading import CardReading, ChipDesk
from verification.errors import (
    CardNotPresent,
    ReaderNotFound,
    ReaderUnplugged,
    VerificationError,
)
from verification.inspection.inspect import inspect
from verification.inspection.report import CheckResult, InspectionReport, Outcome
from verification.pki.trust_store import TrustStore

MAX_TRUST_FILE_BYTES = 8_388_608
Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What the command line asked for."""

    reader: str
    access: Access
    csca: tuple[Path, ...]
    card_wait_seconds: float


class _CountingTransport:
    """Counts commands; the card itself stays the one who connected it."""

    def __init__(self, transmit: Callable[[bytes], bytes]) -> None:
        self._transmit = transmit
        self.apdus = 0

    def transmit(self, command: bytes) -> bytes:
        self.apdus += 1
        return self._transmit(command)


def read_card(order: ReadOrder, open_reader: Callable[[str], CardReader]) -> tuple[Json, int]:
    """Read and judge one card; returns the JSON object and the exit code.

    Raises ConfigurationFault when a trust file cannot be read.
    """
    result = _empty_result()
    began = time.monotonic()
    try:
        secret = access_secret(order.access)
        trust = _trust_store(order.csca)
        reader = open_reader(order.reader)
        if not reader.wait_for_card(order.card_wait_seconds):
            raise CardNotPresent("no card came")
        began = time.monotonic()
        card = reader.connect()
        counter = _CountingTransport(card.transmit)
        try:
            desk = ChipDesk(counter, secrets.token_bytes)
            reading = desk.read(secret)
            result.update(_facts(reading))
            desk.prove_actively(reading)
            desk.prove_locally(reading)
        finally:
            result["apdus"] = counter.apdus
            card.close()
        code = _judge(result, reading, trust)
    except VerificationError as error:
        result["error"] = error.code
        code = _exit_code(error)
    result["seconds"] = round(time.monotonic() - began, 3)
    return result, code


def as_text(result: Mapping[str, object]) -> str:
    """The result for people."""
    return "\n".join(f"{name:13} {json.dumps(value)}" for name, value in result.items())


def _trust_store(files: tuple[Path, ...]) -> TrustStore:
    contents = []
    for path in files:
        try:
            with path.open("rb") as file:
                contents.append(file.read(MAX_TRUST_FILE_BYTES))
        except OSError as fault:
            raise ConfigurationFault(f"--csca {path.name}: {type(fault).__name__}") from None
    return TrustStore.from_files(contents)


def _empty_result() -> Json:
    return {
        "ok": False,
        "access": None,
        "passive_auth": "not done",
        "active_auth": "not done",
        "chip_auth": "not done",
        "terminal_auth": "not done",
        "downgraded": False,
        "dgs": {},
        "locked": [],
        "apdus": 0,
        "seconds": 0.0,
        "error": None,
    }


def _facts(reading: CardReading) -> Json:
    return {
        "access": reading.access.method,
        "downgraded": reading.access.downgraded,
        "dgs": {
            str(file.value): hashlib.sha256(content).hexdigest()
            for file, content in sorted(reading.files.items())
            if file.is_data_group
        },
        "locked": sorted(file.value for file in reading.locked if file.is_data_group),
    }


def _judge(result: Json, reading: CardReading, trust: TrustStore) -> int:
    """Fill in the checks; ``ok`` only when the data are authentic and nothing that the card offers failed."""
    report = inspect(
        reading.files,
        trust,
        datetime.now(UTC),
        access=reading.access_result,
        chip_authentication=reading.chip_authentication,
        active_authentication=reading.active_authentication,
    )
    result["passive_auth"] = _passive(report)
    result["active_auth"] = _word(reading.active_authentication)
    result["chip_auth"] = _word(reading.chip_authentication)
    # Reading fingerprints needs a terminal certificate of the issuer; this counter reads none.
    result["terminal_auth"] = "not supported"
    result["ok"] = report.is_data_authentic and not report.failures and not reading.access.downgraded
    result["error"] = None if result["ok"] else report.fault_code
    return exit_codes.OK if result["ok"] else exit_codes.REFUSED


def _passive(report: InspectionReport) -> str:
    if report.is_data_authentic:
        return "ok"
    return report.fault_code or "CHECK_NOT_MADE"


def _word(check: CheckResult) -> str:
    if check.outcome is Outcome.SUCCESSFUL:
        return "ok"
    return check.code or str(check.outcome)


def _exit_code(error: VerificationError) -> int:
    if isinstance(error, ReaderNotFound | ReaderUnplugged):
        return exit_codes.NO_READER
    if isinstance(error, CardNotPresent):
        return exit_codes.NO_CARD
    return exit_codes.REFUSED
