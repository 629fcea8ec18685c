"""What the reader did with the card, and the steps that need the card to stay on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reader_agent.session.counter_session import Portrait
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.card_types import CardTypeMemory
from verification.chip.keys import AccessSecret
from verification.chip.pace_mapping import ChipMapping
from verification.chip.reading import AccessResult, DocumentReader, ReadPolicy
from verification.errors import (
    ActiveAuthenticationFailed,
    ChipAuthenticationFailed,
    ChipAuthenticationUnsupported,
    MalformedDocument,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.iso7816.transport import CardTransport
from verification.lds.card_security import parse_card_security
from verification.lds.dg2 import parse_dg2
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_dg14
from verification.lds.security_object import parse_security_object

NOT_OFFERED = CheckResult(Outcome.NOT_SUPPORTED)
ShowProgress = Callable[[str, int, int], None]

AA_CHALLENGE_BYTES = 8
"""ICAO 9303-11, 6.1: RND.IFD of INTERNAL AUTHENTICATE."""


@dataclass(slots=True)
class CardReading:
    """Files as read, how the chip was opened, and how the checks that need the chip itself ended.

    ``missing`` are the files that the chip was asked for and says it does not have.
    ``chip_authentication_mapping`` is None where PACE ran with another mapping; that the key it
    proves is the issuer's is for the inspection of EF.CardSecurity to say.
    """

    files: Mapping[LdsFile, bytes]
    access: AccessResult
    locked: tuple[LdsFile, ...] = ()
    missing: tuple[LdsFile, ...] = ()
    chip_authentication_mapping: CheckResult | None = None
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

    def withholds(self, file: LdsFile) -> bool:
        """Whether the chip was asked for a file that the issuer signed and does not give it."""
        if file not in (*self.locked, *self.missing):
            return False
        try:
            return file in parse_security_object(self.files[LdsFile.SOD]).hashes
        except (KeyError, MalformedDocument):
            return False  # the inspection refuses a card without a list of its files

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
        memory: CardTypeMemory | None = None,
    ) -> None:
        self._random = random
        self.reader = DocumentReader(
            transport,
            random,
            policy=policy,
            memory=memory,
            on_progress=lambda p: show(p.step, p.done, p.total),
        )

    def read(self, secret: AccessSecret) -> CardReading:
        """Open the chip and read every file it gives.

        Raises AccessDenied, CardCommunication, MalformedDocument.
        """
        access = self.reader.open(secret)
        files = self.reader.read_files()
        # DG14 may show that the chip hid PACE when it was opened: only the reader's last word counts.
        access = self.reader.access or access
        reading = CardReading(
            files=files,
            access=access,
            locked=tuple(self.reader.locked),
            missing=tuple(self.reader.missing),
        )
        if access.method == "PACE-CAM":
            card_security = files.get(LdsFile.CARD_SECURITY)
            reading.chip_authentication_mapping = _mapping_proof(self.reader.chip_mapping, card_security)
        return reading

    def prove_actively(self, reading: CardReading, challenge: bytes | None = None) -> bytes | None:
        """Have the chip sign ``challenge`` (fresh when None), note how that ended, return the signature."""
        dg15 = reading.files.get(LdsFile.DG15)
        if dg15 is None:
            reading.active_authentication = _without_key(reading, LdsFile.DG15, ActiveAuthenticationFailed)
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
            reading.chip_authentication = _without_key(reading, LdsFile.DG14, ChipAuthenticationFailed)
            return
        try:
            self.reader.authenticate_chip(reading.files[LdsFile.DG14])
        except ChipAuthenticationUnsupported:
            reading.chip_authentication = NOT_OFFERED
        except VerificationError as error:
            reading.chip_authentication = _failed_check(error)
        else:
            reading.chip_authentication = PASSED


def _without_key(reading: CardReading, file: LdsFile, fault: type[VerificationError]) -> CheckResult:
    """How a proof ends whose key was not read.

    A copy of the files has no private key. It must not get round the proof by keeping back the file
    with the public one: EF.SOD, which it cannot alter, says that a genuine chip has that file.
    """
    return CheckResult(Outcome.FAILED, fault.code) if reading.withholds(file) else NOT_OFFERED


def _mapping_proof(mapping: ChipMapping | None, card_security: bytes | None) -> CheckResult:
    """Whether the chip holds the key in EF.CardSecurity that it mapped the nonce with."""
    try:
        if mapping is None or card_security is None:
            raise ChipAuthenticationFailed("the chip shows no key for its mapping")
        mapping.verify(parse_card_security(card_security).security_infos)
    except VerificationError as error:
        return _failed_check(error)
    return PASSED


def _failed_check(error: VerificationError) -> CheckResult:
    """An error as the outcome of the check that it ended; a lost card is not a fake one."""
    if error.retryable:
        raise error
    return CheckResult(Outcome.FAILED, error.code)
