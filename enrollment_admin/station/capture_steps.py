"""The life of a capture on a kit, from the first question to the centre's receipt.

draft         something is still missing                    officer: capture it
captured      everything that the form asks is here          officer: print the form
form_checked  the form was printed as it stands              citizen: sign; officer: seal
sealed        a packet that only the centre can open         kit: send it, or a stick
in_transit    sent or exported at least once                 kit: until the receipt comes
receipted     the centre holds it; nothing is left here
withdrawn     the citizen did not want it; nothing is left here
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from verification.errors import TransitionRefused


class DraftState(StrEnum):
    """Where a capture stands."""

    DRAFT = "draft"
    CAPTURED = "captured"
    FORM_CHECKED = "form_checked"
    SEALED = "sealed"
    IN_TRANSIT = "in_transit"
    RECEIPTED = "receipted"
    WITHDRAWN = "withdrawn"


class DraftEvent(StrEnum):
    """What can happen to a capture."""

    BEGIN = "begin"
    CAPTURE = "capture"
    CHANGE = "change"
    PRINT = "print"
    SEAL = "seal"
    CARRY = "carry"
    RECEIPT = "receipt"
    WITHDRAW = "withdraw"


_S, _E = DraftState, DraftEvent
AT_THE_DESK = (_S.DRAFT, _S.CAPTURED, _S.FORM_CHECKED)
"""The officer works on it, and the citizen may still go away."""
ON_THE_WAY = (_S.SEALED, _S.IN_TRANSIT)
"""The kit answers for it until the centre does."""

TRANSITIONS: Mapping[tuple[DraftState | None, DraftEvent], DraftState] = {
    (None, _E.BEGIN): _S.DRAFT,
    (_S.DRAFT, _E.CAPTURE): _S.CAPTURED,
    (_S.CAPTURED, _E.CHANGE): _S.DRAFT,
    (_S.CAPTURED, _E.PRINT): _S.FORM_CHECKED,
    (_S.FORM_CHECKED, _E.CHANGE): _S.DRAFT,
    (_S.FORM_CHECKED, _E.PRINT): _S.FORM_CHECKED,
    (_S.FORM_CHECKED, _E.SEAL): _S.SEALED,
    (_S.SEALED, _E.CARRY): _S.IN_TRANSIT,
    (_S.IN_TRANSIT, _E.CARRY): _S.IN_TRANSIT,
    (_S.IN_TRANSIT, _E.RECEIPT): _S.RECEIPTED,
    **{(state, _E.WITHDRAW): _S.WITHDRAWN for state in AT_THE_DESK},
}


def advance(state: DraftState | None, event: DraftEvent) -> DraftState:
    """The state after an event; raises TransitionRefused for a pair that is not in the table."""
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible in {state or 'no state'}") from None
