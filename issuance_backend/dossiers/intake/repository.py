"""The SQL of packets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    bindparam,
    delete,
    insert,
    select,
    text,
    tuple_,
    update,
)

from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.intake.refusals import PacketSequenceTaken, PacketUnknown
from issuance_backend.dossiers.intake.tables import KITS, PACKET_ITEMS, PACKETS
from issuance_backend.dossiers.repository import Dossier, read_dossier
from issuance_backend.schema import DOSSIERS, RETURNED_TO_KIT
from verification.errors import TransitionRefused
from verification.messages.enrollment_packet import UnverifiedPacket

_FIND = select(PACKETS).where(PACKETS.c.packet == bindparam("which"))
_AT = select(PACKETS).where(PACKETS.c.kit == bindparam("of"), PACKETS.c.sequence == bindparam("number"))
_OF_RECEIPT = (
    select(PACKETS.c.state, KITS.c.unit)
    .join(KITS, KITS.c.id == PACKETS.c.kit)
    .where(PACKETS.c.receipt_code == bindparam("code"))
)
_SAVE = update(PACKETS).where(
    PACKETS.c.packet == bindparam("which"), PACKETS.c.version == bindparam("former")
)
_IN_STATE = (
    select(PACKETS)
    .where(PACKETS.c.state == bindparam("standing"))
    .order_by(PACKETS.c.kit, PACKETS.c.sequence)
)
_ADD = insert(PACKETS)
_COLUMNS = tuple(column.name for column in PACKETS.c)
_ADD_ITEM = insert(PACKET_ITEMS)

Place = tuple[str, int]
"""A packet's kit and number."""

FIRST_PLACE: Place = ("", 0)
"""Before every packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet as it stands; ``code`` says why it waits for a case or was refused."""

    packet: str
    kit: str
    sequence: int
    state: PacketState
    version: int
    metadata: bytes
    announced_at: str
    receipt_code: str
    received_at: str | None = None
    receipt: str | None = None
    dossier: str | None = None
    code: str | None = None
    case_id: str | None = None


def add(connection: Connection, packet: Packet) -> None:
    """Write an announced packet; whoever does it holds its kit and knows that it is new."""
    connection.execute(_ADD, _values(packet))


def save(connection: Connection, packet: Packet) -> None:
    """Write a packet's changes; raises TransitionRefused when somebody else was quicker."""
    values = _values(packet)
    # Not the key: for one that is written SQLite looks into every table that refers to it.
    key = {"which": values.pop("packet"), "former": packet.version}
    changed = connection.execute(_SAVE, {**values, "version": packet.version + 1, **key})
    if changed.rowcount != 1:
        raise TransitionRefused("the packet changed meanwhile")


def find(connection: Connection, packet: str) -> Packet | None:
    """The packet with this hash."""
    row = connection.execute(_FIND, {"which": packet}).mappings().one_or_none()
    return _packet(row) if row else None


def found(connection: Connection, packet: str) -> Packet:
    """The packet with this hash; raises PacketUnknown."""
    known = find(connection, packet)
    if known is None:
        raise PacketUnknown("no such packet was announced")
    return known


def known(connection: Connection, packet: UnverifiedPacket) -> Packet | None:
    """The packet, if it was announced before; raises PacketSequenceTaken where its number is another's.

    A packet's hash covers its kit and number: there is no other place where it could be.
    """
    standing = at(connection, packet.envelope.kit, packet.envelope.sequence)
    if standing is not None and standing.packet != packet.packet_hash:
        raise PacketSequenceTaken("this number is another packet's")
    return standing


def of_receipt(connection: Connection, code: str) -> tuple[PacketState, str | None] | None:
    """Where the packet stands whose citizen holds this receipt code, and the unit of its kit."""
    row = connection.execute(_OF_RECEIPT, {"code": code}).one_or_none()
    return (PacketState(row.state), row.unit) if row else None


def at(connection: Connection, kit: str, sequence: int) -> Packet | None:
    """The packet of a kit with this number."""
    row = connection.execute(_AT, {"of": kit, "number": sequence}).mappings().one_or_none()
    return _packet(row) if row else None


def numbers(connection: Connection, kit: str, settled: int) -> dict[int, PacketState]:
    """The states of a kit's packets beyond a number."""
    rows = connection.execute(
        select(PACKETS.c.sequence, PACKETS.c.state)
        .where(PACKETS.c.kit == kit, PACKETS.c.sequence > settled)
        .order_by(PACKETS.c.sequence)
    )
    return {row.sequence: PacketState(row.state) for row in rows}


