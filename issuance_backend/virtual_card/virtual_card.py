"""A chip in software: commands in, answers out, and a reset forgets all but whom the chip trusts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from issuance_backend.virtual_card import icc_commands as icc
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_keys import load_private_key
from issuance_backend.virtual_card.file_system import FileSystem, SecurityInfo, security_infos
from issuance_backend.virtual_card.icc_active_authentication import (
    CHALLENGE,
    ChallengeSigner,
    challenge_signer,
)
from issuance_backend.virtual_card.icc_basic_access import BasicAccess
from issuance_backend.virtual_card.icc_chaining import AnswerParts, CommandChain
from issuance_backend.virtual_card.icc_chip_authentication import AgreementOffer, ChipAuthentication, ChipKey
from issuance_backend.virtual_card.icc_commands import Answer, Command, CommandRefused, parse_command
from issuance_backend.virtual_card.icc_data_objects import Established
from issuance_backend.virtual_card.icc_pace import (
    PASSWORD_CAN,
    PASSWORD_MRZ,
    Pace,
    PaceChip,
    PaceParameters,
    StaticKey,
)
from issuance_backend.virtual_card.icc_random import Random
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from issuance_backend.virtual_card.icc_security_status import SecurityStatus
from issuance_backend.virtual_card.icc_terminal_authentication import TerminalAuthentication, TrustMemory
from verification.chip.keys import mrz_seed
from verification.encoding.object_identifier import encode_oid
from verification.lds.files import LdsFile

# A contactless card's ATR, as a PC/SC reader makes it up (PC/SC part 3, 3.1.3.2.3).
_ANSWER_TO_RESET = bytes.fromhex("3B888001000000000000000009")
_ACTIVE_AUTHENTICATION = encode_oid("2.23.136.1.1.5")
_PUBLIC_KEYS = frozenset(encode_oid(f"0.4.0.127.0.7.2.2.1.{kind}") for kind in (1, 2))
_Handler = Callable[[Command], Answer | Established]


class VirtualCard:
    """The chip of one image; it is a card transport itself, and it can lie in a vpcd slot."""

    def __init__(self, image: CardImage, random: Random = os.urandom) -> None:
        self._image = image
        self._random = random
        self._status = SecurityStatus()
        self._session: CardSecureMessaging | None = None
        self._chain = CommandChain()
        self._parts = AnswerParts()
        self._trust = TrustMemory(image.trust_points)
        self._files = FileSystem(
            image.files,
            lambda file: self._status.may_read(file, image.locked),
            selects_master_file=image.selects_master_file,
            quirks=image.quirks,
        )
        if image.trust_points:
            self._files.write(LdsFile.CVCA, self._trust.ef_cvca())
        self._basic_access = BasicAccess(image.mrz_information, random)
        self._pace = Pace(_pace_chip(image, self._trust, random))
        infos = list(security_infos(image.files.get(LdsFile.DG14), LdsFile.DG14))
        self._chip_authentication = _chip_authentication(image, infos)
        self._terminal_authentication = TerminalAuthentication(self._trust, random)
        self._signer = _signer(image, infos, random)
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
        if image.trust_points:
            self._handlers[icc.INS_PERFORM_SECURITY_OPERATION] = self._verify_certificate

    @property
    def answer_to_reset(self) -> bytes:
        """The ATR."""
        return _ANSWER_TO_RESET

    @property
    def trust(self) -> TrustMemory:
        """Whom the chip trusts and what day it believes it is."""
        return self._trust

    def power_on(self) -> bytes:
        """Start afresh and return the ATR."""
        self.power_off()
        return _ANSWER_TO_RESET

    def power_off(self) -> None:
        """Forget the selection, every challenge and every session key."""
        self._files.reset()
        self._parts.forget()
        self._end_session()

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU; whatever it holds, there is an answer."""
        if self._parts.is_request(command):
            return self._parts.next(command)
        self._parts.forget()
        try:
            parsed = parse_command(command)
            if parsed.extended and not self._image.extended_length:
                raise CommandRefused(icc.SW_WRONG_LENGTH)
            if parsed.cla & icc.CLA_PROTECTED == icc.CLA_PROTECTED:
                return self._in_parts(parsed, self._answer_protected(parsed))
        except CommandRefused as refusal:
            self._end_session()
            return Answer(status_word=refusal.status_word).encode()
        return self._in_parts(parsed, self._answer_plain(parsed))

    def _in_parts(self, command: Command, response: bytes) -> bytes:
        if command.extended or not self._image.quirks.answers_in_parts:
            return response
        return self._parts.first(response)

    def _answer_plain(self, command: Command) -> bytes:
        # A plain command ends secure messaging, and with it what the session had opened.
        if self._session is not None:
            self._end_session()
        answer, session = self._carry_out(command)
        if session is not None:
            self._session = session
        return answer.encode()

    def _answer_protected(self, command: Command) -> bytes:
        session = self._session
        if session is None:
            raise CommandRefused(icc.SW_SECURE_MESSAGING_UNSUPPORTED)
        answer, next_session = self._carry_out(session.open(command))
        response = session.close(answer)
        # The answer to chip authentication still goes under the old keys (TR-03110-3, B.2).
        self._session = next_session or session
        is_error = icc.SW_ERRORS <= answer.status_word < icc.SW_OK
        if is_error and self._image.quirks.errors_end_session:
            self._end_session()
        return response

    def _carry_out(self, command: Command) -> tuple[Answer, CardSecureMessaging | None]:
        try:
            result = self._dispatch(command)
        except CommandRefused as refusal:
            return Answer(status_word=refusal.status_word), None
        if not isinstance(result, Established):
            return result, None
        self._status = self._status.after(result)
        self._terminal_authentication.forget()
        return Answer(result.answer), result.session

    def _dispatch(self, command: Command) -> Answer | Established:
        if command.ins not in {icc.INS_GENERAL_AUTHENTICATE, icc.INS_MANAGE_SECURITY_ENVIRONMENT}:
            self._abort_agreements()
        if command.cla & ~icc.CLA_CHAINED:
            raise CommandRefused(icc.SW_CLASS_UNSUPPORTED)
        # GENERAL AUTHENTICATE is chained by its protocol: each link is a step with an answer.
        if command.ins == icc.INS_GENERAL_AUTHENTICATE:
            self._chain.forget()
            return self._general_authenticate(command)
        whole = self._chain.join(command)
        if whole is None:
            return Answer()
        if whole.ins not in self._handlers:
            raise CommandRefused(icc.SW_INSTRUCTION_UNSUPPORTED)
        return self._handlers[whole.ins](whole)

    def _end_session(self) -> None:
        self._session = None
        self._status = SecurityStatus()
        self._chain.forget()
        self._abort_agreements()
        self._basic_access.forget()
        self._terminal_authentication.forget()

    def _abort_agreements(self) -> None:
        self._pace.abort()
        self._chip_authentication.abort()

    def _select(self, command: Command) -> Answer:
        return self._files.select(command)

    def _read(self, command: Command) -> Answer:
        return self._files.read(command)

    def _read_far(self, command: Command) -> Answer:
        return self._files.read_far(command)

    def _get_challenge(self, command: Command) -> Answer:
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        if command.data or command.expected not in {CHALLENGE, icc.SHORT_MAX_EXPECTED}:
            raise CommandRefused(icc.SW_WRONG_LENGTH)
        if self._status.granted:
            return Answer(self._terminal_authentication.challenge())
        return Answer(self._basic_access.challenge())

    def _external_authenticate(self, command: Command) -> Answer | Established:
        """BAC before a session, terminal authentication within one."""
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        if self._status.granted:
            return self._authenticate_terminal(command)
        if not self._image.bac:
            raise CommandRefused(icc.SW_REFERENCE_NOT_FOUND)
        if not self._files.in_application:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        return self._basic_access.authenticate(command.data)

    def _authenticate_terminal(self, command: Command) -> Answer:
        status = self._status
        if not self._image.trust_points:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        # Once a session, and only where a key of the terminal binds what is opened (9303-11, 7.1.3).
        if status.terminal_key is None or status.opened is not None:
            raise CommandRefused(icc.SW_SECURITY_STATUS_NOT_SATISFIED)
        opened = self._terminal_authentication.authenticate(
            command.data, status.card_identity, status.terminal_key
        )
        self._status = replace(status, opened=opened)
        return Answer()

    def _verify_certificate(self, command: Command) -> Answer:
        self._require_granted()
        if command.parameters != 0x00BE:  # a self-descriptive certificate
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        self._terminal_authentication.verify_certificate(command.data)
        self._files.write(LdsFile.CVCA, self._trust.ef_cvca())
        return Answer()

    def _manage_security_environment(self, command: Command) -> Answer | Established:
        self._abort_agreements()
        match command.parameters:
            case 0xC1A4 if self._image.pace:  # Set AT for PACE
                self._start_pace(command)
            case 0x41A4:  # Set AT for chip authentication
                self._chip_authentication.select(self._agreement_objects(command))
            case 0x41A6:  # Set KAT
                return self._chip_authentication.agree_at_once(self._agreement_objects(command))
            case 0x81B6 if self._image.trust_points:  # Set DST
                self._require_granted()
                self._terminal_authentication.set_verification_key(command.data)
            case 0x81A4 if self._image.trust_points:  # Set AT for terminal authentication
                self._require_granted()
                self._terminal_authentication.set_terminal_key(command.data)
            case _:
                raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        return Answer()

    def _start_pace(self, command: Command) -> None:
        # CAN and MRZ are passwords of the whole chip: also with the application selected, because a
        # reader that lost its session cannot leave it where SELECT MF is refused.
        if self._status.granted:
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        self._pace.start(command.data)

    def _agreement_objects(self, command: Command) -> dict[int, bytes]:
        self._require_granted()
        return {part.tag: part.value for part in icc.data_objects(command.data)}

    def _general_authenticate(self, command: Command) -> Answer | Established:
        if command.parameters:
            raise CommandRefused(icc.SW_PARAMETERS_INCORRECT)
        last = not command.is_chained
        if self._pace.is_running:
            answer = self._pace.step(command.data, last=last)
            return Answer(answer) if isinstance(answer, bytes) else answer
        agreed = self._chip_authentication.agree(command.data) if last else None
        if agreed is None:
            self._abort_agreements()
            raise CommandRefused(icc.SW_CONDITIONS_NOT_SATISFIED)
        return agreed

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
        if not self._status.granted or not self._files.in_application:
            raise CommandRefused(icc.SW_SECURITY_STATUS_NOT_SATISFIED)


