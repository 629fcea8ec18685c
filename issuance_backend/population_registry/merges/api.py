"""/v1/merge-proposals: one officer a request."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.population_registry.merges.domain import ProposalState
from issuance_backend.population_registry.merges.repository import PROPOSAL_KEY
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.reads.api import noting_by
from issuance_backend.population_registry.reads.service import ReadBook
from verification.errors import FieldsRefused
from verification.messages.registry_access import Purpose
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
        return answer(desk.entries(proposal, officer, noting_by(book, officer, Purpose.MERGE_CHECK)))

    @blueprint.post("/<proposal>/decision")
    def decide(proposal: str) -> ResponseReturnValue:
        return answer(desk.decide(proposal, read_body(MergeDecision)))

    return blueprint


def _state() -> ProposalState:
    try:
        return ProposalState(request.args.get("state", ""))
    except ValueError:
        raise FieldsRefused({"state": "FIELD_CHARACTERS"}) from None
