"""The desk where two numbers turn out to be one person, or one merge turns out to be wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities import merging
from issuance_backend.population_registry.merges import domain, repository
from issuance_backend.population_registry.merges.domain import MergeAct, ProposalEvent, ProposalState
from issuance_backend.population_registry.merges.repository import Proposal
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication.service import require_officer_name
from issuance_backend.refusals import MergeUnknown, RegistryPersonUnknown
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.registry_merge import (
    MergeDecision,
    MergeEntries,
    MergeProposal,
    MergeProposalView,
)


class MergeDesk:
    """Owns the transactions around merges: nothing is merged or taken apart but by a second signature."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def propose(self, said: MergeProposal) -> MergeProposalView:
        """Ask for two numbers to be merged, or for a merge of theirs to be taken back.

        Raises FieldsRefused, also where it could not be done now or waits for a signature already.
        """
        require_officer_name(said.officer)
        act = _act(said)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            faults = _faults(connection, act, said.kept, said.merged)
            if not faults and repository.is_open(connection, said.merged):
                faults = {"merged": "MERGE_PROPOSED"}
            if faults:
                raise FieldsRefused(faults)
            proposal = Proposal(
                id=repository.new_id(),
                act=act,
                kept=said.kept,
                merged=said.merged,
                reason=said.reason,
                state=domain.advance(None, ProposalEvent.PROPOSE),
                proposed_by=said.officer,
                changed_at=rfc3339(moment),
            )
            repository.add(connection, proposal)
            _record(connection, proposal, ProposalEvent.PROPOSE, said.officer, said.reason)
        return _view(proposal)

    def decide(self, proposal_id: str, decision: MergeDecision) -> MergeProposalView:
        """Sign for both entries as they were shown, and have it done; or refuse it with a reason.

        Raises MergeUnknown, SameOfficer for whoever proposed it, TransitionRefused once it is decided and
        where the numbers changed so that it cannot be done, FieldsRefused for entries that changed since.
        """
        require_officer_name(decision.officer)
        _require_refusal(decision)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            proposal = _known(connection, proposal_id)
            domain.require_other(decision.officer, proposal.proposed_by)
            event = ProposalEvent.SIGN if decision.approves else ProposalEvent.REFUSE
            decided = replace(
                proposal,
                state=domain.advance(proposal.state, event),
                decided_by=decision.officer,
                refusal=decision.refusal,
                changed_at=rfc3339(moment),
            )
            if decision.approves:
                _require_as_shown(connection, proposal, decision.entries_digest)
                decided = replace(decided, merge_id=_carry_out(connection, decided, moment))
            repository.save(connection, decided)
            _record(connection, decided, event, decision.officer, decision.refusal or proposal.reason)
            return _viewed(connection, decided)

    def view(self, proposal_id: str) -> MergeProposalView:
        """One proposal; raises MergeUnknown."""
        with self._database.reading() as connection:
            return _viewed(connection, _known(connection, proposal_id))

    def in_state(self, state: ProposalState, asked: PageAsked) -> Page[MergeProposalView]:
        """Proposals that stand in a state, in the order in which they came there."""
        with self._database.reading() as connection:
            found = repository.in_state(connection, state, asked)
        views = [_view(proposal) for proposal in found]
        return page_of(views, asked, lambda view: (view.changed_at, view.id))

    def entries(
        self, proposal_id: str, officer: str, note: Callable[[Collection[str]], None]
    ) -> MergeEntries:
        """Both entries, for whoever may decide; ``note`` records whose entries are read.

        Raises MergeUnknown, SameOfficer for whoever proposed it, TransitionRefused once it is decided.
        """
        require_officer_name(officer)
        with self._database.reading() as connection:
            proposal = _known(connection, proposal_id)
            domain.require_other(officer, proposal.proposed_by)
            domain.advance(proposal.state, ProposalEvent.SIGN)
            kept, merged = _both(connection, proposal)
        note((proposal.kept, proposal.merged))
        return MergeEntries(
            kept=domain.attributes_of(kept),
            merged=domain.attributes_of(merged),
            entries_digest=domain.entries_digest(kept, merged),
        )


