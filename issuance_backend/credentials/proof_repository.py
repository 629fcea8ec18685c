"""The SQL of proofs that a card's holder stood there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.tables import HANDOVER_PROOFS
from issuance_backend.moments import rfc3339
from issuance_backend.refusals import HandOverProofUsed

RECEIPT, MANUAL = "receipt", "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof; ``officer`` is who confirmed, or who showed the gateway's receipt."""

    id: str
    kind: str
    card: str
    officer: str
    reason: str | None
    made_at: str
    used_at: str | None


def add(connection: Connection, proof: Proof) -> None:
    """Write a proof; raises HandOverProofUsed for a session that proved a hand-over before."""
    values = {name: getattr(proof, name) for name in Proof.__dataclass_fields__}
    try:
        connection.execute(insert(HANDOVER_PROOFS).values(**values))
    except IntegrityError:
        raise HandOverProofUsed("this session proved a hand-over before") from None


def confirmation(connection: Connection, card: str, not_by: str, since: datetime) -> Proof | None:
    """The newest confirmation of a card's holder by another officer that is fresh and was not used."""
    columns = HANDOVER_PROOFS.c
    question = (
        select(HANDOVER_PROOFS)
        .where(columns.card == card, columns.kind == MANUAL, columns.used_at.is_(None))
        .where(columns.officer != not_by, columns.made_at >= rfc3339(since))
        .order_by(columns.made_at.desc())
        .limit(1)
    )
    row = connection.execute(question).mappings().one_or_none()
    return Proof(**row) if row else None


def use(connection: Connection, proof: Proof, moment: datetime) -> None:
    """Take a confirmation: it proves one hand-over; raises HandOverProofUsed."""
    columns = HANDOVER_PROOFS.c
    taken = connection.execute(
        update(HANDOVER_PROOFS)
        .where(columns.id == proof.id, columns.used_at.is_(None))
        .values(used_at=rfc3339(moment))
    )
    if taken.rowcount != 1:
        raise HandOverProofUsed("this confirmation proved a hand-over before")
