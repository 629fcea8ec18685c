"""The register of requests that may come again: same key and same request, same answer."""

from __future__ import annotations

import logging
import secrets
from contextlib import AbstractContextManager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from issuance_backend.idempotency import domain, repository
from issuance_backend.idempotency.domain import Attempt, KeptAnswer
from issuance_backend.moments import Clock
from issuance_backend.refusals import RequestStillRunning
from monitoring.database import Database, committing_with
from monitoring.refusals import DatabaseBusy

logger = logging.getLogger(__name__)


class RequestRegister:
    """Remembers requests by caller and key, for a day."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, caller: str, key: str, digest: str) -> Attempt | KeptAnswer:
        """An attempt to execute, or the answer of the time before.

        Raises RequestMalformed, IdempotencyConflict, RequestStillRunning and AnswerLost.
        """
        attempt = Attempt(caller, domain.require_key(key), secrets.token_hex(16))
        moment = self._clock()
        with self._database.writing() as connection:
            known = repository.find(connection, caller, key)
            if known is not None and known.expires_at <= moment:
                repository.forget(connection, caller, key)
                known = None
            if known is None:
                repository.begin(connection, attempt, digest, moment)
                return attempt
            answer = domain.judge(known, digest, moment)
            if answer is None:
                repository.begin_again(connection, attempt, known.attempt, moment)
        return answer or attempt

    def executing(self, attempt: Attempt) -> AbstractContextManager[None]:
        """While this lasts, whatever is committed is committed together with its key."""

        def mark(connection: Connection) -> None:
            if not repository.record_effect(connection, attempt):
                raise RequestStillRunning("another attempt took this request over")

        return committing_with(mark)

    def finish(self, attempt: Attempt, answer: KeptAnswer) -> None:
        """Keep an answer; a refusal that changed nothing is not kept, so that the request may come again."""
        try:
            with self._database.writing() as connection:
                if answer.status >= 400:
                    repository.release(connection, attempt)
                if answer.status < 500:
                    repository.keep(connection, attempt, answer)
                else:
                    # What took effect before it failed is told as that, not tried a second time.
                    repository.end(connection, attempt, self._clock())
        except (SQLAlchemyError, DatabaseBusy) as fault:
            # The caller still gets the answer; only a repetition will be told that it was lost.
            logger.error("answer not kept", extra={"fault": type(fault).__name__})  # noqa: TRY400

    def purge(self) -> int:
        """Forget what is older than answers are kept."""
        with self._database.writing() as connection:
            return repository.purge(connection, self._clock())
