"""Making one number the alias of another, and taking that back, inside a transaction that the caller owns.

A merge writes nothing into either record: the merged number leads to the kept one from then on, and both
records stay as they are. That is why it can be taken back exactly (invariant I3: both numbers stay, one
reference).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.identities import facts
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication import propagation
from issuance_backend.population_registry.publication.service import PUBLISHABLE
from issuance_backend.refusals import MergeUnknown
from issuance_backend.steps import Step


class TwoOfficers(NamedTuple):
    """Who proposed it, and who signed."""

    officer: str
    approved_by: str


def merge(connection: Connection, kept: str, merged: str, by: TwoOfficers, moment: datetime) -> str:
    """Make one number the alias of another; both have entries and neither is an alias. Returns its id."""
    made = people.new_merge(kept, merged, rfc3339(moment))
    people.person_named(connection, kept)
    alias = people.person_named(connection, merged)
    people.add_merge(connection, made)
    people.set_merged_into(connection, merged, kept)
    _record(connection, made.id, "merge", by, moment)
    # Whoever was handed the alias's record must not go on using it as a second person.
    change = propagation.Change(merged, alias.subject, PUBLISHABLE, by.officer, moment)
    propagation.follow(connection, change)
    return made.id


def separate(connection: Connection, merged: str, by: TwoOfficers, moment: datetime) -> str:
    """Take back the merge of an alias and return its id; raises MergeUnknown where none stands."""
    standing = people.standing_merge(connection, merged)
    if standing is None:
        raise MergeUnknown("the number is no alias")
    people.end_merge(connection, standing, rfc3339(moment))
    people.set_merged_into(connection, merged, None)
    _record(connection, standing.id, "separate", by, moment)
    return standing.id


def to_review(connection: Connection, merge_id: str) -> tuple[str, ...]:
    """The attributes of the reference that were reported under the alias while a merge stood."""
    ended = people.merge(connection, merge_id)
    if ended is None:
        raise MergeUnknown("no merge with this id")
    numbers = [ended.merged, *people.aliases_at(connection, ended.merged, ended.separated_at)]
    kept = people.reference_number_at(connection, ended.kept, ended.separated_at)
    reference = people.person_named(connection, kept)
    stood = (ended.merged_at, ended.separated_at)
    return tuple(facts.reported_for(connection, reference.subject, numbers, stood))


def _record(connection: Connection, merge_id: str, event: str, by: TwoOfficers, moment: datetime) -> None:
    step = Step(
        subject=f"merge/{merge_id}",
        event=event,
        state=people.MERGED if event == "merge" else people.SEPARATED,
        actor=by.officer,
        at=rfc3339(moment),
        detail={"approved_by": by.approved_by},
    )
    journal.record(connection, step)
