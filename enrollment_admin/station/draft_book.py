"""What stands in a capture: what the form still asks, whose prints, and the form to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec
from sqlalchemy import Connection

from enrollment_admin.station.answering import is_asked
from enrollment_admin.station.capture_rules import (
    born,
    fingers_asked,
    missing_items,
)
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftState
from enrollment_admin.station.gate import GateAnswer
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import (
    Answered,
    DraftRow,
    GateAttempt,
    KeptItem,
    PacketRow,
    Particulars,
)
from enrollment_admin.station.printed_form import FilledForm, form_values
from enrollment_admin.station.refusals import CaptureUnknown
from enrollment_admin.station.terms_store import SlipTerms
from verification.capture_form.print_gate import PrintGate, SeenPrint, incomplete_slaps
from verification.capture_form.print_pictures import absent_fingers
from verification.capture_form.stated_reasons import with_equipment
from verification.errors import TransitionRefused
from verification.fingerprint.printed_form import FormJudgement
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.asked_prints import is_best_available, missing_slaps, slaps_to_take
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, CaptureException, PrintedFormMark
from verification.messages.hand_photos import asked_hand_photos
from verification.messages.national_time import vietnam_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One capture as its officer sees it: ``missing`` is what the form still asks, ``fingers`` whose prints,
    ``slaps`` which of them may be taken.

    A capture that was sealed and receipted, or withdrawn, has nothing of the person any more.
    """

    id: str
    state: DraftState
    officer: str
    opened_at: str
    attempts: tuple[GateAttempt, ...]
    citizen_number: str | None
    person: PersonFields | None
    items: tuple[KeptItem, ...]
    exceptions: tuple[CaptureException, ...]
    missing: tuple[str, ...]
    fingers: tuple[str, ...]
    portrait_reason: str | None
    printed: PrintedFormMark | None
    judged: FormJudgement | None = None
    scanned: FormJudgement | None = None
    answers: Answered | None = None
    prints: Mapping[str, SeenPrint] = field(default_factory=dict)
    slaps: tuple[str, ...] = ()
    tried_slaps: Mapping[str, SlapAttempts] = field(default_factory=dict)
    hand_photos: tuple[str, ...] = ()
    sequence: int | None = None
    packet: str | None = None
    terms: SlipTerms | None = None

    @property
    def answer(self) -> GateAnswer | None:
        """What the gate answered last."""
        return self.attempts[-1].answer if self.attempts else None


