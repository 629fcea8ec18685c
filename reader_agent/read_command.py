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
from reader_agent.terminal_keys import load_terminal
from reader_agent.terminal_step import TerminalSupply, prove_terminal
from verification.errors import (
    AccessControlDowngraded,
    CardNotPresent,
    ReaderNotFound,
    ReaderUnplugged,
    VerificationError,
)
from verification.inspection.inspect import inspect
from verification.inspection.report import NOT_MADE, Check, CheckResult, InspectionReport, Outcome
from verification.messages.national_time import vietnam_date
from verification.pki.trust_store import TrustStore

MAX_TRUST_FILE_BYTES = 8_388_608
Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What the command line asked for; ``cvc`` is the folder of the terminal's certificates and key."""

    reader: str
    access: Access
    csca: tuple[Path, ...]
    card_wait_seconds: float
    cvc: Path | None = None


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

    Raises ConfigurationFault when a trust file or a terminal's certificate cannot be read.
    """
    result = empty_result()
    began = time.monotonic()
    try:
        secret = access_secret(order.access)
        trust = _trust_store(order.csca)
        terminal = _terminal(order.cvc)
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
            terminal_check = prove_terminal(desk.reader, reading, terminal)
        finally:
            result["apdus"] = counter.apdus
            card.close()
        # Terminal authentication may have opened more files.
        result.update(_facts(reading))
        code = _judge(result, reading, terminal_check, trust)
    except VerificationError as error:
        result["error"] = error.code
        if isinstance(error, AccessControlDowngraded):
            result["downgraded"] = True
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


def _terminal(folder: Path | None) -> TerminalSupply:
    """A terminal whose certificates do not hold is told about, and the rest of the card is read."""
    if folder is None:
        return None
    try:
        return load_terminal(folder, vietnam_date(datetime.now(UTC)))
    except VerificationError as fault:
        return fault


def empty_result() -> Json:
    """What is told where nothing was read."""
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


def _judge(result: Json, reading: CardReading, terminal: CheckResult, trust: TrustStore) -> int:
    """Fill in the checks; ``ok`` only when the data are authentic and nothing that the card offers failed."""
    report = inspect(
        reading.files,
        trust,
        datetime.now(UTC),
        access=reading.access_result,
        chip_authentication=reading.chip_authentication,
        active_authentication=reading.active_authentication,
        chip_authentication_mapping=reading.chip_authentication_mapping,
        terminal_authentication=terminal,
    )
    result["passive_auth"] = _passive(report)
    result["active_auth"] = _word(reading.active_authentication)
    result["chip_auth"] = _chip_word(reading, report)
    result["terminal_auth"] = _word(terminal)
    result["ok"] = report.is_data_authentic and not report.failures and not reading.access.downgraded
    result["error"] = None if result["ok"] else report.fault_code
    return exit_codes.OK if result["ok"] else exit_codes.REFUSED


def _passive(report: InspectionReport) -> str:
    if report.is_data_authentic:
        return "ok"
    return report.fault_code or "CHECK_NOT_MADE"


def _chip_word(reading: CardReading, report: InspectionReport) -> str:
    """How the chip was proven: by chip authentication, and by the mapping of PACE where it ran with that."""
    chip, mapping = reading.chip_authentication, reading.chip_authentication_mapping
    if mapping is None:
        return _word(chip)
    # The mapping proves a key that counts only when the issuer signed it.
    needed = [mapping, report.checks.get(Check.CARD_SECURITY, NOT_MADE)]
    if chip.outcome is not Outcome.NOT_SUPPORTED:
        needed.append(chip)
    return next((word for word in map(_word, needed) if word != "ok"), "ok")


def _word(check: CheckResult) -> str:
    if check.outcome is Outcome.SUCCESSFUL:
        return "ok"
    if check.outcome is Outcome.NOT_SUPPORTED:
        return str(check.outcome)
    return check.code or "not done"


def _exit_code(error: VerificationError) -> int:
    if isinstance(error, ReaderNotFound | ReaderUnplugged):
        return exit_codes.NO_READER
    if isinstance(error, CardNotPresent):
        return exit_codes.NO_CARD
    return exit_codes.REFUSED
