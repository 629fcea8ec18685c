"""What the report pages ask of the backend."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from enrollment_admin.backend_client import BackendClient, FileAnswer, Listed
from verification.messages.statistics import (
    Definitions,
    NewTarget,
    RecordCheck,
    RecordLine,
    Report,
    ReturnReport,
    TargetsSet,
    TextFindings,
    TextToCheck,
)

_STATISTICS = "/v1/statistics"


def definitions(backend: BackendClient) -> Definitions:
    """What is counted, divided and timed, in words."""
    return backend.ask("GET", f"{_STATISTICS}/definitions", Definitions)


def report(backend: BackendClient, asked: Mapping[str, str]) -> Report:
    """A whole report; ``asked`` may name ``unit``, ``as_of`` and ``period``."""
    return backend.ask("GET", f"{_STATISTICS}/report?{urlencode(asked)}", Report)


def record_check(backend: BackendClient) -> RecordCheck:
    """How the last check of the figures against the recorded events ended."""
    return backend.ask("GET", f"{_STATISTICS}/record-check", RecordCheck)


def exported(backend: BackendClient, form: str, asked: Mapping[str, str]) -> FileAnswer:
    """The same report as a file."""
    return backend.file(f"{_STATISTICS}/report.{form}?{urlencode(asked)}")


def records(
    backend: BackendClient, figure: str, asked: Mapping[str, str], cursor: str | None
) -> Listed[RecordLine]:
    """The records behind a figure."""
    return backend.listed(f"{_STATISTICS}/records", {**asked, "figure": figure}, cursor, RecordLine)


def returns(backend: BackendClient, asked: Mapping[str, str]) -> ReturnReport:
    """Captures that were sent back; ``asked`` as for a report."""
    return backend.ask("GET", f"{_STATISTICS}/returns?{urlencode(asked)}", ReturnReport)


def set_target(backend: BackendClient, target: NewTarget) -> TargetsSet:
    """Set one target."""
    return backend.ask("POST", f"{_STATISTICS}/targets", TargetsSet, target)


def check_text(backend: BackendClient, text: TextToCheck) -> TextFindings:
    """Which figures of a text contradict each other."""
    return backend.ask("POST", f"{_STATISTICS}/text-checks", TextFindings, text)