def _pace_chip(image: CardImage, trust: TrustMemory, random: Random) -> PaceChip:
    infos = security_infos(image.files.get(LdsFile.CARD_ACCESS), LdsFile.CARD_ACCESS)
    offered = [PaceParameters.of(info.protocol, info.number(1)) for info in infos]
    static_key = None if image.mapping_key is None else load_private_key(image.mapping_key)
    return PaceChip(
        offered=[parameters for parameters in offered if parameters is not None],
        passwords={
            PASSWORD_MRZ: mrz_seed(image.mrz_information),
            PASSWORD_CAN: image.can.encode("ascii"),
        },
        random=random,
        static_key=None if static_key is None else StaticKey(*static_key),
        authorities=trust.references,
        wants_domain_parameters=image.quirks.wants_domain_parameters,
    )


def _chip_authentication(image: CardImage, infos: list[SecurityInfo]) -> ChipAuthentication:
    offers = [AgreementOffer(info.protocol, info.number(1)) for info in infos]
    numbered = [info.number(1) for info in infos if info.protocol in _PUBLIC_KEYS]
    further = image.further_agreement_keys
    chip_keys = [ChipKey(key_id, *load_private_key(key)) for key_id, key in further.items()]
    if image.chip_authentication_key is not None:
        # DG14 numbers every key; the one without an entry of its own here is this one.
        own = next((key_id for key_id in numbered if key_id not in further), None)
        chip_keys.insert(0, ChipKey(own, *load_private_key(image.chip_authentication_key)))
    return ChipAuthentication(
        chip_keys, offers, has_key_agreement_template=not image.quirks.lacks_key_agreement_template
    )


def _signer(image: CardImage, infos: list[SecurityInfo], random: Random) -> ChallengeSigner | None:
    if image.active_authentication_key is None:
        return None
    algorithms = [
        info.parameters[1].value
        for info in infos
        if info.protocol == _ACTIVE_AUTHENTICATION and len(info.parameters) > 1
    ]
    return challenge_signer(
        image.active_authentication_key,
        algorithms[0] if algorithms else None,
        random,
        rsa_hash=image.active_authentication_hash,
        in_der=image.quirks.der_signatures,
    )
