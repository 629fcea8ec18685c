"""Opening a case, and the one way a case changes its state."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.biometric_search import adjudication
from issuance_backend.biometric_search import case_repository as repository
from issuance_backend.biometric_search.adjudication import CaseEvent, CaseKind, CaseState, Finding
from issuance_backend.biometric_search.case_repository import Case, Decision
from issuance_backend.moments import rfc3339
from issuance_backend.steps import SYSTEM, Step
from verification.messages.biometric_search import LikenessMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two encounters to be looked at, and who of the office knows one of them already."""

    probe_encounter: str
    candidate_encounter: str
    kind: CaseKind = CaseKind.FOUND
    took_part: tuple[str, ...] = ()
    likenesses: tuple[LikenessMessage, ...] = ()
    truth: bool | None = None


def open_case(connection: Connection, pair: Pair, moment: datetime) -> bool:
    """Put a pair before the examiners in the caller's transaction; False where it is a case already.

    What a search finds becomes a case of its own beside a bait on the same pair, whatever was said of that.
    """
    at = rfc3339(moment)
    case = Case(
        id=secrets.token_hex(8),
        probe_encounter=pair.probe_encounter,
        candidate_encounter=pair.candidate_encounter,
        kind=pair.kind,
        took_part=tuple(sorted(set(pair.took_part))),
        likenesses=pair.likenesses,
        truth=pair.truth,
        state=adjudication.advance(None, CaseEvent.OPEN),
        outcome=None,
        version=1,
        opened_at=at,
        updated_at=at,
    )
    if not repository.add(connection, case):
        return False
    _record(connection, case, CaseEvent.OPEN, SYSTEM, {})
    return True


def decide(connection: Connection, case: Case, decision: Decision, earlier: tuple[Decision, ...]) -> Case:
    """Record one examiner's decision with all that follows from it; raises TransitionRefused."""
    findings = [each.finding for each in (*earlier, decision)]
    event = adjudication.next_event(findings)
    state = adjudication.advance(case.state, event)
    is_over = state is CaseState.DECIDED
    decided = replace(
        case,
        state=state,
        outcome=adjudication.outcome(findings) if is_over else None,
        updated_at=decision.at,
    )
    repository.add_decision(connection, decision)
    repository.save(connection, decided)
    # What was found is bound now and told when the case is over: nobody learns it from the record.
    detail = {"seal": _seal(decision)}
    if is_over and decided.outcome is not None:
        detail["outcome"] = decided.outcome.value
    _record(connection, decided, event, decision.examiner, detail)
    return replace(decided, version=case.version + 1)


def supersede(connection: Connection, case: Case, reason: str, moment: datetime) -> None:
    """End a case of a capture that nobody waits for any more; raises TransitionRefused where it is over."""
    state = adjudication.advance(case.state, CaseEvent.SUPERSEDE)
    ended = replace(case, state=state, updated_at=rfc3339(moment))
    repository.save(connection, ended)
    _record(connection, ended, CaseEvent.SUPERSEDE, SYSTEM, {"reason": reason})


def _seal(decision: Decision) -> str:
    return adjudication.seal(decision.finding, decision.comment, bytes.fromhex(decision.nonce))


def new_decision(
    case: Case, examiner: str, finding: Finding, comment: str, *, place: int, moment: datetime
) -> Decision:
    """A decision with a nonce of its own, so that its seal tells nothing."""
    return Decision(
        case_id=case.id,
        place=place,
        examiner=examiner,
        finding=finding,
        comment=comment,
        nonce=secrets.token_hex(32),
        at=rfc3339(moment),
    )


def _record(connection: Connection, case: Case, event: CaseEvent, actor: str, detail: dict[str, str]) -> None:
    step = Step(
        subject=f"adjudication/{case.id}",
        event=event.value,
        state=case.state.value,
        actor=actor,
        at=case.updated_at,
        detail=detail,
    )
    recorded_events.append(connection, step)
