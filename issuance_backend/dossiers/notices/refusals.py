"""What only notices of rejection refuse; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, UntrustedDocument


class NoticeUnknown(Refused):
    """The dossier was not rejected, or nobody has made its notice yet."""

    code = "NOTICE_UNKNOWN"


class NoticeHandedOver(Refused):
    """The notice was handed over before."""

    code = "NOTICE_HANDED_OVER"


class NoticeAltered(UntrustedDocument):
    """The notice that was kept is not the one whose hash was recorded."""

    code = "NOTICE_ALTERED"
