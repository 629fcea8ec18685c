"""The steps of reading a chip, in their order (ICAO 9303-11, 3 and 4).

Nothing read here is judged: inspection does that over the files as they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from verification.chip import bac, chip_authentication, pace
from verification.chip.authentication_commands import exchange_key
from verification.chip.card_types import CardTypeMemory
from verification.chip.file_list import CLOSED_WITHOUT_TERMINAL, in_reading_order, listed_groups
from verification.chip.file_reading import LARGEST_BLOCK, FilePlace, FileReader, Progress
from verification.chip.keys import AccessSecret, MrzKey
from verification.chip.pace_mapping import ChipMapping, PaceMapping
from verification.errors import (
    AccessControlDowngraded,
    AccessControlUnsupported,
    AccessDenied,
    ChipAuthenticationFailed,
    FileLocked,
    MalformedDocument,
    MrzNeeded,
    SecureMessagingFailed,
    TerminalAuthenticationFailed,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    SHORT_MAX_EXPECTED,
    CommandApdu,
    internal_authenticate,
    select_application,
    select_file,
    select_master_file,
)
from verification.iso7816.transport import CardTransport
from verification.lds.files import EF_CVCA_LENGTH, LdsFile
from verification.lds.security_infos import SecurityInfos, parse_card_access, parse_dg14

if TYPE_CHECKING:
    # A counter that reads no fingerprints does not load what opens them.
    from verification.chip.terminal_authentication import Terminal
    from verification.lds.card_verifiable_path import EffectiveRights

__all__ = ["AccessMethod", "AccessResult", "DocumentReader", "Progress", "ReadPolicy"]

EMRTD_APPLICATION = bytes.fromhex("A0000002471001")

AccessMethod = Literal["PACE-GM", "PACE-IM", "PACE-CAM", "BAC"]

_METHODS: Mapping[PaceMapping, AccessMethod] = {
    PaceMapping.GENERIC: "PACE-GM",
    PaceMapping.INTEGRATED: "PACE-IM",
    PaceMapping.CHIP_AUTHENTICATION: "PACE-CAM",
}
_LONG_SIGNATURE = 1024
_NEEDED = frozenset({LdsFile.SOD, LdsFile.DG1})
# A chip refuses one block size after another at most five times; a seventh new session is one too many.
_MAX_REVIVALS = 6


@dataclass(frozen=True, slots=True)
class AccessResult:
    """How the chip was opened; ``downgraded`` is BAC although the chip offers PACE."""

    method: AccessMethod
    downgraded: bool = False


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """What a reading may do.

    ``files`` are the files to read; None reads EF.COM, EF.SOD and whatever they list.
    ``max_le`` is the longest READ BINARY; above 256 only where the chip carries extended length.
    ``allow_bac_fallback`` lets BAC follow a failed PACE; the result then says so.
    """

    allow_bac_fallback: bool = False
    files: tuple[LdsFile, ...] | None = None
    max_le: int = LARGEST_BLOCK


class _Offer(NamedTuple):
    """EF.CardAccess: what the chip says before access; ``infos`` is None where there is no PACE."""

    encoded: bytes | None
    infos: SecurityInfos | None


class _ChipProof(NamedTuple):
    """A chip authentication that succeeded: the file, and our ephemeral key, compressed."""

    dg14: bytes
    ephemeral: bytes


class DocumentReader:
    """One card on one reader, from the first command to the last.

    Faults of the transport pass every method unchanged. ``locked`` are the files that the chip
    kept closed, ``missing`` those that it is said to have and has not. ``memory`` is what cards
    were found to carry, kept from card to card.

    After ``open``, ``chip_identity`` is ID_PICC of terminal authentication; after PACE with chip
    authentication mapping ``chip_mapping`` proves the chip by a key in ``card_security``.
    """

    def __init__(
        self,
        transport: CardTransport,
        random: Callable[[int], bytes],
        *,
        policy: ReadPolicy | None = None,
        memory: CardTypeMemory | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.channel = Channel(transport)
        self.access: AccessResult | None = None
        self.locked: list[LdsFile] = []
        self.missing: list[LdsFile] = []
        self.chip_identity = b""
        self.chip_mapping: ChipMapping | None = None
        self.card_security: bytes | None = None
        self.terminal_rights: EffectiveRights | None = None
        self._random = random
        self._policy = policy or ReadPolicy()
        self._memory = memory or CardTypeMemory()
        self._on_progress = on_progress
        self._secret: AccessSecret | None = None
        self._offer = _Offer(None, None)
        self._type_file: bytes | None = None
        self._trust_points: bytes | None = None
        self._chip_proof: _ChipProof | None = None
        self._terminal: Terminal | None = None
        self._is_session_doubtful = False
        self._revivals_left = _MAX_REVIVALS
        self._files = FileReader(self.channel, self._policy.max_le, self._revive, on_progress)

    def open(self, secret: AccessSecret) -> AccessResult:
        """Open the chip: PACE where it is offered, else BAC.

        Raises AccessSecretWrong, MrzNeeded where a CAN cannot open this chip,
        AccessControlUnsupported, and AccessControlDowngraded where PACE is offered and fails
        while the policy forbids BAC instead.
        """
        self._on_progress(Progress("access", 0, 1))
        self._begin_with(secret)
        self._offer = self._read_card_access()
        opened = self._authenticate(secret)
        if opened.method == "PACE-CAM":
            self.card_security = self._read_card_security()
        self._enter_application(opened)
        self.access = opened
        self._on_progress(Progress("access", 1, 1))
        return opened

    def read_files(self) -> dict[LdsFile, bytes]:
        """Every file of the policy that the chip has and gives, whole and unchanged.

        Raises FileLocked where EF.SOD or DG1 stay closed, AccessControlDowngraded where DG14
        lists PACE that the chip hid when it was opened, LimitExceeded or MalformedDocument for
        a file whose stated length is impossible.
        """
        self._revive_if_lost()
        self.locked.clear()
        self.missing.clear()
        files = self._files_outside_application()
        for file in self._files_before_groups():
            self._read_into(files, file)
            self._recall_type(files.get(LdsFile.COM))
        for file in self._groups(files):
            self._read_into(files, file)
            if file is LdsFile.DG14 and file in files:
                self._require_no_hidden_pace(files[file])
        if self._is_session_doubtful:
            self._notice_lost_session()
        return files

    def authenticate_chip(self, dg14: bytes) -> None:
        """Prove here that the chip holds the key to DG14; later commands use the new session.

        Raises ChipAuthenticationFailed, ChipAuthenticationUnsupported, MalformedDocument.
        """
        self._revive_if_lost()
        self._chip_proof = None
        self._prove_chip(dg14)

    def authenticate_terminal(self, terminal: Terminal) -> None:
        """Show the chip who reads; ``terminal_rights`` are then what its certificates give.

        It follows ``authenticate_chip``, by whose ephemeral key the chip knows the terminal.
        Raises TerminalNotTrusted, TerminalAuthenticationFailed.
        """
        if self._chip_proof is None:
            raise TerminalAuthenticationFailed("chip authentication has to come first")
        self._revive_if_lost()
        self._terminal = self.terminal_rights = None
        self._trust_points = self._read_trust_points()
        self._prove_terminal(terminal)

    def read_locked(self) -> dict[LdsFile, bytes]:
        """The files that terminal authentication opened, no longer ``locked``, and EF.CVCA."""
        opened = self.terminal_rights.files if self.terminal_rights else ()
        files = {} if self._trust_points is None else {LdsFile.CVCA: self._trust_points}
        for file in in_reading_order({file for file in self.locked if file in opened}):
            self.locked.remove(file)
            self._read_into(files, file)
        return files

    def sign_challenge(self, challenge: bytes) -> bytes:
        """The chip's active authentication signature over eight octets; raises UnexpectedStatusWord."""
        self._revive_if_lost()
        # Signatures of long RSA keys need extended length on chips without GET RESPONSE.
        lengths = (SHORT_MAX_EXPECTED, _LONG_SIGNATURE)
        first, second = reversed(lengths) if self.channel.extended_length else lengths
        try:
            return self._send_in_live_session(internal_authenticate(challenge, first))
        except UnexpectedStatusWord as refusal:
            if refusal.status_word != status_word.WRONG_LENGTH:
                raise
        return self._send_in_live_session(internal_authenticate(challenge, second))

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
                _, status = exchange_key(self.channel, command)
            except SecureMessagingFailed:
                raise ChipAuthenticationFailed(f"{command.name}: the answer is not protected") from None
            if status != status_word.SUCCESS:
                raise ChipAuthenticationFailed(f"{command.name}: status word {status:04X}")
        self._end_session()
        return tuple(self.channel.transmit_raw(encoded) for encoded in relayed)

    # -- access ---------------------------------------------------------------------------

    def _begin_with(self, secret: AccessSecret) -> None:
        """Nothing that was found out about another card counts for this one."""
        self._secret, self.access = secret, None
        self.chip_identity, self.chip_mapping, self.card_security = b"", None, None
        self._chip_proof = self._terminal = self.terminal_rights = None
        self._type_file = self._trust_points = None
        self._revivals_left = _MAX_REVIVALS
        self.channel.secure(None)
        self.channel.extended_length = False
        self._files = FileReader(self.channel, self._policy.max_le, self._revive, self._on_progress)

    def _read_card_access(self) -> _Offer:
        """EF.CardAccess in plain; a chip without it offers no PACE."""
        # Refused with many a status word by chips that answer the next command well.
        self.channel.exchange(select_master_file())
        try:
            encoded = self._files.read_card_access()
        except UnexpectedStatusWord:
            return _Offer(None, None)
        self._recall_type(encoded)
        infos = parse_card_access(encoded)
        return _Offer(encoded, infos if infos.pace else None)

    def _authenticate(self, secret: AccessSecret) -> AccessResult:
        if self._offer.infos is None:
            return self._authenticate_with_bac(secret, downgraded=False)
        protocol = pace.choose_protocol(self._offer.infos.pace)
        if protocol is None:
            if self._may_fall_back(secret):
                return self._authenticate_with_bac(secret, downgraded=True)
            raise AccessControlUnsupported("the chip offers only PACE that is not spoken here")
        try:
            result = pace.establish(self.channel, protocol, secret, self._random)
        except (UnexpectedStatusWord, MalformedDocument) as fault:
            if self._may_fall_back(secret):
                return self._authenticate_with_bac(secret, downgraded=True)
            if isinstance(secret, MrzKey):
                raise AccessControlDowngraded("PACE is offered and fails; BAC is not permitted") from fault
            raise
        self.channel.secure(result.session)
        self.chip_identity, self.chip_mapping = result.chip_identity, result.chip_mapping
        return AccessResult(_METHODS[result.mapping])

    def _authenticate_with_bac(self, secret: AccessSecret, *, downgraded: bool) -> AccessResult:
        if not isinstance(secret, MrzKey):
            raise MrzNeeded("the chip offers no PACE")
        self.channel.send(select_application(EMRTD_APPLICATION))
        if self._type_file is None:
            self._files.try_extended_length()
        self.channel.secure(bac.establish(self.channel, secret, self._random))
        self.chip_identity, self.chip_mapping = bac.chip_identity(secret), None
        return AccessResult("BAC", downgraded)

    def _may_fall_back(self, secret: AccessSecret) -> bool:
        return self._policy.allow_bac_fallback and isinstance(secret, MrzKey)

    def _read_card_security(self) -> bytes | None:
        """EF.CardSecurity, which is in the master file; without it the mapping proves nothing."""
        try:
            return self._files.read(LdsFile.CARD_SECURITY)
        except UnexpectedStatusWord:
            if self.channel.is_session_lost:
                self._revive()
            return None

    def _enter_application(self, opened: AccessResult) -> None:
        if opened.method != "BAC":
            self.channel.send(select_application(EMRTD_APPLICATION))

    def _revive(self) -> None:
        """Open the chip again after it dropped the session, and prove again what was proven."""
        if self._secret is None:
            raise AccessDenied("the chip has not been opened")
        if not self._revivals_left:
            raise SecureMessagingFailed("the chip ends one session after the other")
        self._revivals_left -= 1
        self.channel.secure(None)
        self.channel.exchange(select_master_file())
        again = self._authenticate(self._secret)
        if self.access is None:
            return  # still in the master file, for EF.CardSecurity
        self._enter_application(again)
        # What was opened weakly once stays so in the result, and so does what was weakened later.
        self.access = replace(again, downgraded=again.downgraded or self.access.downgraded)
        if self._chip_proof is not None:
            self._prove_chip(self._chip_proof.dg14)
        if self._terminal is not None:
            # The chip may have taken a new key in when the certificates were shown first.
            self._trust_points = self._read_trust_points() if self._trust_points else None
            self._prove_terminal(self._terminal)

    def _revive_if_lost(self) -> None:
        if self.access is None:
            raise AccessDenied("the chip has not been opened")
        if self.channel.is_session_lost:
            self._revive()

    def _send_in_live_session(self, command: CommandApdu) -> bytes:
        self._revive_if_lost()
        try:
            return self.channel.send(command)
        except SecureMessagingFailed:
            self._revive_if_lost()
            return self.channel.send(command)

    def _notice_lost_session(self) -> None:
        """A chip may end the session with a refusal and not tell before the next command.

        That command must not be one of chip authentication, whose failure would mean a copied chip.
        """
        self._is_session_doubtful = False
        with suppress(SecureMessagingFailed):
            self.channel.exchange(select_file(LdsFile.COM.file_id))

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

    # -- the chip and the terminal prove themselves ------------------------------------------

    def _prove_chip(self, dg14: bytes) -> None:
        ephemeral = chip_authentication.authenticate(self.channel, dg14, self._random)
        self._chip_proof = _ChipProof(dg14, ephemeral)

    def _prove_terminal(self, terminal: Terminal) -> None:
        if self._chip_proof is None:
            raise TerminalAuthenticationFailed("chip authentication has to come first")
        self.terminal_rights = terminal.authenticate(
            self.channel, self.chip_identity, self._chip_proof.ephemeral, self._trust_points
        )
        self._terminal = terminal

    def _read_trust_points(self) -> bytes | None:
        """EF.CVCA; None where the chip has none that can be read."""
        place = _place_of_trust_points(self._chip_proof.dg14 if self._chip_proof else b"")
        try:
            return self._files.read_start(place, EF_CVCA_LENGTH)
        except UnexpectedStatusWord:
            self._notice_lost_session()
            self._revive_if_lost()
            return None

    # -- files ----------------------------------------------------------------------------

    def _files_outside_application(self) -> dict[LdsFile, bytes]:
        read = {LdsFile.CARD_ACCESS: self._offer.encoded, LdsFile.CARD_SECURITY: self.card_security}
        return {file: content for file, content in read.items() if content is not None}

    def _files_before_groups(self) -> tuple[LdsFile, ...]:
        wanted = (LdsFile.COM, LdsFile.SOD)
        if self._policy.files is None:
            return wanted
        return tuple(file for file in wanted if file in self._policy.files)

    def _groups(self, files: Mapping[LdsFile, bytes]) -> list[LdsFile]:
        if self._policy.files is not None:
            return in_reading_order({file for file in self._policy.files if file.is_data_group})
        return listed_groups(files.get(LdsFile.COM), files.get(LdsFile.SOD))

    def _read_into(self, files: dict[LdsFile, bytes], file: LdsFile) -> None:
        try:
            files[file] = self._read_whole(file)
            self._is_session_doubtful = False
        except UnexpectedStatusWord as refusal:
            self._is_session_doubtful = True
            if refusal.status_word in status_word.CLOSED:
                self.locked.append(file)
                if file in _NEEDED:
                    raise FileLocked(f"{file.name} is closed") from None
            elif refusal.status_word == status_word.FILE_NOT_FOUND:
                self.missing.append(file)
            else:
                raise
        if self._type_file is not None:
            self._memory.remember(self._type_file, self._files.limits)

    def _read_whole(self, file: LdsFile) -> bytes:
        """The file; once more in a new session where the one it was read in ended.

        A refusal that ends the session is not protected: anybody could have made it, so the chip is
        asked twice, but not for what only other terminals may have.
        """
        self._revive_if_lost()
        try:
            return self._files.read(file)
        except (SecureMessagingFailed, UnexpectedStatusWord) as fault:
            if not self.channel.is_session_lost or _is_closed_as_expected(file, fault):
                raise
        self._revive()
        return self._files.read(file)

    def _recall_type(self, type_file: bytes | None) -> None:
        """Begin with what other cards with the same file were found to carry."""
        if self._type_file is not None or type_file is None:
            return
        self._type_file = type_file
        limits = self._memory.recall(type_file)
        if limits is not None:
            self._files.keep_within(limits)


def _place_of_trust_points(dg14: bytes) -> FilePlace:
    """Where EF.CVCA is: at its usual place, unless DG14 names another (TR-03110-3, A.1.1.3)."""
    try:
        infos = parse_dg14(dg14).terminal_authentication
    except MalformedDocument:
        infos = ()  # as in ``_require_no_hidden_pace``
    for info in infos:
        if info.cvca_file_id is not None:
            return FilePlace(info.cvca_file_id, info.cvca_short_id)
    return FilePlace.of(LdsFile.CVCA)


def _is_closed_as_expected(file: LdsFile, fault: VerificationError) -> bool:
    is_closed = isinstance(fault, UnexpectedStatusWord) and fault.status_word in status_word.CLOSED
    return is_closed and file in CLOSED_WITHOUT_TERMINAL


def _parse_command(encoded: bytes) -> CommandApdu:
    try:
        return CommandApdu.parse(encoded)
    except ValueError:
        raise MalformedDocument("a relayed command is no command APDU") from None
