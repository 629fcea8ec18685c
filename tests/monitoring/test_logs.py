from __future__ import annotations

import json
import logging
import sys

import pytest

from monitoring.logs import JsonLines, redact

CANARIES = ["001090123456", "123456", "NGUYEN<<VAN<THU<NGHIEM<<<<<<<<", "IDVNM0901234562001090123456<<3"]


def formatted(message: str, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("gateway.desk", logging.INFO, __file__, 1, message, None, None)
    record.__dict__.update(extra)
    return dict(json.loads(JsonLines("gateway").format(record)))


@pytest.mark.parametrize("canary", CANARIES)
def test_personal_text_in_a_message_is_blanked(canary: str) -> None:
    assert canary not in redact(f"read {canary} now")
    assert canary not in json.dumps(formatted(f"read {canary} now"))


def test_a_field_that_is_not_permitted_is_dropped() -> None:
    line = formatted("chip read", full_name="Nguyễn Văn Thử", can="123456", code="CHIP_CLONED")
    assert line["code"] == "CHIP_CLONED"
    assert "full_name" not in line
    assert "can" not in line


def test_personal_text_in_a_permitted_field_is_blanked() -> None:
    assert formatted("chip read", step="DG1 001090123456")["step"] == "DG1 [redacted]"


def test_an_exception_shows_its_type_and_place_but_not_its_text() -> None:
    try:
        raise ValueError("Nguyễn Văn Thử 001090123456")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    line = JsonLines("gateway").format(record)
    assert "Nguyễn" not in line
    assert json.loads(line)["exception"] == "ValueError"
    assert "test_logs.py" in json.loads(line)["at"][0]
