"""Where an officer captures: each thing that is captured is on the disk before the next is asked for.

The form decides what is needed. It is printed when everything is here; the citizen signs that print, so
whatever is changed afterwards has to be printed and signed again. Sealing takes the kit's next number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import msgspec
from sqlalchemy import Connection

from enrollment_admin.station.answering import (
    is_asked,
    particulars_of_return,
    require_asked,
    require_confirmed,
)
from enrollment_admin.station.capture_rules import (
    PORTRAIT,
    Captured,
    fingers_asked,
    has_passed,
    missing_items,
    particulars_of,
    require_excusable,
    require_in_force,
    require_item,
    require_lawful,
    with_exception,
    without_contradicted,
)
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftEvent, DraftState, advance
from enrollment_admin.station.form_check import (
    CheckedForm,
    check_form,
    check_paper,
    require_faithful,
    require_judged,
)
from enrollment_admin.station.gate import Declaration, GateAnswer
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import (
    Answered,
    DraftRow,
    GateAttempt,
    KeptItem,
    KitFigures,
    PacketRow,
    Particulars,
)
from enrollment_admin.station.printed_form import FilledForm, form_values
from enrollment_admin.station.refusals import (
    CapturedAlready,
    CaptureOfAnother,
    CaptureUnknown,
    GateNotPassed,
)
from enrollment_admin.station.returns import Returns
from verification.errors import LimitExceeded, PacketSupervisorMissing, TransitionRefused
from verification.fingerprint.printed_form import FormJudgement
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
    """One capture as its officer sees it: ``missing`` is what the form still asks, ``fingers`` whose prints.

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
        self._returns = Returns(kit)

    def begin(self, declaration: Declaration) -> Draft:
        """A new capture of whom the citizen says to be; the gate's answer stands in it.

        Raises CapturedAlready where the gate lets somebody pass whom this kit has in hand.
        """
        attempt = GateAttempt(self._kit.now(), declaration, self._gate(declaration))
        with self._kit.database.writing() as connection:
            row = self._kit.store.add(connection, self._officer, attempt.at)
            self._answered(connection, row, attempt)
            return self._seen(connection, self._id(row.number))

    def answer(self, dossier: str) -> Draft:
        """A capture of what the centre returned of a dossier, and of nothing else.

        Raises ReturnUnknown, CapturedAlready and ReturnsInvalid.
        """
        returned, moment = self._returns.found(dossier), self._kit.now()
        with self._kit.database.writing() as connection:
            row = self._kit.store.add(connection, self._officer, moment)
            self._kit.claims.answer(connection, row.number, returned)
            self._kit.claims.claim(connection, row.number, returned.citizen_number)
            self._changed(connection, row, particulars_of_return(returned))
            return self._seen(connection, self._id(row.number))

    def declare(self, draft: str, declaration: Declaration) -> Draft:
        """Another attempt at the gate, for a capture that was stopped there.

        Raises TransitionRefused, and CapturedAlready as ``begin`` does.
        """
        attempt = GateAttempt(self._kit.now(), declaration, self._gate(declaration))
        with self._changing(draft) as (connection, row):
            if self._has_passed(connection, row):
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
            require_confirmed(row.particulars, person)
            self._changed(connection, row, _replaced(row, person=person))
        return self.draft(draft)

    def keep(self, draft: str, item: str, media_type: str, content: bytes) -> Draft:
        """Keep a picture, print or scan; one that was stated to be impossible is possible then.

        The signature is of the printed form: it is kept after that. Raises FieldsRefused, LimitExceeded,
        GateNotPassed and TransitionRefused.
        """
        return self.keep_all(draft, (Captured(item, media_type, content),))

    def keep_all(self, draft: str, taken: Sequence[Captured]) -> Draft:
        """Keep several at once, as the prints of two hands come, all or none; raises as ``keep`` does."""
        for each in taken:
            require_item(each)
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            for each in taken:
                require_asked(row.particulars.answers, each.item)
                require_lawful(self._kit.profile.form, self._values(row), each.item, self._today())
                kept = KeptItem(each.item, each.media_type, len(each.content))
                self._require_room(connection, row, kept)
                self._kit.store.put_item(connection, row.number, kept, each.content)
            names = {each.item for each in taken}
            exceptions = without_contradicted(row.particulars.exceptions, names)
            only = next(iter(names)) if len(names) == 1 else None
            self._changed(connection, row, _replaced(row, exceptions=exceptions), only)
        return self.draft(draft)

    def drop(self, draft: str, item: str) -> Draft:
        """Take away an item that is not this citizen's, or not this finger's.

        Raises CaptureUnknown and TransitionRefused.
        """
        with self._changing(draft) as (connection, row):
            if item not in {each.name for each in self._kit.store.items(connection, row.number)}:
                raise CaptureUnknown("no such item")
            self._kit.store.remove_item(connection, row.number, item)
            self._changed(connection, row, row.particulars, item)
        return self.draft(draft)

    def state_exception(self, draft: str, item: str, code: str) -> Draft:
        """Why an item cannot be captured, by a code of the form; raises as ``keep`` does."""
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            require_asked(row.particulars.answers, item)
            kept = {each.name for each in self._kit.store.items(connection, row.number)}
            stated = CaptureException(item, code)
            require_excusable(self._kit.profile.form, self._values(row), kept, stated)
            exceptions = with_exception(row.particulars.exceptions, stated)
            self._changed(connection, row, _replaced(row, exceptions=exceptions), item)
        return self.draft(draft)

    def judge_portrait(self, draft: str, reason: str) -> Draft:
        """Why the portrait will do, in the officer's words, for a centre that has no face engine."""
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            require_asked(row.particulars.answers, PORTRAIT)
            said = _replaced(row, portrait_reason=reason.strip() or None)
            self._kit.store.keep_particulars(connection, row.number, said)
        return self.draft(draft)

    def print_form(self, draft: str) -> bytes:
        """The form to print and sign (PDF), once it is judged to show the prints as they were accepted.

        The judgement is kept either way. Raises TransitionRefused, FormOutdated, FontMissing and
        FormNotFaithful.
        """
        require_in_force(self._kit.profile.form, vietnam_date(self._kit.clock()))
        with self._changing(draft) as (connection, row):
            advance(row.state, DraftEvent.PRINT)
            self._require_whole(connection, row)
            form = check_form(self._filled(connection, row))
            self._judged(connection, row, form)
        require_faithful(form.judged)
        return form.file

    def judge_scan(self, draft: str, scan: bytes) -> Draft:
        """Judge the paper by a scan of its page of prints; one that fails has to be printed again.

        Raises TransitionRefused where nothing is printed, and FieldsRefused for what is no such scan.
        """
        with self._changing(draft) as (connection, row):
            if row.state is not DraftState.FORM_CHECKED:
                raise TransitionRefused("nothing is printed yet")
            judged = check_paper(self._filled(connection, row), scan)
            if not judged.passes:
                self._changed(connection, row, row.particulars)
            stands = self._kit.store.draft(connection, row.number)
            self._kit.store.keep_particulars(connection, row.number, _replaced(stands, scanned=judged))
        return self.draft(draft)

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
            require_judged(row.particulars)
            self._require_whole(connection, row)
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
            self._kit.claims.take_back(connection, row.number)

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
            known = particulars_of(attempt)
            if known.citizen_number is not None:
                self._claim(connection, row, known.citizen_number)
            self._changed(connection, row, known)

    def _claim(self, connection: Connection, row: DraftRow, citizen_number: str) -> None:
        """Nobody is captured twice before the centre answers, nor anew while a return waits for them."""
        if self._returns.has_returned(citizen_number):
            raise CapturedAlready("this kit is to answer a return")
        self._kit.claims.claim(connection, row.number, citizen_number)

    def _changed(
        self, connection: Connection, row: DraftRow, particulars: Particulars, item: str | None = None
    ) -> None:
        """Keep what is known now. Whatever the form shows has to be printed and signed again."""
        store, moment = self._kit.store, self._kit.now()
        if item != CITIZEN_SIGNATURE:
            particulars = msgspec.structs.replace(particulars, printed=None, judged=None, scanned=None)
            store.remove_item(connection, row.number, CITIZEN_SIGNATURE)
            if row.state is not DraftState.DRAFT:
                row = store.take_step(connection, row, DraftEvent.CHANGE, moment)
        store.keep_particulars(connection, row.number, particulars)
        changed = replace(row, particulars=particulars)
        if row.state is DraftState.DRAFT and not self._missing(connection, changed):
            store.take_step(connection, changed, DraftEvent.CAPTURE, moment)

    def _judged(self, connection: Connection, row: DraftRow, form: CheckedForm) -> None:
        """Keep what a form was found to be; one that is faithful and new has to be signed."""
        store, number = self._kit.store, row.number
        if not form.judged.passes:
            store.keep_particulars(connection, number, _replaced(row, judged=form.judged))
        elif form.mark != row.particulars.printed or form.judged != row.particulars.judged:
            said = _replaced(row, printed=form.mark, judged=form.judged, scanned=None)
            store.remove_item(connection, number, CITIZEN_SIGNATURE)
            store.keep_particulars(connection, number, said)
            store.take_step(connection, row, DraftEvent.PRINT, self._kit.now())

    def _require_passed(self, connection: Connection, row: DraftRow) -> None:
        if not self._has_passed(connection, row):
            raise GateNotPassed("the gate stops this capture")

    def _has_passed(self, connection: Connection, row: DraftRow) -> bool:
        """Whether the gate let it pass; of an answer the centre knows whose it is."""
        if row.particulars.answers is not None:
            return True
        return has_passed(self._kit.store.attempts(connection, row.number))

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
        attempts = self._kit.store.attempts(connection, row.number)
        if attempts and attempts[-1].answer.needs_exception and supervisor is None:
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
                dossier=said.answers.dossier if said.answers else None,
                begun_at=row.opened_at,
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
        wanted = missing_items(self._kit.profile.form, self._values(row), kept, excused, self._today())
        if row.state is DraftState.FORM_CHECKED and CITIZEN_SIGNATURE not in kept | excused:
            wanted.append(CITIZEN_SIGNATURE)
        return tuple(item for item in wanted if is_asked(row.particulars.answers, item))

    def _fingers(self, row: DraftRow) -> tuple[str, ...]:
        asked = fingers_asked(self._kit.profile.form, self._values(row), self._today())
        return tuple(item for item in asked if is_asked(row.particulars.answers, item))

    def _require_whole(self, connection: Connection, row: DraftRow) -> None:
        """Nothing is missing that was not when it was captured: a birthday passed, or another form came."""
        if set(self._missing(connection, row)) - {CITIZEN_SIGNATURE}:
            raise TransitionRefused("the form asks for more than is here")

    def _today(self) -> date:
        return vietnam_date(self._kit.clock())

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
            fingers=self._fingers(row) if is_here else (),
            portrait_reason=row.particulars.portrait_reason,
            printed=row.particulars.printed,
            judged=row.particulars.judged,
            scanned=row.particulars.scanned,
            answers=row.particulars.answers,
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
