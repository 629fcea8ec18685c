"""What the centre returned to this kit: a sealed list in a file of its own, until a newer one is brought."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.durable_files import disk, write_whole
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.refusals import ReturnsInvalid, ReturnUnknown
from enrollment_admin.station.refused_packets import RefusedPackets
from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages.kit_returns import (
    MAX_TOKEN,
    KitReturns,
    ReturnedCapture,
    open_returns,
    returns_file,
)
from verification.messages.refusals import PacketAltered, PacketMalformed

RETURNS_FILE = "returns.jwe"


class Returns:
    """The list as it was brought last, without what captures of this kit answer already."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._refused = RefusedPackets(kit)

    def fetch(self, centre: CentreClient) -> bool:
        """Ask the centre, also for what it refused; whether anything is to be captured again.

        Raises as ``keep``, the list of refused packets and the centre's client do.
        """
        told = centre.returns(self._kit.extract_request())
        self.keep(told.returns)
        self._refused.keep(told.refused)
        return bool(self.standing())

    def take(self, folder: Path) -> bool:
        """Keep the list that a stick brings for this kit; False where it brings none that is newer."""
        brought = folder / returns_file(self._kit.profile.name)
        with disk():
            if not brought.exists():
                return False
        return self.keep(_read(brought))

    def keep(self, token: str) -> bool:
        """Put a list in the place of the former; False for one that is older. Raises ReturnsInvalid."""
        brought, former = self._opened(token), self._former()
        if former is not None and _moment(brought) <= _moment(former):
            return False
        write_whole(self._file, token.encode())
        return True

    def standing(self) -> tuple[ReturnedCapture, ...]:
        """What is to be captured again and nobody has begun to; raises ReturnsInvalid."""
        listed = self._listed()
        if listed is None:
            return ()
        with self._kit.database.reading() as connection:
            answered = self._kit.claims.answered(connection)
        return tuple(each for each in listed.returned if (each.dossier, each.returned_at) not in answered)

    def found(self, dossier: str) -> ReturnedCapture:
        """The return of a dossier; raises ReturnUnknown."""
        found = next((each for each in self.standing() if each.dossier == dossier), None)
        if found is None:
            raise ReturnUnknown("nothing of this dossier is to be captured again")
        return found

    def has_returned(self, citizen_number: str) -> bool:
        """Whether this kit is to capture something of this person again; an invalid list tells nothing."""
        try:
            return any(each.citizen_number == citizen_number for each in self.standing())
        except ReturnsInvalid:
            return False

    def _listed(self) -> KitReturns | None:
        with disk():
            if not self._file.exists():
                return None
        return self._opened(_read(self._file))

    def _former(self) -> KitReturns | None:
        """The list that is here; one that the centre's new key does not vouch for is as good as none."""
        try:
            return self._listed()
        except ReturnsInvalid:
            return None

    def _opened(self, token: str) -> KitReturns:
        kit = self._kit
        try:
            return open_returns(token, kit.receipt_keys(), kit.opening_key, kit.profile.name)
        except (LimitExceeded, PacketMalformed, PacketAltered, SignatureInvalid):
            raise ReturnsInvalid("not sealed by this centre for this kit, or altered") from None

    @property
    def _file(self) -> Path:
        return self._kit.folder / RETURNS_FILE


def _moment(returns: KitReturns) -> datetime:
    return datetime.fromisoformat(returns.as_of)


def _read(path: Path) -> str:
    with disk(), path.open("rb") as opened:
        return opened.read(MAX_TOKEN + 1).decode("ascii", "replace")
