"""``python -m issuance_backend.campaign_planner < request.json``: a plan as JSON on standard output.

The office runs it as a child for each question, so that a solver's memory and time are never its own.
A refusal is one JSON line on standard error, ``{"code": ..., "fields": {...}}``, and exit code 1.
"""

from __future__ import annotations

import sys

import msgspec

from issuance_backend.campaign_planner.planning import plan
from verification.errors import FieldsRefused, RequestMalformed, VerificationError
from verification.messages.campaign_plan import PlanRequest


def main() -> int:
    """Read a request, write a plan."""
    try:
        try:
            request = msgspec.json.decode(sys.stdin.buffer.read(), type=PlanRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RequestMalformed("the request is no PlanRequest") from None
        sys.stdout.buffer.write(msgspec.json.encode(plan(request)) + b"\n")
    except VerificationError as fault:
        fields = fault.fields if isinstance(fault, FieldsRefused) else {}
        sys.stderr.buffer.write(msgspec.json.encode({"code": fault.code, "fields": fields}) + b"\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
