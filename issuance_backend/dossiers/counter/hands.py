"""The gate of a capture's prints, and how each finger stands."""

from __future__ import annotations

from collections.abc import Mapping

from issuance_backend.dossiers import particulars
from issuance_backend.dossiers.counter.domain import CounterRow
from verification.capture_form.print_gate import PrintGate, SeenPrint
from verification.fingerprint.print_attempts import FingerAttempts
from verification.fingerprint.quality_limits import limits_on
from verification.messages.asked_prints import FINGERPRINTS, is_best_available
from verification.messages.counter_capture import CounterFinger, PrintTried


def gate_of(row: CounterRow) -> PrintGate | None:
    """The gate of the day on which it was begun; None before there was one."""
    limits = limits_on(row.day)
    person = row.capture.person if row.capture else None
    born = particulars.birth_day(particulars.normalised(person)) if person else None
    return None if limits is None else PrintGate(limits, born, row.day)


def fingers_of(row: CounterRow, attempts: Mapping[str, FingerAttempts]) -> tuple[CounterFinger, ...]:
    """The fingers that are asked, right hand first, thumb to little finger."""
    gate = gate_of(row)
    seen = gate.seen(attempts) if gate else {}
    return tuple(_finger(row, item, seen.get(item)) for item in row.fingers)


def _finger(row: CounterRow, item: str, seen: SeenPrint | None) -> CounterFinger:
    kept, reason = row.prints.get(item), _reason(row, item)
    tried = PrintTried(seen.scores, seen.kept, seen.least, seen.code, seen.left) if seen else None
    if kept is None:
        return CounterFinger(item, "excused" if reason else "missing", None, reason, tried)
    state = "again" if kept.is_again else "best" if seen and seen.is_best_available else "taken"
    return CounterFinger(item, state, kept.media_type, None, tried)


def _reason(row: CounterRow, item: str) -> str | None:
    """Why a finger has no print."""
    stated = {
        each.item: each.code for each in row.print_reasons if not is_best_available(each.item, each.code)
    }
    return stated.get(item, stated.get(FINGERPRINTS))
