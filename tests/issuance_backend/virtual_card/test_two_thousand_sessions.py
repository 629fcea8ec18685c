"""2,000 sessions of each mapping, every value that may begin with zeros made to do so again and again.

Readers that drop a leading zero of a shared secret fail one session in 256 and are believed for
years. Here the chance numbers of both sides are chosen while the protocol runs, so that each value
of it begins with a zero octet in many of the sessions.
"""

from __future__ import annotations

import random as chance
from collections import Counter
from dataclasses import dataclass

import pytest

from issuance_backend.virtual_card.chip_keys import load_private_key
from issuance_backend.virtual_card.chip_profiles import ChipProfile, PaceOffer
from issuance_backend.virtual_card.icc_curves import EllipticCurve
from issuance_backend.virtual_card.icc_groups import GROUPS, Group
from issuance_backend.virtual_card.icc_integrated_mapping import integrated_generator
from issuance_backend.virtual_card.icc_pace import NonceMapping
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, profiled
from verification.chip import pace
from verification.chip.keys import Can, Suite
from verification.encoding.tlv import SEQUENCE, children, only
from verification.iso7816.channel import Channel
from verification.iso7816.command import CommandApdu, select_application
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_card_access

GENERIC, INTEGRATED, CHIP = NonceMapping
P256, MODP_1024 = 12, 0
APPLICATION = bytes.fromhex("A0000002471001")
PLAIN = "plain"

# What may begin with a zero octet, by mapping. The terminal's part is chosen where it draws.
OF_GENERIC = (
    "nonce",
    "terminal map",
    "chip map",
    "shared map",
    "generator",
    "terminal key",
    "chip key",
    "secret",
)
OF_INTEGRATED = ("nonce", "terminal nonce", "generator", "terminal key", "chip key", "secret")
OF_CHIP = (*OF_GENERIC, "chip data")
NEEDS_GENERATOR = frozenset({"generator", "terminal key", "chip key"})


@dataclass
class Session:
    """One run whose chance numbers are chosen on the way; it stands between terminal and chip.

    ``goal`` is the value that is to begin with a zero octet; ``reached`` says that it did.
    """

    group: Group
    goal: str
    luck: chance.Random
    static_key: int = 0
    suite: Suite = Suite.AES_128
    reached: bool = False
    nonce: bytes = b""
    generator: bytes = b""
    _terminal_map: bytes = b""
    _chip_wish: int | None = None
    card: VirtualCard | None = None

    # -- the chip's chance ------------------------------------------------------------------

    def chip_random(self, length: int) -> bytes:
        if not self.nonce:
            octets = self.luck.randbytes(length)
            self.nonce = b"\x00" + octets[1:] if self.goal == "nonce" else octets
            self.reached |= self.goal == "nonce"
            return self.nonce
        number = self._chip_wish or self.luck.randrange(1, self.group.order)
        self._chip_wish = None
        self._note_chip_number(number)
        return number.to_bytes(length, "big")

    def _note_chip_number(self, number: int) -> None:
        # Only these goals need to know the generator before its next use.
        if self._terminal_map and self.goal in NEEDS_GENERATOR:
            shared = self.group.key(number).times(self._terminal_map)
            by_nonce = self.group.key(int.from_bytes(self.nonce, "big")).public
            self.generator = self.group.combine(by_nonce, shared)
            self._terminal_map = b""

    # -- the terminal's chance --------------------------------------------------------------

    def terminal_random(self, length: int) -> bytes:
        if length == self.suite.key_length:  # the nonce t of integrated mapping
            return self._terminal_nonce(length)
        number = self.luck.randrange(1, self.group.order)
        if self.goal == "terminal map" and not self.generator:
            number = self._until_zero(self.base, number)
        if self.goal == "terminal key" and self.generator:
            number = self._until_zero(self.generator, number)
        # The reader takes the remainder modulo the order less one, plus one.
        return (number - 1).to_bytes(length, "big")

    def _terminal_nonce(self, length: int) -> bytes:
        while True:
            nonce = self.luck.randbytes(length)
            if self.goal == "terminal nonce":
                self.reached = True
                return b"\x00" + nonce[1:]
            if self.goal not in NEEDS_GENERATOR:
                return nonce
            self.generator = integrated_generator(self.group, self.suite, self.nonce, nonce)
            if self.goal != "generator" or self._begins_with_zero(self.generator):
                return nonce

    # -- between the two --------------------------------------------------------------------

    def transmit(self, command: bytes) -> bytes:
        assert self.card is not None
        sent = dynamic_data(command)
        if 0x81 in sent and len(sent[0x81]) > self.suite.key_length:
            self._before_mapping(self.group.decode(sent[0x81]))
        if 0x83 in sent:
            self._before_agreement(self.group.decode(sent[0x83]))
        return self.card.transmit(command)

    def _before_mapping(self, terminal: bytes) -> None:
        self._terminal_map = terminal
        self.reached |= self.goal == "terminal map" and self._begins_with_zero(terminal)
        number = self.luck.randrange(1, self.group.order)
        if self.goal == "chip map":
            self._chip_wish = self._until_zero(self.base, number)
        elif self.goal == "shared map":
            self._chip_wish = self._until_zero(terminal, number)
        elif self.goal == "generator":
            by_nonce = self.group.key(int.from_bytes(self.nonce, "big")).public
            self._chip_wish = self._until_zero(terminal, number, start=by_nonce)
        elif self.goal == "chip data":
            # CA_IC = SK_Map / SK_IC, so a short one is the mapping key divided out beforehand.
            short = self.luck.randrange(1, self.group.order >> 8)
            self._chip_wish = short * self.static_key % self.group.order
            self.reached = True

    def _before_agreement(self, terminal: bytes) -> None:
        self.reached |= self.goal == "terminal key" and self._begins_with_zero(terminal)
        self.reached |= self.goal == "generator" and self._begins_with_zero(self.generator)
        number = self.luck.randrange(1, self.group.order)
        if self.goal == "chip key":
            self._chip_wish = self._until_zero(self.generator, number)
        elif self.goal == "secret":
            self._chip_wish = self._until_zero(terminal, number)

    # -- arithmetic -------------------------------------------------------------------------

    @property
    def base(self) -> bytes:
        return self.group.key(1).public

    def _begins_with_zero(self, element: bytes) -> bool:
        return element[1 if isinstance(self.group, EllipticCurve) else 0] == 0

    def _until_zero(self, element: bytes, number: int, start: bytes = b"") -> int:
        """The next number whose multiple of ``element``, added to ``start``, begins with zero."""
        current = self.group.key(number).times(element)
        if start:
            current = self.group.combine(start, current)
        while not self._begins_with_zero(current):
            current, number = self.group.combine(current, element), number + 1
        self.reached |= self.goal not in {"terminal map", "terminal key", "generator"}
        return number


