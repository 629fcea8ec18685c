"""Right the first time: what is checked of a capture before the citizen leaves the counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Protocol

from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.dossiers import particulars
from issuance_backend.dossiers.forms.catalogue import required_on
from issuance_backend.dossiers.registry_client import Registry
from issuance_backend.refusals import HolderNotRegistered, RegistryPersonUnknown
from verification.errors import (
    CitizenNumberMalformed,
    FieldsRefused,
    ImageUndecodable,
    LimitExceeded,
    MalformedDocument,
)
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.nbis_engine import NbisEngine
from verification.identity.citizen_number import CitizenNumber
from verification.lds.dg2 import image_dimensions
from verification.messages.enrollment import (
    MAX_PORTRAIT_BYTES,
    DossierCapture,
    PersonExtract,
    PersonFields,
    PortraitCheck,
)
from verification.messages.person_match import MatchAnswer
from verification.messages.registry_access import Purpose

MIN_PORTRAIT_SIZE = (360, 480)
"""Width and height in pixels below which the chip's picture would be more guessed than taken."""

MIN_REASON_LENGTH = 15
MAX_REASON_LENGTH = 300
_HEADER_BYTES = 200_000
NONE_BESIDES: Mapping[str, str] = MappingProxyType({})


class PortraitJudge(Protocol):
    """Looks at a portrait; ``engine`` is None where only an officer can say whether it is good."""

    engine: str | None
    model_digests: tuple[str, ...]

    def faults(self, portrait: bytes) -> tuple[str, ...]:
        """Fault codes of a portrait that cannot go on a card, the most important first."""
        ...


