"""Where an officer captures: each thing that is captured is on the disk before the next is asked for.

The form decides what is needed. It is printed when everything is here; the citizen signs that print, so
whatever is changed afterwards has to be printed and signed again. Sealing takes the kit's next number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec
from sqlalchemy import Connection

from enrollment_admin.station.capture_rules import (
    has_passed,
    missing_items,
    particulars_of,
    require_excusable,
    require_in_force,
    require_item,
    require_unchanged,
)
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftEvent, DraftState, advance
from enrollment_admin.station.gate import Declaration, GateAnswer
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import (
    DraftRow,
    GateAttempt,
    KeptItem,
    KitFigures,
    PacketRow,
    Particulars,
)
from enrollment_admin.station.printed_form import FilledForm, form_values, render_form
from enrollment_admin.station.refusals import CaptureOfAnother, CaptureUnknown, GateNotPassed
from verification.errors import LimitExceeded, PacketSupervisorMissing, TransitionRefused
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    MAX_CONTENT_BYTES,
    MAX_ITEMS,
    SEAL_BYTES,
    CaptureException,
    Consent,
    PacketDraft,
    PacketKeys,
    PacketParticulars,
    PrintedFormMark,
    SealedPacket,
    item_of,
    seal_packet,
)
from verification.messages.national_time import vietnam_date

Gate = Callable[[Declaration], GateAnswer]
"""The gate with the extract that is here, and today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One capture as its officer sees it; ``missing`` is what the form still asks.

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
    printed: PrintedFormMark | None
    sequence: int | None = None
    packet: str | None = None

    @property
    def answer(self) -> GateAnswer | None:
        """What the gate answered last."""
        return self.attempts[-1].answer if self.attempts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A packet of this kit under its number."""

    draft: str
    packet: str
    sequence: int
    sealed_at: str


@dataclass(frozen=True, slots=True)
class Answering:
    """The supervisor who answers for what could not be captured or checked."""

    officer: str
    passphrase: str


class CaptureDesk:
    """One officer at one kit; every method that names a capture may raise CaptureUnknown."""

    def __init__(self, kit: Kit, officer: str, gate: Gate) -> None:
        self._kit = kit
        self._officer = officer
        self._gate = gate

    def begin(self, declaration: Declaration) -> Draft:
        """A new capture of whom the citizen says to be; the gate's answer stands in it."""
        attempt = GateAttempt(self._kit.now(), declaration, self._gate(declaration))
        with self._kit.database.writing() as connection:
            row = self._kit.store.add(connection, self._officer, attempt.at)
            self._answered(connection, row, attempt)
            return self._seen(connection, self._id(row.number))

    def declare(self, draft: str, declaration: Declaration) -> Draft:
        """Another attempt at the gate, for a capture that was stopped there; raises TransitionRefused."""
        attempt = GateAttempt(self._kit.now(), declaration, self._gate(declaration))
        with self._changing(draft) as (connection, row):
            if has_passed(self._kit.store.attempts(connection, row.number)):
                raise TransitionRefused("the gate has let this capture pass")
            self._answered(connection, row, attempt)
        return self.draft(draft)

    def draft(self, draft: str) -> Draft:
        """One capture of this officer's; raises CaptureOfAnother."""
        with self._kit.database.reading() as connection:
            return self._seen(connection, draft)

    def drafts(self) -> tuple[Draft, ...]:
        """The captures of this officer that the kit still answers for, oldest first."""
        store = self._kit.store
        with self._kit.database.reading() as connection:
            packets = {packet.draft: packet for packet in store.waiting(connection)}
            rows = [row for row in store.in_hand(connection) if row.officer == self._officer]
            return tuple(self._shown(connection, row, packets.get(row.number)) for row in rows)

    def figures(self) -> KitFigures:
        """How much work stands where."""
        with self._kit.database.reading() as connection:
            return self._kit.store.figures(connection)

    def content(self, draft: str, item: str) -> bytes:
        """What was captured as an item; raises CaptureOfAnother, and CaptureUnknown where it is not here."""
        with self._kit.database.reading() as connection:
            contents = self._kit.store.contents(connection, self._own(connection, draft).number)
        if item not in contents:
            raise CaptureUnknown("no such item")
        return contents[item]

    def describe(self, draft: str, person: PersonFields) -> Draft:
        """Particulars as the citizen confirmed them.

        Raises FieldsRefused for what is other than the registry has it, GateNotPassed and TransitionRefused.
        """
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            require_unchanged(row.particulars, person)
            self._changed(connection, row, _replaced(row, person=person))
        return self.draft(draft)

    def keep(self, draft: str, item: str, media_type: str, content: bytes) -> Draft:
        """Keep a picture, print or scan; one that was stated to be impossible is possible then.

        The signature is of the printed form: it is kept after that. Raises FieldsRefused, LimitExceeded,
        GateNotPassed and TransitionRefused.
        """
        require_item(item, media_type, content)
        kept = KeptItem(item, media_type, len(content))
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            self._require_room(connection, row, kept)
            exceptions = tuple(each for each in row.particulars.exceptions if each.item != item)
            self._kit.store.put_item(connection, row.number, kept, content)
            self._changed(connection, row, _replaced(row, exceptions=exceptions), item)
        return self.draft(draft)

    def state_exception(self, draft: str, item: str, code: str) -> Draft:
        """Why an item cannot be captured, by a code of the form; raises as ``keep`` does."""
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            kept = {each.name for each in self._kit.store.items(connection, row.number)}
            stated = CaptureException(item, code)
            require_excusable(self._kit.profile.form, self._values(row), kept, stated)
            others = (each for each in row.particulars.exceptions if each.item != item)
            self._changed(connection, row, _replaced(row, exceptions=(*others, stated)), item)
        return self.draft(draft)

    def judge_portrait(self, draft: str, reason: str) -> Draft:
        """Why the portrait will do, in the officer's words, for a centre that has no face engine."""
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            said = _replaced(row, portrait_reason=reason.strip() or None)
            self._kit.store.keep_particulars(connection, row.number, said)
        return self.draft(draft)

    def print_form(self, draft: str) -> bytes:
        """The form to print and sign, as a page that needs nothing else.

        Raises TransitionRefused and FormOutdated.
        """
        require_in_force(self._kit.profile.form, vietnam_date(self._kit.clock()))
        with self._changing(draft) as (connection, row):
            advance(row.state, DraftEvent.PRINT)
            printed = render_form(self._filled(connection, row))
            mark = PrintedFormMark(self._kit.profile.form.code, sha256(printed).hexdigest())
            if mark != row.particulars.printed:
                self._kit.store.remove_item(connection, row.number, CITIZEN_SIGNATURE)
                self._kit.store.keep_particulars(connection, row.number, _replaced(row, printed=mark))
                self._kit.store.take_step(connection, row, DraftEvent.PRINT, self._kit.now())
        return printed

    def seal(self, draft: str, passphrase: str, language: str, supervisor: Answering | None = None) -> Sealed:
        """Seal a capture to which the citizen agreed, in this language, under the kit's next number.

        Raises PassphraseWrong, TransitionRefused, CitizenSignatureMissing and PacketSupervisorMissing.
        """
        kit = self._kit
        keys = PacketKeys(
            kit.officers.open(self._officer, passphrase),
            kit.key,
            kit.centre_key(),
            kit.officers.open(supervisor.officer, supervisor.passphrase) if supervisor else None,
        )
        with self._changing(draft) as (connection, row):
            advance(row.state, DraftEvent.SEAL)
            self._require_answered_for(connection, row, supervisor)
            capture = self._packet_draft(connection, row, language, supervisor)
            packet = seal_packet(capture, keys, kit.random)
            # It is on the disk before it has a number, and has no name until it has one.
            kit.packets.write(packet)
            self._numbered(connection, row, capture, packet)
        kit.settle()
        return Sealed(
            draft=draft,
            packet=packet.packet_hash,
            sequence=capture.sequence,
            sealed_at=capture.happened_at,
        )

    def withdraw(self, draft: str) -> None:
        """The citizen does not want it: nothing of theirs is kept. Raises TransitionRefused."""
        with self._changing(draft) as (connection, row):
            self._kit.store.take_step(connection, row, DraftEvent.WITHDRAW, self._kit.now())
            self._kit.store.erase(connection, row.number)

    @contextmanager
    def _changing(self, draft: str) -> Iterator[tuple[Connection, DraftRow]]:
        """One transaction over a capture of this officer's own, which is still at the desk."""
        with self._kit.database.writing() as connection:
            row = self._own(connection, draft)
            if row.state not in AT_THE_DESK:
                raise TransitionRefused(f"a capture that is {row.state} is not changed")
            yield connection, row

    def _own(self, connection: Connection, draft: str) -> DraftRow:
        """What was captured of a citizen is seen and changed by who captures it alone."""
        row = self._kit.store.draft(connection, self._number(draft))
        if row.officer != self._officer:
            raise CaptureOfAnother("begun by another officer")
        return row

    def _answered(self, connection: Connection, row: DraftRow, attempt: GateAttempt) -> None:
        self._kit.store.add_attempt(connection, row.number, attempt)
        if attempt.answer.is_open:
            self._changed(connection, row, particulars_of(attempt))

    def _changed(
        self, connection: Connection, row: DraftRow, particulars: Particulars, item: str | None = None
    ) -> None:
        """Keep what is known now. Whatever the form shows has to be printed and signed again."""
        store, moment = self._kit.store, self._kit.now()
        if item != CITIZEN_SIGNATURE:
            particulars = msgspec.structs.replace(particulars, printed=None)
            store.remove_item(connection, row.number, CITIZEN_SIGNATURE)
            if row.state is not DraftState.DRAFT:
                row = store.take_step(connection, row, DraftEvent.CHANGE, moment)
        store.keep_particulars(connection, row.number, particulars)
        changed = replace(row, particulars=particulars)
        if row.state is DraftState.DRAFT and not self._missing(connection, changed):
            store.take_step(connection, changed, DraftEvent.CAPTURE, moment)

    def _require_passed(self, connection: Connection, row: DraftRow) -> None:
        if not has_passed(self._kit.store.attempts(connection, row.number)):
            raise GateNotPassed("the gate stops this capture")

    def _require_room(self, connection: Connection, row: DraftRow, item: KeptItem) -> None:
        if item.name == CITIZEN_SIGNATURE and row.state is not DraftState.FORM_CHECKED:
            raise TransitionRefused("the citizen signs the printed form")
        others = [each for each in self._kit.store.items(connection, row.number) if each.name != item.name]
        size = sum(each.size + SEAL_BYTES for each in (*others, item))
        if len(others) >= MAX_ITEMS or size > MAX_CONTENT_BYTES:
            raise LimitExceeded("more than one packet takes")

    def _require_answered_for(
        self, connection: Connection, row: DraftRow, supervisor: Answering | None
    ) -> None:
        """What the kit could not check somebody else answers for; seal_packet asks the rest."""
        answer = self._kit.store.attempts(connection, row.number)[-1].answer
        if answer.needs_exception and supervisor is None:
            raise PacketSupervisorMissing("particulars that no extract confirms")

    def _packet_draft(
        self, connection: Connection, row: DraftRow, language: str, supervisor: Answering | None
    ) -> PacketDraft:
        """The capture as it is sealed, under the number that follows in this very transaction."""
        kit, said, moment = self._kit, row.particulars, self._kit.now()
        if said.citizen_number is None or said.person is None or said.printed is None:
            raise TransitionRefused("a capture without number, particulars or print")
        contents = kit.store.contents(connection, row.number)
        media_types = {each.name: each.media_type for each in kit.store.items(connection, row.number)}
        sequence, previous = kit.store.head(connection)
        return PacketDraft(
            kit=kit.profile.name,
            sequence=sequence + 1,
            previous=previous,
            officer=self._officer,
            happened_at=moment,
            supervisor=supervisor.officer if supervisor else None,
            blobs=contents,
            particulars=PacketParticulars(
                citizen_number=said.citizen_number,
                person=said.person,
                consent=Consent(language, moment, said.printed.sha256),
                printed_form=said.printed,
                items=tuple(item_of(name, media_types[name], contents[name]) for name in contents),
                exceptions=said.exceptions,
                manual_portrait_reason=said.portrait_reason,
            ),
        )

    def _numbered(
        self, connection: Connection, row: DraftRow, capture: PacketDraft, packet: SealedPacket
    ) -> None:
        numbered = PacketRow(
            sequence=capture.sequence,
            packet=packet.packet_hash,
            previous=capture.previous,
            draft=row.number,
            sealed_at=capture.happened_at,
            size=len(packet.content),
        )
        self._kit.store.add_packet(connection, numbered)
        self._kit.store.take_step(connection, row, DraftEvent.SEAL, capture.happened_at)
        # From here on the packet alone holds it, and only the centre can open that.
        self._kit.store.erase(connection, row.number)

    def _missing(self, connection: Connection, row: DraftRow) -> tuple[str, ...]:
        kept = {each.name for each in self._kit.store.items(connection, row.number)}
        excused = {each.item for each in row.particulars.exceptions}
        wanted = missing_items(self._kit.profile.form, self._values(row), kept, excused)
        if row.state is DraftState.FORM_CHECKED and CITIZEN_SIGNATURE not in kept | excused:
            wanted.append(CITIZEN_SIGNATURE)
        return tuple(wanted)

    def _values(self, row: DraftRow) -> dict[str, str]:
        return form_values(row.particulars.citizen_number, row.particulars.person, row.opened_at)

    def _filled(self, connection: Connection, row: DraftRow) -> FilledForm:
        kinds = {each.name: each.media_type for each in self._kit.store.items(connection, row.number)}
        contents = self._kit.store.contents(connection, row.number)
        return FilledForm(
            form=self._kit.profile.form,
            capture=self._id(row.number),
            values=self._values(row),
            exceptions=row.particulars.exceptions,
            pictures={name: (kinds[name], contents[name]) for name in contents if name != CITIZEN_SIGNATURE},
        )

    def _seen(self, connection: Connection, draft: str) -> Draft:
        row = self._own(connection, draft)
        return self._shown(connection, row, self._kit.store.packet_of(connection, row.number))

    def _shown(self, connection: Connection, row: DraftRow, packet: PacketRow | None) -> Draft:
        # What left the desk has nothing here to ask for: a list of hundreds that wait is two questions.
        store, is_here = self._kit.store, row.state in AT_THE_DESK
        return Draft(
            id=self._id(row.number),
            state=row.state,
            officer=row.officer,
            opened_at=row.opened_at,
            attempts=store.attempts(connection, row.number) if is_here else (),
            citizen_number=row.particulars.citizen_number,
            person=row.particulars.person,
            items=store.items(connection, row.number) if is_here else (),
            exceptions=row.particulars.exceptions,
            missing=self._missing(connection, row) if is_here else (),
            printed=row.particulars.printed,
            sequence=packet.sequence if packet else None,
            packet=packet.packet if packet else None,
        )

    def _id(self, number: int) -> str:
        """A capture's name: the kit's and a number (ISSUANCE 4.1, DRAFT)."""
        return f"{self._kit.profile.name}-{number}"

    def _number(self, draft: str) -> int:
        number = draft.removeprefix(f"{self._kit.profile.name}-")
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            raise CaptureUnknown("no capture of this kit")
        return int(number)


def _replaced(row: DraftRow, **changes: object) -> Particulars:
    return msgspec.structs.replace(row.particulars, **changes)
