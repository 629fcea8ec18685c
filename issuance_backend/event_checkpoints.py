"""The newest recorded event, signed now and then: without the centre's key nobody writes the past anew.

The chain alone shows a changed line only where the lines after it were left as they were. Whoever chains them
all again would also have to sign what was signed before (invariant I5); and a checkpoint that somebody keeps
elsewhere shows that later lines, and later checkpoints, were taken away.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, insert, select

from issuance_backend import recorded_events
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.recorded_events import BEGINNING, ChainBroken, Place
from issuance_backend.schema import EVENT_CHECKPOINTS, EVENT_HEAD, EVENTS
from monitoring.database import Database
from verification.errors import SignatureInvalid
from verification.messages.canonical import canonical_json
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.signing_key import PublicKey, SigningKey, thumbprint

CHECKPOINT_TYPE = "event-checkpoint+jws"

logger = logging.getLogger(__name__)


class EventCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So far the record had come at this moment, and this was the hash of its last line."""

    sequence: int
    hash: str
    at: str


class CheckpointDesk:
    """Signs for the centre, with the key that also signs its receipts."""

    def __init__(self, database: Database, key: SigningKey, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock

    def sign(self) -> int:
        """Sign the newest line if the lines since the last checkpoint follow from it; how many were signed.

        A record that was tampered with is said in the log and not signed: 0, as where nothing is new.
        """
        keys = {thumbprint(self._key.public_key()): self._key.public_key()}
        with self._database.reading() as connection:
            try:
                since = _newest(connection, keys)
                reached = recorded_events.walk(connection, since)
            except (ChainBroken, SignatureInvalid):
                logger.exception("recorded events are not what was signed", extra={"code": "EVENTS_TAMPERED"})
                return 0
        said = EventCheckpoint(reached.sequence, reached.hash, rfc3339(self._clock()))
        token = sign_statement(canonical_json(msgspec.to_builtins(said)), CHECKPOINT_TYPE, self._key)
        with self._database.writing() as connection:
            # One at a time: whoever signed meanwhile signed as much or more.
            connection.execute(select(EVENT_HEAD).with_for_update())
            if _newest(connection, keys).sequence >= said.sequence:
                return 0
            connection.execute(insert(EVENT_CHECKPOINTS).values(sequence=said.sequence, token=token))
        return reached.sequence - since.sequence


def newest_token(connection: Connection) -> str | None:
    """The newest checkpoint as it was signed, for somebody to keep."""
    question = select(EVENT_CHECKPOINTS.c.token).order_by(EVENT_CHECKPOINTS.c.sequence.desc()).limit(1)
    return connection.execute(question).scalar_one_or_none()


def verify(connection: Connection, keys: Mapping[str, PublicKey]) -> int:
    """Hold every checkpoint against the record; the last line that one covers, 0 without any.

    The record itself is walked by ``recorded_events.verify``. Raises ChainBroken and SignatureInvalid.
    """
    covered = 0
    for token in connection.execute(
        select(EVENT_CHECKPOINTS.c.token).order_by(EVENT_CHECKPOINTS.c.sequence)
    ).scalars():
        covered = require_kept(connection, token, keys).sequence
    return covered


def require_kept(connection: Connection, token: str, keys: Mapping[str, PublicKey]) -> Place:
    """The place that a checkpoint names, if the record still has it.

    Raises ChainBroken and SignatureInvalid.
    """
    said = msgspec.json.decode(read_statement(token, CHECKPOINT_TYPE, keys), type=EventCheckpoint)
    stands = connection.execute(select(EVENTS.c.hash).where(EVENTS.c.sequence == said.sequence)).scalar()
    if stands != said.hash:
        raise ChainBroken(f"line {said.sequence} is not the one that was signed")
    return Place(said.sequence, said.hash)


def _newest(connection: Connection, keys: Mapping[str, PublicKey]) -> Place:
    token = newest_token(connection)
    return BEGINNING if token is None else require_kept(connection, token, keys)
