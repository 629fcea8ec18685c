"""The SQL of officers and their sessions."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.officers.domain import Officer, OfficerAccount, Role
from issuance_backend.schema import OFFICER_SESSIONS, OFFICERS


def add(connection: Connection, officer: Officer, password_hash: str, moment: datetime) -> None:
    """Write a new officer; an id that stands already is a constraint fault."""
    connection.execute(
        insert(OFFICERS).values(
            id=officer.id,
            name=officer.name,
            roles=",".join(sorted(officer.roles)),
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
            password_hash=password_hash,
            failed_sign_ins=0,
            blocked_until=None,
        )
    )
    return changed.rowcount == 1


def account(connection: Connection, officer: str) -> OfficerAccount | None:
    """The account of an officer."""
    row = connection.execute(select(OFFICERS).where(OFFICERS.c.id == officer)).one_or_none()
    if row is None:
        return None
    return OfficerAccount(
        _officer(row.id, row.name, row.roles),
        row.password_hash,
        row.failed_sign_ins,
        parse_moment(row.blocked_until) if row.blocked_until else None,
    )


def record_failure(
    connection: Connection, officer: str, failures: int, blocked_until: datetime | None
) -> None:
    """Count a wrong password, or all of them at once as a block."""
    connection.execute(
        update(OFFICERS)
        .where(OFFICERS.c.id == officer)
        .values(failed_sign_ins=failures, blocked_until=rfc3339(blocked_until) if blocked_until else None)
    )


def open_session(
    connection: Connection, officer: str, token: str, opened: datetime, expires: datetime
) -> None:
    """Start a session; its token is kept as a hash only, and earlier failures are forgotten."""
    record_failure(connection, officer, 0, None)
    connection.execute(delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.expires_at < rfc3339(opened)))
    connection.execute(
        insert(OFFICER_SESSIONS).values(
            token_sha256=_digest(token),
            officer=officer,
            opened_at=rfc3339(opened),
            expires_at=rfc3339(expires),
        )
    )


def session_officer(connection: Connection, token: str, moment: datetime) -> Officer | None:
    """Who holds this session token at this moment."""
    row = connection.execute(
        select(OFFICERS.c.id, OFFICERS.c.name, OFFICERS.c.roles)
        .join(OFFICER_SESSIONS, OFFICER_SESSIONS.c.officer == OFFICERS.c.id)
        .where(OFFICER_SESSIONS.c.token_sha256 == _digest(token))
        .where(OFFICER_SESSIONS.c.expires_at > rfc3339(moment))
    ).one_or_none()
    return _officer(row.id, row.name, row.roles) if row else None


def close_session(connection: Connection, token: str) -> None:
    """End a session; an unknown token ends nothing."""
    connection.execute(delete(OFFICER_SESSIONS).where(OFFICER_SESSIONS.c.token_sha256 == _digest(token)))


def _officer(officer: str, name: str, roles: str) -> Officer:
    return Officer(officer, name, frozenset(Role(role) for role in roles.split(",")))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
