"""Prints that come with a capture, from a kit or a counter: what is said of them, and where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from issuance_backend.dossiers import repository
from issuance_backend.dossiers.forms.domain import Requirements
from issuance_backend.dossiers.repository import Dossier
from verification.capture_form.stated_reasons import reason_codes
from verification.messages.asked_prints import (
    ALL_SLAPS,
    FINGERPRINTS,
    finger_item,
    fingers_sent_back,
    is_best_available,
    is_reason_for,
    missing_fingers,
    position_of,
)
from verification.messages.enrollment_packet import CaptureException
from verification.messages.prints_taken import CaptureMethod, PrintTaken


@dataclass(frozen=True, slots=True)
class TakenPrints:
    """The prints of a capture at a counter by position, and coded reasons for those that are not there.

    A finger whose print is the best available has a reason as well.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    reasons: tuple[CaptureException, ...] = ()

    @property
    def best_available(self) -> frozenset[int]:
        """The fingers of whose prints no better were to be had."""
        return frozenset(
            position_of(each.item) for each in self.reasons if is_best_available(each.item, each.code)
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons as codes of the form; that no better print was to be had is none."""
        return reason_codes(self.reasons)

    def faults(self, asked: Iterable[str]) -> dict[str, str]:
        """Fault codes of fingers that have neither a print nor a reason."""
        taken = {finger_item(position) for position in self.names}
        excused = {each.item for each in self.reasons if not is_best_available(each.item, each.code)}
        return dict.fromkeys(missing_fingers(tuple(asked), taken, excused), "PRINT_MISSING")


def of_both_hands(stated: Iterable[str], required: Requirements) -> tuple[CaptureException, ...]:
    """The reasons among stated codes that stand for all prints, or for all slaps."""
    reasons = required.reasons
    return tuple(
        CaptureException(item, code.upper())
        for code in stated
        for item in (FINGERPRINTS, ALL_SLAPS)
        if code in reasons and is_reason_for(reasons[code], item)
    )


def prints_detail(attempts: Sequence[PrintTaken], best_available: Collection[int]) -> dict[str, str]:
    """Which fingers were taken more than once, which are the best available, and which are of ink."""
    again = [f"{each.item[-2:]}:{len(each.scores)}" for each in attempts if len(each.scores) > 1]
    best = [f"{position:02}" for position in sorted(best_available)]
    ink = [each.item[-2:] for each in attempts if each.capture_method is CaptureMethod.INK_RESCAN]
    said = {"print_attempts": " ".join(again), "best_available": " ".join(best), "ink_rescan": " ".join(ink)}
    return {name: text for name, text in said.items() if text}


def replace_sent_back(
    connection: Connection, dossier: Dossier, names: Mapping[int, str], answered_for: Collection[int]
) -> set[str]:
    """Write prints in place of those that were sent back of a dossier; the pictures that stood there.

    A reason that stands for a finger leaves nothing of its old print (F38).
    """
    again = {
        position_of(item) for item in fingers_sent_back(dossier.returned.items if dossier.returned else ())
    }
    if not again:
        return set()
    standing = repository.prints(connection, dossier.id)
    repository.set_prints(connection, dossier.id, names, answered_for, again)
    return {name for position, name in standing.items() if position in again}
