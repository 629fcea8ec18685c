"""What somebody captured or signed since they are trusted no more waits for the case (I15).

One rule for a certificate that is withdrawn and for a key that is revoked. Who asks twice with one case loses
nothing: what the case held before, and let go, stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.acts import Act, take_steps
from issuance_backend.dossiers.domain import TABLE, DossierEvent
from issuance_backend.dossiers.intake import kit_repository, repository
from issuance_backend.dossiers.intake.domain import announced_after
from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.officers.certificates import Held, Hold, Withdrawal
from monitoring.database import Database
from verification.messages.enrollment import RecordedStep
from verification.messages.enrollment_packet import parse_packet

_AT_ONCE = 100
"""No transaction holds more dossiers: others record after it."""

_Steps = Sequence[RecordedStep]
_IsMet = Callable[[Connection, _Steps], bool]

_DONE = frozenset({DossierEvent.CAPTURE, DossierEvent.RECEIVE, DossierEvent.APPROVE_LOCALLY})
"""What only who is certified does."""


class CaseHolds:
    """Suspends dossiers in the name of the supervisor who trusts somebody no more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def done(self, withdrawal: Withdrawal) -> Held:
        """Hold what an officer approved since, or captured: of packets what no case has let in."""

        def is_met(connection: Connection, steps: _Steps) -> bool:
            return any(_is_met(connection, withdrawal, step) for step in steps)

        with self._database.reading() as connection:
            captured, approved = _captured(connection, withdrawal), _approved(connection, withdrawal)
        return self._hold(sorted({*captured, *approved}), withdrawal, is_met)

    def captured_at_counters(self, withdrawal: Withdrawal) -> Held:
        """Hold what an officer captured since without a kit; of all else the keys that signed it tell."""

        def is_met(connection: Connection, steps: _Steps) -> bool:
            return any(
                not _is_packets(connection, step) and _is_met(connection, withdrawal, step) for step in steps
            )

        with self._database.reading() as connection:
            captured = _captured(connection, withdrawal)
        return self._hold(captured, withdrawal, is_met)

    def named(self, found: Sequence[str], withdrawal: Withdrawal) -> Held:
        """Hold all of these."""
        return self._hold(sorted(set(found)), withdrawal, lambda *_: True)

    def _hold(self, found: Sequence[str], withdrawal: Withdrawal, is_met: _IsMet) -> Held:
        held = Held(0, ())
        for start in range(0, len(found), _AT_ONCE):
            if start:
                self._database.give_way()
            with self._database.writing() as connection:
                standing = dossiers.locked(connection, found[start : start + _AT_ONCE])
                waiting = [Act(connection, each, self._clock()) for each in standing]
                more = _held(connection, withdrawal, waiting, is_met)
            held = Held(held.number + more.number, held.others + more.others)
        return held


def holding(database: Database, clock: Clock) -> Hold:
    """Holds dossiers of an office for the case of a withdrawal."""
    return CaseHolds(database, clock).done


def _captured(connection: Connection, withdrawal: Withdrawal) -> Sequence[str]:
    return dossiers.captured_by(connection, withdrawal.officer, announced_after(withdrawal.since))


def _approved(connection: Connection, withdrawal: Withdrawal) -> list[str]:
    found: list[str] = []
    since, after = rfc3339(parse_moment(withdrawal.since)), ""
    while page := kit_repository.approved_since(connection, withdrawal.officer, since, after, _AT_ONCE):
        found, after = [*found, *page], page[-1]
    return found


def _held(connection: Connection, withdrawal: Withdrawal, touched: list[Act], is_met: _IsMet) -> Held:
    """How many of these the case holds, or held before; which of them it cannot hold."""
    known, waiting, others = 0, [], []
    for act in touched:
        steps = recorded_events.of_subject(connection, acts.subject(act.dossier.id))
        if not is_met(connection, steps):
            continue
        if any(_names_case(step, withdrawal.case_id) for step in steps):
            known += 1
        elif (act.dossier.state, DossierEvent.SUSPEND) in TABLE.transitions:
            waiting.append(act)
        else:
            others.append(act.dossier.id)
    if waiting:
        take_steps(waiting, DossierEvent.SUSPEND, withdrawal.by, {"case": withdrawal.case_id})
    return Held(known + len(waiting), tuple(others))


def _is_met(connection: Connection, withdrawal: Withdrawal, step: RecordedStep) -> bool:
    """Whether a step is the officer's capture or approval of then; a packet's that no case has let in."""
    if step.actor != withdrawal.officer or step.event not in _DONE:
        return False
    packet = repository.find(connection, step.detail.get("content_sha256", ""))
    if packet is None:
        moments = [step.at]
    elif packet.case_id is None:
        moments = [packet.announced_at, parse_packet(packet.metadata).envelope.happened_at]
    else:
        moments = []
    return any(parse_moment(each) >= parse_moment(withdrawal.since) for each in moments)


def _is_packets(connection: Connection, step: RecordedStep) -> bool:
    return repository.find(connection, step.detail.get("content_sha256", "")) is not None


def _names_case(step: RecordedStep, case: str) -> bool:
    return step.event == DossierEvent.SUSPEND and step.detail.get("case") == case
