"""What only a scanner of contents refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, Unavailable, UntrustedDocument


class ContentInfected(UntrustedDocument):
    """A scanner knows what was captured as malware; nobody reads it any further."""

    code = "CONTENT_INFECTED"


class ContentNotScanned(Refused):
    """A scanner takes nothing of this length: it is set too small."""

    code = "CONTENT_NOT_SCANNED"


class ContentScannerUnavailable(Unavailable):
    """The scanner does not answer, or not as one does; what waits for it is looked at later."""

    code = "CONTENT_SCANNER_UNAVAILABLE"
