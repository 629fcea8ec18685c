"""The SQL of officers and their sessions."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.officers.domain import (
    BLOCK_LENGTH,
    FAILURES_BEFORE_BLOCK,
    Officer,
    OfficerAccount,
    Role,
)
from issuance_backend.schema import OFFICER_SESSIONS, OFFICERS

_ACCOUNT = select(OFFICERS).where(OFFICERS.c.id == bindparam("officer"))
_HELD_ACCOUNT = _ACCOUNT.with_for_update(read=True)


def add(connection: Connection, officer: Officer, password_hash: str, moment: datetime) -> None:
    """Write a new officer; an id that stands already is a constraint fault."""
    connection.execute(
        insert(OFFICERS).values(
            id=officer.id,
            name=officer.name,
            roles=",".join(sorted(officer.roles)),
            unit=officer.unit,
            password_hash=password_hash,
            failed_sign_ins=0,
            added_at=rfc3339(moment),
        )
    )


def set_password(connection: Connection, officer: Officer, password_hash: str) -> bool:
    """Give an officer new name, roles and password and end all sessions; False when there is no such one."""
    connection.execute(delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.officer == officer.id))
    changed = connection.execute(
        update(OFFICERS)
        .where(OFFICERS.c.id == officer.id)
        .values(
            name=officer.name,
            roles=",".join(sorted(officer.roles)),
            unit=officer.unit,
            password_hash=password_hash,
            failed_sign_ins=0,
            blocked_until=None,
        )
    )
    return changed.rowcount == 1


def account(connection: Connection, officer: str, *, hold: bool = False) -> OfficerAccount | None:
    """The account of an officer; who holds it keeps it from being blocked until they are done."""
    row = connection.execute(_HELD_ACCOUNT if hold else _ACCOUNT, {"officer": officer}).one_or_none()
    if row is None:
        return None
    return OfficerAccount(
        _officer(row.id, row.name, row.roles, row.unit),
        row.password_hash,
        parse_moment(row.blocked_until) if row.blocked_until else None,
        row.suspended_at is not None,
    )


def suspend(connection: Connection, officer: str, moment: datetime) -> bool:
    """Block an officer and end every session; False when there is no such one or it is blocked already."""
    connection.execute(delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.officer == officer))
    changed = connection.execute(
        update(OFFICERS)
        .where(OFFICERS.c.id == officer, OFFICERS.c.suspended_at.is_(None))
        .values(suspended_at=rfc3339(moment))
    )
    return changed.rowcount == 1


def readmit(connection: Connection, officer: str) -> bool:
    """End a block, and any wait after wrong passwords; False when there is no blocked officer of this id."""
    changed = connection.execute(
        update(OFFICERS)
        .where(OFFICERS.c.id == officer, OFFICERS.c.suspended_at.is_not(None))
        .values(suspended_at=None, failed_sign_ins=0, blocked_until=None)
    )
    return changed.rowcount == 1


def record_failure(connection: Connection, officer: str, moment: datetime) -> None:
    """Count a wrong password; one too many starts a block, and counting begins anew.

    One statement: of several who guess at once none is left out, and none ends a block.
    """
    counted = OFFICERS.c.failed_sign_ins + 1
    is_too_many = counted >= FAILURES_BEFORE_BLOCK
    connection.execute(
        update(OFFICERS)
        .where(OFFICERS.c.id == officer)
        .values(
            failed_sign_ins=case((is_too_many, 0), else_=counted),
            blocked_until=case((is_too_many, rfc3339(moment + BLOCK_LENGTH)), else_=OFFICERS.c.blocked_until),
        )
    )


def open_session(
    connection: Connection, officer: str, token: str, opened: datetime, expires: datetime
) -> None:
    """Start a session; its token is kept as a hash only, and earlier failures are forgotten."""
    forgotten = update(OFFICERS).where(OFFICERS.c.id == officer).values(failed_sign_ins=0, blocked_until=None)
    connection.execute(forgotten)
    remove_ended_sessions(connection, opened)
    connection.execute(
        insert(OFFICER_SESSIONS).values(
            token_sha256=_digest(token),
            officer=officer,
            opened_at=rfc3339(opened),
            expires_at=rfc3339(expires),
        )
    )


def remove_ended_sessions(connection: Connection, moment: datetime) -> int:
    """Forget sessions whose time is over; how many there were."""
    ended = delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.expires_at <= rfc3339(moment))
    return connection.execute(ended).rowcount


def session_officer(connection: Connection, token: str, moment: datetime) -> Officer | None:
    """Who holds this session token at this moment."""
    row = connection.execute(
        select(OFFICERS.c.id, OFFICERS.c.name, OFFICERS.c.roles, OFFICERS.c.unit)
        .join(OFFICER_SESSIONS, OFFICER_SESSIONS.c.officer == OFFICERS.c.id)
        .where(OFFICER_SESSIONS.c.token_sha256 == _digest(token))
        .where(OFFICER_SESSIONS.c.expires_at > rfc3339(moment))
        # Also whoever opened a session in the very moment of being blocked.
        .where(OFFICERS.c.suspended_at.is_(None))
    ).one_or_none()
    return _officer(row.id, row.name, row.roles, row.unit) if row else None


def close_session(connection: Connection, token: str) -> None:
    """End a session; an unknown token ends nothing."""
    connection.execute(delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.token_sha256 == _digest(token)))


def _officer(officer: str, name: str, roles: str, unit: str | None) -> Officer:
    return Officer(officer, name, frozenset(Role(role) for role in roles.split(",")), unit)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
