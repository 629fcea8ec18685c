"""The office's door: signing in and out, and who is asking."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import Connection
from werkzeug.security import check_password_hash, generate_password_hash

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers import repository
from issuance_backend.officers.domain import (
    MIN_PASSWORD_LENGTH,
    SESSION_LENGTH,
    Officer,
    Role,
    require_held_together,
)
from issuance_backend.refusals import OfficerSuspended, SignInBlocked, SignInFailed
from issuance_backend.steps import Step
from issuance_backend.unit_codes import is_unit
from monitoring.database import Database
from verification.errors import OfficerSessionEnded
from verification.messages.enrollment import OfficerCredentials, OfficerSession

_METHOD = "scrypt:32768:8:1"

Record = Callable[[Connection, Step], None]
"""Records a step in the same transaction."""

RevokeKeys = Callable[[Connection, str, str, datetime], int]
"""Revokes the keys that an officer signs with, by whom and from when on; how many that met."""


class OfficerDoor:
    """Knows officers by password at the door and by session token afterwards."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Made before anybody asks: the first question, too, takes as long.
        self._nobody = _nobodys_hash()

    def enrol(
        self, officer: str, name: str, roles: Iterable[Role], password: str, unit: str | None = None
    ) -> None:
        """Add an officer, or give a known one a new name, roles, unit and password; raises ValueError."""
        _require_id(officer)
        if unit is not None and not is_unit(unit):
            raise ValueError("a unit is written 001, 001.02 or 001.02.00013")
        if len(password) < MIN_PASSWORD_LENGTH:
            raise ValueError(f"a password needs at least {MIN_PASSWORD_LENGTH} characters")
        entry = Officer(officer, name, frozenset(roles), unit)
        require_held_together(entry.roles)
        password_hash = generate_password_hash(password, _METHOD)
        with self._database.writing() as connection:
            if not repository.set_password(connection, entry, password_hash):
                repository.add(connection, entry, password_hash, self._clock())

    def sign_in(self, credentials: OfficerCredentials) -> OfficerSession:
        """Open a session; raises SignInFailed or SignInBlocked."""
        moment = self._clock()
        with self._database.reading() as connection:
            account = repository.account(connection, credentials.officer)
        if account is not None and account.is_blocked(moment):
            raise SignInBlocked("too many wrong passwords")
        known = account.password_hash if account else self._nobody
        right = check_password_hash(known, credentials.password)
        if account is None:
            raise SignInFailed("officer or password is wrong")
        officer = account.officer
        if not right:
            with self._database.writing() as connection:
                repository.record_failure(connection, officer.id, moment)
            raise SignInFailed("officer or password is wrong")
        if account.is_suspended:
            # Said only to whoever knows the password: nobody else learns who is blocked.
            raise OfficerSuspended("the account is blocked")
        token = secrets.token_urlsafe(32)
        expires = moment + SESSION_LENGTH
        with self._database.writing() as connection:
            repository.open_session(connection, officer.id, token, moment, expires)
        return OfficerSession(
            token=token,
            officer=officer.id,
            name=officer.name,
            roles=tuple(sorted(officer.roles)),
            expires_at=rfc3339(expires),
            unit=officer.unit,
        )

    def sign_out(self, token: str) -> None:
        """End the session of this token."""
        with self._database.writing() as connection:
            repository.close_session(connection, token)

    def officer(self, token: str) -> Officer:
        """Who holds the token; raises OfficerSessionEnded."""
        with self._database.reading() as connection:
            officer = repository.session_officer(connection, token, self._clock())
        if officer is None:
            raise OfficerSessionEnded("no such session")
        return officer

    def remove_ended_sessions(self) -> int:
        """Forget sessions whose time is over; how many there were."""
        with self._database.writing() as connection:
            return repository.remove_ended_sessions(connection, self._clock())


class OfficerRoster:
    """Who may come to work at all; used by whoever runs the office, and recorded."""

    def __init__(self, database: Database, clock: Clock, record: Record, revoke_keys: RevokeKeys) -> None:
        self._database = database
        self._clock = clock
        self._record = record
        self._revoke_keys = revoke_keys

    def block(self, officer: str, by: str) -> int:
        """End an officer's sessions, refuse new ones and revoke their keys; how many keys those were.

        Raises ValueError unless there is an officer to block.
        """
        moment = self._clock()
        with self._database.writing() as connection:
            if not repository.suspend(connection, officer, moment):
                raise ValueError("there is no such officer, or the account is blocked already")
            self._record(connection, _step(officer, "block", "blocked", by, rfc3339(moment)))
            return self._revoke_keys(connection, officer, by, moment)

    def unblock(self, officer: str, by: str) -> None:
        """Let an officer sign in again; raises ValueError unless the account was blocked.

        Their keys stay revoked: whoever had them meanwhile is not known. They sign with a new one.
        """
        with self._database.writing() as connection:
            if not repository.readmit(connection, officer):
                raise ValueError("there is no such officer, or the account is not blocked")
            self._record(connection, _step(officer, "unblock", "admitted", by, rfc3339(self._clock())))


@cache
def _nobodys_hash() -> str:
    """Checked where there is no such officer, so that the answer takes as long. Made once a program."""
    return generate_password_hash(secrets.token_hex(16), _METHOD)


def _step(officer: str, event: str, state: str, by: str, at: str) -> Step:
    _require_id(by)
    # The subject's column holds forty characters, and so does an id.
    return Step(subject="officer", event=event, state=state, actor=by, at=at, detail={"officer": officer})


def _require_id(officer: str) -> None:
    plain = officer.replace("-", "").replace(".", "")
    if not (officer.isascii() and plain.isalnum() and len(officer) <= 40):
        raise ValueError("an officer's id has up to 40 letters, digits, dots and hyphens")
