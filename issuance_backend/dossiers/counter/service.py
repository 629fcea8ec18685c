"""The counter: what an officer captures is a draft until its form was judged and signed, then sealed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts, domain, particulars
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import CaptureDesk, JudgedCapture
from issuance_backend.dossiers.counter import repository
from issuance_backend.dossiers.counter.acts import forget, step_of, withdraw, written
from issuance_backend.dossiers.counter.domain import OPEN, TABLE, CounterEvent, CounterRow, CounterState
from issuance_backend.dossiers.counter.printed import checked_form, made_form
from issuance_backend.dossiers.counter.refusals import CounterCaptureUnknown
from issuance_backend.dossiers.domain import Part
from issuance_backend.dossiers.pictures import Pictures, StoredPicture
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import CaptureReplayed, SameOfficer
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.counter_capture import (
    MAX_SIGNATURE_BYTES,
    CitizenAgreement,
    CounterCapture,
    SupervisorAnswer,
    is_language,
)
from verification.messages.enrollment import DossierCapture
from verification.messages.enrollment_packet import CANNOT_SIGN, PrintedFormMark

READERS = (Role.CAPTURE, Role.SUPERVISOR, Role.AUDITOR)
"""Who may look: at one's own captures, and those who oversee an area at all of it."""

_OVERSEEING = frozenset({Role.SUPERVISOR, Role.AUDITOR})
_AS_IT_STANDS = SupervisorAnswer()
_PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png"}


@dataclass(frozen=True, slots=True)
class CounterSealing:
    """What a capture is sealed with; see ``capture_desk.Sealing``."""

    row: CounterRow

    @property
    def detail(self) -> dict[str, str]:
        """What the dossier's own record says of it: the same as of a packet."""
        row, form = self.row, self.row.form
        return {
            "counter_capture": row.id,
            "consent_language": row.language or "",
            **(_form_detail(form) if form else {}),
            **({domain.ANSWERED_BY: row.answered_by} if row.answered_by else {}),
            **({"unsigned": row.unsigned} if row.unsigned else {}),
        }

    def close(self, connection: Connection, dossier: str, moment: datetime) -> Step:
        """Write that it is sealed: from here on the dossier alone names the person."""
        sealed = replace(self.row, dossier=dossier, capture=None, portrait=None)
        return written(connection, sealed, CounterEvent.SEAL, self.row.officer, moment)


