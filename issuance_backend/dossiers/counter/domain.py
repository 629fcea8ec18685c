"""A capture at an office's counter, until it is a dossier.

draft         what the registry and the rules find right      its officer takes the prints, has the form made
form_checked  its form was judged faithful, and printed       the citizen signs; a supervisor answers for
                                                              what is missing; its officer seals it
sealed        it became a dossier                             nobody
withdrawn     nobody wants it any more                        nobody

Whatever is changed has to be printed and signed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from issuance_backend.dossiers import particulars
from issuance_backend.dossiers.forms.catalogue import capture_form
from issuance_backend.state_table import StateTable
from verification.capture_form.stated_reasons import reason_codes, with_equipment
from verification.fingerprint.printed_form import FormJudgement
from verification.messages.asked_prints import (
    FINGER_ITEMS,
    SLAP_ITEMS,
    is_best_available,
    missing_fingers,
    missing_slaps,
    slaps_to_take,
)
from verification.messages.enrollment import DossierCapture
from verification.messages.enrollment_packet import CaptureException, PrintedFormMark
from verification.messages.hand_photos import HAND_PHOTOS, asked_hand_photos
from verification.messages.national_time import vietnam_date


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
    TAKE_PRINTS = "take_prints"
    CHECK_FORM = "check_form"
    SIGN = "sign"
    REFUSE_PAPER = "refuse_paper"
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
        **{(state, CounterEvent.TAKE_PRINTS): CounterState.DRAFT for state in _OPEN},
        **{(state, CounterEvent.CHECK_FORM): CounterState.FORM_CHECKED for state in _OPEN},
        (CounterState.FORM_CHECKED, CounterEvent.SIGN): CounterState.FORM_CHECKED,
        (CounterState.FORM_CHECKED, CounterEvent.REFUSE_PAPER): CounterState.FORM_CHECKED,
        (CounterState.FORM_CHECKED, CounterEvent.ANSWER): CounterState.FORM_CHECKED,
        (CounterState.FORM_CHECKED, CounterEvent.SEAL): CounterState.SEALED,
        **{(state, CounterEvent.WITHDRAW): CounterState.WITHDRAWN for state in _OPEN},
    }
)

PRINTS, FORM, SIGNATURE, SUPERVISOR = "prints", "form", "signature", "supervisor"
ATTEMPTS, SLAP_ATTEMPTS, SCAN = "attempts", "slap_attempts", "scan"
"""Items beside the prints: how fingers and slaps were tried, and the signed paper."""

_MISSING = {
    PRINTS: "COUNTER_PRINTS_MISSING",
    FORM: "COUNTER_FORM_MISSING",
    SIGNATURE: "COUNTER_SIGNATURE_MISSING",
    SUPERVISOR: "COUNTER_SUPERVISOR_MISSING",
}


@dataclass(frozen=True, slots=True)
class CounterItem:
    """Where something lies in the store; ``is_again`` is a print that stands until a better one comes.

    Of a slap it says that a finger is missing from it of which nobody says any more that it is absent.
    """

    picture: str
    media_type: str
    is_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRow:
    """One capture as it is kept: ``capture`` has no picture, ``portrait`` and ``signature`` name theirs.

    ``fingers`` are those whose prints are asked, ``print_reasons`` why one of them is not there, or is the
    best available; ``items`` are prints, their attempts, photographs of hands and the signed paper.
    ``sent_back`` are the items of the return that it answers, None of a first capture; ``slap_scanner``
    is whether several fingers can be taken at once here, None as long as nobody said so.
    """

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
    fingers: tuple[str, ...] = ()
    print_reasons: tuple[CaptureException, ...] = ()
    items: Mapping[str, CounterItem] = field(default_factory=dict)
    sent_back: tuple[str, ...] | None = None
    slap_scanner: bool | None = None
    form: PrintedFormMark | None = None
    paper: FormJudgement | None = None
    language: str | None = None
    signature: str | None = None
    unsigned: str | None = None
    answered_by: str | None = None

    @property
    def needs_supervisor(self) -> bool:
        """Whether somebody answers for what was not captured, or not signed."""
        return bool(self.exceptions or self.print_reasons or self.unsigned)

    @property
    def day(self) -> date:
        """The day by which forms, ages and limits are told: that on which it was begun."""
        return vietnam_date(datetime.fromisoformat(self.opened_at))

    @property
    def prints(self) -> dict[str, CounterItem]:
        """The prints that are here, by finger and slap."""
        return {item: self.items[item] for item in (*FINGER_ITEMS, *SLAP_ITEMS) if item in self.items}

    @property
    def captured(self) -> dict[str, CounterItem]:
        """The prints, and the photographs of hands."""
        photos = {item: self.items[item] for item in HAND_PHOTOS if item in self.items}
        return {**self.prints, **photos}

    @property
    def born(self) -> date | None:
        """The day of birth, if it is one."""
        if self.capture is None:
            return None
        return particulars.birth_day(particulars.normalised(self.capture.person))

    @property
    def slaps(self) -> tuple[str, ...]:
        """The slaps that are asked, and with a scanner for them those that may be taken before their day."""
        return self.slaps_to_take(has_scanner=bool(self.slap_scanner))

    @property
    def hand_photos(self) -> tuple[str, ...]:
        """The photographs of hands that go with what is stated, or were sent back."""
        if self.capture is None:
            return ()
        reasons = capture_form(self.day).exceptions
        return asked_hand_photos(reasons, self.print_reasons, self.day, self.sent_back or ())

    def slaps_to_take(self, *, has_scanner: bool) -> tuple[str, ...]:
        """The slaps that the form asks, with a scanner all that the law lets be taken."""
        if self.capture is None:
            return ()
        prints = capture_form(self.day).prints
        return slaps_to_take(prints, self.born, self.day, self.sent_back, has_scanner=has_scanner)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the form for everything that is not there."""
        return (*self.exceptions, *reason_codes(self.print_reasons))

    @property
    def missing_fingers(self) -> tuple[str, ...]:
        """Fingers that have neither a print nor a reason, and those to take again."""
        return missing_fingers(self.fingers, self._taken, self._excused)

    @property
    def missing_prints(self) -> tuple[str, ...]:
        """The same with slaps, and with the photographs of hands that are not here."""
        slaps = missing_slaps(self.slaps_to_take(has_scanner=False), self._taken, self._excused)
        photos = (item for item in self.hand_photos if item not in self.items)
        return (*self.missing_fingers, *slaps, *photos)

    @property
    def _taken(self) -> set[str]:
        return {item for item, each in self.prints.items() if not each.is_again}

    @property
    def _excused(self) -> set[str]:
        return {each.item for each in self.print_reasons if not is_best_available(each.item, each.code)}

    @property
    def is_signed(self) -> bool:
        """Whether the citizen signed, on a screen or on paper."""
        return self.signature is not None or SCAN in self.items

    @property
    def names(self) -> frozenset[str]:
        """Every picture that it names."""
        own = {name for name in (self.portrait, self.signature) if name is not None}
        return frozenset(own | {each.picture for each in self.items.values()})

    def settled(self) -> CounterRow:
        """With what follows from it: a scanner of single fingers excuses slaps, no photograph is needless."""
        reasons = self.print_reasons
        if self.slap_scanner is False:
            reasons = with_equipment(reasons, set(self.missing_prints), self.prints.keys())
        row = replace(self, print_reasons=reasons)
        needless = set(HAND_PHOTOS).difference(row.hand_photos)
        return replace(row, items={item: each for item, each in row.items.items() if item not in needless})

    def unprinted(self) -> CounterRow:
        """The same with other content: whatever was printed, signed and answered for is so no more."""
        items = {item: each for item, each in self.items.items() if item != SCAN}
        return replace(
            self,
            items=items,
            form=None,
            paper=None,
            language=None,
            signature=None,
            unsigned=None,
            answered_by=None,
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """What stands before its sealing, in the order of the work."""
        if self.state not in OPEN:
            return ()
        is_there = {
            PRINTS: not self.missing_prints,
            FORM: self.form is not None,
            SIGNATURE: self.is_signed or self.unsigned is not None,
            SUPERVISOR: not self.needs_supervisor or self.answered_by is not None,
        }
        return tuple(name for name, here in is_there.items() if not here)

    @property
    def faults(self) -> dict[str, str]:
        """The same as fault codes."""
        return {name: _MISSING[name] for name in self.missing}