class DraftBook:
    """The captures of one kit, read as they stand in a transaction."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def shown(self, connection: Connection, row: DraftRow, packet: PacketRow | None) -> Draft:
        """A capture as its officer sees it."""
        # What left the desk has nothing here to ask for: a list of hundreds that wait is two questions.
        store, is_here = self._kit.store, row.state in AT_THE_DESK
        return Draft(
            id=self.id(row.number),
            state=row.state,
            officer=row.officer,
            opened_at=row.opened_at,
            attempts=store.attempts(connection, row.number) if is_here else (),
            citizen_number=row.particulars.citizen_number,
            person=row.particulars.person,
            items=store.items(connection, row.number) if is_here else (),
            exceptions=row.particulars.exceptions,
            missing=self.missing(connection, row) if is_here else (),
            fingers=self.fingers(row) if is_here else (),
            portrait_reason=row.particulars.portrait_reason,
            printed=row.particulars.printed,
            judged=row.particulars.judged,
            scanned=row.particulars.scanned,
            answers=row.particulars.answers,
            prints=self.prints_seen(row) if is_here else {},
            slaps=self.slaps(row) if is_here else (),
            tried_slaps=row.particulars.slaps,
            hand_photos=self.hand_photos(row) if is_here else (),
            sequence=packet.sequence if packet else None,
            packet=packet.packet if packet else None,
        )

    def missing(self, connection: Connection, row: DraftRow) -> tuple[str, ...]:
        """What the form asks and is not here, of an answer what was sent back."""
        kept = self._names(connection, row) - self._to_take_again(row)
        stated = row.particulars.exceptions
        excused = {each.item for each in stated if not is_best_available(each.item, each.code)}
        wanted = missing_items(self._kit.profile.form, self.values(row), kept, excused, self.today())
        wanted += missing_slaps(self._slaps(row), kept, excused)
        wanted += [item for item in self.hand_photos(row) if item not in kept]
        if row.state is DraftState.FORM_CHECKED and CITIZEN_SIGNATURE not in kept | excused:
            wanted.append(CITIZEN_SIGNATURE)
        return tuple(item for item in wanted if is_asked(row.particulars.answers, item))

    def fingers(self, row: DraftRow) -> tuple[str, ...]:
        """The fingers whose prints are asked today."""
        asked = fingers_asked(self._kit.profile.form, self.values(row), self.today())
        return tuple(item for item in asked if is_asked(row.particulars.answers, item))

    def slaps(self, row: DraftRow) -> tuple[str, ...]:
        """The slaps that are asked today, and those that a kit with a scanner for them may take before."""
        return self._slaps(row, has_scanner=self._kit.profile.slap_scanner)

    def hand_photos(self, row: DraftRow) -> tuple[str, ...]:
        """The photographs of hands that go with what is stated, or were sent back."""
        said, reasons = row.particulars, self._kit.profile.form.exceptions
        sent_back = said.answers.items if said.answers else ()
        return asked_hand_photos(reasons, said.exceptions, self.today(), sent_back)

    def _slaps(self, row: DraftRow, *, has_scanner: bool = False) -> tuple[str, ...]:
        prints, answers = self._kit.profile.form.prints, row.particulars.answers
        sent_back = answers.items if answers else None
        citizen_born = born(self.values(row))
        return slaps_to_take(prints, citizen_born, self.today(), sent_back, has_scanner=has_scanner)

    def with_equipment(self, connection: Connection, row: DraftRow) -> Particulars:
        """The particulars, with the exception of a kit that cannot take the slaps that are asked of it."""
        said = row.particulars
        if self._kit.profile.slap_scanner:
            return said
        missing, kept = set(self.missing(connection, row)), self._names(connection, row)
        return msgspec.structs.replace(said, exceptions=with_equipment(said.exceptions, missing, kept))

    def _names(self, connection: Connection, row: DraftRow) -> set[str]:
        return {each.name for each in self._kit.store.items(connection, row.number)}

    def _to_take_again(self, row: DraftRow) -> set[str]:
        """Poor prints, and slaps that lack a finger of which nobody says any more that it is absent."""
        absent = absent_fingers(row.particulars.exceptions)
        poor = {item for item, each in self.prints_seen(row).items() if each.is_again}
        return poor | incomplete_slaps(row.particulars.slaps, absent)

    def print_gate(self, row: DraftRow) -> PrintGate | None:
        """The gate of today's prints; None before there was one."""
        limits = limits_on(self.today())
        return None if limits is None else PrintGate(limits, born(self.values(row)), self.today())

    def prints_seen(self, row: DraftRow) -> dict[str, SeenPrint]:
        """How each finger stands that was tried."""
        gate = self.print_gate(row)
        return {} if gate is None else gate.seen(row.particulars.prints)

    def require_whole(self, connection: Connection, row: DraftRow) -> None:
        """Nothing is missing that was not when it was captured: a birthday passed, or another form came."""
        if set(self.missing(connection, row)) - {CITIZEN_SIGNATURE}:
            raise TransitionRefused("the form asks for more than is here")

    def today(self) -> date:
        """The day by which ages and editions are told."""
        return vietnam_date(self._kit.clock())

    def values(self, row: DraftRow) -> dict[str, str]:
        """What the form's fields say."""
        return form_values(row.particulars.citizen_number, row.particulars.person, row.opened_at)

    def filled(self, connection: Connection, row: DraftRow) -> FilledForm:
        """The form to print."""
        kinds = {each.name: each.media_type for each in self._kit.store.items(connection, row.number)}
        contents = self._kit.store.contents(connection, row.number)
        return FilledForm(
            form=self._kit.profile.form,
            capture=self.id(row.number),
            values=self.values(row),
            exceptions=row.particulars.exceptions,
            pictures={name: (kinds[name], contents[name]) for name in contents if name != CITIZEN_SIGNATURE},
        )

    def id(self, number: int) -> str:
        """A capture's name: the kit's and a number (ISSUANCE 4.1, DRAFT)."""
        return f"{self._kit.profile.name}-{number}"

    def number(self, draft: str) -> int:
        """The number of a capture by its name; raises CaptureUnknown."""
        number = draft.removeprefix(f"{self._kit.profile.name}-")
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            raise CaptureUnknown("no capture of this kit")
        return int(number)
