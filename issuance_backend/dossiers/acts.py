"""The one way a dossier changes its state, and who took which part in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import case_parts, domain, repository
from issuance_backend.dossiers.domain import PARTS, VOUCHING, DossierEvent, Part
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import DossierUnknown
from issuance_backend.unit_codes import lies_in
from verification.messages.enrollment import RecordedStep

_KEEPS_PROPOSAL = frozenset(
    {
        DossierEvent.PROPOSE_REJECTION,
        DossierEvent.REJECT,
        DossierEvent.SUSPEND,
        DossierEvent.RESUME,
        DossierEvent.ERASE,
    }
)


@dataclass(frozen=True, slots=True)
class Act:
    """Something done to one dossier at one moment."""

    connection: Connection
    dossier: Dossier
    moment: datetime


def subject(dossier_id: str) -> str:
    """The name under which a dossier's steps are recorded."""
    return f"dossier/{dossier_id}"


def take_step(act: Act, event: DossierEvent, actor: str, detail: Mapping[str, str] | None = None) -> Dossier:
    """Record an event with everything else that the dossier changed; raises TransitionRefused."""
    (stepped,) = take_steps((act,), event, actor, detail)
    return stepped


def take_steps(
    acts: Sequence[Act], event: DossierEvent, actor: str, detail: Mapping[str, str] | None = None
) -> tuple[Dossier, ...]:
    """As ``take_step``, for several dossiers in one transaction and in the order of their ids.

    All are written before the first event: whoever records waits for no dossier, and nobody waits crosswise.
    """
    connection = acts[0].connection
    stepped = [_stepped(act, event, actor) for act in acts]
    repository.save(connection, *stepped)
    if event in case_parts.ENDS_CASES:
        for dossier in stepped:
            case_parts.end_superseded(connection, dossier, event, acts[0].moment)
    steps = [recorded(dossier, event, actor, detail or {}) for dossier in stepped]
    recorded_events.append(connection, *steps)
    return tuple(replace(dossier, version=dossier.version + 1) for dossier in stepped)


def _stepped(act: Act, event: DossierEvent, actor: str) -> Dossier:
    former = act.dossier
    return replace(
        former,
        state=domain.advance(former.state, event, former.held_in),
        search=domain.search_after(former.search, event),
        checked_by=domain.checked_after(former.checked_by, event, actor),
        held_in=former.state if event is DossierEvent.SUSPEND else None,
        rejection=former.rejection if event in _KEEPS_PROPOSAL else None,
        updated_at=rfc3339(act.moment),
    )


def recorded(dossier: Dossier, event: DossierEvent, actor: str, detail: Mapping[str, str]) -> Step:
    """The step of a dossier that stands as it does after the event; it says at which unit."""
    return Step(
        subject=subject(dossier.id),
        event=event.value,
        state=dossier.state.value,
        actor=actor,
        at=dossier.updated_at,
        detail={**detail, **({"unit": dossier.unit} if dossier.unit else {})},
        notice=Notice(topic=Topic.DOSSIER_STATE, key=dossier.id, data={"state": dossier.state.value}),
    )


def captured_where(unit: str | None) -> dict[str, str]:
    """What the step of a first capture says of its place: whoever works in no unit works at the centre."""
    return {} if unit else {"captured_at": "centre"}


def found(connection: Connection, dossier_id: str, officer: Officer | None = None) -> Dossier:
    """The dossier; raises DossierUnknown, also for an officer in whose area it does not lie."""
    return seen(repository.find(connection, dossier_id), officer)


def seen(dossier: Dossier | None, officer: Officer | None) -> Dossier:
    """A dossier as an officer may see it; raises DossierUnknown."""
    if dossier is None or not _is_seen(dossier, officer):
        raise DossierUnknown("no dossier with this id")
    return dossier


def parts_taken(connection: Connection, dossier: Dossier) -> dict[Part, set[str]]:
    """Who took which part in a dossier, from what was recorded (invariant I4)."""
    return parts_by_dossier(connection, [dossier.id])[dossier.id]


def parts_by_dossier(connection: Connection, dossier_ids: Collection[str]) -> dict[str, dict[Part, set[str]]]:
    """As ``parts_taken``, of several dossiers."""
    examiners = case_parts.examiners(connection, dossier_ids)
    steps = recorded_events.of_subjects(connection, [subject(dossier_id) for dossier_id in dossier_ids])
    taken = {dossier_id: _parts_in(steps[subject(dossier_id)]) for dossier_id in dossier_ids}
    for dossier_id, examined_by in examiners.items():
        taken[dossier_id][Part.ADJUDICATION] = examined_by
    return taken


def _parts_in(steps: Sequence[RecordedStep]) -> dict[Part, set[str]]:
    taken: dict[Part, set[str]] = {}
    for step in steps:
        part = PARTS.get(DossierEvent(step.event))
        if part is not None:
            vouching = (step.detail.get(name, "").split() for name in VOUCHING)
            taken.setdefault(part, set()).update({step.actor}.union(*vouching))
    return taken


def took_part(connection: Connection, dossier: Dossier) -> set[str]:
    """Everybody who took a part in a dossier."""
    return set().union(*parts_taken(connection, dossier).values())


def worked_on(connection: Connection, encounter: str) -> set[str]:
    """Everybody who took a part in an encounter's dossier but to examine it; nobody where there is none."""
    dossier = repository.find(connection, repository.dossier_of_encounter(encounter))
    taken = parts_taken(connection, dossier) if dossier else {}
    return set().union(*(officers for part, officers in taken.items() if part is not Part.ADJUDICATION))


def _is_seen(dossier: Dossier, officer: Officer | None) -> bool:
    if officer is None or officer.area is None:
        return True
    return dossier.unit is not None and lies_in(dossier.unit, officer.area)