@dataclass(frozen=True, slots=True)
class CheckedCapture:
    """A capture that may become a dossier.

    ``candidates`` is how many others in the registry are likely the same person, out of everybody where
    ``all_compared``; a capture with faults is not compared.
    """

    citizen_number: str
    person: PersonFields
    portrait: bytes
    portrait_check: PortraitCheck
    candidates: int = 0
    all_compared: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A capture in one form, and what is wrong with it by field."""

    checked: CheckedCapture
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class StandingCapture:
    """What a returned dossier consists of, and the items that may change."""

    citizen_number: str
    person: PersonFields
    portrait: bytes
    portrait_check: PortraitCheck
    returned: tuple[str, ...]


@cache
def installed_fingers() -> FingerEngine:
    """The engine that reads prints here, loaded when the first is taken."""
    return NbisEngine()


class CaptureChecks:
    """Asks the registry and the face engine; every fault is reported at once, beside its field."""

    def __init__(
        self,
        registry: Registry,
        judge: PortraitJudge,
        scanner: ContentScanner = UNSCANNED,
        fingers: Callable[[], FingerEngine] = installed_fingers,
    ) -> None:
        self._registry = registry
        self._judge = judge
        self._scanner = scanner
        self.fingers = fingers

    @property
    def portrait_engine(self) -> str | None:
        """Which engine judges portraits, if any."""
        return self._judge.engine

    def extract(self, citizen_number: str, purpose: Purpose = Purpose.CAPTURE) -> PersonExtract:
        """The registry's entry; raises FieldsRefused on the number, RegistryUnavailable."""
        try:
            number = CitizenNumber(citizen_number)
            extract = self._registry.extract(str(number), purpose)
        except (CitizenNumberMalformed, RegistryPersonUnknown) as fault:
            raise FieldsRefused({"citizen_number": fault.code}) from None
        if extract.life_status != "alive":
            raise FieldsRefused({"citizen_number": "REGISTRY_PERSON_NOT_ALIVE"})
        return extract

    def require_holder(self, citizen_number: str) -> None:
        """Raise HolderNotRegistered unless somebody who lives has this very number, now that the centre
        approves; RegistryUnavailable.
        """
        try:
            extract = self.extract(citizen_number, Purpose.CENTRAL_APPROVAL)
        except FieldsRefused as fault:
            raise HolderNotRegistered(fault.fields["citizen_number"]) from None
        if extract.citizen_number != citizen_number:
            raise HolderNotRegistered("the number was merged into another")

    def candidates(self, person: PersonFields, citizen_number: str) -> MatchAnswer:
        """As ``Registry`` does."""
        return self._registry.candidates(person, citizen_number)

    def require_clean(self, capture: DossierCapture) -> None:
        """As ``ContentScanner`` does, for what an officer sends."""
        self._scanner.require_clean([capture.portrait])

    def require_clean_scan(self, content: bytes) -> None:
        """The same for a print, or a scan of a signed page."""
        self._scanner.require_clean([content])

    def check(
        self, capture: DossierCapture, day: date, besides: Mapping[str, str] = NONE_BESIDES
    ) -> CheckedCapture:
        """The capture in one form, with who judged the portrait; raises FieldsRefused.

        ``day`` is when it was captured: the forms of that day say what must be there. ``besides`` are faults
        that were found elsewhere.
        """
        examined = self.examine(capture, day)
        return _faultless(replace(examined, faults={**examined.faults, **besides}))

    def examine(self, capture: DossierCapture, day: date) -> Examined:
        """The capture in one form with every fault that was found; raises RegistryUnavailable.

        Where none was, the registry is asked who else is likely meant.
        """
        return self._compared(self._judged(capture, day))

    def _judged(self, capture: DossierCapture, day: date) -> Examined:
        try:
            faults = self._text_faults(capture, day)
        except FieldsRefused as refused:
            faults = dict(refused.fields)
        fault = portrait_fault(capture.portrait) or next(iter(self._judge.faults(capture.portrait)), None)
        if fault is not None:
            faults["portrait"] = fault
        reason = " ".join((capture.manual_portrait_reason or "").split())
        if self._judge.engine is None and not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
            faults["manual_portrait_reason"] = "PORTRAIT_REASON_NEEDED"
        person = particulars.normalised(capture.person)
        checked = CheckedCapture(
            capture.citizen_number, person, capture.portrait, self._portrait_check(reason)
        )
        return Examined(checked, faults)

    def check_again(self, capture: DossierCapture, standing: StandingCapture, day: date) -> CheckedCapture:
        """A capture of what was returned and nothing else; raises as ``check`` does."""
        return _faultless(self.examine_again(capture, standing, day))

    def examine_again(self, capture: DossierCapture, standing: StandingCapture, day: date) -> Examined:
        """As ``examine`` does; what was not returned must be what stands, and is not judged again."""
        if "portrait" in standing.returned:
            found = self._judged(capture, day)
            checked, faults = found.checked, dict(found.faults)
        else:
            faults = self._text_faults(capture, day)
            if capture.portrait not in {b"", standing.portrait}:
                faults["portrait"] = "ITEM_NOT_RETURNED"
            person = particulars.normalised(capture.person)
            checked = CheckedCapture(
                capture.citizen_number, person, standing.portrait, standing.portrait_check
            )
        # What was left out with an exception stays out, unless it is what was sent back.
        may_change = particulars.fields_of(standing.returned)
        faults = {
            name: code for name, code in faults.items() if code != "FIELD_MISSING" or name in may_change
        }
        faults |= particulars.unreturned_faults(checked.person, standing.person, standing.returned)
        if capture.citizen_number != standing.citizen_number:
            faults["citizen_number"] = "FIELD_NOT_AS_REGISTERED"
        return self._compared(Examined(checked, faults))

    def _compared(self, examined: Examined) -> Examined:
        if examined.faults:
            return examined
        checked = examined.checked
        found = self.candidates(checked.person, checked.citizen_number)
        compared = replace(checked, candidates=len(found.candidates), all_compared=found.complete)
        return replace(examined, checked=compared)

    def _text_faults(self, capture: DossierCapture, day: date) -> dict[str, str]:
        extract = self.extract(capture.citizen_number)
        person = particulars.normalised(capture.person)
        registered = particulars.normalised(extract.person)
        required = required_on(day)
        values = particulars.form_values(person, capture.citizen_number, day)
        # A number that was merged leads to another entry: nobody applies under a second number.
        alias = extract.citizen_number != capture.citizen_number
        return {
            **({"citizen_number": "FIELD_NOT_AS_REGISTERED"} if alias else {}),
            **particulars.registry_faults(person, registered),
            **particulars.field_faults(person, required.excused(capture.exceptions)),
            **required.faults(values, capture.exceptions),
        }

    def _portrait_check(self, reason: str) -> PortraitCheck:
        if self._judge.engine is None:
            return PortraitCheck(method="manual", reason=reason)
        return PortraitCheck(
            method="engine", engine=self._judge.engine, model_digests=self._judge.model_digests
        )


def _faultless(examined: Examined) -> CheckedCapture:
    if examined.faults:
        raise FieldsRefused(examined.faults)
    return examined.checked


def portrait_fault(portrait: bytes) -> str | None:
    """The fault code of bytes that are no JPEG of card quality; only the header is looked at."""
    if not portrait:
        return "PORTRAIT_MISSING"
    if len(portrait) > MAX_PORTRAIT_BYTES:
        return "PORTRAIT_TOO_LARGE"
    if not portrait.startswith(b"\xff\xd8\xff"):
        return "PORTRAIT_NOT_JPEG"
    try:
        # A JPEG states its size ahead of the picture; the check itself takes only chip-sized images.
        width, height = image_dimensions(portrait[:_HEADER_BYTES])
    except LimitExceeded:
        return "PORTRAIT_TOO_LARGE"
    except MalformedDocument:
        return ImageUndecodable.code
    return "PORTRAIT_TOO_SMALL" if width < MIN_PORTRAIT_SIZE[0] or height < MIN_PORTRAIT_SIZE[1] else None
