"""What only captures at counters refuse; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused


class CounterCaptureUnknown(Refused):
    """There is no such capture at a counter, or it is another officer's."""

    code = "COUNTER_CAPTURE_UNKNOWN"


class CounterPrintUnknown(Refused):
    """There is no print of this finger in the capture."""

    code = "COUNTER_PRINT_UNKNOWN"
