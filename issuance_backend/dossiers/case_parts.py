"""The SQL between dossiers, their search tasks and their adjudication cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, exists, func, select

from issuance_backend.biometric_search import case_repository, cases
from issuance_backend.biometric_search.adjudication import CaseKind, CaseState, Finding
from issuance_backend.biometric_search.domain import Outcome, TaskState
from issuance_backend.biometric_search.tables import ADJUDICATION_CASES, ADJUDICATION_DECISIONS, SEARCH_TASKS
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Search
from issuance_backend.dossiers.repository import Dossier, dossier_of_encounter, find, prints, read_dossier
from issuance_backend.schema import DOSSIERS
from verification.messages.asked_prints import SINGLE_FINGERS

# As Dossier.encounter builds it.
_ENCOUNTER = DOSSIERS.c.id + "." + func.substr(DOSSIERS.c.packet_sha256, 1, 16)
# Built once: building a statement costs more than executing it. The range is that of ``lies_in``.
_EXAMINERS = (
    select(DOSSIERS.c.id, ADJUDICATION_DECISIONS.c.examiner)
    .join(
        ADJUDICATION_CASES,
        and_(
            ADJUDICATION_CASES.c.probe_encounter >= DOSSIERS.c.id,
            ADJUDICATION_CASES.c.probe_encounter < DOSSIERS.c.id + "/",
        ),
    )
    .join(ADJUDICATION_DECISIONS, ADJUDICATION_DECISIONS.c.case_id == ADJUDICATION_CASES.c.id)
    .where(DOSSIERS.c.id.in_(bindparam("which", expanding=True)), ADJUDICATION_CASES.c.truth.is_(None))
)

# Captured again, or never: nobody waits for what is found about this capture.
_NOT_AWAITING = frozenset({DossierState.RETURNED, DossierState.REJECTED, DossierState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class EndedSearch:
    """A dossier whose search ended: what it leads to, or the code of why it could not be done."""

    dossier: Dossier
    outcome: Outcome | None
    failure: str | None


def examiners(connection: Connection, dossier_ids: Collection[str]) -> dict[str, set[str]]:
    """Everybody who decided a real case of any capture, by dossier; one without examiners is not in it."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(_EXAMINERS, {"which": list(dossier_ids)}):
        found.setdefault(row.id, set()).add(row.examiner)
    return found


def fingers(connection: Connection, encounter: str) -> set[int]:
    """The positions of the single prints that an encounter's dossier has."""
    return prints(connection, dossier_of_encounter(encounter)).keys() & set(SINGLE_FINGERS)


def awaits_examiners(connection: Connection, encounter: str) -> bool:
    """Whether a dossier still waits with this capture for what examiners find; of no dossier's it is so."""
    dossier = find(connection, dossier_of_encounter(encounter))
    return dossier is None or (dossier.encounter == encounter and dossier.state not in _NOT_AWAITING)


def ended_searches(connection: Connection, limit: int) -> list[EndedSearch]:
    """Dossiers that wait for a search that ended, the one that waited longest first."""
    question = (
        select(DOSSIERS, SEARCH_TASKS.c.outcome, SEARCH_TASKS.c.failure)
        .join(SEARCH_TASKS, SEARCH_TASKS.c.task_id == DOSSIERS.c.search_task)
        .where(
            DOSSIERS.c.state == DossierState.DEDUP_1N.value,
            DOSSIERS.c.search == Search.WAITING.value,
            SEARCH_TASKS.c.state != TaskState.QUEUED.value,
        )
        .order_by(DOSSIERS.c.updated_at, DOSSIERS.c.id)
        .limit(limit)
    )
    ended = []
    for row in connection.execute(question).mappings():
        values = {**row}
        outcome, failure = values.pop("outcome"), values.pop("failure")
        ended.append(EndedSearch(read_dossier(values), Outcome(outcome) if outcome else None, failure))
    return ended


def examined(connection: Connection, limit: int) -> list[Dossier]:
    """Dossiers of whose cases, one at least, every one is decided, and which do not know it yet."""
    case = exists().where(
        ADJUDICATION_CASES.c.probe_encounter == _ENCOUNTER, ADJUDICATION_CASES.c.truth.is_(None)
    )
    open_case = case.where(ADJUDICATION_CASES.c.state != CaseState.DECIDED.value)
    question = (
        select(DOSSIERS)
        .where(
            DOSSIERS.c.state == DossierState.ADJUDICATION.value,
            DOSSIERS.c.search == Search.HIT.value,
            case,
            ~open_case,
        )
        .order_by(DOSSIERS.c.updated_at, DOSSIERS.c.id)
        .limit(limit)
    )
    return [read_dossier({**row}) for row in connection.execute(question).mappings()]


ENDS_CASES = frozenset(
    {
        *(DossierEvent.RETURN, DossierEvent.REJECT, DossierEvent.WITHDRAW),
        # What a search of the former capture found only since.
        *(DossierEvent.RECEIVE, DossierEvent.CAPTURE, DossierEvent.ERASE),
        *(DossierEvent.FIND_NOBODY, DossierEvent.FIND_SOMEBODY),
    }
)
"""After these no examiner is asked about a capture that does not stand."""


def end_superseded(connection: Connection, dossier: Dossier, event: DossierEvent, moment: datetime) -> None:
    """End the cases of captures that nobody waits for after the event; whoever calls wrote the dossier."""
    for case in case_repository.undecided_of(connection, dossier.id):
        if case.probe_encounter != dossier.encounter or dossier.state in _NOT_AWAITING:
            cases.supersede(connection, case, event.value, moment)


_AGAINST_A_CLAIM: Mapping[Finding, Finding] = {
    Finding.SAME_PERSON: Finding.DIFFERENT_PERSONS,
    # Whoever is not the one whose number they apply under applies as somebody else.
    Finding.DIFFERENT_PERSONS: Finding.FRAUD,
}


def findings(connection: Connection, encounter: str) -> Sequence[Finding]:
    """What the cases of one capture came to, each as it speaks against the application.

    Examiners say whether two pictures show one person; where the application says to be the other one,
    that they do speaks for it.
    """
    question = select(ADJUDICATION_CASES.c.outcome, ADJUDICATION_CASES.c.kind).where(
        ADJUDICATION_CASES.c.probe_encounter == encounter,
        ADJUDICATION_CASES.c.truth.is_(None),
        ADJUDICATION_CASES.c.outcome.is_not(None),
    )
    found = []
    for row in connection.execute(question):
        finding = Finding(row.outcome)
        is_claimed = row.kind == CaseKind.CLAIMED.value
        found.append(_AGAINST_A_CLAIM.get(finding, finding) if is_claimed else finding)
    return found
