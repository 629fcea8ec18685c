"""A chip in software: commands in, answers out, and nothing remembered across a reset."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from issuance_backend.virtual_card import icc_commands as icc
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.file_system import FileSystem, SecurityInfo, security_infos
from issuance_backend.virtual_card.icc_active_authentication import (
    CHALLENGE,
    ChallengeSigner,
    challenge_signer,
)
from issuance_backend.virtual_card.icc_commands import Answer, Command, CommandRefused, parse_command
from issuance_backend.virtual_card.icc_curves import CURVES, Random, curve_named
from issuance_backend.virtual_card.icc_protocols import (
    CHIP_AUTHENTICATION_SUITES,
    PACE_SUITES,
    PASSWORD_CAN,
    PASSWORD_MRZ,
    BasicAccess,
    ChipAuthentication,
    Established,
    Pace,
    PaceParameters,
    agreement_key,
)
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from verification.chip.keys import Suite, mrz_seed
from verification.encoding.object_identifier import encode_oid
from verification.lds.files import LdsFile

# A contactless card's ATR, as a PC/SC reader makes it up (PC/SC part 3, 3.1.3.2.3).
_ANSWER_TO_RESET = bytes.fromhex("3B888001000000000000000009")
_PROTECTED = 0x0C
_CHAINED = 0x10
_ACTIVE_AUTHENTICATION = encode_oid("2.23.136.1.1.5")
_Handler = Callable[[Command], Answer | Established]


class VirtualCard:
    """The chip of one image; it is a card transport itself, and it can lie in a vpcd slot."""

    def __init__(self, image: CardImage, random: Random = os.urandom) -> None:
        self._image = image
        self._random = random
        self._files = FileSystem(image.files, image.locked, selects_master_file=image.selects_master_file)
        self._basic_access = BasicAccess(image.mrz_information, random)
        self._pace = Pace(_pace_parameters(image), _passwords(image), random)
        infos = list(security_infos(image.files.get(LdsFile.DG14), LdsFile.DG14))
        self._agreement_infos = [info for info in infos if info.protocol in CHIP_AUTHENTICATION_SUITES]
        self._chip_authentication = _chip_authentication(image)
        self._signer = _signer(image, infos, random)
        self._agreement_suite: Suite | None = None
        self._session: CardSecureMessaging | None = None
        self._granted = False
        self._handlers: dict[int, _Handler] = {
            icc.INS_SELECT: self._select,
            icc.INS_READ_BINARY: self._read,
            icc.INS_READ_BINARY_ODD: self._read_far,
            icc.INS_GET_CHALLENGE: self._get_challenge,
            icc.INS_EXTERNAL_AUTHENTICATE: self._external_authenticate,
            icc.INS_MANAGE_SECURITY_ENVIRONMENT: self._manage_security_environment,
            icc.INS_GENERAL_AUTHENTICATE: self._general_authenticate,
            icc.INS_INTERNAL_AUTHENTICATE: self._internal_authenticate,
        }

    @property
    def answer_to_reset(self) -> bytes:
        """The ATR."""
        return _ANSWER_TO_RESET

    def power_on(self) -> bytes:
        """Start afresh and return the ATR."""
        self.power_off()
        return _ANSWER_TO_RESET

    def power_off(self) -> None:
        """Forget the selection, every challenge and every session key."""
        self._files.reset()
        self._end_session()

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU; whatever it holds, there is an answer."""
        try:
            parsed = parse_command(command)
            if parsed.extended and not self._image.extended_length:
                raise CommandRefused(icc.SW_WRONG_LENGTH)
            if parsed.cla & _PROTECTED == _PROTECTED:
                return self._answer_protected(parsed)
        except CommandRefused as refusal:
            self._end_session()
            return Answer(status_word=refusal.status_word).encode()
        return self._answer_plain(parsed)

    def _answer_plain(self, command: Command) -> bytes:
        # A plain command ends secure messaging, and with it what the session had opened.
        if self._session is not None:
            self._end_session()
        answer, session = self._carry_out(command)
        if session is not None:
            self._session = session
            self._granted = True
        return answer.encode()

    def _answer_protected(self, command: Command) -> bytes:
        session = self._session
        if session is None:
            raise CommandRefused(icc.SW_SECURE_MESSAGING_UNSUPPORTED)
        answer, next_session = self._carry_out(session.open(command))
        response = session.close(answer)
        # The answer to chip authentication still goes under the old keys (TR-03110-3, B.2).
        self._session = next_session or session
        return response

    def _carry_out(self, command: Command) -> tuple[Answer, CardSecureMessaging | None]:
        try:
            result = self._handler(command)(command)
        except CommandRefused as refusal:
            return Answer(status_word=refusal.status_word), None
        if isinstance(result, Established):
            return Answer(result.answer), result.session
        return result, None

    def _handler(self, command: Command) -> _Handler:
        if command.ins not in {icc.INS_GENERAL_AUTHENTICATE, icc.INS_MANAGE_SECURITY_ENVIRONMENT}:
            self._pace.abort()
            self._agreement_suite = None
        if command.cla & ~_CHAINED:
            raise CommandRefused(icc.SW_CLASS_UNSUPPORTED)
        if command.cla and command.ins != icc.INS_GENERAL_AUTHENTICATE:
            raise CommandRefused(icc.SW_CHAINING_UNSUPPORTED)
        if command.ins not in self._handlers:
            raise CommandRefused(icc.SW_INSTRUCTION_UNSUPPORTED)
        return self._handlers[command.ins]

    def _end_session(self) -> None:
        self._session = None
        self._granted = False
        self._agreement_suite = None
        self._pace.abort()
        self._basic_access.forget()

    def _select(self, command: Command) -> Answer:
        return self._files.select(command, granted=self._granted)

    def _read(self, command: Command) -> Answer:
        return self._files.read(command, granted=self._granted)

    def _read_far(self, command: Command) -> Answer:
        return self._files.read_far(command, granted=self._granted)

    def _get_challenge(self, command: Command) -> Answer:
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        if command.data or command.expected not in {CHALLENGE, icc.SHORT_MAX_EXPECTED}:
            raise CommandRefused(icc.SW_WRONG_LENGTH)
        return Answer(self._basic_access.challenge())

    def _external_authenticate(self, command: Command) -> Established:
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        if not self._image.bac:
            raise CommandRefused(icc.SW_REFERENCE_NOT_FOUND)
        if self._granted or not self._files.in_application:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        return self._basic_access.authenticate(command.data)

    def _manage_security_environment(self, command: Command) -> Answer | Established:
        self._pace.abort()
        self._agreement_suite = None
        match command.parameters:
            case 0xC1A4 if self._image.pace:  # Set AT for PACE
                return self._start_pace(command)
            case 0x41A4:  # Set AT for chip authentication
                return self._choose_agreement(command)
            case 0x41A6:  # Set KAT
                return self._agree_at_once(command)
        raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)

    def _start_pace(self, command: Command) -> Answer:
        # CAN and MRZ are passwords of the whole chip: also with the application selected, because a
        # reader that lost its session cannot leave it where SELECT MF is refused.
        if self._granted:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        self._pace.start(command.data)
        return Answer()

    def _choose_agreement(self, command: Command) -> Answer:
        """MSE:Set AT of chip authentication with AES: the protocol, and the key where there are several."""
        objects = self._agreement_objects(command)
        suite = CHIP_AUTHENTICATION_SUITES.get(objects.get(0x80, b""))
        offered = {info.protocol for info in self._agreement_infos}
        if suite is None or objects[0x80] not in offered:
            raise CommandRefused(icc.SW_DATA_INCORRECT)
        self._agreement_suite = suite
        return Answer()

    def _agree_at_once(self, command: Command) -> Established:
        """MSE:Set KAT: chip authentication with 3DES in one command."""
        objects = self._agreement_objects(command)
        if 0x91 not in objects:
            raise CommandRefused(icc.SW_DATA_INCORRECT)
        return Established(b"", self._agreement().agree(objects[0x91], Suite.TRIPLE_DES))

    def _agreement_objects(self, command: Command) -> dict[int, bytes]:
        self._require_granted()
        self._agreement()
        objects = {part.tag: part.value for part in icc.data_objects(command.data)}
        known = {info.number(1) for info in self._agreement_infos} - {None}
        if known and 0x84 in objects and int.from_bytes(objects[0x84], "big") not in known:
            raise CommandRefused(icc.SW_REFERENCE_NOT_FOUND)
        return objects

    def _agreement(self) -> ChipAuthentication:
        if self._chip_authentication is None:
            raise CommandRefused(icc.SW_REFERENCE_NOT_FOUND)
        return self._chip_authentication

    def _general_authenticate(self, command: Command) -> Answer | Established:
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        last = not command.cla & _CHAINED
        if self._pace.is_running:
            answer = self._pace.step(command.data, last=last)
            return Answer(answer) if isinstance(answer, bytes) else answer
        suite, self._agreement_suite = self._agreement_suite, None
        if suite is None or not last:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        return Established(b"\x7c\x00", self._agreement().agree(agreement_key(command.data), suite))

    def _internal_authenticate(self, command: Command) -> Answer:
        self._require_granted()
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        if len(command.data) != CHALLENGE:
            raise CommandRefused(icc.SW_WRONG_LENGTH)
        if self._signer is None:
            raise CommandRefused(icc.SW_REFERENCE_NOT_FOUND)
        return Answer(self._signer.sign(command.data))

    def _require_granted(self) -> None:
        if not self._granted or not self._files.in_application:
            raise CommandRefused(icc.SW_SECURITY_STATUS_NOT_SATISFIED)


