"""The record office: what is held of a person, since when and by whom, and the identities behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.identities import domain, facts, repository, timeline
from issuance_backend.population_registry.identities.domain import (
    ATTRIBUTES,
    ONLY_ENRICHED,
    ROOT,
    IdentityEvent,
    IdentityKind,
    IdentityStatus,
)
from issuance_backend.population_registry.identities.holding import (
    CONFIRMED_ON,
    OWN,
    REFER,
    REFERENCE,
    STATUS,
    claim_identity,
    hold,
    new_fact,
    new_identity,
    refer,
    step_identity,
)
from issuance_backend.population_registry.identities.recording import (
    entry_origin,
    loaded_fact,
    person_behind,
)
from issuance_backend.population_registry.identities.repository import Identity
from issuance_backend.population_registry.identities.timeline import Fact, Origin
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.people.repository import Person
from issuance_backend.population_registry.publication.service import require_officer_name
from issuance_backend.refusals import IdentityUnknown, RegistryPersonUnknown
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.national_time import vietnam_date
from verification.messages.registry_records import (
    Enrichment,
    IdentityClaim,
    IdentityDecision,
    PersonHistory,
    RecordedAttribute,
    RecordedIdentity,
)

_DOCUMENT_NUMBER = re.compile(r"[0-9A-Z]{4,20}")
_MAX_VALUE, _MAX_EVIDENCE, _MAX_AGENCY = 200, 80, 40


class RecordOffice:
    """Owns the transactions around records and identities."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def history(
        self, citizen_number: str, valid_on: date | None = None, known_at: datetime | None = None
    ) -> PersonHistory:
        """The record in force on a day as it was known at an instant; today and now unless given.

        Raises RegistryPersonUnknown for a number that the registry did not know then.
        """
        now = self._clock()
        day = valid_on or vietnam_date(now)
        with self._database.reading() as connection:
            moment = rfc3339(known_at or journal.latest(connection, now))
            number = people.reference_number_at(connection, citizen_number, moment)
            person = people.person(connection, number)
            aliases = people.aliases_at(connection, number, moment)
            held = _attributes(connection, number, person, moment)
            identities = _identities(connection, person, [number, *aliases], (day, moment))
        in_force = {name: timeline.in_force(found, day, moment) for name, found in held.items()}
        confirmed = in_force.pop((ROOT, CONFIRMED_ON), None)
        in_force.pop((ROOT, REFERENCE), None)
        confirmed_on = date.fromisoformat(confirmed.value) if confirmed and confirmed.value else None
        return PersonHistory(
            citizen_number=number,
            aliases=tuple(aliases),
            valid_on=day,
            known_at=moment,
            freshness=domain.freshness(confirmed_on, day).value,
            attributes=_best(in_force),
            identities=identities,
        )

    def claim(self, claim: IdentityClaim) -> RecordedIdentity:
        """Record that somebody presented an identity; raises FieldsRefused, RegistryPersonUnknown."""
        require_officer_name(claim.officer)
        faults = {}
        if claim.kind not in set(IdentityKind):
            faults["kind"] = "FIELD_CHARACTERS"
        if claim.document_number is not None and not _DOCUMENT_NUMBER.fullmatch(claim.document_number):
            faults["document_number"] = "FIELD_CHARACTERS"
        if faults:
            raise FieldsRefused(faults)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            identity = new_identity(claim, OWN, moment)
            claim_identity(connection, identity, claim.officer, moment)
        return _recorded(identity, is_reference=False)

    def decide(self, identity_id: str, decision: IdentityDecision) -> RecordedIdentity:
        """Validate, invalidate, revoke or reopen an identity, or make it the person's reference.

        Raises IdentityUnknown, FieldsRefused, TransitionRefused; only a valid identity is a reference.
        """
        require_officer_name(decision.officer)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            identity = repository.identity(connection, identity_id)
            if identity is None:
                raise IdentityUnknown("no identity with this id")
            if decision.decision == REFER:
                refer(connection, identity, decision.officer, moment)
            else:
                event = _event(decision.decision)
                identity = step_identity(connection, identity, event, decision.officer, moment)
            person = people.person_named(connection, identity.citizen_number)
        return _recorded(identity, is_reference=person.reference_identity == identity.id)

    def enrich(self, agency: str, citizen_number: str, said: Enrichment) -> None:
        """Record beside the registry's own data what another agency knows.

        Raises FieldsRefused, RegistryPersonUnknown.
        """
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            _require_enrichment(agency, said, vietnam_date(moment))
            person, _ = person_behind(connection, citizen_number)
            origin = Origin(
                source=agency,
                evidence=said.evidence,
                confidence=said.confidence,
                reported_for=citizen_number,
            )
            fact = new_fact(said.value, said.valid_from, moment, origin)
            hold(connection, (person.subject, said.attribute, agency), fact)
            step = Step(
                subject=person.subject,
                event="enrich",
                state="enriched",
                actor=agency,
                at=rfc3339(moment),
                detail={"attribute": said.attribute},
            )
            journal.record(connection, step)


