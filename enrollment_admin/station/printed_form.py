"""The form that a kit prints, in the type of its machine."""

from __future__ import annotations

from enrollment_admin.station.printed_type import BOLD, PLAIN, register_type
from verification.capture_form import filled_form
from verification.capture_form.filled_form import FilledForm, Fonts, form_values
from verification.fingerprint.printed_form import Accepted

__all__ = ["FilledForm", "form_values", "render_form"]


def render_form(filled: FilledForm, accepted: Accepted) -> bytes:
    """As ``verification.capture_form`` does; raises FontMissing too."""
    register_type()
    return filled_form.render_form(filled, accepted, Fonts(PLAIN, BOLD))
