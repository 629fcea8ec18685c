"""What a session has earned so far, and what that opens (ICAO 9303-11, 4.2 and 7.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from issuance_backend.virtual_card.icc_data_objects import Established
from verification.lds.files import LdsFile


@dataclass(frozen=True, slots=True)
class SecurityStatus:
    """Granted by BAC or PACE, bound to a terminal's key by chip authentication, opened by that terminal.

    ``opened`` is None until terminal authentication has been done: it is done once a session.
    """

    granted: bool = False
    card_identity: bytes = b""
    terminal_key: bytes | None = None
    opened: frozenset[LdsFile] | None = None

    def after(self, established: Established) -> SecurityStatus:
        """The status in the session that starts; what a terminal had opened ended with the old one."""
        identity = established.card_identity
        return SecurityStatus(
            granted=True,
            card_identity=self.card_identity if identity is None else identity,
            terminal_key=established.terminal_key,
        )

    def may_read(self, file: LdsFile, locked: frozenset[LdsFile]) -> bool:
        """Whether this file is open; EF.CardAccess always is."""
        if file is LdsFile.CARD_ACCESS:
            return True
        return self.granted and (file not in locked or file in (self.opened or ()))
