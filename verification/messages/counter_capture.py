"""A capture at an office's counter before it is sealed: what officer, citizen and supervisor say of it."""

from __future__ import annotations

import re

import msgspec

from verification.messages.enrollment_packet import CaptureException, PrintedFormMark
from verification.messages.prints_taken import CaptureMethod
from verification.messages.slap_standing import SlapStanding

MAX_SIGNATURE_BYTES = 512 * 1024
"""A signature that was written on a screen; a larger picture is no such thing."""

MAX_SCAN_BYTES = 4 * 1024 * 1024
"""A scan of the signed page; a larger one is refused before it is looked at."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


class CitizenAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which language the citizen was told what is captured, and what they signed.

    Either ``signature``, as it was written on a screen (PNG), or ``scan``, the signed page of the form (PNG,
    JPEG or TIFF), which is judged. Of somebody who cannot sign the officer says so, and a supervisor answers.
    """

    language: str
    signature: bytes = b""
    scan: bytes = b""
    cannot_sign: bool = False


class CounterPrints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prints and slaps by item (PNG or WSQ, 500 ppi), taken by one method; photographs of hands (JPEG)."""

    prints: dict[str, bytes]
    capture_method: CaptureMethod = CaptureMethod.DEVICE


class PrintTried(msgspec.Struct, frozen=True):
    """The attempts of one finger, in NFIQ 2: all of them, the one that is kept, what it should be at least.

    ``code`` is what was wrong with the last one; ``left`` are the attempts until the best will do.
    """

    scores: tuple[int, ...]
    kept: int | None
    least: int
    code: str | None
    left: int


class CounterFinger(msgspec.Struct, frozen=True):
    """One finger: ``taken``, ``again``, ``best``, ``excused`` or ``missing``; ``reason`` is a code."""

    item: str
    state: str
    media_type: str | None = None
    reason: str | None = None
    tried: PrintTried | None = None

    @property
    def is_here(self) -> bool:
        """Whether it has a print."""
        return self.media_type is not None


class CounterScanner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the scanner at this counter takes several fingers at once."""

    takes_slaps: bool


class CounterPhoto(msgspec.Struct, frozen=True):
    """A photograph of a hand that is asked, and whether it is here."""

    item: str
    is_here: bool


class PaperMark(msgspec.Struct, frozen=True):
    """Under which limits the scan of the signed paper passed, and how like its least faithful print is."""

    limits: str
    likeness: float


class SupervisorAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a supervisor looked at: the form's hash, and why nothing is signed; without it, as it stands."""

    form: str | None = None
    unsigned: str | None = None


class CounterCapture(msgspec.Struct, frozen=True):
    """A capture as its officer and a supervisor see it; ``missing`` is what stands before its sealing.

    ``dossier`` is the returned one that it captures again, or what it became. ``exceptions`` are codes of
    the form for which a supervisor answers, ``print_reasons`` those of fingers and slaps. Lists tell no
    ``fingers``, ``slaps`` and ``hand_photos``. ``slap_scanner`` is None as long as nobody said which scanner
    is here. What was sealed or withdrawn names no person any more.
    """

    id: str
    state: str
    officer: str
    opened_at: str
    updated_at: str
    missing: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    print_reasons: tuple[CaptureException, ...] = ()
    fingers: tuple[CounterFinger, ...] = ()
    slaps: tuple[SlapStanding, ...] = ()
    hand_photos: tuple[CounterPhoto, ...] = ()
    slap_scanner: bool | None = None
    unit: str | None = None
    dossier: str | None = None
    citizen_number: str | None = None
    full_name: str | None = None
    form: PrintedFormMark | None = None
    language: str | None = None
    is_signed: bool = False
    paper: PaperMark | None = None
    unsigned: str | None = None
    answered_by: str | None = None


def is_language(text: str) -> bool:
    """Whether a text names a language (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None
