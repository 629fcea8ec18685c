"""Prints that were chosen on a page, finger by finger or as a scanner's files, and photographs of hands."""

from __future__ import annotations

from werkzeug.datastructures import FileStorage, MultiDict

from verification.capture_form.scanned_prints import finger_of
from verification.errors import FieldsRefused
from verification.messages.asked_prints import FINGER_ITEMS, FINGERPRINTS, SLAP_ITEMS
from verification.messages.hand_photos import HAND_PHOTOS
from verification.messages.prints_taken import CaptureMethod

_FIELDS = (*FINGER_ITEMS, *SLAP_ITEMS, *HAND_PHOTOS)


def chosen_prints(files: MultiDict[str, FileStorage], method: str) -> tuple[dict[str, bytes], CaptureMethod]:
    """What was chosen by item, and by what it was taken; raises FieldsRefused where nothing was."""
    chosen = {item: files[item].read() for item in _FIELDS if item in files}
    for upload in files.getlist(FINGERPRINTS):
        if upload.filename:
            chosen[finger_of(upload.filename)] = upload.read()
    taken = {item: content for item, content in chosen.items() if content}
    if not taken:
        raise FieldsRefused({FINGERPRINTS: "FIELD_MISSING"})
    is_ink = method == CaptureMethod.INK_RESCAN
    return taken, CaptureMethod.INK_RESCAN if is_ink else CaptureMethod.DEVICE
