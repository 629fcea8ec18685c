"""Where officers capture: what is right becomes a dossier, what was returned is captured again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import older_cards
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.older_cards import Ended
from issuance_backend.dossiers import acts, capture_terms, domain, particulars, repository
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.capture_checks import CaptureChecks, CheckedCapture, StandingCapture
from issuance_backend.dossiers.capture_time import operator_time, require_beginning
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Part
from issuance_backend.dossiers.forms.catalogue import forms_used, required_on
from issuance_backend.dossiers.forms.domain import EXCEPTIONS, exceptions_detail
from issuance_backend.dossiers.pictures import Pictures, StoredPicture
from issuance_backend.dossiers.repository import Capture, Dossier
from issuance_backend.dossiers.taken_prints import TakenPrints, of_both_hands, replace_sent_back
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.certification import Certified
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import SYSTEM, Step
from issuance_backend.refusals import CaptureReplayed
from monitoring.database import Database
from verification.errors import DossierAlreadyOpen, FieldsRefused, LimitExceeded, TransitionRefused
from verification.messages.asked_prints import ALL_SLAPS, FINGERPRINTS, asked_fingers, fingers_sent_back
from verification.messages.capture_terms import CaptureTerms
from verification.messages.enrollment import (
    CANDIDATES,
    NOT_ALL_COMPARED,
    DossierCapture,
    DossierReturn,
    PersonExtract,
)
from verification.messages.enrollment_packet import CaptureException
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import receipt_code

FORM = "form"
"""The item that the printed form is, when a dossier is returned."""

NO_SCANNER = "no_scanner"
"""What an office without a scanner states of whoever applies there."""

MAX_CAPTURES = 500
"""No transaction takes in more: others wait for its end."""

_CAPTURE_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Sealing(Protocol):
    """What a citizen signed, and a supervisor answers for."""

    @property
    def detail(self) -> Mapping[str, str]:
        """What the capture's step says of it."""
        ...

    @property
    def prints(self) -> TakenPrints:
        """The prints that were taken, and why others were not."""
        ...

    @property
    def exceptions(self) -> tuple[str, ...]:
        """The codes of the form for everything that is not there."""
        ...

    def close(self, connection: Connection, dossier: str, moment: datetime) -> Step:
        """Write that it became this dossier, in the dossier's transaction; the step to record of it."""
        ...


