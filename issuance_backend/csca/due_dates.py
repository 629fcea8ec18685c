"""What of an issuer's PKI runs out when: read by whoever must call the custodians together in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from issuance_backend.csca.ceremony import period_of_use
from issuance_backend.csca.pki_records import PkiRecords, signer_file
from issuance_backend.csca.signer_pool import SignatureCount


@dataclass(frozen=True, slots=True)
class DueDate:
    """One thing with its last moment, and what to do before it."""

    what: str
    until: datetime
    is_overdue: bool
    remedy: str

    def __str__(self) -> str:
        state = "OVERDUE since" if self.is_overdue else "good until"
        return f"{self.what}: {state} {self.until:%Y-%m-%d}; {self.remedy}"


def find(records: PkiRecords, moment: datetime) -> list[DueDate]:
    """Lists, CSCA and document signers, the most urgent first."""
    return sorted(
        [*_lists(records, moment), _csca(records, moment), *_signers(records, moment)], key=_urgency
    )


def _urgency(date: DueDate) -> tuple[bool, datetime]:
    return not date.is_overdue, date.until


def _lists(records: PkiRecords, moment: datetime) -> Iterator[DueDate]:
    for name in records.published("*.crl"):
        until = records.revocation_list(name).next_update_utc or moment
        yield DueDate(f"revocation list {name}", until, until < moment, "crl issues the next")


def _csca(records: PkiRecords, moment: datetime) -> DueDate:
    _, until = period_of_use(records.authorities()[0].certificate)
    return DueDate("CSCA key", until, until < moment, "rollover makes the next")


def _signers(records: PkiRecords, moment: datetime) -> Iterator[DueDate]:
    quota = records.settings().signer_quota
    for name in records.signers():
        path = records.count_file(name)
        if path.exists():
            _, until = period_of_use(records.certificate(signer_file(name)))
            left = SignatureCount(path, quota).left
            what = f"document signer {name} ({left} of {quota} signatures left)"
            yield DueDate(what, until, until < moment or not left, "rotate makes the next")
