"""A terminal in which OpenPACE's libeac does all the cryptography; only the bytes around it are ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.support.libeac import (
    EAC_ID_CA,
    EAC_ID_PACE,
    PACE_CAN,
    PACE_MRZ,
    EacContext,
    LibeacFailed,
    Library,
)
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build, children, only, read_tlv
from verification.iso7816.transport import CardTransport

APPLICATION = bytes.fromhex("A0000002471001")
_KEY_REFERENCE = 0x83
_PASSWORD_MRZ, _PASSWORD_CAN = b"\x01", b"\x02"
_BLOCK = 223


class Password(NamedTuple):
    """What opens the card: its number, or the machine readable zone whole."""

    number: str | None = None
    zone: str | None = None

    def of(self, context: EacContext) -> tuple[object, bytes]:
        """libeac's form of it, and its reference on the card."""
        if self.number is not None:
            return context.password(self.number, PACE_CAN), _PASSWORD_CAN
        return context.password(self.zone or "", PACE_MRZ), _PASSWORD_MRZ


class ChipKey(NamedTuple):
    """What DG14 says of one key of the chip: how to agree with it, and the public value itself."""

    protocol: str
    parameter_id: int
    public: bytes
    key_id: int | None = None


class LibeacTerminal:
    """One session with one card."""

    def __init__(self, library: Library, card: CardTransport) -> None:
        self._library = library
        self._card = card
        self.context = self._context = EacContext(library)
        self.chip_identity = b""
        """The chip's ephemeral key of PACE, as libeac compresses it."""
        self.own_key = b""
        """The terminal's ephemeral key of chip authentication, as libeac compresses it."""
        self.signature = b""
        """What libeac signed in terminal authentication."""

    def open(self, card_access: bytes, protocol: str, password: Password) -> None:
        """PACE by ``protocol``, then the application; raises LibeacFailed."""
        context = self._context
        context.reads_card_access(card_access)
        secret, reference = password.of(context)
        self._plain(0x22, 0xC1A4, build(0x80, encode_oid(protocol)) + build(_KEY_REFERENCE, reference))
        context.does("PACE_STEP2_dec_nonce", secret, self._step(b"", 0x80))
        mapping = context.gives("PACE_STEP3A_generate_mapping_data")
        context.does("PACE_STEP3A_map_generator", self._step(build(0x81, mapping), 0x82))
        own = context.gives("PACE_STEP3B_generate_ephemeral_key")
        theirs = self._step(build(0x83, own), 0x84)
        context.does("PACE_STEP3B_compute_shared_secret", theirs)
        context.does("PACE_STEP3C_derive_keys")
        token = context.gives("PACE_STEP3D_compute_authentication_token", theirs)
        answered = self._step(build(0x85, token), 0x86, last=True)
        context.does("PACE_STEP3D_verify_authentication_token", answered)
        self.chip_identity = context.gives("EAC_Comp", EAC_ID_PACE, theirs)
        context.use_session(EAC_ID_PACE)
        self._protected(0xA4, 0x040C, APPLICATION)

    def authenticate_chip(self, key: ChipKey, *, at_once: bool) -> None:
        """Chip authentication, version 1: by MSE:Set KAT ``at_once``, or by GENERAL AUTHENTICATE."""
        context = self._context
        context.does("EAC_CTX_init_ca", self._library.number_of(key.protocol), key.parameter_id)
        self.own_key = context.gives("TA_STEP3_generate_ephemeral_key")
        ephemeral = context.gives("CA_STEP2_get_eph_pubkey")
        reference = b"" if key.key_id is None else build(0x84, bytes((key.key_id,)))
        if at_once:
            self._protected(0x22, 0x41A6, build(0x91, ephemeral) + reference)
        else:
            self._protected(0x22, 0x41A4, build(0x80, encode_oid(key.protocol)) + reference)
            self._protected(0x86, 0x0000, build(0x7C, build(0x80, ephemeral)), expected=256)
        context.does("CA_STEP4_compute_shared_secret", key.public)
        context.derive_chip_authentication_keys()
        context.use_session(EAC_ID_CA)

    def authenticate_terminal(self, trust_point: bytes, chain: Sequence[bytes], key: bytes) -> None:
        """Terminal authentication, version 1; libeac verifies the chain as well and makes the signature."""
        context = self._context
        verifier = EacContext(self._library)
        verifier.begins_chain(trust_point)
        for certificate in chain:
            verifier.imports(certificate)
            self._protected(0x22, 0x81B6, build(_KEY_REFERENCE, _reference(certificate, 0x42)))
            self._protected(0x2A, 0x00BE, read_tlv(certificate).value)
        self._protected(0x22, 0x81A4, build(_KEY_REFERENCE, _reference(chain[-1], 0x5F20)))
        context.begins_chain(chain[-1], key)
        context.does("TA_STEP4_set_nonce", self._protected(0x84, 0x0000, expected=8))
        self.signature = context.gives("TA_STEP5_sign", self.own_key, self.chip_identity, None)
        self._protected(0x82, 0x0000, self.signature)

    def read(self, file_id: bytes, block: int = _BLOCK) -> bytes:
        """A whole file, so many octets at a time; raises LibeacFailed."""
        self._protected(0xA4, 0x020C, file_id)
        content = self._protected(0xB0, 0x0000, expected=8)
        length = _whole_length(content)
        while len(content) < length:
            wanted = min(block, length - len(content))
            content += self._protected(0xB0, len(content), expected=wanted)
        return content[:length]

    def _step(self, data: bytes, answer_tag: int, *, last: bool = False) -> bytes:
        cla = 0x00 if last else 0x10
        answer = self._plain(0x86, 0x0000, build(0x7C, data), cla=cla, answers=True)
        return only(only(answer, 0x7C), answer_tag)

    def _plain(
        self, ins: int, parameters: int, data: bytes, *, cla: int = 0x00, answers: bool = False
    ) -> bytes:
        return self._transmit(bytes((cla, ins)) + parameters.to_bytes(2, "big"), data, answers=answers)

    def _protected(self, ins: int, parameters: int, data: bytes = b"", expected: int = 0) -> bytes:
        context = self._context
        context.does("EAC_increment_ssc")
        header = bytes((0x0C, ins)) + parameters.to_bytes(2, "big")
        objects = b""
        if data:
            cryptogram = context.gives("EAC_encrypt", context.gives("EAC_add_iso_pad", data))
            objects += build(0x87, b"\x01" + cryptogram)
        if expected:
            objects += build(0x97, _expected(expected))
        covered = context.gives("EAC_add_iso_pad", header)
        if objects:
            covered += context.gives("EAC_add_iso_pad", objects)
        objects += build(0x8E, context.gives("EAC_authenticate", covered))
        return self._opened(self._transmit(header, objects, answers=True, extended=expected > 256))

    def _opened(self, answer: bytes) -> bytes:
        context = self._context
        context.does("EAC_increment_ssc")
        parts = {part.tag: part for part in children(answer)}
        covered = b"".join(part.encoded for tag, part in parts.items() if tag != 0x8E)
        padded = context.gives("EAC_add_iso_pad", covered)
        context.does("EAC_verify_authentication", padded, parts[0x8E].value)
        if parts[0x99].value != b"\x90\x00":
            raise LibeacFailed(f"the card answered {parts[0x99].value.hex()}")
        if 0x87 not in parts:
            return b""
        return context.unpadded(context.gives("EAC_decrypt", parts[0x87].value[1:]))

    def _transmit(self, header: bytes, data: bytes, *, answers: bool, extended: bool = False) -> bytes:
        if extended or len(data) > 255:
            length, le = b"\x00" + len(data).to_bytes(2, "big"), b"\x00\x00"
        else:
            length, le = bytes((len(data),)), b"\x00"
        answer = self._card.transmit(header + length + data + (le if answers else b""))
        # A refusal under secure messaging is protected as well; one in the clear ends the session.
        if len(answer) == 2 and answer != b"\x90\x00":
            raise LibeacFailed(f"the card answered {answer.hex()}")
        return answer[:-2]


def _expected(length: int) -> bytes:
    return bytes((length % 256,)) if length <= 256 else length.to_bytes(2, "big")


def _whole_length(beginning: bytes) -> int:
    """How long the file is by its own template, as its first octets say."""
    tag = 2 if beginning[0] & 0x1F == 0x1F else 1
    first = beginning[tag]
    if first < 0x80:
        return tag + 1 + first
    end = tag + 1 + (first & 0x7F)
    return end + int.from_bytes(beginning[tag + 1 : end], "big")


def _reference(certificate: bytes, tag: int) -> bytes:
    """Who issued a CV certificate (42), or whose it is (5F20)."""
    body = read_tlv(read_tlv(certificate).value)
    return next(part.value for part in children(body.value) if part.tag == tag)
