"""The SQL of kits, signers and closed gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, case, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.dossiers.intake.refusals import KitUnknown, SignerTaken
from issuance_backend.dossiers.intake.tables import CLOSED_GAPS, KITS, PACKET_SIGNERS

_KIT = select(KITS).where(KITS.c.id == bindparam("which"))
_LOCKED_KIT = _KIT.with_for_update()
_NEWEST = (
    update(KITS)
    .where(KITS.c.id == bindparam("which"))
    .values(newest=case((KITS.c.newest < bindparam("number"), bindparam("number")), else_=KITS.c.newest))
)
_SETTLE = update(KITS).where(KITS.c.id == bindparam("which"))
_SIGNERS = (
    select(PACKET_SIGNERS)
    .where(PACKET_SIGNERS.c.thumbprint.in_(bindparam("which", expanding=True)))
    .order_by(PACKET_SIGNERS.c.thumbprint)
)
# Whoever revokes a key waits for what is being opened under it, and the other way round.
_HELD_SIGNERS = _SIGNERS.with_for_update(read=True)
# Lists of approvals know this module, and this module not them.
_LISTED = (
    "SELECT DISTINCT listed.dossier FROM listed_approvals AS listed"
    " JOIN approval_lists ON approval_lists.id = listed.list"
    " WHERE approval_lists.as_of >= :since AND listed.dossier > :after"
)
_LISTED_SINCE = text(_LISTED + " ORDER BY listed.dossier LIMIT :most")
_APPROVED_SINCE = text(
    _LISTED + " AND approval_lists.approver = :approver ORDER BY listed.dossier LIMIT :most"
)
_GAP = select(CLOSED_GAPS).where(
    CLOSED_GAPS.c.kit == bindparam("of"), CLOSED_GAPS.c.sequence == bindparam("number")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A kit, and how far its packets are decided."""

    id: str
    unit: str | None
    settled: int
    head: str | None
    newest: int
    registered_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedGap:
    """A number that a case gave up."""

    kit: str
    sequence: int
    named: str | None
    case_id: str
    officer: str
    closed_at: str


def add_kit(connection: Connection, kit: Kit) -> None:
    """Write a new kit; raises SignerTaken."""
    try:
        connection.execute(insert(KITS), asdict(kit))
    except IntegrityError:
        raise SignerTaken("there is a kit of this name") from None


def kit(connection: Connection, which: str, *, lock: bool = False) -> Kit:
    """A kit; raises KitUnknown. Who locks it is alone with its order until the transaction ends."""
    row = connection.execute(_LOCKED_KIT if lock else _KIT, {"which": which}).mappings().one_or_none()
    if row is None:
        raise KitUnknown("no kit of this name")
    return Kit(**row)


def kits(connection: Connection) -> list[Kit]:
    """Every kit, by name."""
    return [Kit(**row) for row in connection.execute(select(KITS).order_by(KITS.c.id)).mappings()]


def note_number(connection: Connection, which: str, sequence: int) -> None:
    """A packet with this number exists."""
    connection.execute(_NEWEST, {"which": which, "number": sequence})


def settle(connection: Connection, which: str, sequence: int, head: str | None) -> None:
    """Everything up to this number is decided; its hash, if it is known."""
    connection.execute(_SETTLE, {"which": which, "settled": sequence, "head": head})


def add_signer(connection: Connection, signer: Signer) -> None:
    """Write a new key; raises SignerTaken."""
    try:
        connection.execute(insert(PACKET_SIGNERS), asdict(signer))
    except IntegrityError:
        raise SignerTaken("this key is registered") from None


def signers(connection: Connection, thumbprints: Sequence[str], *, hold: bool = False) -> dict[str, Signer]:
    """The keys of these names, by name; who holds them keeps them from being revoked until they are done."""
    rows = connection.execute(_HELD_SIGNERS if hold else _SIGNERS, {"which": thumbprints}).mappings()
    return {row["thumbprint"]: Signer(**{**row, "kind": SignerKind(row["kind"])}) for row in rows}


def signers_of(connection: Connection, kind: SignerKind, owner: str) -> list[Signer]:
    """Every key of an owner."""
    keys = PACKET_SIGNERS.c
    question = select(PACKET_SIGNERS).where(keys.kind == kind.value, keys.owner == owner)
    return [Signer(**{**row, "kind": kind}) for row in connection.execute(question).mappings()]


def revoke(connection: Connection, kind: SignerKind, owner: str, moment: str, case_id: str) -> int:
    """Revoke every key of an owner from a moment on; an earlier revocation stays. How many keys that met."""
    keys = PACKET_SIGNERS.c
    return connection.execute(
        update(PACKET_SIGNERS)
        .where(keys.kind == kind.value, keys.owner == owner)
        .where(keys.revoked_at.is_(None) | (keys.revoked_at > moment))
        .values(revoked_at=moment, revoked_case=case_id)
    ).rowcount


def listed_since(connection: Connection, moment: str, after: str, limit: int) -> tuple[str, ...]:
    """Some dossiers that were approved locally in lists of the office from a moment on, by id."""
    asked = {"since": moment, "after": after, "most": limit}
    return tuple(connection.execute(_LISTED_SINCE, asked).scalars())


def approved_since(
    connection: Connection, approver: str, moment: str, after: str, limit: int
) -> tuple[str, ...]:
    """As ``listed_since``, of the lists of one approver."""
    asked = {"approver": approver, "since": moment, "after": after, "most": limit}
    return tuple(connection.execute(_APPROVED_SINCE, asked).scalars())


def owners_revoked(connection: Connection, kind: SignerKind) -> set[str]:
    """The owners of revoked keys."""
    keys = PACKET_SIGNERS.c
    question = select(keys.owner).where(keys.kind == kind.value, keys.revoked_at.is_not(None)).distinct()
    return set(connection.execute(question).scalars())


def add_gap(connection: Connection, gap: ClosedGap) -> None:
    """Give up a number."""
    connection.execute(insert(CLOSED_GAPS), asdict(gap))


def gap(connection: Connection, which: str, sequence: int) -> ClosedGap | None:
    """The number that was given up, if it was."""
    row = connection.execute(_GAP, {"of": which, "number": sequence}).mappings().one_or_none()
    return ClosedGap(**row) if row else None


def closed_gaps(connection: Connection, which: str) -> list[ClosedGap]:
    """Every number of a kit that was given up."""
    question = select(CLOSED_GAPS).where(CLOSED_GAPS.c.kit == which).order_by(CLOSED_GAPS.c.sequence)
    return [ClosedGap(**row) for row in connection.execute(question).mappings()]


def name_gap(connection: Connection, which: str, sequence: int, named: str) -> None:
    """What the packet after a gap says was sealed in it."""
    connection.execute(
        update(CLOSED_GAPS)
        .where(CLOSED_GAPS.c.kit == which, CLOSED_GAPS.c.sequence == sequence, CLOSED_GAPS.c.named.is_(None))
        .values(named=named)
    )
