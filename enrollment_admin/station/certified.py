"""Whom the centre lets seal at this kit: its signed list, as far as one was brought."""

from __future__ import annotations

from pathlib import Path

from enrollment_admin.station.durable_files import disk, write_whole
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.refusals import OfficerListInvalid, OfficerNotCertified
from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages.certified_officers import (
    MAX_LIST,
    CertifiedOfficers,
    officers_file,
    read_officers,
)
from verification.messages.national_time import vietnam_date

LIST_FILE = "certified_officers.jws"


def keep_officers(kit: Kit, token: str | None) -> None:
    """Put the list in the place of an older one; a centre from before there were lists sends none.

    Raises OfficerListInvalid for what the centre did not sign for this kit. A list that is older than the
    one here is left out: nobody brings back a certificate that was withdrawn. One here that is spoiled, or
    of a key that the centre has no more, gives way: else no list would let anybody seal here again.
    """
    if token is None:
        return
    brought = _read(kit, token)
    try:
        standing = officers_here(kit)
    except OfficerListInvalid:
        standing = None
    if standing is None or standing.as_of <= brought.as_of:
        write_whole(kit.folder / LIST_FILE, token.encode())


def take_officers(kit: Kit, stick: Path) -> bool:
    """Keep the list that a stick brings for this kit; False where it brings none."""
    brought = stick / officers_file(kit.profile.name)
    with disk():
        if not brought.exists():
            return False
        if brought.stat().st_size > MAX_LIST:
            raise LimitExceeded("longer than any list")
        token = brought.read_bytes().decode("ascii", "replace")
    keep_officers(kit, token)
    return True


def officers_here(kit: Kit) -> CertifiedOfficers | None:
    """The list that is here, None where none was brought; raises OfficerListInvalid."""
    path = kit.folder / LIST_FILE
    with disk():
        if not path.exists():
            return None
        token = path.read_bytes().decode("ascii", "replace")
    return _read(kit, token)


def require_certified(kit: Kit, officer: str) -> None:
    """Raise OfficerNotCertified for whom the list does not name today.

    Where no list was ever brought the kit does not know, and the centre opens no packet of theirs unasked.
    """
    listed = officers_here(kit)
    if listed is not None and not listed.lets_seal(officer, vietnam_date(kit.clock())):
        raise OfficerNotCertified("no certificate for capture is good today")


def _read(kit: Kit, token: str) -> CertifiedOfficers:
    try:
        return read_officers(token, kit.receipt_keys(), kit.profile.name)
    except SignatureInvalid:
        raise OfficerListInvalid("not signed by this centre for this kit") from None
