"""RFC 9457 problem details from the fault catalogue: a code, a sentence, the next step; no internals."""

from __future__ import annotations

import json

from flask import Response, g, has_request_context, request

from verification.messages.fault_catalogue import fault


def problem(status: int, code: str, *, language: str | None = None, **members: object) -> Response:
    """An ``application/problem+json`` answer for a fault code.

    ``members`` are further members of the object, such as ``session`` or ``faults``.
    """
    entry = fault(code)
    text = entry.text(language or preferred_language())
    body: dict[str, object] = {
        "type": f"urn:problem:{code.lower().replace('_', '-')}",
        "title": text.what,
        "status": status,
        "code": code,
        "retryable": entry.retryable,
        "owner": entry.owner,
        "next_step": text.next,
        "next_step_vi": entry.vi.next,
        "request_id": g.get("request_id") if has_request_context() else None,
        **members,
    }
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")


def preferred_language() -> str:
    """``en`` when the request asks for English before Vietnamese, else ``vi``."""
    if not has_request_context():
        return "vi"
    return request.accept_languages.best_match(["vi", "en"], default="vi") or "vi"
