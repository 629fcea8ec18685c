"""Command APDUs: the commands this product sends, by the standard's names (ISO/IEC 7816-4)."""

from __future__ import annotations

from typing import NamedTuple, Self

from verification.encoding.tlv import build, encode_length

SHORT_MAX_DATA = 255  # ISO/IEC 7816-4, 5.1
SHORT_MAX_EXPECTED = 256
EXTENDED_MAX_DATA = 65_535
EXTENDED_MAX_EXPECTED = 65_536

CLA_CHAINING = 0x10
CLA_SECURE_MESSAGING = 0x0C

INS_MANAGE_SECURITY_ENVIRONMENT = 0x22
INS_PERFORM_SECURITY_OPERATION = 0x2A
INS_EXTERNAL_AUTHENTICATE = 0x82
INS_GET_CHALLENGE = 0x84
INS_GENERAL_AUTHENTICATE = 0x86
INS_INTERNAL_AUTHENTICATE = 0x88
INS_SELECT = 0xA4
INS_READ_BINARY = 0xB0
INS_READ_BINARY_ODD = 0xB1
INS_GET_RESPONSE = 0xC0

_NAMES = {
    INS_MANAGE_SECURITY_ENVIRONMENT: "MANAGE SECURITY ENVIRONMENT",
    INS_PERFORM_SECURITY_OPERATION: "PERFORM SECURITY OPERATION",
    INS_EXTERNAL_AUTHENTICATE: "EXTERNAL AUTHENTICATE",
    INS_GET_CHALLENGE: "GET CHALLENGE",
    INS_GENERAL_AUTHENTICATE: "GENERAL AUTHENTICATE",
    INS_INTERNAL_AUTHENTICATE: "INTERNAL AUTHENTICATE",
    INS_SELECT: "SELECT",
    INS_READ_BINARY: "READ BINARY",
    INS_READ_BINARY_ODD: "READ BINARY",
    INS_GET_RESPONSE: "GET RESPONSE",
}

# P1 of MANAGE SECURITY ENVIRONMENT; the pair (41, A6) is "Set KAT", (41, A4) "Set AT" of the chip,
# (81, A4) "Set AT" of the terminal, (81, B6) "Set DST".
MSE_SET_COMPUTATION = 0x41
MSE_SET_VERIFICATION = 0x81
MSE_SET_MUTUAL_AUTHENTICATION = 0xC1
TEMPLATE_AUTHENTICATION = 0xA4
TEMPLATE_KEY_AGREEMENT = 0xA6
TEMPLATE_DIGITAL_SIGNATURE = 0xB6

# P2 of PERFORM SECURITY OPERATION: verify a self-descriptive card verifiable certificate.
_VERIFY_SELF_DESCRIPTIVE = 0xBE

ODD_READ_OFFSET = 0x8000  # from here READ BINARY's P1-P2 would mean a short EF identifier
_BY_SHORT_IDENTIFIER = 0x80  # in P1 of READ BINARY, with the identifier in the five low bits
OFFSET_DATA_OBJECT = 0x54
DISCRETIONARY_DATA = 0x53


class CommandApdu(NamedTuple):
    """A command before secure messaging; ``expected`` is Ne, None where no answer data is expected."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int | None = None

    @property
    def name(self) -> str:
        """The standard's name for the instruction; nothing of the data."""
        return _NAMES.get(self.ins, f"INS {self.ins:02X}")

    @property
    def is_extended(self) -> bool:
        """Whether the command needs extended length fields (ISO/IEC 7816-4, 5.1)."""
        return len(self.data) > SHORT_MAX_DATA or (self.expected or 0) > SHORT_MAX_EXPECTED

    def encode(self) -> bytes:
        """The octets of the command, short where it fits.

        Raises ValueError where the data or Ne exceed extended length.
        """
        if len(self.data) > EXTENDED_MAX_DATA or not 0 <= (self.expected or 0) <= EXTENDED_MAX_EXPECTED:
            raise ValueError("command exceeds extended length")
        if self.is_extended:
            return self.encode_extended()
        header = bytes(self[:4])
        length = bytes((len(self.data),)) if self.data else b""
        expected = b"" if self.expected is None else bytes((self.expected & 0xFF,))
        return header + length + self.data + expected

    def encode_extended(self) -> bytes:
        """The octets of the command with extended length fields, also where it would fit short ones."""
        header = bytes(self[:4])
        # Le has three octets only where no Lc announced the extended form before it.
        length = b"\x00" + len(self.data).to_bytes(2, "big") if self.data else b""
        if self.expected is None:
            return header + length + self.data
        expected = (self.expected & 0xFFFF).to_bytes(2, "big")
        return header + length + self.data + (expected if self.data else b"\x00" + expected)

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """The command in ``encoded``, short or extended; raises ValueError where it is none."""
        if len(encoded) < 4:
            raise ValueError("a command has at least four octets")
        cla, ins, p1, p2 = encoded[:4]
        data, expected = _parse_body(encoded[4:])
        return cls(cla, ins, p1, p2, data, expected)

    def __repr__(self) -> str:
        # The data may be a key, a token or a person's file.
        return f"CommandApdu({self.name}, {len(self.data)} octets, Ne={self.expected})"


