"""Who touched a gallery and why: the gallery's own record, chained with its own key.

A line names the caller, the purpose and the task, for an investigation the warrant; never a person.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend.biometric_search import repository
from issuance_backend.biometric_search.domain import Purpose
from issuance_backend.biometric_search.gallery_keys import GalleryKey
from issuance_backend.biometric_search.refusals import GalleryRecordsBroken
from issuance_backend.biometric_search.repository import NO_MAC, AuditLine
from issuance_backend.moments import rfc3339


def note(
    connection: Connection,
    key: GalleryKey,
    actor: str,
    purpose: Purpose,
    detail: dict[str, str],
    *,
    moment: datetime,
) -> None:
    """Write one line in the caller's transaction: nothing is looked at that is not written here."""
    sequence, previous = repository.audit_head_held(connection, key.gallery)
    line = AuditLine(sequence + 1, rfc3339(moment), actor, purpose.value, detail, "")
    linked = AuditLine(
        line.sequence, line.at, line.actor, line.purpose, line.detail, _mac(key, line, previous)
    )
    repository.add_audit(connection, key.gallery, linked)


def verify(connection: Connection, key: GalleryKey) -> list[AuditLine]:
    """The whole record, proven unbroken; raises GalleryRecordsBroken, which names the first bad line."""
    previous, lines = NO_MAC, repository.audit_lines(connection, key.gallery)
    for number, line in enumerate(lines, 1):
        if line.sequence != number or line.mac != _mac(key, line, previous):
            raise GalleryRecordsBroken(f"line {number} of the gallery's record")
        previous = line.mac
    if repository.audit_head(connection, key.gallery) != (len(lines), previous):
        raise GalleryRecordsBroken(f"lines after {len(lines)} are missing")
    return lines


def _mac(key: GalleryKey, line: AuditLine, previous: str) -> str:
    parts = (previous, line.sequence, line.at, line.actor, line.purpose, sorted(line.detail.items()))
    return key.mac(msgspec.json.encode(parts))