def _passwords(image: CardImage) -> dict[int, bytes]:
    return {PASSWORD_MRZ: mrz_seed(image.mrz_information), PASSWORD_CAN: image.can.encode("ascii")}


def _pace_parameters(image: CardImage) -> list[PaceParameters]:
    infos = security_infos(image.files.get(LdsFile.CARD_ACCESS), LdsFile.CARD_ACCESS)
    return [
        PaceParameters(info.protocol, parameter_id)
        for info in infos
        if info.protocol in PACE_SUITES and (parameter_id := info.number(1)) in CURVES
    ]


def _chip_authentication(image: CardImage) -> ChipAuthentication | None:
    if image.chip_authentication_key is None:
        return None
    key = load_der_private_key(image.chip_authentication_key, None)
    curve = curve_named(key.curve.name) if isinstance(key, ec.EllipticCurvePrivateKey) else None
    if curve is None or not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return ChipAuthentication(key, curve)


def _signer(image: CardImage, infos: list[SecurityInfo], random: Random) -> ChallengeSigner | None:
    if image.active_authentication_key is None:
        return None
    algorithms = [
        info.parameters[1].value
        for info in infos
        if info.protocol == _ACTIVE_AUTHENTICATION and len(info.parameters) > 1
    ]
    return challenge_signer(image.active_authentication_key, algorithms[0] if algorithms else None, random)
