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
from issuance_backend.dossiers.counter.domain import (
    ATTEMPTS,
    OPEN,
    PRINTS,
    SCAN,
    SLAP_ATTEMPTS,
    TABLE,
    CounterEvent,
    CounterItem,
    CounterRow,
    CounterState,
)
from issuance_backend.dossiers.counter.drafts import OVERSEEING, READERS, Drafts, summary
from issuance_backend.dossiers.counter.print_desk import PrintDesk
from issuance_backend.dossiers.counter.printed import checked_form, checked_paper, made_form
from issuance_backend.dossiers.domain import Part
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.taken_prints import TakenPrints, prints_detail
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import CaptureReplayed, SameOfficer
from monitoring.database import Database
from verification.capture_form.print_gate import JudgedPrints, prints_told
from verification.errors import FieldsRefused, TransitionRefused
from verification.fingerprint.printed_form import FormJudgement
from verification.messages.asked_prints import is_best_available, position_of
from verification.messages.counter_capture import (
    MAX_SCAN_BYTES,
    MAX_SIGNATURE_BYTES,
    CitizenAgreement,
    CounterCapture,
    SupervisorAnswer,
    is_language,
)
from verification.messages.enrollment import DossierCapture
from verification.messages.enrollment_packet import CANNOT_SIGN, PrintedFormMark
from verification.messages.hand_photos import HAND_PHOTOS
from verification.messages.prints_taken import PrintTaken

_AS_IT_STANDS = SupervisorAnswer()
_PNG, _JPEG, _TIFF = "image/png", "image/jpeg", "image/tiff"
_PICTURES = {b"\xff\xd8\xff": _JPEG, b"\x89PNG": _PNG, b"II*\0": _TIFF, b"MM\0*": _TIFF}


