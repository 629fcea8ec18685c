"""The pictures of a form's pages: what they may be, and who may look at them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from issuance_backend.population_registry.dc01.domain import (
    Batch,
    BatchState,
    Form,
    FormState,
    Recheck,
    require_other,
)
from verification.errors import FieldsRefused, ImageUndecodable, LimitExceeded, TransitionRefused
from verification.lds.image_header import JPEG, PNG, image_kind, read_image_header
from verification.messages.dc01 import MAX_FORM_BYTES, MAX_PAGE_BYTES, MAX_PAGE_PIXELS, MIN_PAGE_SIDE

_ENDS = {JPEG: b"\xff\xd9", PNG: b"\x00\x00\x00\x00IEND\xaeB`\x82"}
"""End of image (ITU-T T.81, B.1.1.3); the last chunk (ISO/IEC 15948, 11.2.5)."""

_KEYED_IN = frozenset({BatchState.OPEN, BatchState.REJECTED})
_WAITING = frozenset({FormState.SCANNED, FormState.INDEXED, FormState.CONFLICT})
_VALUES_SHOWN = frozenset({FormState.AUTO_CHECKED, FormState.CONFLICT, FormState.CORRECTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPage:
    """One page as it is kept; without an ``address`` its time was over and its picture is erased."""

    form: str
    page: int
    sha256: str
    media_type: str
    address: str | None
    scanned_at: str


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page to be shown."""

    content: bytes
    media_type: str


def digest(content: bytes) -> str:
    """What a recorded event says of a page: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def require_pages(pages: Sequence[bytes]) -> list[str]:
    """The kind of each page by its first bytes; raises FieldsRefused, and reads nothing further."""
    kinds = [image_kind(page) for page in pages]
    if max(map(len, pages)) > MAX_PAGE_BYTES or sum(map(len, pages)) > MAX_FORM_BYTES:
        raise FieldsRefused({"pages": "DC01_SCAN_TOO_LARGE"})
    if not {JPEG, PNG}.issuperset(kinds):
        raise FieldsRefused({"pages": "DC01_SCAN_NO_PICTURE"})
    return [kind for kind in kinds if kind]


def require_legible(pages: Sequence[bytes]) -> None:
    """Look at the headers of pages that a scanner found clean; raises FieldsRefused. Nothing is decoded."""
    for page in pages:
        try:
            header = read_image_header(page, MAX_PAGE_PIXELS)
        except LimitExceeded:
            raise FieldsRefused({"pages": "DC01_SCAN_TOO_LARGE"}) from None
        except ImageUndecodable:
            raise FieldsRefused({"pages": "DC01_SCAN_NO_PICTURE"}) from None
        if not page.endswith(_ENDS[header.media_type]):
            # Cut off on its way, or something follows that no reader of pictures sees.
            raise FieldsRefused({"pages": "DC01_SCAN_NO_PICTURE"})
        if min(header.width, header.height) < MIN_PAGE_SIDE:
            raise FieldsRefused({"pages": "DC01_SCAN_TOO_COARSE"})


def require_keyed_in(batch: Batch | None) -> None:
    """Raise TransitionRefused for a batch whose forms nobody keys now."""
    if batch is not None and batch.state not in _KEYED_IN:
        raise TransitionRefused("the batch is closed")


def require_at_work(form: Form, batch: Batch | None, recheck: Recheck | None, officer: str) -> None:
    """Let pass whoever may do the form's next step; raises TransitionRefused and SameOfficer."""
    if form.state in {FormState.AUTO_CHECKED, FormState.BATCH_REJECTED}:
        require_keyed_in(batch)
    elif form.state is FormState.RECHECK_SAMPLED:
        if recheck is None or recheck.is_done:
            raise TransitionRefused("nobody has to look at the form now")
        require_other(officer, recheck.first_clerk, recheck.second_clerk)
    elif form.state is FormState.CORRECTION:
        require_other(officer, form.corrected_by)
    elif form.state not in _WAITING:
        raise TransitionRefused("nobody has to look at the form now")


def require_values_shown(form: Form, officer: str) -> None:
    """Let pass whoever goes on from what was keyed: nobody who keys blindly ever does.

    Raises TransitionRefused, for another clerk too while the sample may still be drawn.
    """
    if form.state not in _VALUES_SHOWN:
        raise TransitionRefused("nobody goes on from what was keyed now")
    if form.state is FormState.AUTO_CHECKED and form.keyed_by != officer:
        raise TransitionRefused("somebody else keyed it, and whoever keys it again keys it blindly")