def _act(said: MergeProposal) -> MergeAct:
    if said.act not in set(MergeAct):
        raise FieldsRefused({"act": "FIELD_CHARACTERS" if said.act else "FIELD_MISSING"})
    act = MergeAct(said.act)
    if said.reason not in domain.REASONS[act]:
        raise FieldsRefused({"reason": "FIELD_CHARACTERS" if said.reason else "FIELD_MISSING"})
    return act


def _require_refusal(decision: MergeDecision) -> None:
    given = decision.refusal
    if (decision.approves and given is None) or (not decision.approves and given in domain.REFUSALS):
        return
    raise FieldsRefused({"refusal": "FIELD_CHARACTERS" if given else "FIELD_MISSING"})


def _faults(connection: Connection, act: MergeAct, kept: str, merged: str) -> dict[str, str]:
    """Why this cannot be done with these numbers now, by the field that says which."""
    numbers = {"kept": kept, "merged": merged}
    unknown = {name for name, number in numbers.items() if entries.person(connection, number) is None}
    if unknown:
        return dict.fromkeys(sorted(unknown), RegistryPersonUnknown.code)
    if act is MergeAct.SEPARATE:
        stands = people.standing_merge(connection, merged)
        return {} if stands and stands.kept == kept else {"merged": "MERGE_NOT_STANDING"}
    if kept == merged:
        return {"merged": "MERGE_NOT_POSSIBLE"}
    return {
        name: "MERGE_NOT_POSSIBLE"
        for name, number in numbers.items()
        if people.reference_number(connection, number) != number
    }


def _require_as_shown(connection: Connection, proposal: Proposal, digest: str) -> None:
    if _faults(connection, proposal.act, proposal.kept, proposal.merged):
        raise TransitionRefused("what became of the numbers since does not allow it")
    if digest != domain.entries_digest(*_both(connection, proposal)):
        raise FieldsRefused({"entries_digest": "FIELD_NOT_AS_REGISTERED"})


def _both(connection: Connection, proposal: Proposal) -> tuple[RegistryPerson, RegistryPerson]:
    kept = entries.person(connection, proposal.kept)
    merged = entries.person(connection, proposal.merged)
    if kept is None or merged is None:
        raise RegistryPersonUnknown("no entry for the number")
    return kept, merged


def _carry_out(connection: Connection, signed: Proposal, moment: datetime) -> str:
    by = merging.TwoOfficers(signed.proposed_by, signed.decided_by or "")
    if signed.act is MergeAct.MERGE:
        return merging.merge(connection, signed.kept, signed.merged, by, moment)
    return merging.separate(connection, signed.merged, by, moment)


def _known(connection: Connection, proposal_id: str) -> Proposal:
    proposal = repository.find(connection, proposal_id)
    if proposal is None:
        raise MergeUnknown("no proposal with this id")
    return proposal


def _record(
    connection: Connection, proposal: Proposal, event: ProposalEvent, officer: str, reason: str
) -> None:
    step = Step(
        subject=proposal.subject,
        event=event.value,
        state=proposal.state.value,
        actor=officer,
        at=proposal.changed_at,
        detail={"act": proposal.act.value, "reason": reason},
    )
    journal.record(connection, step)


def _viewed(connection: Connection, proposal: Proposal) -> MergeProposalView:
    """A proposal with what is to be looked at since it took a merge back."""
    if proposal.act is not MergeAct.SEPARATE or proposal.merge_id is None:
        return _view(proposal)
    return _view(proposal, merging.to_review(connection, proposal.merge_id))


def _view(proposal: Proposal, to_review: tuple[str, ...] = ()) -> MergeProposalView:
    return MergeProposalView(
        id=proposal.id,
        act=proposal.act.value,
        kept=proposal.kept,
        merged=proposal.merged,
        reason=proposal.reason,
        state=proposal.state.value,
        proposed_by=proposal.proposed_by,
        changed_at=proposal.changed_at,
        decided_by=proposal.decided_by,
        refusal=proposal.refusal,
        to_review=to_review,
    )
