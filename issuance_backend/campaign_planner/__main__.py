"""``python -m issuance_backend.campaign_planner < request.json``: a plan as JSON on standard output.

The office runs it as a child for each question, so that a solver's memory and time are never its own.
A refusal is one JSON line on standard error, ``{"code": ..., "fields": {...}}``, and exit code 1.
Standard output carries the plan alone: what a library prints there (HiGHS greets since 1.16, from C, whatever
its options say) is thrown away.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from issuance_backend.campaign_planner.planning import plan
from verification.errors import FieldsRefused, RequestMalformed, VerificationError
from verification.messages.campaign_plan import PlanRequest


def main() -> int:
    """Read a request, write a plan."""
    with _standard_output_alone() as answer:
        return _write_plan(answer)


def _standard_output_alone() -> BinaryIO:
    """What was standard output, for the plan; whatever else is printed from here on goes nowhere."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return answer


def _write_plan(answer: BinaryIO) -> int:
    try:
        try:
            request = msgspec.json.decode(sys.stdin.buffer.read(), type=PlanRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RequestMalformed("the request is no PlanRequest") from None
        answer.write(msgspec.json.encode(plan(request)) + b"\n")
    except VerificationError as fault:
        fields = fault.fields if isinstance(fault, FieldsRefused) else {}
        sys.stderr.buffer.write(msgspec.json.encode({"code": fault.code, "fields": fields}) + b"\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