@dataclass(frozen=True, slots=True)
class CounterSealing:
    """What a capture is sealed with; see ``capture_desk.Sealing``."""

    row: CounterRow
    tried: JudgedPrints

    @property
    def prints(self) -> TakenPrints:
        """The prints, which become the dossier's."""
        names = {position_of(item): each.picture for item, each in self.row.prints.items()}
        return TakenPrints(names, self.row.print_reasons)

    @property
    def exceptions(self) -> tuple[str, ...]:
        """Codes of the form for whatever is not there."""
        return self.row.codes

    @property
    def detail(self) -> dict[str, str]:
        """What the dossier's own record says of it: the same as of a packet."""
        row, form = self.row, self.row.form
        return {
            "counter_capture": row.id,
            "consent_language": row.language or "",
            **prints_detail(self._told, self.prints.best_available),
            **(_form_detail(form) if form else {}),
            **(_paper_detail(row.paper) if row.paper else {}),
            **({domain.ANSWERED_BY: row.answered_by} if row.answered_by else {}),
            **({"unsigned": row.unsigned} if row.unsigned else {}),
        }

    @property
    def _told(self) -> tuple[PrintTaken, ...]:
        return prints_told(self.tried.attempts, self.tried.slaps)

    def close(self, connection: Connection, dossier: str, moment: datetime) -> Step:
        """Write that it is sealed: from here on the dossier alone names the person and their prints."""
        row = self.row
        # The dossier names no photograph of a hand: it stays here, and goes with the dossier's pictures.
        items = {item: each for item, each in row.items.items() if item in {SCAN, *HAND_PHOTOS}}
        sealed = replace(row, dossier=dossier, capture=None, portrait=None, items=items)
        step = written(connection, sealed, CounterEvent.SEAL, row.officer, moment)
        records = {row.items[name].picture for name in (ATTEMPTS, SLAP_ATTEMPTS) if name in row.items}
        forget(connection, records, moment)
        return step


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
        self._drafts = Drafts(database, pictures, clock)
        self.prints = PrintDesk(self._drafts, checks)

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
            return self.view(officer, former.id)
        judged = self._captures.judge(officer, capture, dossier_id)
        moment = self._clock()
        kept = _begun(officer, capture, dossier_id, judged, rfc3339(moment))
        with self._database.writing() as connection:
            Pictures.keep(connection, judged.portrait)
            if former is None:
                told = repository.scanner_told(connection, officer.id)
                kept = replace(kept, slap_scanner=told).settled()
                repository.add(connection, kept)
                step = step_of(kept, CounterEvent.BEGIN, officer.id)
            else:
                kept = _changed(former, kept)
                step = written(connection, kept, CounterEvent.CHANGE, officer.id, moment)
                forget(connection, former.names - kept.names, moment)
            recorded_events.append(connection, step)
        return self.view(officer, kept.id)

    def check_form(self, officer: Officer, which: str) -> CounterCapture:
        """Make the form and judge it, before anybody prints and signs it.

        Raises FieldsRefused where it is not faithful, TransitionRefused, FormUnknown and ReportFontMissing.
        """
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.CHECK_FORM)
        if row.missing_prints:
            raise FieldsRefused({PRINTS: "COUNTER_PRINTS_MISSING"})
        form = checked_form(row, self._drafts.contents(row))
        if form.mark == row.form:
            return self.view(officer, which)
        printed = replace(row.unprinted(), form=form.mark)
        said = {"form_print": form.mark.sha256, "limits": form.mark.limits or ""}
        return self._drafts.changed(row, printed, CounterEvent.CHECK_FORM, officer, said)

    def form(self, officer: Officer, which: str) -> bytes:
        """The form that was judged (PDF), for its officer and for who answers for it."""
        row = self._drafts.seen(officer, which)
        if row.form is None:
            raise TransitionRefused("no form was judged yet")
        return made_form(row, self._drafts.contents(row))

    def sign(self, officer: Officer, which: str, agreement: CitizenAgreement) -> CounterCapture:
        """Keep what the citizen signed, and in which language they agreed; raises FieldsRefused."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.SIGN)
        _require_agreement(agreement)
        content = agreement.signature or agreement.scan
        if content:
            self._checks.require_clean_scan(content)
        paper = self._judged_paper(officer, row, agreement.scan) if agreement.scan else None
        stored = [self._pictures.put(content, _kind_of(content))] if content else []
        signed = _signed(row, agreement, paper, stored[0].name if stored else None)
        if signed == row:
            return self.view(officer, which)
        said = {"consent_language": agreement.language, **(_paper_detail(paper) if paper else {})}
        if signed.unsigned:
            said["unsigned"] = signed.unsigned
        return self._drafts.changed(row, signed, CounterEvent.SIGN, officer, said, stored)

    def answer(self, officer: Officer, which: str, seen: SupervisorAnswer = _AS_IT_STANDS) -> CounterCapture:
        """A supervisor answers for what was not captured; raises SameOfficer for whoever captured it.

        Raises TransitionRefused where it is not what the supervisor has seen any more.
        """
        officer.require(Role.SUPERVISOR)
        row = self._drafts.seen(officer, which)
        TABLE.advance(row.state, CounterEvent.ANSWER)
        if row.officer == officer.id:
            raise SameOfficer("nobody supervises their own capture")
        if not row.needs_supervisor:
            raise TransitionRefused("nothing is missing that needs an answer")
        _require_seen(row, seen)
        if row.answered_by == officer.id:
            return self.view(officer, which)
        if row.dossier is not None:
            with self._database.reading() as connection:
                parts = acts.parts_taken(connection, acts.found(connection, row.dossier))
            domain.require_only_part(officer.id, Part.CAPTURE, parts)
        best = [each.item for each in row.print_reasons if is_best_available(each.item, each.code)]
        said = {"exceptions": " ".join((*row.codes, *best, *filter(None, [row.unsigned])))}
        return self._drafts.changed(
            row, replace(row, answered_by=officer.id), CounterEvent.ANSWER, officer, said
        )

    def seal(self, officer: Officer, which: str) -> str:
        """Seal a capture: the rules run, and it is a dossier, whose id this is.

        Raises FieldsRefused with what is missing, and as ``CaptureDesk.capture`` and ``recapture`` do.
        """
        row = self._drafts.own(officer, which)
        if row.state is CounterState.SEALED and row.dossier is not None:
            return row.dossier
        if row.faults:
            raise FieldsRefused(row.faults)
        TABLE.advance(row.state, CounterEvent.SEAL)
        capture = self._as_it_came(row)
        sealing = CounterSealing(row, self._drafts.tried(row))
        if row.dossier is None:
            return self._captures.capture(officer, capture, sealing)
        self._captures.recapture(officer, row.dossier, capture, sealing)
        return row.dossier

    def withdraw(self, officer: Officer, which: str) -> CounterCapture:
        """The citizen does not want it, or it is begun anew: nothing of it is kept."""
        row = self._drafts.own(officer, which)
        with self._database.writing() as connection:
            withdraw(connection, row, officer.id, self._clock())
        return self.view(officer, which)

    def view(self, officer: Officer, which: str) -> CounterCapture:
        """One capture, for its officer and for who oversees."""
        return self._drafts.view(officer, which)

    def waiting(self, officer: Officer, asked: PageAsked) -> Page[CounterCapture]:
        """Captures that are not sealed: one's own, and for who oversees those of their area."""
        officer.require(*READERS)
        captor = officer.id if Role.CAPTURE in officer.roles else None
        oversees = not OVERSEEING.isdisjoint(officer.roles)
        with self._database.reading() as connection:
            found = repository.listed(connection, captor, officer.area, oversees, asked)
        return Page(tuple(summary(each) for each in found.entries), found.cursor)

    def _judged_paper(self, officer: Officer, row: CounterRow, scan: bytes) -> FormJudgement:
        """The signed paper; one that is refused is recorded and not kept. Raises FieldsRefused."""
        try:
            return checked_paper(row, self._drafts.contents(row), scan)
        except FieldsRefused as refused:
            said = {"faults": " ".join(sorted(set(refused.fields.values())))}
            self._drafts.changed(row, row, CounterEvent.REFUSE_PAPER, officer, said)
            raise

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


