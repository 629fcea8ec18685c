"""The ``Idempotency-Key`` header: a guard that lets a repeated request through once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from flask import Response, after_this_request, request
from flask.typing import ResponseReturnValue

from issuance_backend.idempotency.domain import HEADER, Attempt, KeptAnswer, request_digest
from issuance_backend.idempotency.service import RequestRegister

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def answered_once(
    guard: Callable[[], None], caller: Callable[[], str], register: RequestRegister
) -> Callable[[], ResponseReturnValue | None]:
    """The guard, and behind it the key: ``caller`` names whoever the guard let pass.

    Requests without a key, and those that change nothing, pass as they are.
    """

    def guarded() -> ResponseReturnValue | None:
        guard()
        key = request.headers.get(HEADER)
        if key is None or request.method not in _CHANGING:
            return None
        digest = request_digest(request.method, request.full_path, request.get_data())
        begun = register.begin(caller(), key, digest)
        if isinstance(begun, KeptAnswer):
            return _repeated(begun)
        _execute(register, begun)
        return None

    return guarded


def _execute(register: RequestRegister, attempt: Attempt) -> None:
    execution = ExitStack()
    execution.enter_context(register.executing(attempt))

    @after_this_request
    def finish(response: Response) -> Response:
        # Outside of the execution: keeping the answer is no effect of the request.
        execution.close()
        register.finish(attempt, KeptAnswer(response.status_code, response.content_type, response.get_data()))
        return response


def _repeated(answer: KeptAnswer) -> Response:
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Idempotent-Replayed"] = "true"
    return response
