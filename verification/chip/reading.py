"""The steps of reading a chip, in their order (ICAO 9303-11, 3 and 4).

Nothing read here is judged: inspection does that over the files as they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from verification.chip import bac, chip_authentication, pace
from verification.chip.file_reading import FileReader, Progress
from verification.chip.keys import AccessSecret, MrzKey
from verification.errors import (
    AccessControlDowngraded,
    AccessControlUnsupported,
    AccessDenied,
    ChipAuthenticationFailed,
    FileLocked,
    MalformedDocument,
    MrzNeeded,
    SecureMessagingFailed,
    UnexpectedStatusWord,
)
from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    CommandApdu,
    internal_authenticate,
    select_application,
    select_master_file,
)
from verification.iso7816.transport import CardTransport
from verification.lds.common_data import parse_common_data
from verification.lds.files import LdsFile
from verification.lds.security_infos import SecurityInfos, parse_card_access, parse_dg14

__all__ = ["AccessMethod", "AccessResult", "DocumentReader", "Progress", "ReadPolicy"]

EMRTD_APPLICATION = bytes.fromhex("A0000002471001")

AccessMethod = Literal["PACE-GM", "PACE-IM", "PACE-CAM", "BAC"]

# A portrait is the longest file and comes last, so that camera and registry run meanwhile;
# fingerprints and irises are closed without terminal authentication, and asking for a closed
# file ends the session on some chips.
_AFTER_EVERYTHING = (LdsFile.DG3, LdsFile.DG4)
_FIRST_GROUPS = (LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)
_LONG_SIGNATURE = 1024
_NEEDED = frozenset({LdsFile.SOD, LdsFile.DG1})
_LOCKED = frozenset({status_word.SECURITY_STATUS_NOT_SATISFIED, status_word.CONDITIONS_NOT_SATISFIED})


@dataclass(frozen=True, slots=True)
class AccessResult:
    """How the chip was opened; ``downgraded`` is BAC although the chip offers PACE."""

    method: AccessMethod
    downgraded: bool = False


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """What a reading may do.

    ``files`` are the files to read; None reads EF.SOD and whatever EF.COM lists.
    ``max_le`` is the first READ BINARY size to try; above 256 it asks for extended length.
    ``allow_bac_fallback`` lets BAC follow a failed PACE; the result then says so.
    """

    allow_bac_fallback: bool = False
    files: tuple[LdsFile, ...] | None = None
    max_le: int = 0xDF


class _Offer(NamedTuple):
    """EF.CardAccess: what the chip says before access; ``infos`` is None where there is no PACE."""

    encoded: bytes | None
    infos: SecurityInfos | None


class DocumentReader:
    """One card on one reader, from the first command to the last.

    Faults of the transport pass every method unchanged. ``locked`` are the files that the chip
    kept closed, ``missing`` those that EF.COM lists and the chip does not have.
    """

    def __init__(
        self,
        transport: CardTransport,
        random: Callable[[int], bytes],
        *,
        policy: ReadPolicy | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.channel = Channel(transport)
        self.access: AccessResult | None = None
        self.locked: list[LdsFile] = []
        self.missing: list[LdsFile] = []
        self._random = random
        self._policy = policy or ReadPolicy()
        self._on_progress = on_progress
        self._secret: AccessSecret | None = None
        self._offer = _Offer(None, None)
        self._files = FileReader(self.channel, self._policy.max_le, self._revive, on_progress)

    def open(self, secret: AccessSecret) -> AccessResult:
        """Open the chip: PACE where it is offered, else BAC.

        Raises AccessSecretWrong, MrzNeeded where a CAN cannot open this chip,
        AccessControlUnsupported, and AccessControlDowngraded where PACE is offered and fails
        while the policy forbids BAC instead.
        """
        self._on_progress(Progress("access", 0, 1))
        self._secret, self.access = secret, None
        self._offer = self._read_card_access()
        self.access = self._open_session(secret)
        self._on_progress(Progress("access", 1, 1))
        return self.access

    def read_files(self) -> dict[LdsFile, bytes]:
        """Every file of the policy that the chip has and gives, whole and unchanged.

        Raises FileLocked where EF.SOD or DG1 stay closed, AccessControlDowngraded where DG14
        lists PACE that the chip hid when it was opened, LimitExceeded or MalformedDocument for
        a file whose stated length is impossible.
        """
        self._revive_if_lost()
        self.locked.clear()
        self.missing.clear()
        files = {LdsFile.CARD_ACCESS: self._offer.encoded} if self._offer.encoded else {}
        for file in self._files_before_groups():
            self._read_into(files, file)
        for file in self._groups(files.get(LdsFile.COM)):
            self._read_into(files, file)
            if file is LdsFile.DG14 and file in files:
                self._require_no_hidden_pace(files[file])
        return files

    def authenticate_chip(self, dg14: bytes) -> None:
        """Prove here that the chip holds the key to DG14; later commands use the new session.

        Raises ChipAuthenticationFailed, ChipAuthenticationUnsupported, MalformedDocument.
        """
        self._revive_if_lost()
        chip_authentication.authenticate(self.channel, dg14, self._random)

    def sign_challenge(self, challenge: bytes) -> bytes:
        """The chip's active authentication signature over eight octets; raises UnexpectedStatusWord."""
        self._revive_if_lost()
        try:
            return self.channel.send(internal_authenticate(challenge))
        except UnexpectedStatusWord as refusal:
            if refusal.status_word != status_word.WRONG_LENGTH:
                raise
        # Signatures of long RSA keys need extended length on chips without GET RESPONSE.
        self._revive_if_lost()
        return self.channel.send(internal_authenticate(challenge, _LONG_SIGNATURE))

    def relay(self, agent_wrapped: Sequence[bytes], relayed: Sequence[bytes]) -> tuple[bytes, ...]:
        """Run a chip authentication that somebody else holds; the answers to ``relayed``.

        ``agent_wrapped`` go in our own session, ``relayed`` as they are; the session is over
        afterwards. Raises ChipAuthenticationFailed where the chip refuses one of the former,
        MalformedDocument for octets that are no command.
        """
        self._revive_if_lost()
        for encoded in agent_wrapped:
            command = _parse_command(encoded)
            try:
                _, status = self.channel.exchange(command)
            except SecureMessagingFailed:
                raise ChipAuthenticationFailed(f"{command.name}: the answer is not protected") from None
            if status != status_word.SUCCESS:
                raise ChipAuthenticationFailed(f"{command.name}: status word {status:04X}")
        self._end_session()
        return tuple(self.channel.transmit_raw(encoded) for encoded in relayed)

    # -- access ---------------------------------------------------------------------------

    def _read_card_access(self) -> _Offer:
        """EF.CardAccess in plain; a chip without it offers no PACE."""
        self.channel.secure(None)
        # Refused with many a status word by chips that answer the next command well.
        self.channel.exchange(select_master_file())
        try:
            encoded = self._files.read(LdsFile.CARD_ACCESS)
        except UnexpectedStatusWord:
            return _Offer(None, None)
        infos = parse_card_access(encoded)
        return _Offer(encoded, infos if infos.pace else None)

    def _open_session(self, secret: AccessSecret) -> AccessResult:
        self.channel.secure(None)
        if self._offer.infos is None:
            return self._open_with_bac(secret, downgraded=False)
        protocol = pace.choose_protocol(self._offer.infos.pace)
        if protocol is None:
            if self._may_fall_back(secret):
                return self._open_with_bac(secret, downgraded=True)
            raise AccessControlUnsupported("the chip offers only PACE that is not spoken here")
        try:
            self.channel.secure(pace.establish(self.channel, protocol, secret, self._random))
        except (UnexpectedStatusWord, MalformedDocument) as fault:
            if self._may_fall_back(secret):
                return self._open_with_bac(secret, downgraded=True)
            if isinstance(secret, MrzKey):
                raise AccessControlDowngraded("PACE is offered and fails; BAC is not permitted") from fault
            raise
        self.channel.send(select_application(EMRTD_APPLICATION))
        return AccessResult("PACE-GM")

    def _open_with_bac(self, secret: AccessSecret, *, downgraded: bool) -> AccessResult:
        if not isinstance(secret, MrzKey):
            raise MrzNeeded("the chip offers no PACE")
        self.channel.send(select_application(EMRTD_APPLICATION))
        self.channel.secure(bac.establish(self.channel, secret, self._random))
        return AccessResult("BAC", downgraded)

    def _may_fall_back(self, secret: AccessSecret) -> bool:
        return self._policy.allow_bac_fallback and isinstance(secret, MrzKey)

    def _revive(self) -> None:
        """Open the chip again after it dropped the session."""
        if self._secret is None or self.access is None:
            raise AccessDenied("the chip has not been opened")
        self.channel.secure(None)
        self.channel.exchange(select_master_file())
        again = self._open_session(self._secret)
        # What was opened weakly once stays so in the result, and so does what was weakened later.
        self.access = replace(again, downgraded=again.downgraded or self.access.downgraded)

    def _revive_if_lost(self) -> None:
        if self.access is None or self.channel.is_session_lost:
            self._revive()

    def _end_session(self) -> None:
        session = self.channel.secure_messaging
        if session is not None:
            session.is_alive = False

    def _require_no_hidden_pace(self, dg14: bytes) -> None:
        """EF.CardAccess is unsigned; DG14 repeats what it should have said (9303-11, 9.2)."""
        try:
            signed = parse_dg14(dg14).pace
        except MalformedDocument:
            return  # inspection says so with the right words
        told = self._offer.infos.pace if self._offer.infos else ()
        best = pace.choose_protocol(signed)
        if best is None or self.access is None or any(best.is_offer(offer) for offer in told):
            return
        self.access = replace(self.access, downgraded=True)
        if not self._policy.allow_bac_fallback:
            raise AccessControlDowngraded("DG14 lists PACE that EF.CardAccess did not offer")

    # -- files ----------------------------------------------------------------------------

    def _files_before_groups(self) -> tuple[LdsFile, ...]:
        wanted = (LdsFile.COM, LdsFile.SOD)
        if self._policy.files is None:
            return wanted
        return tuple(file for file in wanted if file in self._policy.files)

    def _groups(self, common_data: bytes | None) -> list[LdsFile]:
        if self._policy.files is not None:
            listed = [file for file in self._policy.files if file.is_data_group]
        else:
            listed = _listed_groups(common_data)
        return sorted(set(listed), key=_reading_order)

    def _read_into(self, files: dict[LdsFile, bytes], file: LdsFile) -> None:
        try:
            self._revive_if_lost()
            files[file] = self._files.read(file)
        except UnexpectedStatusWord as refusal:
            if refusal.status_word in _LOCKED:
                self.locked.append(file)
                if file in _NEEDED:
                    raise FileLocked(f"{file.name} is closed") from None
            elif refusal.status_word == status_word.FILE_NOT_FOUND:
                self.missing.append(file)
            else:
                raise


def _listed_groups(common_data: bytes | None) -> list[LdsFile]:
    """What EF.COM lists; the groups a card is expected to have where it is absent or broken."""
    expected = [*_FIRST_GROUPS, LdsFile.DG2]
    if common_data is None:
        return expected
    try:
        return [file for file in parse_common_data(common_data).data_groups if file.is_data_group]
    except MalformedDocument:
        return expected  # inspection refuses the file itself


def _reading_order(file: LdsFile) -> tuple[int, int]:
    if file in _AFTER_EVERYTHING:
        return 3, file
    if file is LdsFile.DG2:
        return 2, file
    return (0, file) if file in _FIRST_GROUPS else (1, file)


def _parse_command(encoded: bytes) -> CommandApdu:
    try:
        return CommandApdu.parse(encoded)
    except ValueError:
        raise MalformedDocument("a relayed command is no command APDU") from None
