"""The evidence log: an RFC 9162 tree in SQL, its head signed at every entry.

One writer at a time: the head row is locked from the first statement to the commit. Entry, nodes,
head, receipt, count and the closed session are one transaction, so an answer without a log entry cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, RowMapping, and_, insert, or_, select, update

from gateway.adapters.sql_call_figures import count_call
from gateway.adapters.sql_schema import log_entries, log_head, log_nodes
from gateway.adapters.sql_sessions import close_session
from gateway.domain.refusals import LogTampered
from gateway.ports import Claim, DecisionRecord
from monitoring.database import Database
from verification.errors import ReceiptInvalid
from verification.messages import merkle
from verification.messages.receipt import (
    Checkpoint,
    LogEntry,
    Receipt,
    read_checkpoint,
    read_receipt,
    sign_receipt,
    signed_checkpoint,
)
from verification.messages.signing_key import PublicKey, SigningKey, b64url, thumbprint


class SqlEvidenceLog:
    """The EvidenceLog port."""

    def __init__(self, database: Database, origin: str, key: SigningKey) -> None:
        self._database = database
        self._origin = origin
        self._key = key

    def record(self, record: DecisionRecord, claim: Claim) -> str:
        """Append, close the session and sign the receipt in one transaction; the receipt."""
        with self._database.writing() as connection:
            head = _lock_head(connection)
            sequence = head["size"]
            entry = _entry(record, sequence, head["last_leaf"])
            leaf = merkle.leaf_hash(entry.encoded())
            _add_leaf(connection, sequence, leaf)
            receipt = self._receipt(connection, entry, record)
            token = sign_receipt(receipt, self._key)
            close_session(connection, claim)
            connection.execute(
                insert(log_entries).values(
                    sequence=sequence,
                    leaf=leaf,
                    entry=entry.encoded(),
                    session=record.session,
                    receipt=token,
                    facility=record.facility,
                    took_ms=record.took_ms,
                )
            )
            count_call(connection, record)
            connection.execute(
                update(log_head).values(size=sequence + 1, last_leaf=leaf, checkpoint=receipt.checkpoint)
            )
            return token

    def receipt(self, session_id: str) -> str | None:
        """The receipt of a decided session."""
        with self._database.reading() as connection:
            query = select(log_entries.c.receipt).where(log_entries.c.session == session_id)
            return connection.execute(query).scalar_one_or_none()

    def entry(self, session_id: str) -> LogEntry | None:
        """What was logged of a session's decision; None while it is not decided."""
        with self._database.reading() as connection:
            query = select(log_entries.c.entry).where(log_entries.c.session == session_id)
            encoded = connection.execute(query).scalar_one_or_none()
        return None if encoded is None else msgspec.json.decode(encoded, type=LogEntry)

    def checkpoint(self) -> str | None:
        """The newest signed head; None while the log is empty."""
        with self._database.reading() as connection:
            newest: str | None = connection.execute(select(log_head.c.checkpoint)).scalar_one()
            return newest

    def inclusion(self, sequence: int, size: int) -> tuple[bytes, ...]:
        """The inclusion proof; raises ValueError outside the log."""
        with self._database.reading() as connection:
            _require_size(connection, size)
            return _hashes(connection, merkle.inclusion_covers(sequence, size))

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The consistency proof; raises ValueError outside the log."""
        with self._database.reading() as connection:
            _require_size(connection, size)
            return _hashes(connection, merkle.consistency_covers(old, size))

    def _receipt(self, connection: Connection, entry: LogEntry, record: DecisionRecord) -> Receipt:
        size = entry.sequence + 1
        covers = merkle.inclusion_covers(entry.sequence, size)
        root, *proof = _hashes(connection, (merkle.cover(0, size), *covers))
        return Receipt(
            iss=self._origin,
            iat=int(record.recorded_at.timestamp()),
            entry=entry,
            inclusion=tuple(b64url(sibling) for sibling in proof),
            checkpoint=signed_checkpoint(Checkpoint(self._origin, size, root), self._key),
        )


def audit(database: Database, key: PublicKey) -> int:
    """Read the whole log again and hold it against every head that was signed; how many entries it has.

    Every entry's hash and chain, every stored node, every receipt and the newest head must agree:
    an edited, deleted, added or reordered row breaks at least one. Raises LogTampered.
    """
    keys = {thumbprint(key): key}
    with database.reading() as connection:
        head = connection.execute(select(log_head)).mappings().one_or_none()
        nodes = _expected_nodes(_audited_leaves(connection, keys))
        stored = connection.execute(select(log_nodes)).mappings()
        kept = {(row["level"], row["position"]): row["hash"] for row in stored}
    if head is None or kept != nodes:
        raise LogTampered("the stored tree is not the tree of the entries")
    size = sum(1 for level, _ in nodes if level == 0)
    _require_head(head, size, merkle.fold(merkle.cover(0, size), nodes), key)
    return size


def _audited_leaves(connection: Connection, keys: dict[str, PublicKey]) -> list[bytes]:
    leaves: list[bytes] = []
    for row in connection.execute(select(log_entries).order_by(log_entries.c.sequence)).mappings():
        try:
            entry = read_receipt(row["receipt"], keys).entry
        except ReceiptInvalid as fault:
            raise LogTampered(f"entry {len(leaves)}: {fault}") from None
        previous = b64url(leaves[-1]) if leaves else ""
        # SQLite would let an editor put text where bytes were.
        leaf = merkle.leaf_hash(row["entry"]) if isinstance(row["entry"], bytes) else b""
        agrees = (
            entry.encoded() == row["entry"]
            and leaf == row["leaf"]
            and (entry.sequence, entry.previous, entry.session) == (len(leaves), previous, row["session"])
        )
        if not agrees or row["sequence"] != len(leaves):
            raise LogTampered(f"entry {len(leaves)} is not the one that was signed")
        leaves.append(leaf)
    return leaves


def _expected_nodes(leaves: Iterable[bytes]) -> dict[merkle.Coordinate, bytes]:
    nodes: dict[merkle.Coordinate, bytes] = {}
    for index, leaf in enumerate(leaves):
        nodes[0, index] = leaf
        for level, position in merkle.completed_by(index):
            below = level - 1
            nodes[level, position] = merkle.node_hash(
                nodes[below, 2 * position], nodes[below, 2 * position + 1]
            )
    return nodes


def _require_head(head: RowMapping, size: int, root: bytes, key: PublicKey) -> None:
    if size == 0 and head["size"] == 0 and head["checkpoint"] is None:
        return
    try:
        signed = read_checkpoint(head["checkpoint"] or "", key)
    except ReceiptInvalid as fault:
        raise LogTampered(str(fault)) from None
    if (signed.size, signed.root, head["size"]) != (size, root, size):
        raise LogTampered("the entries do not lead to the signed head")


def _lock_head(connection: Connection) -> RowMapping:
    return connection.execute(select(log_head).with_for_update()).mappings().one()


def _entry(record: DecisionRecord, sequence: int, last_leaf: bytes) -> LogEntry:
    return LogEntry(
        sequence=sequence,
        previous=b64url(last_leaf),
        recorded_at=record.recorded_at.isoformat(timespec="milliseconds"),
        action=record.action,
        actor=record.actor,
        partner=record.partner,
        purpose=record.purpose,
        session=record.session,
        subject=record.subject,
        evidence=record.evidence,
        outcome=record.outcome,
        code=record.code,
        assurance=record.assurance,
        checks=record.checks,
        policy=record.policy,
        card=record.card,
    )


def _add_leaf(connection: Connection, sequence: int, leaf: bytes) -> None:
    rows = [{"level": 0, "position": sequence, "hash": leaf}]
    completed = tuple(merkle.completed_by(sequence))
    left = _nodes(connection, ((level - 1, 2 * position) for level, position in completed))
    current = leaf
    for level, position in completed:
        current = merkle.node_hash(left[level - 1, 2 * position], current)
        rows.append({"level": level, "position": position, "hash": current})
    connection.execute(insert(log_nodes), rows)


def _hashes(connection: Connection, covers: tuple[merkle.Cover, ...]) -> tuple[bytes, ...]:
    nodes = _nodes(connection, (coordinate for cover in covers for coordinate in cover))
    return tuple(merkle.fold(cover, nodes) for cover in covers)


def _nodes(
    connection: Connection, coordinates: Iterable[merkle.Coordinate]
) -> dict[merkle.Coordinate, bytes]:
    wanted: dict[int, set[int]] = {}
    for level, position in coordinates:
        wanted.setdefault(level, set()).add(position)
    if not wanted:
        return {}
    # Level by level: asked for pairs at once, SQLite reads the whole log.
    columns = log_nodes.c
    of_level = (
        and_(columns.level == level, columns.position.in_(sorted(wanted[level]))) for level in sorted(wanted)
    )
    rows = connection.execute(select(log_nodes).where(or_(*of_level))).mappings()
    return {(row["level"], row["position"]): row["hash"] for row in rows}


def _require_size(connection: Connection, size: int) -> None:
    if size > connection.execute(select(log_head.c.size)).scalar_one():
        raise ValueError("the log has fewer entries")