def _attributes(
    connection: Connection, number: str, person: Person | None, moment: str
) -> Mapping[tuple[str, str], list[Fact]]:
    """Facts by layer and attribute; what never changed stands in the entry itself."""
    entry, recorded_at = entries.person(connection, number), entries.recorded_at(connection, number)
    if entry is None or recorded_at is None or recorded_at > moment:
        raise RegistryPersonUnknown("no entry for the number")
    held: dict[tuple[str, str], list[Fact]] = {}
    if person is not None:
        for attribute, layer, fact in facts.about(connection, person.subject):
            held.setdefault((layer, attribute), []).append(fact)
    origin = entry_origin(connection, entry, recorded_at)
    for name in ATTRIBUTES:
        if (ROOT, name) not in held:
            held[ROOT, name] = [loaded_fact(entry, name, recorded_at, origin)]
    return held


def _best(in_force: Mapping[tuple[str, str], Fact | None]) -> tuple[RecordedAttribute, ...]:
    """One fact an attribute: the registry's own wherever it has a value, else the surest of the others."""
    best: dict[str, tuple[tuple[bool, int, str], Fact]] = {}
    for (layer, name), fact in in_force.items():
        if fact is None:
            continue
        rank = (layer == ROOT and fact.value is not None, fact.origin.confidence, fact.recorded_at)
        if fact.value is None and layer == ROOT:
            rank = (False, -1, "")
        if name not in best or rank > best[name][0]:
            best[name] = (rank, fact)
    return tuple(_shown(name, fact) for name, (_, fact) in sorted(best.items()))


def _shown(name: str, fact: Fact) -> RecordedAttribute:
    return RecordedAttribute(
        name=name,
        value=fact.value,
        valid_from=None if fact.valid_from == timeline.BEGINNING else fact.valid_from,
        source=fact.origin.source,
        confidence=fact.origin.confidence,
        recorded_at=fact.recorded_at,
    )


def _identities(
    connection: Connection, person: Person | None, numbers: Iterable[str], at: tuple[date, str]
) -> tuple[RecordedIdentity, ...]:
    reference = None
    if person is not None:
        reference = _value_at(connection, person.subject, REFERENCE, at)
    found = []
    for identity in repository.identities_of(connection, numbers):
        status = _value_at(connection, identity.subject, STATUS, at)
        if status is not None:
            then = replace(identity, status=IdentityStatus(status))
            found.append(_recorded(then, is_reference=identity.id == reference))
    return tuple(found)


def _value_at(connection: Connection, subject: str, attribute: str, at: tuple[date, str]) -> str | None:
    held = [fact for _, _, fact in facts.about(connection, subject, attribute, layer=ROOT)]
    fact = timeline.in_force(held, *at)
    return fact.value if fact else None


def _recorded(identity: Identity, *, is_reference: bool) -> RecordedIdentity:
    return RecordedIdentity(
        id=identity.id,
        citizen_number=identity.citizen_number,
        kind=identity.kind,
        source=identity.source,
        status=identity.status.value,
        document_number=identity.document_number,
        is_reference=is_reference,
    )


def _event(decision: str) -> IdentityEvent:
    if decision not in set(IdentityEvent) - {IdentityEvent.CLAIM}:
        raise FieldsRefused({"decision": "FIELD_CHARACTERS"})
    return IdentityEvent(decision)


def _require_enrichment(agency: str, said: Enrichment, today: date) -> None:
    # An agency that is called like the registry's own layer would write over it.
    own = agency in {ROOT, domain.LOADED, OWN} or len(agency) > _MAX_AGENCY
    wrong = {
        "agency": ("FIELD_CHARACTERS", own),
        "attribute": ("FIELD_CHARACTERS", said.attribute not in {*ATTRIBUTES, *ONLY_ENRICHED}),
        "value": ("FIELD_TOO_LONG", len(said.value) > _MAX_VALUE),
        "valid_from": ("FIELD_DATE", said.valid_from > today),
        "confidence": ("FIELD_CHARACTERS", not 0 <= said.confidence <= 100),
        "evidence": ("FIELD_TOO_LONG", len(said.evidence) > _MAX_EVIDENCE),
    }
    faults = {name: code for name, (code, is_wrong) in wrong.items() if is_wrong}
    faults |= {name: "FIELD_MISSING" for name in ("value", "evidence") if not getattr(said, name).strip()}
    if faults:
        raise FieldsRefused(faults)
