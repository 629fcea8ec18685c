"""Right the first time: what is checked of a capture before the citizen leaves the counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from issuance_backend.dossiers import domain
from issuance_backend.dossiers.registry_client import Registry
from issuance_backend.refusals import RegistryPersonUnknown
from verification.errors import (
    CitizenNumberMalformed,
    FieldsRefused,
    ImageUndecodable,
    LimitExceeded,
    MalformedDocument,
)
from verification.identity.citizen_number import CitizenNumber
from verification.lds.dg2 import image_dimensions
from verification.messages.enrollment import (
    MAX_PORTRAIT_BYTES,
    DossierCapture,
    PersonExtract,
    PersonFields,
    PortraitCheck,
)

MIN_PORTRAIT_SIZE = (360, 480)
"""Width and height in pixels below which the chip's picture would be more guessed than taken."""

MIN_REASON_LENGTH = 15
MAX_REASON_LENGTH = 300
_HEADER_BYTES = 200_000


class PortraitJudge(Protocol):
    """Looks at a portrait; ``engine`` is None where only an officer can say whether it is good."""

    engine: str | None
    model_digests: tuple[str, ...]

    def faults(self, portrait: bytes) -> tuple[str, ...]:
        """Fault codes of a portrait that cannot go on a card, the most important first."""
        ...


@dataclass(frozen=True, slots=True)
class CheckedCapture:
    """A capture that may become a dossier."""

    citizen_number: str
    person: PersonFields
    portrait: bytes
    portrait_check: PortraitCheck


class CaptureChecks:
    """Asks the registry and the face engine; every fault is reported at once, beside its field."""

    def __init__(self, registry: Registry, judge: PortraitJudge) -> None:
        self._registry = registry
        self._judge = judge

    @property
    def portrait_engine(self) -> str | None:
        """Which engine judges portraits, if any."""
        return self._judge.engine

    def extract(self, citizen_number: str) -> PersonExtract:
        """The registry's entry; raises FieldsRefused on the number, RegistryUnavailable."""
        try:
            number = CitizenNumber(citizen_number)
            extract = self._registry.extract(str(number))
        except (CitizenNumberMalformed, RegistryPersonUnknown) as fault:
            raise FieldsRefused({"citizen_number": fault.code}) from None
        if extract.life_status != "alive":
            raise FieldsRefused({"citizen_number": "REGISTRY_PERSON_NOT_ALIVE"})
        return extract

    def check(self, capture: DossierCapture) -> CheckedCapture:
        """The capture in one form, with who judged the portrait; raises FieldsRefused."""
        extract = self.extract(capture.citizen_number)
        person = domain.normalised(capture.person)
        registered = domain.normalised(extract.person)
        faults = {**domain.registry_faults(person, registered), **domain.field_faults(person)}
        fault = portrait_fault(capture.portrait) or next(iter(self._judge.faults(capture.portrait)), None)
        if fault is not None:
            faults["portrait"] = fault
        reason = " ".join((capture.manual_portrait_reason or "").split())
        if self._judge.engine is None and not MIN_REASON_LENGTH <= len(reason) <= MAX_REASON_LENGTH:
            faults["manual_portrait_reason"] = "PORTRAIT_REASON_NEEDED"
        if faults:
            raise FieldsRefused(faults)
        return CheckedCapture(extract.citizen_number, person, capture.portrait, self._portrait_check(reason))

    def _portrait_check(self, reason: str) -> PortraitCheck:
        if self._judge.engine is None:
            return PortraitCheck(method="manual", reason=reason)
        return PortraitCheck(
            method="engine", engine=self._judge.engine, model_digests=self._judge.model_digests
        )


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
