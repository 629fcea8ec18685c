"""The SQL of proposed merges and separations."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, RowMapping, insert, select, tuple_, update

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.merges.domain import MergeAct, ProposalState
from issuance_backend.population_registry.merges.tables import MERGE_PROPOSALS

_COLUMNS = MERGE_PROPOSALS.c
PROPOSAL_KEY = 2
"""Proposals of a state go by the moment they came there, and by id where that is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one officer wants done with two numbers, and what another one made of it."""

    id: str
    act: MergeAct
    kept: str
    merged: str
    reason: str
    state: ProposalState
    proposed_by: str
    changed_at: str
    decided_by: str | None = None
    refusal: str | None = None
    merge_id: str | None = None

    @property
    def subject(self) -> str:
        """How recorded events name it."""
        return f"merge-proposal/{self.id}"


def add(connection: Connection, proposal: Proposal) -> None:
    """Write a new proposal."""
    connection.execute(insert(MERGE_PROPOSALS).values(**asdict(proposal)))


def save(connection: Connection, proposal: Proposal) -> None:
    """Write what became of a proposal."""
    connection.execute(update(MERGE_PROPOSALS).where(_COLUMNS.id == proposal.id).values(**asdict(proposal)))


def find(connection: Connection, proposal_id: str) -> Proposal | None:
    """The proposal with this id."""
    question = select(MERGE_PROPOSALS).where(_COLUMNS.id == proposal_id)
    row = connection.execute(question).mappings().one_or_none()
    return _proposal(row) if row else None


def is_open(connection: Connection, merged: str) -> bool:
    """Whether something is proposed of this alias, or this alias to be, and not decided."""
    question = select(_COLUMNS.id).where(
        _COLUMNS.merged == merged, _COLUMNS.state == ProposalState.PROPOSED.value
    )
    return connection.execute(question).first() is not None


def in_state(connection: Connection, state: ProposalState, asked: PageAsked) -> list[Proposal]:
    """Proposals that stand in a state, one more than a page."""
    question = select(MERGE_PROPOSALS).where(_COLUMNS.state == state.value)
    if asked.after is not None:
        question = question.where(tuple_(_COLUMNS.changed_at, _COLUMNS.id) > asked.after)
    question = question.order_by(_COLUMNS.changed_at, _COLUMNS.id).limit(asked.limit + 1)
    return [_proposal(row) for row in connection.execute(question).mappings()]


def new_id() -> str:
    """The id of a proposal."""
    return secrets.token_hex(8)


def _proposal(row: RowMapping) -> Proposal:
    values = {**row, "act": MergeAct(row["act"]), "state": ProposalState(row["state"])}
    return Proposal(**values)
