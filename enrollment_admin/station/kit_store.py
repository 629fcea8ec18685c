"""What a kit keeps in its database: all SQL, and nothing of a person that is not encrypted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from enrollment_admin.station.capture_steps import AT_THE_DESK, ON_THE_WAY, DraftEvent, DraftState, advance
from enrollment_admin.station.gate import Declaration, GateAnswer
from enrollment_admin.station.kit_keys import KitCipher
from enrollment_admin.station.refusals import CaptureUnknown, KitStoreAltered
from verification.fingerprint.print_attempts import FingerAttempts
from verification.fingerprint.printed_form import FormJudgement
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import FIRST, CaptureException, PrintedFormMark

Secret = TypeVar("Secret", bound=msgspec.Struct)

METADATA = MetaData()

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("officer", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("opened_at", String, nullable=False),
    Column("particulars", LargeBinary),
)
STEPS = Table(
    "steps",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("event", String, nullable=False),
    Column("carrier", String),
)
ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("stops", String, nullable=False),
    Column("said", LargeBinary),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("media_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
PACKETS = Table(
    "packets",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("packet", String, nullable=False, unique=True),
    Column("previous", String, nullable=False, unique=True),
    Column("draft", ForeignKey("drafts.number"), nullable=False, unique=True),
    Column("sealed_at", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("receipt", String),
    Column("refused", String),
)
REFUSED_PACKETS = Table(
    "refused_packets",
    METADATA,
    Column("packet", String, primary_key=True),
    Column("refused_at", String, nullable=False),
    Column("code", String),
    Column("seen_to_at", String),
    Column("seen_to_by", String),
)

WRONG_PASSPHRASES = Table(
    "wrong_passphrases",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("officer", String, nullable=False, index=True),
    Column("at", Float, nullable=False),
)


class Answered(msgspec.Struct, frozen=True):
    """The returned dossier that a capture answers: the items that were sent back, and the fields of these."""

    dossier: str
    items: tuple[str, ...]
    fields: tuple[str, ...]


class Particulars(msgspec.Struct, frozen=True):
    """What is known of a capture besides its items."""

    citizen_number: str | None = None
    person: PersonFields | None = None
    is_registered: bool = False
    exceptions: tuple[CaptureException, ...] = ()
    portrait_reason: str | None = None
    printed: PrintedFormMark | None = None
    judged: FormJudgement | None = None
    scanned: FormJudgement | None = None
    answers: Answered | None = None
    prints: dict[str, FingerAttempts] = {}
    slaps: dict[str, SlapAttempts] = {}


class GateAttempt(msgspec.Struct, frozen=True):
    """What the citizen said once, and what the gate answered."""

    at: str
    declaration: Declaration
    answer: GateAnswer


@dataclass(frozen=True, slots=True)
class KeptItem:
    """A picture, print or scan that lies in the kit."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class DraftRow:
    """One capture as its row says."""

    number: int
    officer: str
    state: DraftState
    opened_at: str
    particulars: Particulars


@dataclass(frozen=True, slots=True)
class PacketRow:
    """One sealed packet; ``refused`` is the code of the centre's last refusal."""

    sequence: int
    packet: str
    previous: str
    draft: int
    sealed_at: str
    size: int
    receipt: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class KitFigures:
    """How much work stands where; ``stopped`` of the ``attempts`` did not pass the gate."""

    by_state: dict[DraftState, int]
    attempts: int
    stopped: int


