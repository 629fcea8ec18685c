"""The office that publishes attributes and follows them to everybody who has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.domain import RegistryPerson, value_of
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication import domain, propagation, repository
from issuance_backend.population_registry.publication.domain import (
    DeliveryKind,
    PublicationEvent,
    PublicationState,
    QualityGate,
)
from issuance_backend.population_registry.publication.repository import (
    Publication,
    PublishedAttribute,
    Sent,
)
from issuance_backend.refusals import DeliveryUnknown, PublicationUnknown, RegistryPersonUnknown
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.national_time import vietnam_date
from verification.messages.publication import (
    Delivery,
    MissingAcknowledgement,
    PublicationProposal,
    PublicationValues,
    PublicationView,
    Receiver,
    SignOff,
)

PUBLISHABLE = frozenset(RegistryPerson.__dataclass_fields__) - {"citizen_number", "phone", "birth_known"}
"""What receivers may be given at all."""

_MAX_OFFICER = 40
_OFFICER = re.compile(r"[\w.@-]+")
_RECEIVER = re.compile(r"[A-Za-z0-9._-]{1,80}")


class PublicationOffice:
    """Owns the transactions around publications; ``gate`` says what is wrong with an entry."""

    def __init__(self, database: Database, clock: Clock, gate: QualityGate = domain.entry_faults) -> None:
        self._database = database
        self._clock = clock
        self._gate = gate

    def subscribe(self, actor: str, receiver: Receiver) -> Receiver:
        """Say what a program receives from now on; raises FieldsRefused."""
        _require_attributes(receiver.attributes, may_be_none=True)
        if not _RECEIVER.fullmatch(receiver.receiver):
            raise FieldsRefused({"receiver": "FIELD_CHARACTERS"})
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            repository.set_receiver(connection, receiver.receiver, set(receiver.attributes), rfc3339(moment))
            step = Step(
                subject="receivers",
                event="subscribe",
                state="subscribed" if receiver.attributes else "ended",
                actor=actor,
                at=rfc3339(moment),
                detail={
                    "receiver": receiver.receiver,
                    "attributes": ",".join(sorted(set(receiver.attributes))),
                },
            )
            journal.record(connection, step)
        return receiver

    def propose(self, proposal: PublicationProposal) -> PublicationView:
        """Ask for attributes to be published; the gate answers at once.

        Raises FieldsRefused, RegistryPersonUnknown.
        """
        _require_attributes(proposal.attributes)
        require_officer_name(proposal.officer)
        attributes = tuple(sorted(set(proposal.attributes)))
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            entry = _entry(connection, proposal.citizen_number)
            faults = self._gate(entry, vietnam_date(moment))
            event = PublicationEvent.FAIL if faults else PublicationEvent.PASS
            publication = Publication(
                id=repository.new_id(),
                citizen_number=entry.citizen_number,
                attributes=attributes,
                values_digest=domain.values_digest(entry, attributes),
                state=domain.advance(None, event),
                proposed_by=proposal.officer,
                signed_by=(),
                faults=faults,
                changed_at=rfc3339(moment),
            )
            repository.add(connection, publication)
            step = journal.step(
                publication.subject, event.value, publication.state.value, proposal.officer, moment
            )
            journal.record(connection, step)
        return _view(publication)

    def sign(self, publication_id: str, sign_off: SignOff) -> PublicationView:
        """Sign or reject; the second signature publishes.

        Raises PublicationUnknown, SameOfficer, TransitionRefused, FieldsRefused when the digest signed for
        is not that of the publication. Values that changed meanwhile make it outdated, and nothing is signed.
        """
        require_officer_name(sign_off.officer)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            publication = _known(connection, publication_id)
            if not sign_off.approves:
                domain.advance(publication.state, PublicationEvent.REJECT)
                return _view(_stepped(connection, publication, PublicationEvent.REJECT, sign_off, moment))
            domain.advance(publication.state, PublicationEvent.SIGN)
            domain.require_new_signer(sign_off.officer, publication.proposed_by, publication.signed_by)
            if sign_off.values_digest != publication.values_digest:
                raise FieldsRefused({"values_digest": "FIELD_NOT_AS_REGISTERED"})
            entry = _entry(connection, publication.citizen_number)
            if not self._is_as_signed(entry, publication, vietnam_date(moment)):
                return _view(_stepped(connection, publication, PublicationEvent.OUTDATE, sign_off, moment))
            signed = replace(publication, signed_by=(*publication.signed_by, sign_off.officer))
            signed = _stepped(connection, signed, PublicationEvent.SIGN, sign_off, moment)
            if signed.state is PublicationState.PUBLISHED:
                _publish(connection, signed, entry, sign_off.officer, moment)
        return _view(signed)

    def view(self, publication_id: str) -> PublicationView:
        """One publication; raises PublicationUnknown."""
        with self._database.reading() as connection:
            publication = _known(connection, publication_id)
            return _view(publication, repository.ended(connection, [publication]))

    def in_state(self, state: PublicationState, asked: PageAsked) -> Page[PublicationView]:
        """Publications that stand in a state, in the order in which they came there."""
        with self._database.reading() as connection:
            found = repository.in_state(connection, state, asked)
            ended = repository.ended(connection, found)
        views = [_view(publication, ended) for publication in found]
        return page_of(views, asked, lambda view: (view.changed_at, view.id))

    def values(
        self, publication_id: str, officer: str, note: Callable[[Collection[str]], None]
    ) -> PublicationValues:
        """What an officer would sign for, for whoever may still sign; ``note`` records whose entry is read.

        Raises PublicationUnknown, TransitionRefused when nobody has to sign any more, SameOfficer for
        whoever proposed it or has signed, FieldsRefused.
        """
        require_officer_name(officer)
        with self._database.reading() as connection:
            publication = _known(connection, publication_id)
            domain.advance(publication.state, PublicationEvent.SIGN)
            domain.require_new_signer(officer, publication.proposed_by, publication.signed_by)
            entry = _entry(connection, publication.citizen_number)
        note((entry.citizen_number,))
        return PublicationValues(
            values={name: value_of(entry, name) for name in publication.attributes},
            values_digest=domain.values_digest(entry, publication.attributes),
        )

    def deliveries(self, receiver: str, asked: PageAsked) -> Page[Delivery]:
        """What waits for a receiver, oldest first."""
        with self._database.reading() as connection:
            sent = repository.unacknowledged(connection, asked, receiver=receiver)
            entries_now = {
                number: entries.person(connection, number) for number in {s.citizen_number for s in sent}
            }
            current = {number: repository.published(connection, number) for number in entries_now}
            found = [_delivery(s, entries_now[s.citizen_number], current[s.citizen_number]) for s in sent]
        return page_of(found, asked, lambda delivery: (delivery.sent_at, delivery.id))

    def acknowledge(self, receiver: str, delivery_id: str) -> None:
        """A receiver says that a delivery arrived, as often as it likes; raises DeliveryUnknown."""
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            sent = repository.delivery(connection, delivery_id)
            if sent is None or sent.receiver != receiver:
                raise DeliveryUnknown("this receiver was sent no such delivery")
            if sent.acknowledged_at is None:
                repository.acknowledge(connection, delivery_id, rfc3339(moment))
                step = journal.step(
                    f"delivery/{delivery_id}", "acknowledge", "acknowledged", receiver[:_MAX_OFFICER], moment
                )
                journal.record(connection, step)

    def missing(self, asked: PageAsked, older_than: timedelta) -> Page[MissingAcknowledgement]:
        """Deliveries of everybody's that nobody acknowledged for so long, oldest first."""
        before = rfc3339(self._clock() - older_than)
        with self._database.reading() as connection:
            sent = repository.unacknowledged(connection, asked, sent_before=before)
        found = [
            MissingAcknowledgement(
                id=s.id, receiver=s.receiver, kind=s.kind.value, attribute=s.attribute, sent_at=s.sent_at
            )
            for s in sent
        ]
        return page_of(found, asked, lambda missing: (missing.sent_at, missing.id))

    def _is_as_signed(self, entry: RegistryPerson, publication: Publication, today: date) -> bool:
        same = domain.values_digest(entry, publication.attributes) == publication.values_digest
        return same and not self._gate(entry, today)


