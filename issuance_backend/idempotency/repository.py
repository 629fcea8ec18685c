"""The SQL of requests that may come again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.idempotency.domain import ATTEMPT_LENGTH, KEPT_FOR, Attempt, KeptAnswer, KnownRequest
from issuance_backend.idempotency.tables import IDEMPOTENT_REQUESTS as REQUESTS
from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.refusals import RequestStillRunning


def find(connection: Connection, caller: str, key: str) -> KnownRequest | None:
    """The request that came before with this key of this caller."""
    row = connection.execute(
        select(REQUESTS).where(REQUESTS.c.caller == caller, REQUESTS.c.key == key)
    ).one_or_none()
    if row is None:
        return None
    answer = None if row.status is None else KeptAnswer(row.status, row.content_type, bytes(row.answer))
    return KnownRequest(
        request_digest=row.request_digest,
        attempt=row.attempt,
        attempt_until=parse_moment(row.attempt_until),
        took_effect=row.took_effect,
        answer=answer,
        expires_at=parse_moment(row.expires_at),
    )


def begin(connection: Connection, attempt: Attempt, digest: str, moment: datetime) -> None:
    """Write the first attempt at a request; raises RequestStillRunning when another was quicker."""
    row = insert(REQUESTS).values(
        caller=attempt.caller,
        key=attempt.key,
        request_digest=digest,
        attempt=attempt.name,
        attempt_until=rfc3339(moment + ATTEMPT_LENGTH),
        took_effect=False,
        expires_at=rfc3339(moment + KEPT_FOR),
    )
    try:
        connection.execute(row)
    except IntegrityError:
        raise RequestStillRunning("the same key came twice at once") from None


def begin_again(connection: Connection, attempt: Attempt, former: str, moment: datetime) -> None:
    """Take a request over from an attempt that ended without effect; raises RequestStillRunning."""
    taken = connection.execute(
        update(REQUESTS)
        .where(
            REQUESTS.c.caller == attempt.caller,
            REQUESTS.c.key == attempt.key,
            REQUESTS.c.attempt == former,
            REQUESTS.c.took_effect.is_(False),
        )
        .values(attempt=attempt.name, attempt_until=rfc3339(moment + ATTEMPT_LENGTH))
    )
    if taken.rowcount != 1:
        raise RequestStillRunning("another attempt was quicker")


def record_effect(connection: Connection, attempt: Attempt) -> bool:
    """Mark in the request's own transaction that it takes effect; False when the key is not ours now."""
    marked = connection.execute(update(REQUESTS).where(_of(attempt)).values(took_effect=True))
    return marked.rowcount == 1


def keep(connection: Connection, attempt: Attempt, answer: KeptAnswer) -> None:
    """Write what the request was answered."""
    values = {"status": answer.status, "content_type": answer.content_type, "answer": answer.body}
    connection.execute(update(REQUESTS).where(_of(attempt)).values(**values))


def end(connection: Connection, attempt: Attempt, moment: datetime) -> None:
    """Nobody works on the request any longer; what became of it stands in its row."""
    connection.execute(update(REQUESTS).where(_of(attempt)).values(attempt_until=rfc3339(moment)))


def release(connection: Connection, attempt: Attempt) -> None:
    """Forget an attempt that changed nothing: the same request may be tried again at once."""
    connection.execute(delete(REQUESTS).where(_of(attempt), REQUESTS.c.took_effect.is_(False)))


def forget(connection: Connection, caller: str, key: str) -> None:
    """Forget one request, whatever became of it."""
    connection.execute(delete(REQUESTS).where(REQUESTS.c.caller == caller, REQUESTS.c.key == key))


def purge(connection: Connection, moment: datetime) -> int:
    """Forget every request that is older than answers are kept; how many there were."""
    return connection.execute(delete(REQUESTS).where(REQUESTS.c.expires_at <= rfc3339(moment))).rowcount


def _of(attempt: Attempt) -> ColumnElement[bool]:
    return and_(
        REQUESTS.c.caller == attempt.caller,
        REQUESTS.c.key == attempt.key,
        REQUESTS.c.attempt == attempt.name,
    )