class CounterDesk:
    """One office's counters; whatever names a capture raises CounterCaptureUnknown for another's."""

    def __init__(
        self,
        database: Database,
        captures: CaptureDesk,
        checks: CaptureChecks,
        pictures: Pictures,
        clock: Clock,
    ) -> None:
        self._database = database
        self._captures = captures
        self._checks = checks
        self._pictures = pictures
        self._clock = clock

    def begin(
        self, officer: Officer, capture: DossierCapture, dossier_id: str | None = None
    ) -> CounterCapture:
        """Keep a capture that the rules find right; under the same id with other content it is changed.

        ``dossier_id`` is the returned dossier that it captures again. Raises as ``CaptureDesk.capture`` does.
        """
        officer.require(Role.CAPTURE)
        with self._database.reading() as connection:
            former = repository.of_capture(connection, capture.capture_id)
        if former is not None and _is_same(former, officer, capture, dossier_id):
            return _view(former)
        judged = self._captures.judge(officer, capture, dossier_id)
        moment = self._clock()
        kept = _begun(officer, capture, dossier_id, judged, rfc3339(moment))
        with self._database.writing() as connection:
            Pictures.keep(connection, judged.portrait)
            if former is None:
                repository.add(connection, kept)
                step = step_of(kept, CounterEvent.BEGIN, officer.id)
            else:
                kept = replace(kept, id=former.id, version=former.version, opened_at=former.opened_at)
                kept = replace(kept, state=former.state)
                step = written(connection, kept, CounterEvent.CHANGE, officer.id, moment)
                forget(connection, {former.portrait, former.signature}, moment)
            recorded_events.append(connection, step)
        return self.view(officer, kept.id)

    def check_form(self, officer: Officer, which: str) -> CounterCapture:
        """Make the form and judge it, before anybody prints and signs it.

        Raises FieldsRefused where it is not faithful, TransitionRefused, FormUnknown and ReportFontMissing.
        """
        row = self._own(officer, which)
        TABLE.advance(row.state, CounterEvent.CHECK_FORM)
        form = checked_form(row, self._portrait(row))
        if form.mark == row.form:
            return _view(row)
        printed = replace(row, form=form.mark, language=None, signature=None, unsigned=None, answered_by=None)
        said = {"form_print": form.mark.sha256, "limits": form.mark.limits or ""}
        return self._changed(row, printed, CounterEvent.CHECK_FORM, officer, said)

    def form(self, officer: Officer, which: str) -> bytes:
        """The form that was judged (PDF), for its officer and for who answers for it."""
        row = self._seen(officer, which)
        if row.form is None:
            raise TransitionRefused("no form was judged yet")
        return made_form(row, self._portrait(row))

    def sign(self, officer: Officer, which: str, agreement: CitizenAgreement) -> CounterCapture:
        """Keep what the citizen signed, and in which language they agreed; raises FieldsRefused."""
        row = self._own(officer, which)
        TABLE.advance(row.state, CounterEvent.SIGN)
        _require_agreement(agreement)
        if agreement.cannot_sign:
            picture, unsigned = None, CANNOT_SIGN.lower()
        else:
            self._checks.require_clean_scan(agreement.signature)
            picture = self._pictures.put(agreement.signature, _kind_of(agreement.signature))
            unsigned = None
        signed = replace(
            row,
            language=agreement.language,
            signature=picture.name if picture else None,
            unsigned=unsigned,
            # A supervisor answers for what is missing as it stands, not for what comes to be missing.
            answered_by=row.answered_by if unsigned == row.unsigned else None,
        )
        if signed == row:
            return _view(row)
        said = {"consent_language": agreement.language, **({"unsigned": unsigned} if unsigned else {})}
        return self._changed(row, signed, CounterEvent.SIGN, officer, said, picture)

    def answer(self, officer: Officer, which: str, seen: SupervisorAnswer = _AS_IT_STANDS) -> CounterCapture:
        """A supervisor answers for what was not captured; raises SameOfficer for whoever captured it.

        Raises TransitionRefused where it is not what the supervisor has seen any more.
        """
        officer.require(Role.SUPERVISOR)
        row = self._seen(officer, which)
        TABLE.advance(row.state, CounterEvent.ANSWER)
        if row.officer == officer.id:
            raise SameOfficer("nobody supervises their own capture")
        if not row.needs_supervisor:
            raise TransitionRefused("nothing is missing that needs an answer")
        _require_seen(row, seen)
        if row.answered_by == officer.id:
            return _view(row)
        if row.dossier is not None:
            with self._database.reading() as connection:
                parts = acts.parts_taken(connection, acts.found(connection, row.dossier))
            domain.require_only_part(officer.id, Part.CAPTURE, parts)
        said = {"exceptions": " ".join((*row.exceptions, *filter(None, [row.unsigned])))}
        return self._changed(row, replace(row, answered_by=officer.id), CounterEvent.ANSWER, officer, said)

    def seal(self, officer: Officer, which: str) -> str:
        """Seal a capture: the rules run, and it is a dossier, whose id this is.

        Raises FieldsRefused with what is missing, and as ``CaptureDesk.capture`` and ``recapture`` do.
        """
        row = self._own(officer, which)
        if row.state is CounterState.SEALED and row.dossier is not None:
            return row.dossier
        if row.faults:
            raise FieldsRefused(row.faults)
        TABLE.advance(row.state, CounterEvent.SEAL)
        capture = self._as_it_came(row)
        sealing = CounterSealing(row)
        if row.dossier is None:
            return self._captures.capture(officer, capture, sealing)
        self._captures.recapture(officer, row.dossier, capture, sealing)
        return row.dossier

    def withdraw(self, officer: Officer, which: str) -> CounterCapture:
        """The citizen does not want it, or it is begun anew: nothing of it is kept."""
        row = self._own(officer, which)
        with self._database.writing() as connection:
            withdraw(connection, row, officer.id, self._clock())
        return self.view(officer, which)

    def view(self, officer: Officer, which: str) -> CounterCapture:
        """One capture, for its officer and for who oversees."""
        return _view(self._seen(officer, which))

    def waiting(self, officer: Officer, asked: PageAsked) -> Page[CounterCapture]:
        """Captures that are not sealed: one's own, and for who oversees those of their area."""
        officer.require(*READERS)
        captor = officer.id if Role.CAPTURE in officer.roles else None
        oversees = not _OVERSEEING.isdisjoint(officer.roles)
        with self._database.reading() as connection:
            found = repository.listed(connection, captor, officer.area, oversees, asked)
        return Page(tuple(_view(each) for each in found.entries), found.cursor)

    def _changed(
        self,
        former: CounterRow,
        row: CounterRow,
        event: CounterEvent,
        officer: Officer,
        said: dict[str, str],
        picture: StoredPicture | None = None,
    ) -> CounterCapture:
        moment = self._clock()
        with self._database.writing() as connection:
            if picture is not None:
                Pictures.keep(connection, picture)
            step = written(connection, row, event, officer.id, moment, said)
            forget(connection, {former.signature} - {row.signature}, moment)
            recorded_events.append(connection, step)
        return self.view(officer, row.id)

    def _own(self, officer: Officer, which: str) -> CounterRow:
        officer.require(Role.CAPTURE)
        row = self._seen(officer, which)
        if row.officer != officer.id:
            raise CounterCaptureUnknown("begun by another officer")
        return row

    def _seen(self, officer: Officer, which: str) -> CounterRow:
        officer.require(*READERS)
        with self._database.reading() as connection:
            row = repository.find(connection, which)
        if row is None or not (row.officer == officer.id or _is_overseen(row, officer)):
            raise CounterCaptureUnknown("no such capture")
        return row

    def _portrait(self, row: CounterRow) -> bytes:
        return self._pictures.read(row.portrait) if row.portrait else b""

    def _as_it_came(self, row: CounterRow) -> DossierCapture:
        """The capture with its picture, or without one where another item was captured again."""
        if row.capture is None:
            raise TransitionRefused("nothing of this capture is kept")
        if particulars.content_digest(row.capture) == row.content_sha256:
            return row.capture
        return msgspec.structs.replace(row.capture, portrait=self._portrait(row))