class KitStore:
    """Reads and writes in the transaction that it is given."""

    def __init__(self, kit: str, cipher: KitCipher) -> None:
        self._kit = kit
        self._cipher = cipher

    def add(self, connection: Connection, officer: str, at: str) -> DraftRow:
        """A new capture under the next number."""
        newest = connection.execute(select(func.max(DRAFTS.c.number))).scalar_one() or 0
        row = DraftRow(newest + 1, officer, advance(None, DraftEvent.BEGIN), at, Particulars())
        values = {"number": row.number, "officer": officer, "state": row.state.value, "opened_at": at}
        connection.execute(insert(DRAFTS).values(values))
        self._record(connection, row.number, DraftEvent.BEGIN, at)
        return row

    def draft(self, connection: Connection, number: int) -> DraftRow:
        """One capture; raises CaptureUnknown and KitStoreAltered."""
        row = connection.execute(select(DRAFTS).where(DRAFTS.c.number == number)).one_or_none()
        if row is None:
            raise CaptureUnknown("no such capture")
        return self._draft(row)

    def in_hand(self, connection: Connection) -> list[DraftRow]:
        """The captures that the kit still answers for, oldest first."""
        states = [state.value for state in (*AT_THE_DESK, *ON_THE_WAY)]
        asked = select(DRAFTS).where(DRAFTS.c.state.in_(states)).order_by(DRAFTS.c.number)
        return [self._draft(row) for row in connection.execute(asked)]

    def keep_particulars(self, connection: Connection, number: int, particulars: Particulars) -> None:
        """Put other particulars in the place of the former."""
        sealed = self._sealed(particulars, number, "particulars")
        connection.execute(update(DRAFTS).where(DRAFTS.c.number == number).values(particulars=sealed))

    def take_step(
        self, connection: Connection, row: DraftRow, event: DraftEvent, at: str, carrier: str | None = None
    ) -> DraftRow:
        """Record what happened, with the state it leads to; raises TransitionRefused."""
        state = advance(row.state, event)
        connection.execute(update(DRAFTS).where(DRAFTS.c.number == row.number).values(state=state.value))
        self._record(connection, row.number, event, at, carrier)
        return replace(row, state=state)

    def _record(
        self, connection: Connection, number: int, event: DraftEvent, at: str, carrier: str | None = None
    ) -> None:
        """Append a step."""
        values = {"draft": number, "at": at, "event": event.value, "carrier": carrier}
        connection.execute(insert(STEPS).values(number=_next(connection, STEPS, number), **values))

    def steps(self, connection: Connection, number: int) -> list[tuple[DraftEvent, str | None]]:
        """What happened to a capture, and who carried it."""
        asked = select(STEPS).where(STEPS.c.draft == number).order_by(STEPS.c.number)
        return [(DraftEvent(row.event), row.carrier) for row in connection.execute(asked)]

    def add_attempt(self, connection: Connection, number: int, attempt: GateAttempt) -> None:
        """Keep what was said at the gate."""
        place = _next(connection, ATTEMPTS, number)
        stops = " ".join(stop.code for stop in attempt.answer.stops)
        said = self._sealed(attempt, number, f"attempt {place}")
        values = {"draft": number, "number": place, "at": attempt.at, "stops": stops, "said": said}
        connection.execute(insert(ATTEMPTS).values(values))

    def attempts(self, connection: Connection, number: int) -> tuple[GateAttempt, ...]:
        """Every attempt at the gate, the last one last; none once the capture is out of hand."""
        asked = select(ATTEMPTS).where(ATTEMPTS.c.draft == number).order_by(ATTEMPTS.c.number)
        rows = connection.execute(asked)
        said = [self._opened(row.said, number, f"attempt {row.number}", GateAttempt) for row in rows]
        return tuple(attempt for attempt in said if attempt is not None)

    def put_item(self, connection: Connection, number: int, item: KeptItem, content: bytes) -> None:
        """Keep an item; a former one of the name is gone."""
        self.remove_item(connection, number, item.name)
        sealed = self._cipher.seal(content, self._place(number, f"{item.media_type} {item.name}"))
        values = {"draft": number, "name": item.name, "media_type": item.media_type, "size": item.size}
        connection.execute(insert(ITEMS).values(content=sealed, **values))

    def remove_item(self, connection: Connection, number: int, name: str) -> None:
        """Drop an item, if it is there."""
        connection.execute(delete(ITEMS).where(ITEMS.c.draft == number, ITEMS.c.name == name))

    def items(self, connection: Connection, number: int) -> tuple[KeptItem, ...]:
        """Which items there are, by name."""
        asked = select(ITEMS.c.name, ITEMS.c.media_type, ITEMS.c.size).where(ITEMS.c.draft == number)
        return tuple(KeptItem(*row) for row in connection.execute(asked.order_by(ITEMS.c.name)))

    def contents(self, connection: Connection, number: int) -> dict[str, bytes]:
        """The items themselves, by name; raises KitStoreAltered."""
        asked = select(ITEMS).where(ITEMS.c.draft == number).order_by(ITEMS.c.name)
        return {
            row.name: self._cipher.open(row.content, self._place(number, f"{row.media_type} {row.name}"))
            for row in connection.execute(asked)
        }

    def erase(self, connection: Connection, number: int) -> None:
        """Keep nothing of the person; that there was a capture, and what the gate stopped, stays."""
        connection.execute(delete(ITEMS).where(ITEMS.c.draft == number))
        connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.draft == number).values(said=None))
        connection.execute(update(DRAFTS).where(DRAFTS.c.number == number).values(particulars=None))

    def head(self, connection: Connection) -> tuple[int, str]:
        """The number and the hash of the last packet; those before the first where there is none."""
        newest = select(PACKETS.c.sequence, PACKETS.c.packet).order_by(PACKETS.c.sequence.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        return (row.sequence, row.packet) if row else (0, FIRST)

    def add_packet(self, connection: Connection, row: PacketRow) -> None:
        """Take the next number for a packet, for good."""
        names = (column.name for column in PACKETS.columns)
        connection.execute(insert(PACKETS).values({name: getattr(row, name) for name in names}))

    def packet(self, connection: Connection, packet: str) -> PacketRow | None:
        """A packet by its hash."""
        return _only(connection, PACKETS.c.packet == packet)

    def packet_of(self, connection: Connection, number: int) -> PacketRow | None:
        """The packet that a capture became."""
        return _only(connection, PACKETS.c.draft == number)

    def waiting(self, connection: Connection) -> list[PacketRow]:
        """The packets without a receipt, in the order of their numbers."""
        asked = select(PACKETS).where(PACKETS.c.receipt.is_(None)).order_by(PACKETS.c.sequence)
        return [PacketRow(*row) for row in connection.execute(asked)]

    def carriers(self, connection: Connection) -> dict[int, list[str]]:
        """Who carried the packets without a receipt, by capture, each once in the order of the first time."""
        asked = select(STEPS.c.draft, STEPS.c.carrier).join(PACKETS, PACKETS.c.draft == STEPS.c.draft)
        asked = asked.where(PACKETS.c.receipt.is_(None), STEPS.c.carrier.is_not(None))
        found: dict[int, list[str]] = {}
        for draft, carrier in connection.execute(asked.order_by(STEPS.c.draft, STEPS.c.number)):
            found.setdefault(draft, []).append(carrier)
        return found

    def note(self, connection: Connection, packet: str, **changes: str | None) -> None:
        """Write the centre's receipt, or its refusal, to a packet."""
        connection.execute(update(PACKETS).where(PACKETS.c.packet == packet).values(changes))

    def figures(self, connection: Connection) -> KitFigures:
        """How much work stands where."""
        counted = connection.execute(select(DRAFTS.c.state, func.count()).group_by(DRAFTS.c.state))
        by_state = dict.fromkeys(DraftState, 0) | {DraftState(state): count for state, count in counted}
        attempts = connection.execute(select(func.count()).select_from(ATTEMPTS)).scalar_one()
        stopped = select(func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.stops != "")
        return KitFigures(by_state, attempts, connection.execute(stopped).scalar_one())

    def add_wrong_try(self, connection: Connection, officer: str, at: datetime) -> None:
        """Note that somebody tried to open an officer's key."""
        connection.execute(insert(WRONG_PASSPHRASES).values(officer=officer, at=at.timestamp()))

    def wrong_tries(self, connection: Connection, officer: str, since: datetime) -> int:
        """How often that was tried after a moment, since the key was last opened."""
        asked = (
            select(func.count()).select_from(WRONG_PASSPHRASES).where(WRONG_PASSPHRASES.c.officer == officer)
        )
        asked = asked.where(WRONG_PASSPHRASES.c.at > since.timestamp())
        return int(connection.execute(asked).scalar_one())

    def forget_wrong_tries(self, connection: Connection, officer: str) -> None:
        """The key was opened."""
        connection.execute(delete(WRONG_PASSPHRASES).where(WRONG_PASSPHRASES.c.officer == officer))

    def _draft(self, row: Row[Any]) -> DraftRow:
        particulars = self._opened(row.particulars, row.number, "particulars", Particulars) or Particulars()
        return DraftRow(row.number, row.officer, DraftState(row.state), row.opened_at, particulars)

    def _place(self, number: int, part: str) -> str:
        """What ties sealed content to its row: it opens in no other one."""
        return f"{self._kit} {number} {part}"

    def _sealed(self, secret: msgspec.Struct, number: int, part: str) -> bytes:
        return self._cipher.seal(msgspec.json.encode(secret), self._place(number, part))

    def _opened(self, sealed: bytes | None, number: int, part: str, kind: type[Secret]) -> Secret | None:
        if sealed is None:
            return None
        try:
            return msgspec.json.decode(self._cipher.open(sealed, self._place(number, part)), type=kind)
        except msgspec.DecodeError:
            raise KitStoreAltered("another program wrote this") from None


def _only(connection: Connection, condition: ColumnElement[bool]) -> PacketRow | None:
    row = connection.execute(select(PACKETS).where(condition)).one_or_none()
    return None if row is None else PacketRow(*row)


def _next(connection: Connection, table: Table, draft: int) -> int:
    newest = select(func.max(table.c.number)).where(table.c.draft == draft)
    return (connection.execute(newest).scalar_one() or 0) + 1
