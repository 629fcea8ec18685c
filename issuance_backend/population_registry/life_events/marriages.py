"""What a marriage means for two records, and what a death of the one does to the other's.

Who is married to whom is known from marriages that were registered here: a name in a record is no number.
Of those who came here married, whoever reports the death says who is left, and both records must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities import facts, holding, timeline
from issuance_backend.population_registry.identities.domain import ROOT
from issuance_backend.population_registry.identities.recording import Manner, person_behind
from issuance_backend.population_registry.life_events import domain, repository
from issuance_backend.population_registry.life_events.act import Act
from issuance_backend.population_registry.people import repository as people
from verification.errors import FieldsRefused
from verification.messages.life_event import Attributes, Divorce, DivorceAnnulled, Marriage
from verification.messages.person_query import LifeStatus

_DIVORCE = "divorce"
_DEATH = "death"
_BINDING = frozenset({"marriage", "divorce_annulled"})


@dataclass(frozen=True, slots=True)
class _Bond:
    """To whom somebody was last seen to be married, when, and by which kind of event."""

    partner: str
    since: date
    kind: str


def marry(act: Act, event: Marriage, person: RegistryPerson) -> None:
    """Write a marriage to both; raises FieldsRefused where the law forbids it."""
    spouse_known, spouse = person_behind(act.connection, event.spouse_number)
    domain.require_may_marry(person, spouse, act.report.occurred_on)
    _write(act, person, spouse)
    _write(act, spouse, person)
    # Reported late, it may have ended already.
    _widow(act, person.citizen_number, spouse.citizen_number)
    holding.confirm_living(act.connection, spouse_known, act.report.occurred_on, act.moment)


def divorce(act: Act, event: Divorce, person: RegistryPerson) -> None:
    """End a marriage for both from the day of the divorce on.

    Reported late, one of them may have died since: whoever is left was divorced by then, not widowed.
    Raises FieldsRefused for two who are not known to be married, and for a day before the marriage.
    """
    _, spouse = person_behind(act.connection, event.spouse_number)
    if _is_bound_elsewhere(act, person, spouse) or _is_bound_elsewhere(act, spouse, person):
        raise FieldsRefused({"spouse_number": "FIELD_NOT_AS_REGISTERED"})
    bond = _bond_between(act, person, spouse)
    may_be_late = bond is not None and bond.kind != _DIVORCE
    widowed = [each for each in (person, spouse) if may_be_late and each.marital_status == domain.WIDOWED]
    if not widowed:
        domain.require_married(person, spouse)
    day = act.report.occurred_on
    for each in (person, spouse):
        domain.require_alive_on(each, day)
    # A death that named the spouse does not say since when they were married: the records do.
    is_before = bond is not None and bond.kind != _DEATH and day < bond.since
    if is_before or not all(_was_married_on(act, each, day) for each in (person, spouse)):
        raise FieldsRefused({"occurred_on": "FIELD_DATE"})
    for each in (person, spouse):
        _end(act, each, domain.DIVORCED, day, timeline.state if each in widowed else timeline.change)


def annul_divorce(act: Act, event: DivorceAnnulled, person: RegistryPerson) -> None:
    """A registered divorce ended no marriage; who of the two died since has left the other widowed.

    Raises FieldsRefused where no divorce of the two is the last that is known of both, and where one of
    them has married since: that marriage is another court's matter.
    """
    _, spouse = person_behind(act.connection, event.spouse_number)
    domain.require_divorced(person, spouse)
    ended = _bond_between(act, person, spouse)
    if ended is None or ended.kind != _DIVORCE:
        raise FieldsRefused({"spouse_number": "FIELD_NOT_AS_REGISTERED"})
    if act.report.occurred_on < ended.since:
        raise FieldsRefused({"occurred_on": "FIELD_DATE"})
    for one, other in ((person, spouse), (spouse, person)):
        _write(act, one, other, timeline.correct, ended.since)
    _widow(act, person.citizen_number, spouse.citizen_number)


def end_by_death(act: Act, person: RegistryPerson, named: str | None) -> None:
    """Whoever is left of a marriage is widowed from the day of the death on.

    Raises FieldsRefused for a spouse that the records do not know as such.
    """
    bond = _bond(act, person.citizen_number)
    partner = bond.partner if bond and _is_mutual(act, person.citizen_number, bond) else None
    if named is not None:
        _, spouse = person_behind(act.connection, named)
        domain.require_married(person, spouse)
        if partner not in {None, spouse.citizen_number} or _is_bound_elsewhere(act, spouse, person):
            raise FieldsRefused({"spouse_number": "FIELD_NOT_AS_REGISTERED"})
        partner = spouse.citizen_number
    if partner is not None:
        _widow(act, person.citizen_number, partner)


def stand_again(act: Act, person: RegistryPerson) -> None:
    """A death that did not happen ended no marriage, unless the other one has married since.

    Law on Marriage and Family 52/2014/QH13, article 67: it is the later marriage that stands.
    """
    bond = _bond(act, person.citizen_number)
    if bond is None or person.marital_status != domain.MARRIED:
        return
    _, left = person_behind(act.connection, bond.partner)
    if _is_mutual(act, person.citizen_number, bond):
        if left.marital_status == domain.WIDOWED:
            _write(act, left, person, timeline.correct)
            _widow(act, person.citizen_number, left.citizen_number)
    elif later := _bond(act, bond.partner):
        _end(act, person, domain.DIVORCED, later.since)


def _bond(act: Act, number: str) -> _Bond | None:
    numbers = [number, *people.aliases_now(act.connection, number)]
    event = repository.last_bond(act.connection, numbers)
    if event is None:
        return None
    pair = (event.citizen_number, event.spouse_number)
    partner = next((each for each in pair if each and each not in numbers), None)
    if partner is None:  # two entries that were merged since
        return None
    return _Bond(people.reference_number(act.connection, partner), event.occurred_on, event.kind)


def _bond_between(act: Act, one: RegistryPerson, other: RegistryPerson) -> _Bond | None:
    bond = _bond(act, one.citizen_number)
    if bond is None or bond.partner != other.citizen_number:
        return None
    return bond if _is_mutual(act, one.citizen_number, bond) else None


def _is_bound_elsewhere(act: Act, one: RegistryPerson, other: RegistryPerson) -> bool:
    """Whether a marriage registered here stands with somebody else, who may bear the same name."""
    bond = _bond(act, one.citizen_number)
    if bond is None or bond.kind not in _BINDING or bond.partner == other.citizen_number:
        return False
    return person_behind(act.connection, bond.partner)[1].life_status is not LifeStatus.DECEASED


def _is_mutual(act: Act, number: str, bond: _Bond) -> bool:
    back = _bond(act, bond.partner)
    return back is not None and back.partner == number


def _was_married_on(act: Act, one: RegistryPerson, day: date) -> bool:
    known = people.person_named(act.connection, one.citizen_number)
    held = facts.standing(act.connection, known.subject, "marital_status", ROOT)
    # Of whom nothing ever changed nobody knows since when.
    then = next((fact.value for fact in held if fact.valid_from <= day < fact.valid_to), domain.MARRIED)
    return then == domain.MARRIED


def _widow(act: Act, *numbers: str) -> None:
    one, other = (person_behind(act.connection, number)[1] for number in numbers)
    if one.marital_status != domain.MARRIED or other.marital_status != domain.MARRIED:
        return
    for left, gone in ((one, other), (other, one)):
        since = domain.widowed_since(left, gone)
        if since is not None:
            _end(act, left, domain.WIDOWED, since)


def _write(
    act: Act,
    person: RegistryPerson,
    spouse: RegistryPerson,
    manner: Manner = timeline.change,
    since: date | None = None,
) -> None:
    married: Attributes = {"marital_status": domain.MARRIED, "spouse": spouse.full_name}
    act.state(person.citizen_number, married, manner, since)


def _end(
    act: Act, person: RegistryPerson, status: str, since: date, manner: Manner = timeline.change
) -> None:
    ended: Attributes = {"marital_status": status, "spouse": None}
    act.state(person.citizen_number, ended, manner, since)