def dynamic_data(command: bytes) -> dict[int, bytes]:
    parsed = CommandApdu.parse(command)
    if parsed.ins != 0x86:
        return {}
    return {part.tag: part.value for part in children(only(parsed.data, 0x7C))}


def goals(of_mapping: tuple[str, ...], forced_each: int, sessions: int) -> list[str]:
    forced = [goal for goal in of_mapping for _ in range(forced_each)]
    return forced + [PLAIN] * (sessions - len(forced))


@pytest.mark.parametrize(
    ("mapping", "parameter_id", "of_mapping", "forced_each", "sessions"),
    [
        (GENERIC, P256, OF_GENERIC, 12, 2000),
        (INTEGRATED, P256, OF_INTEGRATED, 12, 2000),
        (CHIP, P256, OF_CHIP, 12, 2000),
        (GENERIC, MODP_1024, OF_GENERIC, 4, 200),
        (INTEGRATED, MODP_1024, OF_INTEGRATED, 2, 200),
    ],
    ids=["GM", "IM", "CAM", "DH-GM", "DH-IM"],
)
def test_no_session_fails(
    mapping: NonceMapping, parameter_id: int, of_mapping: tuple[str, ...], forced_each: int, sessions: int
) -> None:
    image = profiled(ChipProfile(pace=(PaceOffer(mapping, Suite.AES_128, parameter_id),)))
    protocol = pace.choose_protocol(parse_card_access(image.files[LdsFile.CARD_ACCESS]).pace)
    assert protocol is not None
    static_key = load_private_key(image.mapping_key).key.number if image.mapping_key else 0
    luck = chance.Random(2026)  # noqa: S311 - the same numbers at every run
    reached: Counter[str] = Counter()
    session = Session(GROUPS[parameter_id], PLAIN, luck)

    def of_this_session(length: int) -> bytes:
        return session.chip_random(length)

    card = VirtualCard(image, of_this_session)
    for goal in goals(of_mapping, forced_each, sessions):
        session = Session(GROUPS[parameter_id], goal, luck, static_key, card=card)
        card.power_on()
        channel = Channel(session)
        result = pace.establish(channel, protocol, Can(CAN), session.terminal_random)
        channel.secure(result.session)
        channel.send(select_application(APPLICATION))
        if mapping is CHIP:
            assert result.chip_mapping is not None
            security = parse_card_access(only(image.files[LdsFile.CARD_SECURITY], SEQUENCE))
            result.chip_mapping.verify(security)
        reached[goal] += session.reached
    assert {goal: reached[goal] for goal in of_mapping} == dict.fromkeys(of_mapping, forced_each)