def doubtful(connection: Connection, kit: str, after: int, limit: int) -> list[Packet]:
    """Some of a kit's packets that wait for a case, by number, beyond one."""
    question = _IN_STATE.where(PACKETS.c.kit == kit, PACKETS.c.sequence > after)
    return _in_state(connection, question, PacketState.DOUBTFUL, limit)


def refused(connection: Connection, kit: str, limit: int) -> list[Packet]:
    """A kit's refused packets, the latest numbers first."""
    question = (
        select(PACKETS)
        .where(PACKETS.c.state == PacketState.REFUSED.value, PACKETS.c.kit == kit)
        .order_by(PACKETS.c.sequence.desc())
    )
    return [_packet(row) for row in connection.execute(question.limit(limit)).mappings()]


def released(connection: Connection, after: Place, limit: int) -> list[Packet]:
    """Some packets that a case let in and that are no dossier yet, by kit and number, beyond a place."""
    question = _IN_STATE.where(tuple_(PACKETS.c.kit, PACKETS.c.sequence) > after)
    return _in_state(connection, question, PacketState.RELEASED, limit)


def _in_state(connection: Connection, question: Select[Any], state: PacketState, limit: int) -> list[Packet]:
    rows = connection.execute(question.limit(limit), {"standing": state.value})
    return [_packet(row) for row in rows.mappings()]


def received_up_to(connection: Connection, kit: str, sequence: int) -> list[Packet]:
    """Packets of a kit that were received and whose number was passed by."""
    question = select(PACKETS).where(
        PACKETS.c.kit == kit,
        PACKETS.c.sequence <= sequence,
        PACKETS.c.state == PacketState.RECEIVED.value,
    )
    return [_packet(row) for row in connection.execute(question.order_by(PACKETS.c.sequence)).mappings()]


def kits_with_received(connection: Connection) -> list[str]:
    """The kits of which a packet waits to be opened."""
    question = select(PACKETS.c.kit).where(PACKETS.c.state == PacketState.RECEIVED.value).distinct()
    return list(connection.execute(question.order_by(PACKETS.c.kit)).scalars())


def opened_since(
    connection: Connection, moment: str, kit: str | None, after: tuple[str, ...], limit: int
) -> list[Packet]:
    """Packets, of one kit or of all, that were announced at or after a moment and became dossiers without a
    case, by announcement; ``after`` is the announcement and hash of the last one that was told.
    """
    key = (PACKETS.c.announced_at, PACKETS.c.packet)
    question = select(PACKETS).where(
        PACKETS.c.state == PacketState.OPENED.value,
        PACKETS.c.case_id.is_(None),
        PACKETS.c.announced_at >= moment,
        tuple_(*key) > after,
    )
    if kit is not None:
        question = question.where(PACKETS.c.kit == kit)
    rows = connection.execute(question.order_by(*key).limit(limit))
    return [_packet(row) for row in rows.mappings()]


def returned(connection: Connection, kit: str, limit: int) -> list[Dossier]:
    """The returned dossiers of which a packet of this kit stands, the one that waited longest first."""
    stands = select(PACKETS.c.packet).where(
        PACKETS.c.packet == DOSSIERS.c.packet_sha256, PACKETS.c.dossier == DOSSIERS.c.id
    )
    question = (
        select(DOSSIERS)
        .where(text(RETURNED_TO_KIT), DOSSIERS.c.kit == kit, stands.exists())
        .order_by(DOSSIERS.c.updated_at, DOSSIERS.c.id)
        .limit(limit)
    )
    return [read_dossier(row) for row in connection.execute(question).mappings()]


def add_items(connection: Connection, packet: str, pictures: Mapping[str, str]) -> None:
    """Remember where the items of an opened packet lie, by name."""
    if pictures:
        rows = [{"packet": packet, "name": name, "picture": kept} for name, kept in pictures.items()]
        connection.execute(_ADD_ITEM, rows)


def remove_items(connection: Connection, packet: str) -> None:
    """What a packet kept apart is the dossier's now."""
    connection.execute(delete(PACKET_ITEMS).where(PACKET_ITEMS.c.packet == packet))


def items(connection: Connection, packet: str) -> dict[str, str]:
    """Where the items of an opened packet lie, by name."""
    rows = connection.execute(select(PACKET_ITEMS).where(PACKET_ITEMS.c.packet == packet))
    return {row.name: row.picture for row in rows}


def _values(packet: Packet) -> dict[str, Any]:
    return {name: getattr(packet, name) for name in _COLUMNS}


def _packet(row: RowMapping) -> Packet:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    return Packet(**{**values, "state": PacketState(row["state"]), "metadata": bytes(row["metadata"])})
