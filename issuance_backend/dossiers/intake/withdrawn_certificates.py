"""What an officer captured since their certificates were withdrawn waits for the case (I15)."""

from __future__ import annotations

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.acts import Act, take_steps
from issuance_backend.dossiers.domain import TABLE, DossierEvent
from issuance_backend.dossiers.intake import repository
from issuance_backend.dossiers.intake.domain import announced_after
from issuance_backend.moments import Clock, parse_moment
from issuance_backend.officers.certificates import Held, Hold, Withdrawal
from monitoring.database import Database
from verification.messages.enrollment import RecordedStep
from verification.messages.enrollment_packet import parse_packet

_AT_ONCE = 100
"""No transaction holds more dossiers: others record after it."""


def holding(database: Database, clock: Clock) -> Hold:
    """Holds dossiers of an office, captured at counters and at kits, for the case of a withdrawal."""

    def hold(withdrawal: Withdrawal) -> Held:
        since = announced_after(withdrawal.since)
        with database.reading() as connection:
            captured = dossiers.captured_by(connection, withdrawal.officer, since)
        held = Held(0, ())
        for start in range(0, len(captured), _AT_ONCE):
            with database.writing() as connection:
                standing = dossiers.locked(connection, captured[start : start + _AT_ONCE])
                more = _held(connection, withdrawal, [Act(connection, each, clock()) for each in standing])
            held = Held(held.number + more.number, held.others + more.others)
            database.give_way()
        return held

    return hold


def _held(connection: Connection, withdrawal: Withdrawal, captured: list[Act]) -> Held:
    """How many of these the case holds, or held before; which of them it cannot hold."""
    known, waiting, others = 0, [], []
    for act in captured:
        steps = recorded_events.of_subject(connection, acts.subject(act.dossier.id))
        if not any(_is_met(connection, withdrawal, step) for step in steps):
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
    """Whether a step is the officer's capture of that time; a packet's that no case has let in."""
    if step.actor != withdrawal.officer or step.event not in {DossierEvent.CAPTURE, DossierEvent.RECEIVE}:
        return False
    packet = repository.find(connection, step.detail.get("content_sha256", ""))
    if packet is None:
        moments = [step.at]
    elif packet.case_id is None:
        moments = [packet.announced_at, parse_packet(packet.metadata).envelope.happened_at]
    else:
        moments = []
    return any(parse_moment(each) >= parse_moment(withdrawal.since) for each in moments)


def _names_case(step: RecordedStep, case: str) -> bool:
    return step.event == DossierEvent.SUSPEND and step.detail.get("case") == case
