"""Where officers are certified, and where it is asked whether one is."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from issuance_backend.case_ids import require_case, require_filed
from issuance_backend.moments import Clock, moment_in, rfc3339
from issuance_backend.officers import certificate_repository as certificates
from issuance_backend.officers import repository
from issuance_backend.officers.certificates import Certificate, Hold, Level, Withdrawal
from issuance_backend.officers.domain import Officer, OfficerAccount, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.refusals import (
    ApproverNotCertified,
    CertificateInOwnName,
    OfficerNotCertified,
)
from issuance_backend.steps import Step
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused, VerificationError
from verification.messages.national_time import vietnam_date
from verification.messages.officer_certificates import (
    CertificateGrant,
    CertificatesWithdrawn,
    CertificateWithdrawal,
    OfficerCertificate,
)

READERS = (Role.SUPERVISOR, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.AUDITOR)
SOON = 30
"""So many days before its end a certificate is due to be renewed."""

_MAX_DAYS = 3660
_MAX_ISSUER = 120
_UNKNOWN = {"officer": "FIELD_OFFICER_UNKNOWN"}


class Certified(Protocol):
    """Raises OfficerNotCertified, or ApproverNotCertified, for an officer who may not act at a moment."""

    def __call__(
        self,
        connection: Connection,
        officer: str,
        moment: datetime,
        level: Level = Level.CAPTURE,
        *,
        hold: bool = True,
    ) -> None:
        """Who holds the certificates keeps them from being withdrawn until they are done."""
        ...


Record = Callable[[Connection, Step], None]
"""Records a step in the same transaction."""


def may_seal(
    connection: Connection, officer: str, happened: datetime, known: datetime, *, hold: bool = False
) -> bool:
    """Whether an officer was certified to capture at a moment, of which we learned at another."""
    held = certificates.of_officer(connection, officer, hold=hold)
    return any(each.lets(Level.CAPTURE, happened, known) for each in held)


def require_certified(
    connection: Connection,
    officer: str,
    moment: datetime,
    level: Level = Level.CAPTURE,
    *,
    hold: bool = True,
) -> None:
    """As ``Certified`` says; in a transaction that only reads nothing can be held."""
    held = certificates.of_officer(connection, officer, hold=hold)
    if not any(each.lets(level, moment, moment) for each in held):
        raise _REFUSALS[level](f"no certificate for {level.value} is good today")


_REFUSALS: Mapping[Level, type[VerificationError]] = {
    Level.CAPTURE: OfficerNotCertified,
    Level.APPROVAL: ApproverNotCertified,
}


class CertificationDesk:
    """Supervisors certify others, and see whose certificates end."""

    def __init__(self, database: Database, clock: Clock, record: Record, hold: Hold) -> None:
        self._database = database
        self._clock = clock
        self._record = record
        self._hold = hold

    def certify(self, officer: Officer, asked: CertificateGrant) -> OfficerCertificate:
        """Certify an officer of one's area; raises RoleMissing, CertificateInOwnName and FieldsRefused."""
        officer.require(Role.SUPERVISOR)
        if asked.officer == officer.id:
            raise CertificateInOwnName("another supervisor certifies this officer")
        _require_sound(asked)
        with self._database.writing() as connection:
            if _of_area(connection, officer, asked.officer).is_suspended:
                raise FieldsRefused(_UNKNOWN)
            return self.write(connection, asked, officer.id)

    def write(self, connection: Connection, asked: CertificateGrant, by: str) -> OfficerCertificate:
        """Write and record a certificate in the caller's transaction; raises FieldsRefused."""
        _require_sound(asked)
        moment = rfc3339(self._clock())
        made = Certificate(
            id=secrets.token_hex(8),
            officer=asked.officer,
            level=Level(asked.level),
            valid_from=asked.valid_from,
            valid_until=asked.valid_until,
            issuer=asked.issuer.strip(),
            certified_by=by,
            certified_at=moment,
        )
        certificates.add(connection, made)
        said = {"level": asked.level, "from": made.valid_from, "until": made.valid_until}
        detail = {"officer": made.officer, "issuer": made.issuer, **said}
        self._record(connection, _step("certify", "certified", by, moment, detail))
        return _told(made)

    def withdraw(self, officer: Officer, whose: str, asked: CertificateWithdrawal) -> CertificatesWithdrawn:
        """End an officer's certificates from a moment on, also one that has passed (I15).

        What they captured or approved since is held for the case; asked again, it goes on where it broke off.
        Raises RoleMissing, FieldsRefused and CertificateInOwnName.
        """
        officer.require(Role.SUPERVISOR)
        if whose == officer.id:
            raise CertificateInOwnName("another supervisor withdraws it")
        require_case(asked.case_id)
        since, moment = moment_in("since", asked.since), rfc3339(self._clock())
        with self._database.writing() as connection:
            require_filed(connection, asked.case_id)
            _of_area(connection, officer, whose)
            met = certificates.withdraw(connection, whose, since, officer.id)
            detail = {"officer": whose, "since": since, "case_id": asked.case_id}
            self._record(connection, _step("withdraw_certificate", "withdrawn", officer.id, moment, detail))
        # Whoever seals or approves after that transaction finds the certificates withdrawn.
        held = self._hold(Withdrawal(officer=whose, since=since, case_id=asked.case_id, by=officer.id))
        return CertificatesWithdrawn(met, held.number, held.others)

    def ending(self, officer: Officer, days: int, asked: PageAsked) -> Page[OfficerCertificate]:
        """Certificates of the officer's area that end within so many days from today, the next one first."""
        officer.require(*READERS)
        if not 0 <= days <= _MAX_DAYS:
            raise FieldsRefused({"within": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            found = self.ending_of(connection, officer.area, days, asked)
        return Page(tuple(_told(each) for each in found.entries), found.cursor)

    def ending_of(
        self, connection: Connection, area: str | None, days: int, asked: PageAsked
    ) -> Page[Certificate]:
        """As ``ending``, for whoever runs the office."""
        today = vietnam_date(self._clock())
        last = today + timedelta(days=days)
        return certificates.ending(connection, area, today.isoformat(), last.isoformat(), asked)


def _of_area(connection: Connection, officer: Officer, whose: str) -> OfficerAccount:
    """An officer whom there is, and who works in one's own area; raises FieldsRefused."""
    account = repository.account(connection, whose)
    if account is None or not _is_below(officer, account.officer):
        raise FieldsRefused(_UNKNOWN)
    return account


def _is_below(officer: Officer, whom: Officer) -> bool:
    return officer.area is None or (whom.unit is not None and lies_in(whom.unit, officer.area))


def _require_sound(asked: CertificateGrant) -> None:
    faults = {}
    if asked.level not in set(Level):
        faults["level"] = "FIELD_CHARACTERS"
    if not 0 < len(asked.issuer.strip()) <= _MAX_ISSUER:
        faults["issuer"] = "FIELD_TOO_LONG" if asked.issuer.strip() else "FIELD_MISSING"
    days = {name: _day(getattr(asked, name)) for name in ("valid_from", "valid_until")}
    faults |= {name: "FIELD_DATE" for name, day in days.items() if day is None}
    first, last = days["valid_from"], days["valid_until"]
    if first is not None and last is not None and not 0 <= (last - first).days <= _MAX_DAYS:
        faults["valid_until"] = "FIELD_DATE"
    if faults:
        raise FieldsRefused(faults)


def _day(text: str) -> date | None:
    """A day as it is kept: in one way of writing alone, so that text order is the order of days."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _step(event: str, state: str, by: str, at: str, detail: dict[str, str]) -> Step:
    return Step(subject="officer", event=event, state=state, actor=by, at=at, detail=detail)


def _told(certificate: Certificate) -> OfficerCertificate:
    return msgspec.convert(asdict(certificate), OfficerCertificate)
