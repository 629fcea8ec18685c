"""What follows when an attribute changes: whoever has the old value is told to stop using it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.publication import domain, repository
from issuance_backend.population_registry.publication.domain import (
    DeliveryKind,
    PublicationEvent,
)
from issuance_backend.population_registry.publication.repository import Publication, Sent
from issuance_backend.steps import Step


@dataclass(frozen=True, slots=True)
class Change:
    """Attributes that are no longer what they were; ``subject`` names the person in the journal."""

    citizen_number: str
    subject: str
    attributes: frozenset[str]
    actor: str
    moment: datetime


def follow(connection: Connection, change: Change) -> None:
    """Withdraw what went out, once to every receiver of it, and stop what was about to go out."""
    for publication in repository.open_ones(connection, change.citizen_number):
        if change.attributes.intersection(publication.attributes):
            step_publication(connection, publication, PublicationEvent.OUTDATE, change.actor, change.moment)
    went_out = repository.published(connection, change.citizen_number)
    concerned = sorted(
        name
        for name in change.attributes.intersection(went_out)
        if went_out[name].state == repository.CURRENT
    )
    if not concerned:
        return
    moment = rfc3339(change.moment)
    repository.withdraw(connection, change.citizen_number, concerned)
    sent = [
        Sent(
            repository.new_id(),
            receiver,
            change.citizen_number,
            name,
            DeliveryKind.WITHDRAW,
            went_out[name].publication,
            moment,
            None,
        )
        for name in concerned
        for receiver in repository.who_was_sent(connection, change.citizen_number, name)
    ]
    repository.send(connection, sent)
    step = Step(
        subject=change.subject,
        event="withdraw",
        state=repository.WITHDRAWN,
        actor=change.actor,
        at=moment,
        detail={"attributes": ",".join(concerned), "deliveries": str(len(sent))},
        notice=deliveries_notice(change.subject, len(sent)),
    )
    journal.record(connection, step)


def step_publication(
    connection: Connection, publication: Publication, event: PublicationEvent, actor: str, moment: datetime
) -> Publication:
    """Take a publication one step on and record it."""
    state = domain.advance(publication.state, event)
    changed = replace(publication, state=state, changed_at=rfc3339(moment))
    repository.save(connection, changed)
    journal.record(connection, journal.step(changed.subject, event.value, state.value, actor, moment))
    return changed


def deliveries_notice(subject: str, amount: int) -> Notice | None:
    """Tells receivers that deliveries wait for them, without saying whose they are."""
    if not amount:
        return None
    return Notice(topic=Topic.PERSON_CHANGE, key=subject.rpartition("/")[2], data={"deliveries": str(amount)})
