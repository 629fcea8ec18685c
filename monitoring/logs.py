"""JSON log lines that cannot name a person.

A record carries a static message and fields from ``extra``. Only fields of the list below are
written: what a programmer adds without thinking is dropped, not published. Digits and machine
readable lines that slip into a message are blanked as a second line of defence, and of an
exception only its type and place are written, because its text may quote a document.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

FIELDS = frozenset(
    {
        "agent", "apdus", "assurance", "bytes", "camera", "check", "code", "count", "credential", "dossier",
        "engine", "event", "fault", "job", "method", "ms", "outcome", "partner", "pid", "port", "program",
        "purpose", "reader", "request_id", "role", "route", "score", "seconds", "session", "signal", "slot",
        "state", "status", "step", "transport", "tree_size", "version", "worker",
    }
)  # fmt: skip

_PERSONAL = re.compile(r"\d{6,}|[A-Z0-9<]*<<[A-Z0-9<]*")


def redact(text: str) -> str:
    """Blank runs of six or more digits (CAN, citizen number, dates) and machine readable lines."""
    return _PERSONAL.sub("[redacted]", text)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: time in UTC, level, service, message and the permitted fields."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for name in FIELDS & record.__dict__.keys():
            value = record.__dict__[name]
            line[name] = redact(value) if isinstance(value, str) and not _is_identifier(name) else value
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["at"] = [
                f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])[-6:]
            ]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(service: str, level: int = logging.INFO) -> None:
    """Send every log record of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The access log of our harness replaces these; theirs would quote paths as they came.
    for chatty in ("werkzeug", "waitress.queue", "urllib3", "PIL", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # gunicorn writes by itself, and quotes a request that it cannot read: its lines go our way too.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True


def _is_identifier(name: str) -> bool:
    # Our own random identifiers may hold long runs of digits; persons never stand in these fields.
    return name in {"session", "request_id", "dossier", "credential", "agent", "partner"}
