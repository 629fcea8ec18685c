"""What an officer typed and chose on the capture page."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from werkzeug.datastructures import FileStorage, MultiDict

from enrollment_admin.terms_form import TERMS_FIELDS, read_terms
from verification.messages.enrollment import DossierCapture, PersonExtract

EDITABLE = ("place_of_residence", "identification")
"""The rest is the registry's: who finds it wrong has the registry corrected first."""


@dataclass(frozen=True, slots=True)
class CaptureForm:
    """One capture in the making, begun when its page was opened; ``typed`` holds what the form carried."""

    capture_id: str
    citizen_number: str
    typed: dict[str, str]
    portrait: bytes
    reason: str
    exceptions: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    begun_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def of(cls, extract: PersonExtract) -> CaptureForm:
        """A fresh form, filled in from the registry."""
        typed = {name: getattr(extract.person, name) for name in EDITABLE}
        return cls(secrets.token_urlsafe(24), extract.citizen_number, typed, b"", "")

    @property
    def portrait_text(self) -> str:
        """The chosen picture as the page keeps it while another field is corrected."""
        return base64.b64encode(self.portrait).decode("ascii")

    def message(self, extract: PersonExtract, *, is_first: bool) -> DossierCapture:
        """The capture to send: the registry's particulars with what was typed over them.

        A first one states its terms; raises FieldsRefused where it does not.
        """
        return DossierCapture(
            capture_id=self.capture_id,
            citizen_number=self.citizen_number,
            person=msgspec.structs.replace(extract.person, **self.typed),
            portrait=self.portrait,
            manual_portrait_reason=self.reason or None,
            exceptions=self.exceptions,
            begun_at=self.begun_at or None,
            terms=read_terms(self.terms) if is_first else msgspec.UNSET,
        )


def read_form(fields: MultiDict[str, str], files: Mapping[str, FileStorage]) -> CaptureForm:
    """The form as it was sent; a picture chosen now comes before one kept from last time."""
    return CaptureForm(
        capture_id=fields.get("capture_id") or secrets.token_urlsafe(24),
        citizen_number="".join(fields.get("citizen_number", "").split()),
        typed={name: fields[name] for name in EDITABLE if name in fields},
        portrait=_chosen(files) or _kept(fields.get("portrait_kept", "")),
        reason=fields.get("manual_portrait_reason", "").strip(),
        exceptions=tuple(fields.getlist("exceptions")),
        terms={name: fields[name] for name in TERMS_FIELDS if name in fields},
        begun_at=fields.get("begun_at", ""),
    )


def _chosen(files: Mapping[str, FileStorage]) -> bytes:
    upload = files.get("portrait")
    return upload.read() if upload else b""


def _kept(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