def _form_detail(form: PrintedFormMark) -> dict[str, str]:
    return {"form_print": form.sha256, "form_judged": f"{form.limits} {form.likeness:.4f}"}


def _begun(
    officer: Officer, capture: DossierCapture, dossier_id: str | None, judged: JudgedCapture, at: str
) -> CounterRow:
    return CounterRow(
        id=secrets.token_hex(8),
        capture_id=capture.capture_id,
        officer=officer.id,
        unit=judged.unit,
        dossier=dossier_id,
        state=TABLE.advance(None, CounterEvent.BEGIN),
        version=1,
        content_sha256=judged.content_sha256,
        capture=msgspec.structs.replace(capture, portrait=b""),
        exceptions=judged.exceptions,
        portrait=judged.portrait.name,
        opened_at=at,
        updated_at=at,
    )


def _is_same(row: CounterRow, officer: Officer, capture: DossierCapture, dossier_id: str | None) -> bool:
    """Whether a capture is here as it comes; raises CaptureReplayed where its id stands for another."""
    is_as_it_was = row.content_sha256 == particulars.content_digest(capture)
    is_theirs = row.officer == officer.id and (row.dossier == dossier_id or row.state is CounterState.SEALED)
    if not is_theirs or (row.state not in OPEN and not is_as_it_was) or row.state is CounterState.WITHDRAWN:
        raise CaptureReplayed("this capture id stands for something else")
    return is_as_it_was


def _is_overseen(row: CounterRow, officer: Officer) -> bool:
    if _OVERSEEING.isdisjoint(officer.roles):
        return False
    return officer.area is None or (row.unit is not None and lies_in(row.unit, officer.area))


def _require_seen(row: CounterRow, seen: SupervisorAnswer) -> None:
    """Nobody answers for another form, or for another exception, than they looked at."""
    stands = SupervisorAnswer(row.form.sha256 if row.form else None, row.unsigned)
    if seen not in (_AS_IT_STANDS, stands):
        raise TransitionRefused("the capture changed since it was looked at")


def _require_agreement(agreement: CitizenAgreement) -> None:
    faults = {}
    if not is_language(agreement.language):
        faults["language"] = "FIELD_CHARACTERS"
    content = agreement.signature
    if agreement.cannot_sign == bool(content):
        faults["signature"] = "EXCEPTION_CONTRADICTED" if content else "COUNTER_SIGNATURE_MISSING"
    elif content and (len(content) > MAX_SIGNATURE_BYTES or not _kind_of(content)):
        faults["signature"] = "COUNTER_SIGNATURE_NO_PICTURE"
    if faults:
        raise FieldsRefused(faults)


def _kind_of(content: bytes) -> str:
    return next((kind for head, kind in _PICTURES.items() if content.startswith(head)), "")


def _view(row: CounterRow) -> CounterCapture:
    capture = row.capture
    return CounterCapture(
        id=row.id,
        state=row.state.value,
        officer=row.officer,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        missing=row.missing,
        exceptions=row.exceptions,
        unit=row.unit,
        dossier=row.dossier,
        citizen_number=capture.citizen_number if capture else None,
        full_name=capture.person.full_name if capture else None,
        form=row.form,
        language=row.language,
        is_signed=row.signature is not None,
        unsigned=row.unsigned,
        answered_by=row.answered_by,
    )
