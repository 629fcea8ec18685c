"""What a machine cannot run; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Unavailable


class VirtualReaderUnavailable(Unavailable):
    """The private PC/SC stack of the virtual reader cannot run here or did not start."""

    code = "VIRTUAL_READER_UNAVAILABLE"


class DatabaseBusy(Unavailable):
    """Others held what this transaction needed; it was taken back whole and may be tried again."""

    code = "DATABASE_BUSY"
