"""The packaged forms (``form_editions.json``), each with its circular, its days and where it was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from importlib import resources

import msgspec

from issuance_backend.dossiers.forms.domain import (
    DOSSIER_USE,
    FormCatalogue,
    Requirements,
    overlapping,
    requirements,
)
from issuance_backend.refusals import FormUnknown
from monitoring.environment import ConfigurationFault
from verification.messages.forms import FormEdition
from verification.messages.national_time import vietnam_date


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    editions: tuple[FormEdition, ...]


@cache
def packaged_forms() -> FormCatalogue:
    """The forms that come with this program."""
    return read_forms((resources.files(__package__) / "form_editions.json").read_bytes())


def forms_used(moment: datetime) -> dict[str, str]:
    """What a capture of that moment records about its forms."""
    return dict(_used_on(vietnam_date(moment)))


def capture_form(day: date) -> FormEdition:
    """The form of a day that shows what was captured, and that the citizen signs; raises FormUnknown."""
    used = (each for each in packaged_forms().in_force(day) if each.use == DOSSIER_USE)
    found = next((each for each in used if each.layout.fingerprints), None)
    if found is None:
        raise FormUnknown("no form of a capture on this day")
    return found


def is_dossier_form(code: str, day: date) -> bool:
    """Whether a form of this code goes with a dossier that is captured on a day."""
    return any(each.code == code and each.use == DOSSIER_USE for each in packaged_forms().in_force(day))


@lru_cache(maxsize=8)
def required_on(day: date) -> Requirements:
    """What a dossier that is captured on a day must have."""
    return requirements(each for each in packaged_forms().in_force(day) if each.use == DOSSIER_USE)


@lru_cache(maxsize=8)
def _used_on(day: date) -> Mapping[str, str]:
    return packaged_forms().step_detail(day)


def read_forms(content: bytes) -> FormCatalogue:
    """A file of forms; raises ConfigurationFault where one day would have two editions of a code."""
    try:
        read = msgspec.json.decode(content, type=_Content)
    except msgspec.DecodeError as fault:
        raise ConfigurationFault(f"forms: {fault}") from None
    twice = overlapping(read.editions)
    if twice:
        raise ConfigurationFault(f"forms: two editions at once of {', '.join(twice)}")
    return FormCatalogue(read.version, read.editions)