def _paper_detail(paper: FormJudgement) -> dict[str, str]:
    return {"paper_judged": f"{paper.limits} {paper.score:.4f}"}


def _changed(former: CounterRow, begun: CounterRow) -> CounterRow:
    """A capture under the id that it had; its prints stay as long as it is the same person's."""
    kept = replace(
        begun,
        id=former.id,
        version=former.version,
        opened_at=former.opened_at,
        state=former.state,
        slap_scanner=former.slap_scanner,
    )
    if not _is_of_same_person(former, begun):
        return kept.settled()
    # A print that is here outweighs that there is no scanner.
    anew = () if former.prints else begun.print_reasons
    reasons = anew or former.print_reasons
    return replace(kept, items=former.unprinted().items, print_reasons=reasons).settled()


def _is_of_same_person(one: CounterRow, other: CounterRow) -> bool:
    if one.capture is None or other.capture is None or one.fingers != other.fingers:
        return False
    numbers = {each.citizen_number for each in (one.capture, other.capture)}
    return len(numbers) == 1 and one.capture.person.date_of_birth == other.capture.person.date_of_birth


def _signed(
    row: CounterRow, agreement: CitizenAgreement, paper: FormJudgement | None, name: str | None
) -> CounterRow:
    """A capture as it was signed, on a screen, on paper, or not at all."""
    unsigned = CANNOT_SIGN.lower() if agreement.cannot_sign else None
    items = {item: each for item, each in row.items.items() if item != SCAN}
    if paper is not None and name is not None:
        items[SCAN] = CounterItem(name, _kind_of(agreement.scan))
    return replace(
        row,
        language=agreement.language,
        signature=name if paper is None else None,
        paper=paper,
        items=items,
        unsigned=unsigned,
        # A supervisor answers for what is missing as it stands, not for what comes to be missing.
        answered_by=row.answered_by if unsigned == row.unsigned else None,
    )


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
        fingers=judged.fingers,
        print_reasons=judged.print_reasons,
        sent_back=judged.sent_back,
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


def _require_seen(row: CounterRow, seen: SupervisorAnswer) -> None:
    """Nobody answers for another form, or for another exception, than they looked at."""
    stands = SupervisorAnswer(row.form.sha256 if row.form else None, row.unsigned)
    if seen not in (_AS_IT_STANDS, stands):
        raise TransitionRefused("the capture changed since it was looked at")


def _require_agreement(agreement: CitizenAgreement) -> None:
    faults = {}
    if not is_language(agreement.language):
        faults["language"] = "FIELD_CHARACTERS"
    given = [bool(agreement.signature), bool(agreement.scan), agreement.cannot_sign]
    if sum(given) != 1:
        faults["signature"] = "EXCEPTION_CONTRADICTED" if any(given) else "COUNTER_SIGNATURE_MISSING"
    elif agreement.signature and not _is_written(agreement.signature):
        faults["signature"] = "COUNTER_SIGNATURE_NO_PICTURE"
    elif agreement.scan and (len(agreement.scan) > MAX_SCAN_BYTES or not _kind_of(agreement.scan)):
        faults[SCAN] = "COUNTER_SCAN_NO_PICTURE"
    if faults:
        raise FieldsRefused(faults)


def _is_written(content: bytes) -> bool:
    """Whether a picture may be a signature that was written on a screen: a scan of paper is judged."""
    return len(content) <= MAX_SIGNATURE_BYTES and _kind_of(content) == _PNG


def _kind_of(content: bytes) -> str:
    return next((kind for head, kind in _PICTURES.items() if content.startswith(head)), "")
