"""Verification sessions in SQL."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.adapters.sql_schema import idempotency, sessions
from gateway.domain.refusals import ChallengeUsed, EvidenceReplayed, IdempotencyConflict, SessionUnknown
from gateway.domain.session import Session, SessionEvent, SessionState, advance
from gateway.ports import Claim
from monitoring.database import Database

LEASE_SECONDS = 30
"""A worker that died while deciding holds a session no longer than this."""


class SqlSessions:
    """The Sessions port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, session: Session, owner: str, idempotency_key: str, request_digest: str) -> Session:
        """Keep a new session, or give the one that the same request made before."""
        try:
            with self._database.writing() as connection:
                connection.execute(insert(sessions).values(_row(session)))
                connection.execute(
                    insert(idempotency).values(
                        owner=owner,
                        key=idempotency_key,
                        request_digest=request_digest,
                        session=session.id,
                    )
                )
        except IntegrityError:
            return self._opened_before(owner, idempotency_key, request_digest)
        return session

    def get(self, session_id: str) -> Session:
        """The session; raises SessionUnknown."""
        with self._database.reading() as connection:
            return _session(_locate(connection, session_id))

    def chip_begun(self, session_id: str, now: datetime) -> None:
        """Note that the chip part has begun."""
        with self._database.writing() as connection:
            session = _session(_locate(connection, session_id))
            session.require_open(now)
            state = advance(session.state, SessionEvent.CHIP_BEGUN)
            connection.execute(update(sessions).where(sessions.c.id == session_id).values(state=state))

    def claim(self, session_id: str, evidence: str, now: datetime) -> Claim:
        """Take the session's one-time challenge for this evidence, under a lease."""
        token = secrets.token_hex(16)
        with self._database.writing() as connection:
            row = _locate(connection, session_id)
            session = _session(row)
            _require_unspent(row, evidence, now)
            session.require_open(now)
            state = advance(session.state, SessionEvent.CLAIMED)
            connection.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(
                    state=state,
                    evidence=evidence,
                    claim=token,
                    lease_until=int(now.timestamp()) + LEASE_SECONDS,
                )
            )
        return Claim(replace(session, state=state, evidence=evidence), token)

    def _opened_before(self, owner: str, key: str, request_digest: str) -> Session:
        with self._database.reading() as connection:
            query = select(idempotency).where(idempotency.c.owner == owner, idempotency.c.key == key)
            earlier = connection.execute(query).mappings().one()
            if earlier["request_digest"] != request_digest:
                raise IdempotencyConflict("the key was used with another request")
            return _session(_locate(connection, earlier["session"]))


def close_session(connection: Connection, claim: Claim) -> None:
    """Mark a claimed session decided, in the transaction that writes the log.

    Raises ChallengeUsed when another worker holds the claim by now.
    """
    state = advance(claim.session.state, SessionEvent.DECISION_LOGGED)
    closed = connection.execute(
        update(sessions)
        .where(
            sessions.c.id == claim.session.id,
            sessions.c.claim == claim.token,
            sessions.c.state == SessionState.DECIDING,
        )
        .values(state=state, lease_until=None)
    )
    if closed.rowcount != 1:
        raise ChallengeUsed("another worker has taken this session over")


def _require_unspent(row: RowMapping, evidence: str, now: datetime) -> None:
    lease_ran_out = row["lease_until"] is not None and row["lease_until"] < now.timestamp()
    spent = row["state"] == SessionState.DECIDED or (
        row["state"] == SessionState.DECIDING and not lease_ran_out
    )
    if row["evidence"] not in {None, evidence}:
        # Also where the worker died that took it: a challenge belongs to one evidence for good.
        raise ChallengeUsed("the session's challenge is spent")
    if spent:
        raise EvidenceReplayed("this evidence was handed over before")


def _locate(connection: Connection, session_id: str) -> RowMapping:
    query = select(sessions).where(sessions.c.id == session_id)
    if not connection.get_execution_options().get("read_only", False):
        # PostgreSQL: the row stays ours until the transaction ends. SQLite has locked the whole file.
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise SessionUnknown("there is no such session")
    return row


def _row(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "partner": session.partner,
        "agent": session.agent,
        "purpose": session.purpose,
        "language": session.language,
        "challenge": session.challenge,
        "state": session.state,
        "opened_at": int(session.opened_at.timestamp()),
        "expires_at": int(session.expires_at.timestamp()),
        "consent": session.consent,
        "partner_ref": session.partner_ref,
    }


def _session(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        partner=row["partner"],
        agent=row["agent"],
        purpose=row["purpose"],
        language=row["language"],
        challenge=row["challenge"],
        state=SessionState(row["state"]),
        opened_at=datetime.fromtimestamp(row["opened_at"], UTC),
        expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
        consent=row["consent"],
        partner_ref=row["partner_ref"],
        evidence=row["evidence"],
    )
