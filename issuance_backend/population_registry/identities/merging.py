"""The desk where two numbers turn out to be one person, or one merge turns out to be wrong.

A merge writes nothing into either record: the merged number leads to the kept one from then on, and both
records stay as they are. That is why it can be taken back exactly (invariant I3: both numbers stay, one
reference).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.identities import facts
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.people.repository import Merge
from issuance_backend.population_registry.publication import propagation
from issuance_backend.population_registry.publication.service import PUBLISHABLE, require_officer_name
from issuance_backend.refusals import MergeUnknown, RegistryPersonUnknown, SameOfficer
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import TransitionRefused
from verification.messages.registry_records import MergeOrder, MergeReversal, MergeView


class MergeDesk:
    """Owns the transactions around merges; every one of them needs two officers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def merge(self, order: MergeOrder) -> MergeView:
        """Make one number the alias of another.

        Raises SameOfficer, RegistryPersonUnknown, TransitionRefused where either is an alias already.
        """
        _require_two(order.officer, order.approved_by)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            for number in (order.kept, order.merged):
                if entries.person(connection, number) is None:
                    raise RegistryPersonUnknown("no entry for the number")
                if people.reference_number(connection, number) != number:
                    raise TransitionRefused("an alias can neither be merged again nor be the reference")
            if order.kept == order.merged:
                raise TransitionRefused("a number is no alias of itself")
            merge = people.new_merge(order.kept, order.merged, rfc3339(moment))
            people.person_named(connection, order.kept)
            merged = people.person_named(connection, order.merged)
            people.add_merge(connection, merge)
            people.set_merged_into(connection, order.merged, order.kept)
            _record(connection, merge, "merge", order.officer, (order.approved_by, moment))
            # Whoever was handed the alias's record must not go on using it as a second person.
            propagation.follow(
                connection,
                propagation.Change(order.merged, merged.subject, PUBLISHABLE, order.officer, moment),
            )
        return _view(merge)

    def separate(self, merge_id: str, reversal: MergeReversal) -> MergeView:
        """Take a merge back; what was reported under the alias meanwhile is named for review.

        Raises SameOfficer, MergeUnknown, TransitionRefused when it was taken back before.
        """
        _require_two(reversal.officer, reversal.approved_by)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            merge = people.merge(connection, merge_id)
            if merge is None:
                raise MergeUnknown("no merge with this id")
            if merge.state != people.MERGED:
                raise TransitionRefused("the two are separate already")
            numbers = [merge.merged, *people.aliases_at(connection, merge.merged, rfc3339(moment))]
            reference = people.person_named(connection, people.reference_number(connection, merge.kept))
            to_review = facts.reported_for(connection, reference.subject, numbers, merge.merged_at)
            people.end_merge(connection, merge, rfc3339(moment))
            people.set_merged_into(connection, merge.merged, None)
            _record(connection, merge, "separate", reversal.officer, (reversal.approved_by, moment))
            ended = people.merge(connection, merge_id) or merge
        return _view(ended, tuple(to_review))

    def view(self, merge_id: str) -> MergeView:
        """One merge; raises MergeUnknown."""
        with self._database.reading() as connection:
            merge = people.merge(connection, merge_id)
        if merge is None:
            raise MergeUnknown("no merge with this id")
        return _view(merge)


def _require_two(officer: str, approved_by: str) -> None:
    require_officer_name(officer)
    require_officer_name(approved_by)
    if officer == approved_by:
        raise SameOfficer("a merge needs two officers")


def _record(
    connection: Connection, merge: Merge, event: str, officer: str, approval: tuple[str, datetime]
) -> None:
    approved_by, moment = approval
    step = Step(
        subject=f"merge/{merge.id}",
        event=event,
        state=people.MERGED if event == "merge" else people.SEPARATED,
        actor=officer,
        at=rfc3339(moment),
        detail={"approved_by": approved_by},
    )
    journal.record(connection, step)


def _view(merge: Merge, to_review: tuple[str, ...] = ()) -> MergeView:
    return MergeView(
        id=merge.id,
        kept=merge.kept,
        merged=merge.merged,
        state=merge.state,
        merged_at=merge.merged_at,
        separated_at=merge.separated_at if merge.state == people.SEPARATED else None,
        to_review=to_review,
    )