def require_officer_name(officer: str) -> None:
    """Raise FieldsRefused unless this can be an officer's id."""
    if not officer.strip() or len(officer) > _MAX_OFFICER or not _OFFICER.fullmatch(officer):
        raise FieldsRefused({"officer": "FIELD_MISSING" if not officer.strip() else "FIELD_CHARACTERS"})


def _publish(
    connection: Connection, publication: Publication, entry: RegistryPerson, actor: str, moment: datetime
) -> None:
    wanted = repository.receivers(connection)
    sent = []
    for name in publication.attributes:
        good = PublishedAttribute(
            entry.citizen_number,
            name,
            publication.id,
            domain.value_digest(entry, name),
            repository.CURRENT,
        )
        repository.publish(connection, good)
        sent += [
            Sent(
                repository.new_id(),
                receiver,
                entry.citizen_number,
                name,
                DeliveryKind.PUBLISH,
                publication.id,
                rfc3339(moment),
                None,
            )
            for receiver, attributes in wanted.items()
            if name in attributes
        ]
    repository.send(connection, sent)
    step = Step(
        subject=publication.subject,
        event="deliver",
        state=publication.state.value,
        actor=actor,
        at=rfc3339(moment),
        detail={"deliveries": str(len(sent))},
        notice=propagation.deliveries_notice(publication.subject, len(sent)),
    )
    journal.record(connection, step)


