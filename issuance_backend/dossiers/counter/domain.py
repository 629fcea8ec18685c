"""A capture at an office's counter, until it is a dossier.

draft         what the registry and the rules find right      its officer has the form made
form_checked  its form was judged faithful, and printed       the citizen signs; a supervisor answers for
                                                              what is missing; its officer seals it
sealed        it became a dossier                             nobody
withdrawn     nobody wants it any more                        nobody

Whatever is changed has to be printed and signed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from issuance_backend.state_table import StateTable
from verification.messages.enrollment import DossierCapture
from verification.messages.enrollment_packet import PrintedFormMark


class CounterState(StrEnum):
    """Where a capture at a counter stands."""

    DRAFT = "draft"
    FORM_CHECKED = "form_checked"
    SEALED = "sealed"
    WITHDRAWN = "withdrawn"


class CounterEvent(StrEnum):
    """What happens to it."""

    BEGIN = "begin"
    CHANGE = "change"
    CHECK_FORM = "check_form"
    SIGN = "sign"
    ANSWER = "answer"
    SEAL = "seal"
    WITHDRAW = "withdraw"


_OPEN = (CounterState.DRAFT, CounterState.FORM_CHECKED)
OPEN = frozenset(_OPEN)
"""Where it still holds what was captured."""

TABLE: StateTable[CounterState, CounterEvent] = StateTable(
    {
        (None, CounterEvent.BEGIN): CounterState.DRAFT,
        **{(state, CounterEvent.CHANGE): CounterState.DRAFT for state in _OPEN},
        **{(state, CounterEvent.CHECK_FORM): CounterState.FORM_CHECKED for state in _OPEN},
        (CounterState.FORM_CHECKED, CounterEvent.SIGN): CounterState.FORM_CHECKED,
        (CounterState.FORM_CHECKED, CounterEvent.ANSWER): CounterState.FORM_CHECKED,
        (CounterState.FORM_CHECKED, CounterEvent.SEAL): CounterState.SEALED,
        **{(state, CounterEvent.WITHDRAW): CounterState.WITHDRAWN for state in _OPEN},
    }
)

FORM, SIGNATURE, SUPERVISOR = "form", "signature", "supervisor"
_MISSING = {
    FORM: "COUNTER_FORM_MISSING",
    SIGNATURE: "COUNTER_SIGNATURE_MISSING",
    SUPERVISOR: "COUNTER_SUPERVISOR_MISSING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRow:
    """One capture as it is kept: ``capture`` has no picture, ``portrait`` and ``signature`` name theirs."""

    id: str
    capture_id: str
    officer: str
    unit: str | None
    dossier: str | None
    state: CounterState
    version: int
    content_sha256: str
    capture: DossierCapture | None
    exceptions: tuple[str, ...]
    portrait: str | None
    opened_at: str
    updated_at: str
    form: PrintedFormMark | None = None
    language: str | None = None
    signature: str | None = None
    unsigned: str | None = None
    answered_by: str | None = None

    @property
    def needs_supervisor(self) -> bool:
        """Whether somebody answers for what was not captured, or not signed."""
        return bool(self.exceptions or self.unsigned)

    @property
    def missing(self) -> tuple[str, ...]:
        """What stands before its sealing, in the order of the work."""
        if self.state not in OPEN:
            return ()
        is_there = {
            FORM: self.form is not None,
            SIGNATURE: bool(self.signature or self.unsigned),
            SUPERVISOR: not self.needs_supervisor or self.answered_by is not None,
        }
        return tuple(name for name, here in is_there.items() if not here)

    @property
    def faults(self) -> dict[str, str]:
        """The same as fault codes."""
        return {name: _MISSING[name] for name in self.missing}
