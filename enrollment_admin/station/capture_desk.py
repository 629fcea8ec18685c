"""Where an officer captures: each thing that is captured is on the disk before the next is asked for.

The form decides what is needed. It is printed when everything is here; the citizen signs that print, so
whatever is changed afterwards has to be printed and signed again. Sealing takes the kit's next number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from enrollment_admin.station.answering import (
    particulars_of_return,
    require_asked,
    require_confirmed,
    require_reason_asked,
)
from enrollment_admin.station.capture_rules import (
    PORTRAIT,
    Captured,
    has_passed,
    particulars_of,
    require_excusable,
    require_in_force,
    require_item,
    require_lawful,
)
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftEvent, DraftState, advance
from enrollment_admin.station.certified import require_certified
from enrollment_admin.station.draft_book import Draft, DraftBook
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
    DraftRow,
    GateAttempt,
    KeptItem,
    KitFigures,
    Particulars,
)
from enrollment_admin.station.refusals import (
    CapturedAlready,
    CaptureOfAnother,
    CaptureUnknown,
    GateNotPassed,
)
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.sealing import (
    Agreed,
    Answering,
    Sealed,
    packet_draft,
    require_answered_for,
    take_number,
    terms_on,
)
from enrollment_admin.station.terms_store import terms_of
from verification.capture_form.print_gate import JudgedPrints
from verification.capture_form.print_pictures import absent_fingers, is_judged
from verification.capture_form.stated_reasons import with_exception, without_contradicted
from verification.errors import FieldsRefused, LimitExceeded, TransitionRefused
from verification.messages.capture_terms import FIRST_CARD, StatedTerms
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    MAX_CONTENT_BYTES,
    MAX_ITEMS,
    SEAL_BYTES,
    CaptureException,
    PacketKeys,
    seal_packet,
)
from verification.messages.hand_photos import HAND_PHOTOS, NEEDLESS
from verification.messages.national_time import vietnam_date

Gate = Callable[[Declaration], GateAnswer]
"""The gate with the extract that is here, and today."""


class CaptureDesk:
    """One officer at one kit; every method that names a capture may raise CaptureUnknown."""

    def __init__(self, kit: Kit, officer: str, gate: Gate) -> None:
        self._kit = kit
        self._officer = officer
        self._gate = gate
        self._returns = Returns(kit)
        self._book = DraftBook(kit)

    def begin(self, declaration: Declaration) -> Draft:
        """A new capture of whom the citizen says to be; the gate's answer stands in it.

        Raises CapturedAlready where the gate lets somebody pass whom this kit has in hand.
        """
        attempt = GateAttempt(self._kit.now(), declaration, self._gate(declaration))
        with self._kit.database.writing() as connection:
            row = self._kit.store.add(connection, self._officer, attempt.at)
            self._answered(connection, row, attempt)
            return self._seen(connection, self._book.id(row.number))

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
            return self._seen(connection, self._book.id(row.number))

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
            return tuple(self._book.shown(connection, row, packets.get(row.number)) for row in rows)

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
        """Keep several at once, as the prints of two hands come, all or none; raises as ``keep`` does.

        A print that is poor is kept as long as no better one is taken. One of another finger is not: it is
        refused once the others are kept.
        """
        for each in taken:
            require_item(each)
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            self._require_photos_asked(row, taken)
            for each in taken:
                require_asked(row.particulars.answers, each.item)
                require_lawful(self._kit.profile.form, self._book.values(row), each.item, self._book.today())
            prints = self._judged_prints(row, taken)
            for each in taken:
                if is_judged(each.item) and each.item not in prints.kept:
                    continue
                kept = KeptItem(each.item, each.media_type, len(each.content))
                self._require_room(connection, row, kept)
                self._kit.store.put_item(connection, row.number, kept, each.content)
            only = taken[0].item if len(taken) == 1 else None
            exceptions = without_contradicted(
                row.particulars.exceptions,
                {each.item for each in taken if not is_judged(each.item)} | prints.kept,
            )
            self._changed(connection, row, self._with_prints(row, prints, exceptions), only)
        if prints.refused:
            raise FieldsRefused(prints.refused)
        return self.draft(draft)

    def drop(self, draft: str, item: str) -> Draft:
        """Take away an item that is not this citizen's, or not this finger's.

        Raises CaptureUnknown and TransitionRefused.
        """
        with self._changing(draft) as (connection, row):
            if item not in {each.name for each in self._kit.store.items(connection, row.number)}:
                raise CaptureUnknown("no such item")
            self._kit.store.remove_item(connection, row.number, item)
            tried = JudgedPrints(row.particulars.prints, row.particulars.slaps).without(item)
            dropped = self._with_prints(row, tried, row.particulars.exceptions)
            self._changed(connection, row, dropped, item)
        return self.draft(draft)

    def state_exception(self, draft: str, item: str, code: str) -> Draft:
        """Why an item cannot be captured, by a code of the form; raises as ``keep`` does."""
        with self._changing(draft) as (connection, row):
            self._require_passed(connection, row)
            require_reason_asked(row.particulars.answers, item)
            kept = {each.name for each in self._kit.store.items(connection, row.number)}
            stated = CaptureException(item, code)
            require_excusable(self._kit.profile.form, self._book.values(row), kept, stated)
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
            self._book.require_whole(connection, row)
            form = check_form(self._book.filled(connection, row))
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
            judged = check_paper(self._book.filled(connection, row), scan)
            if not judged.passes:
                self._changed(connection, row, row.particulars)
            stands = self._kit.store.draft(connection, row.number)
            self._kit.store.keep_particulars(connection, row.number, _replaced(stands, scanned=judged))
        return self.draft(draft)

    def seal(
        self,
        draft: str,
        passphrase: str,
        language: str,
        supervisor: Answering | None = None,
        stated: StatedTerms = FIRST_CARD,
    ) -> Sealed:
        """Seal a capture to which the citizen agreed, in this language, under the kit's next number.

        Raises PassphraseWrong, OfficerNotCertified, TransitionRefused, CitizenSignatureMissing,
        PacketSupervisorMissing, and FieldsRefused for what was stated of the fee and the older card.
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
            require_certified(kit, self._officer)
            require_judged(row.particulars)
            self._book.require_whole(connection, row)
            require_answered_for(kit, connection, row, supervisor)
            terms = terms_on(row, stated, self._book.today())
            capture = packet_draft(kit, connection, row, Agreed(language, terms, supervisor))
            packet = seal_packet(capture, keys, kit.random)
            # It is on the disk before it has a number, and has no name until it has one.
            kit.packets.write(packet)
            take_number(kit, connection, row, capture, packet)
        kit.settle()
        return Sealed(
            draft=draft,
            packet=packet.packet_hash,
            sequence=capture.sequence,
            sealed_at=capture.happened_at,
            terms=terms,
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
        row = self._kit.store.draft(connection, self._book.number(draft))
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
            particulars = self._book.with_equipment(connection, replace(row, particulars=particulars))
            particulars = msgspec.structs.replace(particulars, printed=None, judged=None, scanned=None)
            asked = self._book.hand_photos(replace(row, particulars=particulars))
            for needless in {CITIZEN_SIGNATURE, *HAND_PHOTOS}.difference(asked):
                store.remove_item(connection, row.number, needless)
            if row.state is not DraftState.DRAFT:
                row = store.take_step(connection, row, DraftEvent.CHANGE, moment)
        store.keep_particulars(connection, row.number, particulars)
        changed = replace(row, particulars=particulars)
        if row.state is DraftState.DRAFT and not self._book.missing(connection, changed):
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

    def _require_photos_asked(self, row: DraftRow, taken: Sequence[Captured]) -> None:
        """No hand is photographed for which no reason was stated; raises FieldsRefused."""
        needless = {each.item for each in taken if each.item in HAND_PHOTOS} - {*self._book.hand_photos(row)}
        if needless:
            raise FieldsRefused(dict.fromkeys(sorted(needless), NEEDLESS))

    def _judged_prints(self, row: DraftRow, taken: Sequence[Captured]) -> JudgedPrints:
        """What becomes of the prints among what was taken; nothing judges those of a day without limits."""
        gate = self._book.print_gate(row)
        before = JudgedPrints(row.particulars.prints, row.particulars.slaps)
        prints = {each.item: each.content for each in taken if is_judged(each.item)}
        if gate is None or not prints:
            return replace(before, kept=frozenset(prints))
        method = next(each.method for each in taken if each.item in prints)
        absent = absent_fingers(row.particulars.exceptions)
        return gate.taken(self._kit.fingers(), before, prints, method, absent)

    def _with_prints(
        self, row: DraftRow, tried: JudgedPrints, exceptions: Sequence[CaptureException]
    ) -> Particulars:
        """The particulars with what was tried, and the exceptions that follow from it."""
        gate = self._book.print_gate(row)
        stated = tuple(exceptions) if gate is None else gate.with_best_available(exceptions, tried.attempts)
        return _replaced(row, prints=tried.attempts, slaps=tried.slaps, exceptions=stated)

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

    def _seen(self, connection: Connection, draft: str) -> Draft:
        row = self._own(connection, draft)
        shown = self._book.shown(connection, row, self._kit.store.packet_of(connection, row.number))
        return replace(shown, terms=terms_of(connection, row.number)) if shown.packet else shown


def _replaced(row: DraftRow, **changes: object) -> Particulars:
    return msgspec.structs.replace(row.particulars, **changes)