def _parse_body(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if body[0] == 0 and len(body) > 1:
        return _parse_extended_body(body)
    if len(body) == 1:
        return b"", body[0] or SHORT_MAX_EXPECTED
    length = body[0]
    data, rest = body[1 : 1 + length], body[1 + length :]
    if len(data) != length or len(rest) > 1:
        raise ValueError("length field and command do not agree")
    return data, (rest[0] or SHORT_MAX_EXPECTED) if rest else None


def _parse_extended_body(body: bytes) -> tuple[bytes, int | None]:
    if len(body) == 3:
        return b"", int.from_bytes(body[1:], "big") or EXTENDED_MAX_EXPECTED
    length = int.from_bytes(body[1:3], "big")
    data, rest = body[3 : 3 + length], body[3 + length :]
    if not length or len(data) != length or len(rest) not in (0, 2):
        raise ValueError("extended length field and command do not agree")
    return data, (int.from_bytes(rest, "big") or EXTENDED_MAX_EXPECTED) if rest else None


def select_application(identifier: bytes) -> CommandApdu:
    """SELECT by application identifier, no answer data wanted."""
    return CommandApdu(0x00, INS_SELECT, 0x04, 0x0C, identifier)


def select_master_file() -> CommandApdu:
    """SELECT the master file."""
    return CommandApdu(0x00, INS_SELECT, 0x00, 0x0C, b"\x3f\x00")


def select_file(file_id: bytes) -> CommandApdu:
    """SELECT an elementary file of the current application by its two octets."""
    return CommandApdu(0x00, INS_SELECT, 0x02, 0x0C, file_id)


def read_binary(offset: int, length: int) -> CommandApdu:
    """READ BINARY of the selected file; the odd instruction from offset 32,768 on."""
    if offset < ODD_READ_OFFSET:
        return CommandApdu(0x00, INS_READ_BINARY, offset >> 8, offset & 0xFF, expected=length)
    position = build(OFFSET_DATA_OBJECT, offset.to_bytes(2, "big"))
    # The answer comes inside a data object 53, and Ne counts its header (ISO/IEC 7816-4, 11.3.3).
    expected = 1 + len(encode_length(length)) + length
    return CommandApdu(0x00, INS_READ_BINARY_ODD, 0x00, 0x00, position, expected)


def read_binary_of(short_identifier: int, length: int) -> CommandApdu:
    """READ BINARY from the start of the file with this short identifier, which it selects as well."""
    return CommandApdu(
        0x00, INS_READ_BINARY, _BY_SHORT_IDENTIFIER | short_identifier & 0x1F, 0x00, expected=length
    )


def get_challenge(length: int) -> CommandApdu:
    """GET CHALLENGE."""
    return CommandApdu(0x00, INS_GET_CHALLENGE, 0x00, 0x00, expected=length)


def external_authenticate(data: bytes, expected: int | None = None) -> CommandApdu:
    """EXTERNAL AUTHENTICATE; BAC expects an answer, terminal authentication none."""
    return CommandApdu(0x00, INS_EXTERNAL_AUTHENTICATE, 0x00, 0x00, data, expected)


def internal_authenticate(challenge: bytes, expected: int = SHORT_MAX_EXPECTED) -> CommandApdu:
    """INTERNAL AUTHENTICATE."""
    return CommandApdu(0x00, INS_INTERNAL_AUTHENTICATE, 0x00, 0x00, challenge, expected)


def general_authenticate(data: bytes, *, last: bool) -> CommandApdu:
    """GENERAL AUTHENTICATE; all but the last step of a protocol carry the chaining bit."""
    cla = 0x00 if last else CLA_CHAINING
    return CommandApdu(cla, INS_GENERAL_AUTHENTICATE, 0x00, 0x00, data, SHORT_MAX_EXPECTED)


def manage_security_environment(p1: int, template: int, data: bytes) -> CommandApdu:
    """MANAGE SECURITY ENVIRONMENT: SET of a template."""
    return CommandApdu(0x00, INS_MANAGE_SECURITY_ENVIRONMENT, p1, template, data)


def verify_certificate(content: bytes) -> CommandApdu:
    """PERFORM SECURITY OPERATION: VERIFY CERTIFICATE, of body and signature."""
    return CommandApdu(0x00, INS_PERFORM_SECURITY_OPERATION, 0x00, _VERIFY_SELF_DESCRIPTIVE, content)
