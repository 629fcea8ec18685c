"""The office's door: signing in and out, and who is asking."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from werkzeug.security import check_password_hash, generate_password_hash

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers import repository
from issuance_backend.officers.domain import MIN_PASSWORD_LENGTH, SESSION_LENGTH, Officer, Role
from issuance_backend.refusals import SignInBlocked, SignInFailed
from monitoring.database import Database
from verification.errors import OfficerSessionEnded
from verification.messages.enrollment import OfficerCredentials, OfficerSession

_METHOD = "scrypt:32768:8:1"


class OfficerDoor:
    """Knows officers by password at the door and by session token afterwards."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Checked where there is no such officer, so that the answer takes as long.
        self._nobody = generate_password_hash(secrets.token_hex(16), _METHOD)

    def enrol(self, officer: str, name: str, roles: Iterable[Role], password: str) -> None:
        """Add an officer, or give a known one a new name, roles and password; raises ValueError."""
        if not (
            officer.isascii() and officer.replace("-", "").replace(".", "").isalnum() and len(officer) <= 40
        ):
            raise ValueError("an officer's id has up to 40 letters, digits, dots and hyphens")
        if len(password) < MIN_PASSWORD_LENGTH:
            raise ValueError(f"a password needs at least {MIN_PASSWORD_LENGTH} characters")
        entry = Officer(officer, name, frozenset(roles))
        if not entry.roles:
            raise ValueError("an officer needs a role")
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
                current = repository.account(connection, officer.id) or account
                repository.record_failure(connection, officer.id, *current.after_failure(moment))
            raise SignInFailed("officer or password is wrong")
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