@dataclass(frozen=True, slots=True)
class JudgedCapture:
    """What a capture is before it is sealed; ``exceptions`` are those that a supervisor answers for.

    ``fingers`` are those whose prints are asked, ``print_reasons`` what was stated instead of all of them,
    ``sent_back`` the items of the return that it answers.
    """

    content_sha256: str
    portrait: StoredPicture
    exceptions: tuple[str, ...]
    unit: str | None
    fingers: tuple[str, ...]
    print_reasons: tuple[CaptureException, ...]
    sent_back: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A capture as it came, and what identifies its content."""

    capture: DossierCapture
    content_sha256: str

    @property
    def detail(self) -> dict[str, str]:
        return {"content_sha256": self.content_sha256}

    @property
    def key(self) -> str:
        return particulars.capture_key(self.capture.capture_id, self.content_sha256)


@dataclass(frozen=True, slots=True)
class _New:
    """A capture that was checked, and its picture on the way into the store."""

    sealed: _Sealed
    checked: CheckedCapture
    picture: StoredPicture
    sealing: Sealing | None = None
    terms: CaptureTerms | None = None

    @property
    def agreed(self) -> Mapping[str, str]:
        """What is recorded of its sealing."""
        return self.sealing.detail if self.sealing else {}

    @property
    def prints(self) -> TakenPrints:
        """Its prints; without a sealing nobody took any."""
        return self.sealing.prints if self.sealing else TakenPrints()

    @property
    def exceptions(self) -> tuple[str, ...]:
        """What is recorded of what is not there."""
        return self.sealing.exceptions if self.sealing else self.sealed.capture.exceptions


class CaptureDesk:
    """Takes captures of officers who are signed in."""

    def __init__(
        self,
        database: Database,
        checks: CaptureChecks,
        pictures: Pictures,
        clock: Clock,
        certified: Certified,
    ) -> None:
        self._database = database
        self._checks = checks
        self._pictures = pictures
        self._clock = clock
        self._certified = certified

    @property
    def portrait_engine(self) -> str | None:
        """Which face engine judges portraits here, if any."""
        return self._checks.portrait_engine

    def prefill(self, officer: Officer, citizen_number: str) -> PersonExtract:
        """The registry's entry, with the dossier in progress.

        Raises FieldsRefused on the number, and OfficerNotCertified: nobody begins what they could not seal.
        """
        officer.require(Role.CAPTURE)
        with self._database.reading() as connection:
            self._certified(connection, officer.id, self._clock(), hold=False)
        extract = self._checks.extract(citizen_number)
        with self._database.reading() as connection:
            open_dossier = repository.open_dossier(connection, extract.citizen_number)
        return msgspec.structs.replace(extract, open_dossier=open_dossier)

    def judge(self, officer: Officer, capture: DossierCapture, dossier_id: str | None) -> JudgedCapture:
        """What a capture is, of a new or a returned application, before anybody signed it.

        Raises as ``capture`` and ``recapture`` do, and CaptureReplayed for one that was sealed.
        """
        sealed = _Sealed(capture, particulars.content_digest(capture))
        if self._replayed(officer, [sealed]):
            raise CaptureReplayed("this capture was sealed")
        if dossier_id is None:
            new = self._checked(sealed, self._holders([sealed]))
            with self._database.reading() as connection:
                _require_none_open(connection, [new])
            unit, returned = officer.unit, None
        else:
            former = self._returned(officer, dossier_id)
            new = self._checked_again(sealed, former)
            unit, returned = former.unit, former.returned
        reasons = required_on(vietnam_date(self._clock())).reasons
        fingers, whole = self._fingers_asked(new, returned), self._whole_reasons(new, returned)
        of_prints = {code for code, each in reasons.items() if each.item in {FINGERPRINTS, ALL_SLAPS}}
        if any(code in of_prints and not reasons[code].whole for code in capture.exceptions):
            # A reason of one finger, or of one slap, names it.
            raise FieldsRefused({EXCEPTIONS: "EXCEPTION_UNKNOWN"})
        others = tuple(code for code in capture.exceptions if code not in of_prints)
        return JudgedCapture(
            content_sha256=sealed.content_sha256,
            portrait=new.picture,
            exceptions=others,
            unit=unit,
            fingers=fingers,
            print_reasons=whole if fingers else (),
            sent_back=returned.items if returned else None,
        )

    def capture(self, officer: Officer, capture: DossierCapture, sealing: Sealing | None = None) -> str:
        """Open a dossier and return its id; the same capture again is the same dossier.

        Raises FieldsRefused, CaptureReplayed, DossierAlreadyOpen, OfficerNotCertified or RegistryUnavailable.
        """
        (dossier,) = self.capture_all(officer, (capture,), sealing)
        return dossier

    def capture_all(
        self, officer: Officer, captures: Sequence[DossierCapture], sealing: Sealing | None = None
    ) -> list[str]:
        """Open dossiers in one transaction, all or none, and return their ids; raises as ``capture`` does.

        At most MAX_CAPTURES. One commit serves all: whoever takes in what was captured elsewhere
        acknowledges after it, and sends a batch that is refused again, one capture at a time.
        """
        if len(captures) > MAX_CAPTURES:
            raise LimitExceeded(f"{len(captures)} captures at once")
        sealed = [_Sealed(capture, particulars.content_digest(capture)) for capture in captures]
        known = self._replayed(officer, sealed)
        fresh = [each for each in sealed if each.capture.capture_id not in known]
        holders = self._holders(fresh)
        new = [replace(self._checked(each, holders), sealing=sealing) for each in fresh]
        for each in new:
            self._require_prints(each, None)
        if new:
            moment = self._clock()
            with self._database.writing() as connection:
                self._certified(connection, officer.id, moment)
                known |= _open(connection, new, officer, moment)
        return [known[capture.capture_id] for capture in captures]

    def recapture(
        self, officer: Officer, dossier_id: str, capture: DossierCapture, sealing: Sealing | None = None
    ) -> None:
        """Capture again what was returned of a dossier, and nothing else of it.

        Raises as ``capture`` does, SameOfficer for whoever approved it before, TransitionRefused, and
        FieldsRefused for a form that a kit printed.
        """
        sealed = _Sealed(capture, particulars.content_digest(capture))
        if self._replayed(officer, [sealed]):
            return
        former = self._returned(officer, dossier_id)
        new = replace(self._checked_again(sealed, former), sealing=sealing)
        self._require_prints(new, former.returned)
        moment = self._clock()
        with self._database.writing() as connection:
            self._certified(connection, officer.id, moment)
            _require_new(connection, [new])
            domain.require_only_part(officer.id, Part.CAPTURE, acts.parts_taken(connection, former))
            Pictures.keep(connection, new.picture)
            changed = replace(
                former,
                person=new.checked.person,
                portrait=new.picture.name,
                portrait_check=new.checked.portrait_check,
                packet_sha256=new.sealed.key,
                returned=None,
                captured_by=officer.id,
            )
            act = Act(connection, changed, moment)
            stated = exceptions_detail(new.exceptions)
            worked = operator_time(capture.begun_at, moment)
            used = {**new.sealed.detail, **stated, **new.agreed, **worked, **forms_used(moment)}
            prints = new.prints
            replaced = replace_sent_back(connection, former, prints.names, prints.best_available)
            closed = _closed(connection, new, former.id, moment)
            dossier = take_step(act, DossierEvent.CAPTURE, officer.id, used)
            recorded_events.append(connection, *closed)
            repository.add_captures(connection, [_accepted(new, dossier.id, officer)])
            replaced = {former.portrait, *replaced} - {new.picture.name, *prints.names.values()}
            repository.add_former_pictures(connection, dossier.id, replaced)
            detail = validated(new.checked)
            take_step(Act(connection, dossier, moment), DossierEvent.VALIDATE, SYSTEM, detail)

    def withdraw(self, officer: Officer, dossier_id: str) -> None:
        """Close a dossier that the citizen no longer wants, who gets back an older card that is still good.

        Raises TransitionRefused once approved.
        """
        officer.require(Role.CAPTURE)
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            moment, ended = self._clock(), Ended(dossier.id, dossier.citizen_number, dossier.unit)
            cards.hold_cards(connection, dossier.citizen_number)
            take_step(Act(connection, dossier, moment), DossierEvent.WITHDRAW, officer.id)
            older_cards.end(connection, ended, officer.id, moment, is_here=True)

    def _replayed(self, officer: Officer, sealed: Sequence[_Sealed]) -> dict[str, str]:
        """The dossiers of captures that were accepted before."""
        officer.require(Role.CAPTURE)
        if not all(_CAPTURE_ID.fullmatch(each.capture.capture_id) for each in sealed):
            raise FieldsRefused({"capture_id": "FIELD_CHARACTERS"})
        for each in sealed:
            require_beginning(each.capture.begun_at)
        with self._database.reading() as connection:
            known = repository.captures(connection, [each.capture.capture_id for each in sealed])
        for each in sealed:
            accepted = known.get(each.capture.capture_id)
            if accepted and (accepted.officer, accepted.content_sha256) != (officer.id, each.content_sha256):
                raise CaptureReplayed("this capture id stands for something else")
        return {capture_id: accepted.dossier for capture_id, accepted in known.items()}

    def _fingers_asked(self, new: _New, returned: DossierReturn | None) -> tuple[str, ...]:
        """The fingers that a capture gives: all that the form asks, of a returned one what was sent back."""
        day = vietnam_date(self._clock())
        asked = asked_fingers(required_on(day).prints, particulars.birth_day(new.checked.person), day)
        if returned is None:
            return asked
        sent_back = fingers_sent_back(returned.items)
        return tuple(item for item in asked if item in sent_back)

    def _whole_reasons(self, new: _New, returned: DossierReturn | None) -> tuple[CaptureException, ...]:
        """What was stated instead of all prints; what was taken once is taken again where a scanner is."""
        stated = [code for code in new.sealed.capture.exceptions if returned is None or code != NO_SCANNER]
        return of_both_hands(stated, required_on(vietnam_date(self._clock())))

    def _require_prints(self, new: _New, returned: DossierReturn | None) -> None:
        """Every finger that is asked has a print or a reason; raises FieldsRefused."""
        taken = new.prints if new.sealing else TakenPrints(reasons=self._whole_reasons(new, returned))
        faults = taken.faults(self._fingers_asked(new, returned))
        if faults:
            raise FieldsRefused(faults)

    def _returned(self, officer: Officer, dossier_id: str) -> Dossier:
        """The returned dossier that is captured again; raises TransitionRefused and FieldsRefused."""
        with self._database.reading() as connection:
            former = acts.found(connection, dossier_id, officer)
            domain.advance(former.state, DossierEvent.CAPTURE)
            _require_no_form_of_a_kit(connection, former)
        return former

    def _holders(self, sealed: Sequence[_Sealed]) -> set[str]:
        """The numbers of those who have a card of this office."""
        with self._database.reading() as connection:
            return cards.holders_among(connection, [each.capture.citizen_number for each in sealed])

    def _checked(self, sealed: _Sealed, holders: Collection[str]) -> _New:
        capture, day = sealed.capture, vietnam_date(self._clock())
        self._checks.require_clean(capture)
        born = particulars.birth_day(particulars.normalised(capture.person))
        has_older = capture.citizen_number in holders
        said = capture_terms.judged(capture.terms, born, day, has_older=has_older)
        checked = self._checks.check(capture, day, said.faults)
        return _New(sealed, checked, self._pictures.put(checked.portrait), terms=said.terms)

    def _checked_again(self, sealed: _Sealed, former: Dossier) -> _New:
        self._checks.require_clean(sealed.capture)
        standing = standing_capture(former, self._pictures)
        checked = self._checks.check_again(sealed.capture, standing, vietnam_date(self._clock()))
        return _New(sealed, checked, self._pictures.put(checked.portrait))


def standing_capture(dossier: Dossier, pictures: Pictures) -> StandingCapture:
    """What a returned dossier consists of; a portrait that is taken again need not be readable any more."""
    returned = dossier.returned.items if dossier.returned else ()
    return StandingCapture(
        citizen_number=dossier.citizen_number,
        person=dossier.person,
        portrait=b"" if "portrait" in returned else pictures.read(dossier.portrait),
        portrait_check=dossier.portrait_check,
        returned=returned,
    )


def validated(checked: CheckedCapture) -> dict[str, str]:
    """What is recorded of the rules having found nothing wrong."""
    check = checked.portrait_check
    return {
        "registry": "agrees",
        CANDIDATES: str(checked.candidates),
        **({} if checked.all_compared else {NOT_ALL_COMPARED: "true"}),
        "portrait": check.method,
        "engine": check.engine or "none",
    }


def _open(
    connection: Connection, captures: Sequence[_New], officer: Officer, moment: datetime
) -> dict[str, str]:
    """Write the dossiers of new captures with their first two steps; ids by capture id."""
    _require_new(connection, captures)
    _require_none_open(connection, captures)
    Pictures.keep(connection, *(new.picture for new in captures))
    captured = [_new_dossier(new, officer, moment) for new in captures]
    state = domain.advance(DossierState.CAPTURED, DossierEvent.VALIDATE)
    after = [replace(dossier, state=state, version=dossier.version + 1) for dossier in captured]
    repository.add(connection, after)
    opened = list(zip(captures, captured, after, strict=True))
    repository.add_captures(connection, [_accepted(new, dossier.id, officer) for new, dossier, _ in opened])
    steps: list[Step] = []
    forms = forms_used(moment)
    for new, before, then in opened:
        stated = exceptions_detail(new.exceptions)
        repository.add_prints(connection, before.id, new.prints.names, new.prints.best_available)
        worked = operator_time(new.sealed.capture.begun_at, moment)
        said = {**capture_terms.detail_of(new.terms), **acts.captured_where(before.unit)}
        detail = {**new.sealed.detail, **stated, **new.agreed, **worked, **forms, **said}
        steps += _closed(connection, new, before.id, moment)
        captured_now = acts.recorded(before, DossierEvent.CAPTURE, officer.id, detail)
        validation = acts.recorded(then, DossierEvent.VALIDATE, SYSTEM, validated(new.checked))
        steps += [captured_now, validation, *capture_terms.opening_steps(before.id, captured_now)]
    recorded_events.append(connection, *steps)
    return {new.sealed.capture.capture_id: dossier.id for new, dossier, _ in opened}


def _closed(connection: Connection, new: _New, dossier_id: str, moment: datetime) -> list[Step]:
    """What is recorded of the sealing itself."""
    return [new.sealing.close(connection, dossier_id, moment)] if new.sealing else []


def _require_no_form_of_a_kit(connection: Connection, former: Dossier) -> None:
    """A form that a kit printed is printed and signed there again; raises FieldsRefused at a desk (F38)."""
    if former.returned is None or FORM not in former.returned.items:
        return
    steps = recorded_events.of_subject(connection, acts.subject(former.id))
    captured = [step.event for step in steps if step.event in {DossierEvent.RECEIVE, DossierEvent.CAPTURE}]
    if captured[-1] == DossierEvent.RECEIVE:
        raise FieldsRefused({FORM: "FIELD_MISSING"})


def _new_dossier(new: _New, officer: Officer, moment: datetime) -> Dossier:
    return Dossier(
        id=secrets.token_hex(8),
        citizen_number=new.checked.citizen_number,
        state=domain.advance(None, DossierEvent.CAPTURE),
        version=1,
        person=new.checked.person,
        portrait=new.picture.name,
        portrait_check=new.checked.portrait_check,
        returned=None,
        captured_by=officer.id,
        approved_by=None,
        unit=officer.unit,
        packet_sha256=new.sealed.key,
        created_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )


def _require_none_open(connection: Connection, captures: Sequence[_New]) -> None:
    if repository.open_dossiers(connection, [new.checked.citizen_number for new in captures]):
        raise DossierAlreadyOpen("one dossier at a time")


def _require_new(connection: Connection, captures: Sequence[_New]) -> None:
    # The same button pressed twice at once: both looked before either wrote.
    if repository.captures(connection, [new.sealed.capture.capture_id for new in captures]):
        raise TransitionRefused("this capture was accepted meanwhile")


def _accepted(new: _New, dossier: str, officer: Officer) -> Capture:
    sealed = new.sealed
    code = receipt_code(sealed.key)
    return Capture(sealed.capture.capture_id, dossier, sealed.content_sha256, officer.id, code)
