"""The gate of a capture's prints, and how each finger, slap and photograph of a hand stands."""

from __future__ import annotations

from issuance_backend.dossiers.counter.domain import CounterRow
from verification.capture_form.print_gate import JudgedPrints, PrintGate, SeenPrint
from verification.capture_form.slap_standing import slap_standing
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.asked_prints import FINGERPRINTS, is_best_available
from verification.messages.counter_capture import CounterFinger, CounterPhoto, PrintTried
from verification.messages.slap_standing import FingerState, SlapStanding


def gate_of(row: CounterRow) -> PrintGate | None:
    """The gate of the day on which it was begun; None before there was one."""
    limits = limits_on(row.day)
    return None if limits is None else PrintGate(limits, row.born, row.day)


def fingers_of(row: CounterRow, tried: JudgedPrints) -> tuple[CounterFinger, ...]:
    """The fingers that are asked, right hand first, thumb to little finger."""
    gate = gate_of(row)
    seen = gate.seen(tried.attempts) if gate else {}
    return tuple(_finger(row, item, seen.get(item)) for item in row.fingers)


def slaps_of(row: CounterRow, tried: JudgedPrints) -> tuple[SlapStanding, ...]:
    """The slaps that may be taken, and those that are here: right hand, left hand, thumbs."""
    may_be_here = row.slaps_to_take(has_scanner=True)
    shown = [item for item in may_be_here if item in row.slaps or item in row.prints]
    return tuple(_slap(row, item, tried) for item in shown)


def photos_of(row: CounterRow) -> tuple[CounterPhoto, ...]:
    """The photographs of hands that are asked."""
    return tuple(CounterPhoto(item, item in row.items) for item in row.hand_photos)


def _slap(row: CounterRow, item: str, tried: JudgedPrints) -> SlapStanding:
    kept, attempts = row.prints.get(item), tried.slaps.get(item, SlapAttempts())
    media_type = kept.media_type if kept else None
    is_missing = item in row.missing_prints
    return slap_standing(item, media_type, row.print_reasons, attempts, is_missing=is_missing)


def _finger(row: CounterRow, item: str, seen: SeenPrint | None) -> CounterFinger:
    kept, reason = row.prints.get(item), _reason(row, item)
    tried = PrintTried(seen.scores, seen.kept, seen.least, seen.code, seen.left) if seen else None
    if kept is None:
        state = FingerState.EXCUSED if reason else FingerState.MISSING
        return CounterFinger(item, state, None, reason, tried)
    is_best = seen is not None and seen.is_best_available
    state = FingerState.AGAIN if kept.is_again else FingerState.BEST if is_best else FingerState.TAKEN
    return CounterFinger(item, state, kept.media_type, None, tried)


def _reason(row: CounterRow, item: str) -> str | None:
    """Why a finger has no print."""
    stated = {
        each.item: each.code for each in row.print_reasons if not is_best_available(each.item, each.code)
    }
    return stated.get(item, stated.get(FINGERPRINTS))
