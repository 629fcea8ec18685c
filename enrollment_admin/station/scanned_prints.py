"""Prints as a scanner leaves them, as items of a kit's capture. Pure."""

from __future__ import annotations

from enrollment_admin.station.capture_rules import Captured
from verification.capture_form.scanned_prints import FILE_TYPES, finger_of, print_type
from verification.messages.prints_taken import CaptureMethod

__all__ = ["FILE_TYPES", "finger_of", "scanned"]


def scanned(item: str, content: bytes, method: CaptureMethod = CaptureMethod.DEVICE) -> Captured:
    """The print of a finger, if it is a picture without loss that scanners write; raises FieldsRefused."""
    return Captured(item, print_type(item, content), content, method)
