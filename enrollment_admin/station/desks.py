"""The officers' desks of one kit, whose gate knows the commune's extract that is here."""

from __future__ import annotations

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.gate import Declaration, GateAnswer, judge
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.refusals import ExtractMissing
from enrollment_admin.station.refused_packets import Refusal, RefusedPackets
from enrollment_admin.station.returns import Returns
from verification.errors import VerificationError
from verification.messages.commune_extract import CommuneExtract
from verification.messages.kit_returns import ReturnedCapture
from verification.messages.national_time import vietnam_date


class Desks:
    """An extract is opened once, and again when another was brought."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self._opened: tuple[int, CommuneExtract] | None = None

    def of(self, officer: str) -> CaptureDesk:
        """The desk of an officer."""
        return CaptureDesk(self.kit, officer, self._judged)

    def extract(self) -> CommuneExtract:
        """The extract that is here; raises ExtractMissing, and what an altered or old one is refused with."""
        brought = self.kit.extract_brought()
        if self._opened is None or self._opened[0] != brought:
            found = self.kit.extract()
            if found is None:
                raise ExtractMissing("no extract was ever brought")
            self._opened = (brought, found)
        return self._opened[1]

    def extract_or_fault(self) -> tuple[CommuneExtract | None, str | None]:
        """The extract for a page that shows it, or the code of why there is none."""
        try:
            return self.extract(), None
        except VerificationError as fault:
            return None, fault.code

    def returned_or_fault(self) -> tuple[tuple[ReturnedCapture, ...], str | None]:
        """What the centre returned, for a page that lists it, or the code of why none is listed."""
        try:
            return Returns(self.kit).standing(), None
        except VerificationError as fault:
            return (), fault.code

    def refused(self) -> tuple[Refusal, ...]:
        """What the centre refused and nobody has seen to."""
        return RefusedPackets(self.kit).standing()

    def see_to(self, packet: str, officer: str) -> None:
        """An officer told the citizen of a refused packet; raises RefusalUnknown."""
        RefusedPackets(self.kit).see_to(packet, officer)

    def _judged(self, declaration: Declaration) -> GateAnswer:
        return judge(declaration, self.extract(), vietnam_date(self.kit.clock()))
