"""``doctor``: what is wrong with this counter, and who fixes it. It changes nothing and reads no card."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitoring.environment import ConfigurationFault
from reader_agent import exit_codes
from reader_agent.app import load_matcher, make_parts, settings_from
from reader_agent.gateway_client import GatewayClient
from reader_agent.session.visit import CounterParts
from verification.errors import VerificationError
from verification.messages.fault_catalogue import fault

_CAMERA_SECONDS = 5.0
_SANE_CLOCK = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One examined part; ``owner`` is who must act when it is not well."""

    part: str
    is_well: bool
    detail: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings; the exit code says what is worst for a customer."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 when cards can be verified; 3 without a reader, 6 without the gateway, 2 without settings."""
        ill = {finding.part for finding in self.findings if not finding.is_well}
        for part, code in _EXIT_OF.items():
            if part in ill:
                return code
        return exit_codes.OK

    def to_json(self) -> str:
        """One JSON object on one line."""
        rows = [
            {"part": found.part, "ok": found.is_well, "detail": found.detail, "owner": found.owner or None}
            for found in self.findings
        ]
        return json.dumps({"ok": self.exit_code == exit_codes.OK, "findings": rows}, ensure_ascii=False)


_EXIT_OF = {
    "settings": exit_codes.USAGE,
    "reader": exit_codes.NO_READER,
    "trust": exit_codes.REFUSED,
    "gateway": exit_codes.OFFLINE,
}


def examine(environ: Mapping[str, str]) -> Report:
    """Look at every part of the counter."""
    try:
        settings = settings_from(environ)
        parts = make_parts(settings)
    except ConfigurationFault as faults:
        return Report((Finding("settings", is_well=False, detail=str(faults), owner="operator"),))
    language = settings.language
    return Report(
        (
            Finding("settings", is_well=True, detail="complete"),
            _clock(),
            _examined("reader", language, lambda: _reader(parts)),
            _trust(parts),
            _gateway(parts, settings.gateway_url),
            _examined("camera", language, lambda: _camera(parts)),
            _face(settings.model_dir),
        )
    )


def as_text(report: Report) -> str:
    """The report for people, a line each."""
    return "\n".join(
        f"{'ok  ' if found.is_well else 'BAD '} {found.part:9} {found.detail}"
        + (f"  -> {found.owner}" if found.owner else "")
        for found in report.findings
    )


def _examined(part: str, language: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, is_well=True, detail=look())
    except VerificationError as error:
        entry = fault(error.code)
        text = entry.text(language)
        return Finding(
            part, is_well=False, detail=f"{error.code}: {text.what} {text.next}", owner=entry.owner
        )


def _clock() -> Finding:
    now = datetime.now(UTC)
    is_sane = now > _SANE_CLOCK
    detail = now.isoformat(timespec="seconds")
    return Finding("clock", is_well=is_sane, detail=detail, owner="" if is_sane else "operator")


def _reader(parts: CounterParts) -> str:
    present = parts.reader.wait_for_card(0)
    return f"{parts.reader.name}; {'card on it' if present else 'no card'}"


def _trust(parts: CounterParts) -> Finding:
    store = parts.trust()
    detail = f"{len(store.authorities)} CSCA, {len(store.rejected)} files refused"
    is_well = bool(store.authorities) and not store.rejected
    return Finding("trust", is_well=is_well, detail=detail, owner="" if is_well else "operator")


def _gateway(parts: CounterParts, url: str) -> Finding:
    began = time.monotonic()
    client = parts.gateway
    reached = isinstance(client, GatewayClient) and client.is_reachable()
    detail = f"{url}, {round((time.monotonic() - began) * 1000)} ms"
    if not reached:
        return Finding("gateway", is_well=False, detail=f"{detail}, not ready", owner="operator")
    return Finding("gateway", is_well=True, detail=detail)


def _camera(parts: CounterParts) -> str:
    if parts.camera.name == "none":
        return "none: faces are compared by eye"
    try:
        height, width = parts.camera.frame(_CAMERA_SECONDS).pixels.shape[:2]
    finally:
        parts.camera.stop()
    return f"{parts.camera.name}, {width}x{height}"


def _face(model_dir: Path | None) -> Finding:
    matcher = load_matcher(model_dir)
    if matcher is None:
        return Finding("face", is_well=True, detail="no engine: faces are compared by eye")
    return Finding("face", is_well=True, detail=matcher.engine)
