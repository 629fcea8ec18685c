"""A card that was returned or given back is destroyed by two officers.

Neither of them made it, or had a part in its dossier (I4).
A spoiled one is destroyed with its blank, by production's own two signatures.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.credentials import destruction_repository as repository
from issuance_backend.credentials import domain
from issuance_backend.credentials.destruction_repository import Destruction
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.orders import Gone, take_step
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import of_subject
from issuance_backend.refusals import SameOfficer
from verification.errors import TransitionRefused

_MAKING = frozenset({"begin", "written", "pass", "fail", "spoil"})


def sign(
    connection: Connection, card: Card, officer: str, moment: datetime, destroyed: Gone
) -> tuple[Card, Destruction]:
    """Sign for the destruction of a card in the caller's transaction; the second signature destroys it.

    Raises TransitionRefused unless the card was returned or given back, SameOfficer for an officer who
    signed already, who made the card, or who had a part in its dossier.
    """
    domain.advance(card.state, CardEvent.DESTROY)
    if card.state is CardState.SPOILED:
        raise TransitionRefused("spoiled blanks are destroyed with the stock")
    is_here = (card.place or "").startswith(f"{domain.WITHDRAWN}:")
    if card.state is not CardState.RETURNED_TO_CENTRE and not is_here:
        raise TransitionRefused("the card was not given back")
    if officer in _had_a_part(connection, card):
        raise SameOfficer("the officer made the card, or had a part in its dossier")
    signed = repository.find(connection, card.id)
    if signed is None:
        first = Destruction(
            card=card.id,
            first_officer=officer,
            first_at=rfc3339(moment),
            second_officer=None,
            second_at=None,
        )
        repository.add(connection, first)
        return card, first
    if officer == signed.first_officer:
        raise SameOfficer("the same officer signs once")
    signed = repository.complete(connection, signed, officer, moment)
    destroyed(connection, card, officer, moment)
    if card.state is CardState.REPLACED:
        # Destroyed or not: a relying party that meets it is told why it is good no more.
        card = replace(card, reason=Reason.REPLACED)
    detail = {"with": signed.first_officer}
    gone = take_step(connection, card, CardEvent.DESTROY, actor=officer, moment=moment, detail=detail)
    return gone, signed


def _had_a_part(connection: Connection, card: Card) -> set[str]:
    dossier = of_subject(connection, f"dossier/{card.dossier}")
    making = [step for step in of_subject(connection, f"card/{card.id}") if step.event in _MAKING]
    named = {step.actor for step in (*dossier, *making)}
    # Programs record what examiners found and what an operator's batch made, and say whose it was.
    for step in (*dossier, *making):
        named.update(step.detail.get("examiners", "").split(","), [step.detail.get("operator", "")])
    return named
