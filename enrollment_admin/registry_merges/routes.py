"""Two numbers of one person: proposed by one registrar, looked at side by side and decided by another."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.registry_merges import merges_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, outcome_of, page, refused, typed, wants_json
from verification.messages.registry_merge import EntriesJudged, MergeProposalView, MergeWanted

STATES = ("proposed", "signed", "refused")
REASONS: Mapping[str, tuple[str, ...]] = {
    "merge": ("registered_twice", "number_issued_twice", "archive_double"),
    "separate": ("two_people", "wrong_number"),
}
"""Why a merge is proposed, and why one is to be taken back."""

REFUSALS = ("not_proven", "wrong_reference", "wrong_number")

Faults = dict[str, str]


def merges_blueprint(backend: BackendClient) -> Blueprint:
    """/registry/merges: one officer proposes, another one decides, each in their own name."""
    blueprint = Blueprint("registry_merges", __name__, url_prefix="/registry/merges")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return _list_page(backend)

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return _propose(backend)

    @blueprint.get("/<proposal>")
    def shown(proposal: str) -> ResponseReturnValue:
        return _proposal_page(backend, proposal)

    @blueprint.post("/<proposal>/decision")
    def decide(proposal: str) -> ResponseReturnValue:
        approves = typed("approves") == "yes"
        refusal = None if approves else typed("refusal")
        said = EntriesJudged(typed("entries_digest"), approves, refusal)
        return outcome_of(
            lambda: merges_client.decide(officers_backend(backend), proposal, said),
            target=url_for("registry_merges.shown", proposal=proposal),
            done="done.merge_signed" if approves else "done.merge_refused",
            again=lambda faults: _proposal_page(backend, proposal, faults),
        )

    return blueprint


def _list_page(
    backend: BackendClient, status: int = 200, faults: Faults | None = None
) -> ResponseReturnValue:
    state = request.args.get("state", STATES[0])
    found = merges_client.in_state(officers_backend(backend), state, request.args.get("cursor"))
    return page(
        "registry_merges.html",
        status,
        proposals=found.entries,
        following=found.cursor and url_for("registry_merges.listed", state=state, cursor=found.cursor),
        state=state,
        states=STATES,
        reasons=REASONS,
        faults=faults or {},
        # A merge that stands leads here with its numbers filled in.
        typed=request.form or request.args,
    )


def _propose(backend: BackendClient) -> ResponseReturnValue:
    # One choice says both what is wanted and why.
    act, _, reason = typed("why").partition(".")
    wanted = MergeWanted(act=act, kept=typed("kept"), merged=typed("merged"), reason=reason)
    try:
        made = merges_client.propose(officers_backend(backend), wanted)
    except BackendRefused as refusal:
        faults = {"why" if name in {"act", "reason"} else name: code for name, code in refusal.fields.items()}
        if faults and not wants_json():
            return _list_page(backend, refusal.status, faults)
        return refused(refusal, url_for("registry_merges.listed"))
    target = url_for("registry_merges.shown", proposal=made.id)
    return answer(made, target, "done.merge_proposed", 201)


def _proposal_page(
    backend: BackendClient, proposal: str, faults: Faults | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = merges_client.proposal(officers, proposal)
    # A look at the entries is recorded: it is taken by whoever may decide, and by nobody else.
    decides = _may_decide(found)
    return page(
        "registry_merge.html",
        422 if faults else 200,
        proposal=found,
        faults=faults or {},
        both=merges_client.entries(officers, proposal) if decides else None,
        refusals=REFUSALS,
        typed=request.form,
    )


def _may_decide(proposal: MergeProposalView) -> bool:
    officer = session["officer"]
    is_other = officer["id"] != proposal.proposed_by
    return proposal.state == STATES[0] and "registrar" in officer["roles"] and is_other