def _stepped(
    connection: Connection,
    publication: Publication,
    event: PublicationEvent,
    sign_off: SignOff,
    moment: datetime,
) -> Publication:
    return propagation.step_publication(connection, publication, event, sign_off.officer, moment)


def _delivery(
    sent: Sent, entry: RegistryPerson | None, current: Mapping[str, PublishedAttribute]
) -> Delivery:
    good = current.get(sent.attribute)
    is_current = (
        sent.kind is DeliveryKind.PUBLISH
        and entry is not None
        and good is not None
        and (good.state, good.publication) == (repository.CURRENT, sent.publication)
        # The last lock: only the very value that two officers signed for goes out.
        and good.value_digest == domain.value_digest(entry, sent.attribute)
    )
    return Delivery(
        id=sent.id,
        kind=sent.kind.value,
        citizen_number=sent.citizen_number,
        attribute=sent.attribute,
        sent_at=sent.sent_at,
        value=value_of(entry, sent.attribute) if is_current and entry is not None else None,
        is_current=is_current,
    )


def _require_attributes(attributes: tuple[str, ...], *, may_be_none: bool = False) -> None:
    if not PUBLISHABLE.issuperset(attributes) or (not attributes and not may_be_none):
        raise FieldsRefused({"attributes": "FIELD_CHARACTERS" if attributes else "FIELD_MISSING"})


def _entry(connection: Connection, citizen_number: str) -> RegistryPerson:
    entry = entries.person(connection, people.reference_number(connection, citizen_number))
    if entry is None:
        raise RegistryPersonUnknown("no entry for the number")
    return entry


def _known(connection: Connection, publication_id: str) -> Publication:
    publication = repository.find(connection, publication_id)
    if publication is None:
        raise PublicationUnknown("no publication with this id")
    return publication


def _view(publication: Publication, ended: Mapping[str, tuple[str, ...]] | None = None) -> PublicationView:
    return PublicationView(
        id=publication.id,
        citizen_number=publication.citizen_number,
        attributes=publication.attributes,
        values_digest=publication.values_digest,
        state=publication.state.value,
        proposed_by=publication.proposed_by,
        signed_by=publication.signed_by,
        faults=publication.faults,
        changed_at=publication.changed_at,
        ended=(ended or {}).get(publication.id, ()),
    )
