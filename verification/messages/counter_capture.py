"""A capture at an office's counter before it is sealed: what officer, citizen and supervisor say of it."""

from __future__ import annotations

import re

import msgspec

from verification.messages.enrollment_packet import PrintedFormMark

MAX_SIGNATURE_BYTES = 4 * 1024 * 1024
"""A scan of a signed page; a larger one is refused before it is looked at."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


class CitizenAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which language the citizen was told what is captured, and what they signed (PNG or JPEG).

    Of somebody who cannot sign the officer says so, and a supervisor answers for it.
    """

    language: str
    signature: bytes = b""
    cannot_sign: bool = False


class SupervisorAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a supervisor looked at: the form's hash, and why nothing is signed; without it, as it stands."""

    form: str | None = None
    unsigned: str | None = None


class CounterCapture(msgspec.Struct, frozen=True):
    """A capture as its officer and a supervisor see it; ``missing`` is what stands before its sealing.

    ``dossier`` is the returned one that it captures again, or what it became. ``exceptions`` are codes of
    the form for which a supervisor answers. What was sealed or withdrawn names no person any more.
    """

    id: str
    state: str
    officer: str
    opened_at: str
    updated_at: str
    missing: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    unit: str | None = None
    dossier: str | None = None
    citizen_number: str | None = None
    full_name: str | None = None
    form: PrintedFormMark | None = None
    language: str | None = None
    is_signed: bool = False
    unsigned: str | None = None
    answered_by: str | None = None


def is_language(text: str) -> bool:
    """Whether a text names a language (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None
