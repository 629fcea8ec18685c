"""What the reader did with the card, and the steps that need the card to stay on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reader_agent.session.counter_session import Portrait
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.keys import AccessSecret
from verification.chip.reading import AccessResult, DocumentReader, ReadPolicy
from verification.errors import (
    ActiveAuthenticationFailed,
    ChipAuthenticationUnsupported,
    MalformedDocument,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.iso7816.transport import CardTransport
from verification.lds.dg2 import parse_dg2
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_dg14

NOT_OFFERED = CheckResult(Outcome.NOT_SUPPORTED)
ShowProgress = Callable[[str, int, int], None]

AA_CHALLENGE_BYTES = 8
"""ICAO 9303-11, 6.1: RND.IFD of INTERNAL AUTHENTICATE."""


@dataclass(slots=True)
class CardReading:
    """Files as read, how the chip was opened, and how the checks that need the chip itself ended."""

    files: Mapping[LdsFile, bytes]
    access: AccessResult
    locked: tuple[LdsFile, ...] = ()
    chip_authentication: CheckResult = field(default=CheckResult(Outcome.UNDETERMINED))
    active_authentication: CheckResult = field(default=CheckResult(Outcome.UNDETERMINED))

    @property
    def access_result(self) -> CheckResult:
        """Access control as a line of the inspection report."""
        if self.access.downgraded:
            return CheckResult(Outcome.FAILED, "ACCESS_CONTROL_DOWNGRADED")
        return PASSED

    @property
    def offers_chip_authentication(self) -> bool:
        """Whether DG14 names a chip authentication key."""
        dg14 = self.files.get(LdsFile.DG14)
        if dg14 is None:
            return False
        try:
            return bool(parse_dg14(dg14).chip_authentication_keys)
        except MalformedDocument:
            # The inspection says what is wrong with it; a chip proof cannot be built on it.
            return False

    @property
    def offers_active_authentication(self) -> bool:
        """Whether DG15 was read."""
        return LdsFile.DG15 in self.files

    @property
    def portrait(self) -> Portrait | None:
        """The first portrait in DG2; None when there is none or it cannot be read."""
        dg2 = self.files.get(LdsFile.DG2)
        if dg2 is None:
            return None
        try:
            portrait = parse_dg2(dg2).portraits[0]
        except (MalformedDocument, IndexError):
            return None
        return Portrait(portrait.image, portrait.media_type)


class ChipDesk:
    """One opened card: reading, then the checks that need it live."""

    def __init__(
        self,
        transport: CardTransport,
        random: Callable[[int], bytes],
        show: ShowProgress = lambda _step, _done, _total: None,
        *,
        policy: ReadPolicy | None = None,
    ) -> None:
        self._random = random
        self.reader = DocumentReader(
            transport, random, policy=policy, on_progress=lambda p: show(p.step, p.done, p.total)
        )

    def read(self, secret: AccessSecret) -> CardReading:
        """Open the chip and read every file it gives.

        Raises AccessDenied, CardCommunication, MalformedDocument.
        """
        access = self.reader.open(secret)
        files = self.reader.read_files()
        # DG14 may show that the chip hid PACE when it was opened: only the reader's last word counts.
        access = self.reader.access or access
        return CardReading(files=files, access=access, locked=tuple(self.reader.locked))

    def prove_actively(self, reading: CardReading, challenge: bytes | None = None) -> bytes | None:
        """Have the chip sign ``challenge`` (fresh when None), note how that ended, return the signature."""
        dg15 = reading.files.get(LdsFile.DG15)
        if dg15 is None:
            reading.active_authentication = NOT_OFFERED
            return None
        used = challenge if challenge is not None else self._random(AA_CHALLENGE_BYTES)
        signature: bytes | None = None
        try:
            signature = self.reader.sign_challenge(used)
            verify_active_authentication(dg15, used, signature, dg14=reading.files.get(LdsFile.DG14))
        except UnexpectedStatusWord:
            # A chip that shows DG15 and will not sign is what a copy without the key looks like.
            reading.active_authentication = CheckResult(Outcome.FAILED, ActiveAuthenticationFailed.code)
        except VerificationError as error:
            reading.active_authentication = _failed_check(error)
        else:
            reading.active_authentication = PASSED
        return signature

    def prove_locally(self, reading: CardReading) -> None:
        """Chip authentication with this counter's own key, where no gateway does it."""
        if not reading.offers_chip_authentication:
            reading.chip_authentication = NOT_OFFERED
            return
        try:
            self.reader.authenticate_chip(reading.files[LdsFile.DG14])
        except ChipAuthenticationUnsupported:
            reading.chip_authentication = NOT_OFFERED
        except VerificationError as error:
            reading.chip_authentication = _failed_check(error)
        else:
            reading.chip_authentication = PASSED


def _failed_check(error: VerificationError) -> CheckResult:
    """An error as the outcome of the check that it ended; a lost card is not a fake one."""
    if error.retryable:
        raise error
    return CheckResult(Outcome.FAILED, error.code)
