"""/v1/merge-proposals: one officer a request."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.population_registry.merges.domain import ProposalState
from issuance_backend.population_registry.merges.repository import PROPOSAL_KEY
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.service_tokens import calling_service
from verification.errors import FieldsRefused
from verification.messages.registry_access import HEADER, Purpose, read_statement
from verification.messages.registry_merge import MergeDecision, MergeProposal

MERGE_ROLE = "person.merge"
"""May propose and decide merges, each in the name of an officer who is signed in there."""


def merge_proposals_blueprint(desk: MergeDesk, book: ReadBook) -> Blueprint:
    """Proposed, looked at by another officer, and signed or refused."""
    blueprint = Blueprint("merge_proposals", __name__, url_prefix="/v1/merge-proposals")

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return answer(desk.propose(read_body(MergeProposal)), 201)

    @blueprint.get("")
    def in_state() -> ResponseReturnValue:
        return page_answer(desk.in_state(_state(), read_page(PROPOSAL_KEY)))

    @blueprint.get("/<proposal>")
    def view(proposal: str) -> ResponseReturnValue:
        return answer(desk.view(proposal))

    @blueprint.get("/<proposal>/entries")
    def entries(proposal: str) -> ResponseReturnValue:
        officer = request.args.get("officer", "")
        return answer(desk.entries(proposal, officer, _noting(book, officer)))

    @blueprint.post("/<proposal>/decision")
    def decide(proposal: str) -> ResponseReturnValue:
        return answer(desk.decide(proposal, read_body(MergeDecision)))

    return blueprint


def _noting(book: ReadBook, officer: str) -> Callable[[Collection[str]], None]:
    """Records that this officer reads entries in order to decide."""
    said = read_statement(request.headers.get(HEADER, ""))
    reading = msgspec.structs.replace(said, purpose=Purpose.MERGE_CHECK.value, officer=officer)
    return lambda numbers: book.note_all(numbers, calling_service().name, reading)


def _state() -> ProposalState:
    try:
        return ProposalState(request.args.get("state", ""))
    except ValueError:
        raise FieldsRefused({"state": "FIELD_CHARACTERS"}) from None
