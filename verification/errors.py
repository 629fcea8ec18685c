"""One tree of errors; the group says who acts next.

VerificationError
├── CardCommunication      teller: put the card on the reader again
│   ├── ReaderNotFound, ReaderUnplugged, ReaderBusy
│   ├── CardNotPresent, CardRemoved, CardUnresponsive
│   ├── UnexpectedStatusWord
│   └── SecureMessagingFailed
├── AccessDenied           teller: check the CAN or the machine readable zone
│   ├── AccessSecretMalformed, AccessSecretWrong, AccessControlUnsupported
│   └── FileLocked
├── MalformedDocument      card unusable: another document
│   ├── LimitExceeded
│   └── ImageUndecodable
├── UntrustedDocument      do not accept: keep calm, call the supervisor
│   ├── SecurityObjectInvalid, SignerUntrusted, SignerRevoked, SignerNotValidThen
│   ├── DataGroupMismatch, DataGroupNotSigned
│   └── ChipAuthenticationFailed, ActiveAuthenticationFailed, AccessControlDowngraded
├── FaceNotVerified        teller: capture again, or compare by eye
├── Refused                policy: say why, nothing to repeat
└── Unavailable            a service is down: say so, never "not found"

Every class has its own ``code``; sentences live in ``messages/faults`` under that code.
No message carries a person's data, a key, a CAN, an MRZ or an APDU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class VerificationError(Exception):
    """Something stopped the work; ``code`` names the cause for every reader."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False


class CardCommunication(VerificationError):
    """The card or the reader did not answer as it should: try again."""

    code = "CARD_COMMUNICATION"
    retryable = True


class ReaderNotFound(CardCommunication):
    """No reader matches the name that was asked for."""

    code = "READER_NOT_FOUND"


class ReaderUnplugged(CardCommunication):
    """The reader, or the PC/SC service behind it, went away."""

    code = "READER_UNPLUGGED"


class ReaderBusy(CardCommunication):
    """Another program holds the reader."""

    code = "READER_BUSY"


class CardNotPresent(CardCommunication):
    """There is no card on the reader."""

    code = "CARD_NOT_PRESENT"


class CardRemoved(CardCommunication):
    """The card left the reader before the reading was complete."""

    code = "CARD_REMOVED"


class CardUnresponsive(CardCommunication):
    """The card did not answer a command in time."""

    code = "CARD_UNRESPONSIVE"


class UnexpectedStatusWord(CardCommunication):
    """The card answered a status word that ends the step (ISO/IEC 7816-4, 5.1.3)."""

    code = "CARD_UNEXPECTED_STATUS"

    def __init__(self, step: str, status_word: int) -> None:
        super().__init__(f"{step}: status word {status_word:04X}")
        self.step = step
        self.status_word = status_word


class SecureMessagingFailed(CardCommunication):
    """A protected answer had no valid checksum (ICAO 9303-11, 9.8)."""

    code = "SECURE_MESSAGING_FAILED"


class AccessDenied(VerificationError):
    """The chip does not open with what was typed or scanned."""

    code = "ACCESS_DENIED"


class AccessSecretMalformed(AccessDenied):
    """The CAN or MRZ cannot be right: wrong length, characters or check digits."""

    code = "ACCESS_SECRET_MALFORMED"


class AccessSecretWrong(AccessDenied):
    """The chip refused the CAN or MRZ."""

    code = "ACCESS_SECRET_WRONG"
    retryable = True


class AccessControlUnsupported(AccessDenied):
    """The chip offers no access protocol that this reader speaks."""

    code = "ACCESS_CONTROL_UNSUPPORTED"


class FileLocked(AccessDenied):
    """The chip keeps this file closed to this reader (status word 6982)."""

    code = "FILE_LOCKED"


class MalformedDocument(VerificationError):
    """Bytes that are not what the standard prescribes."""

    code = "DOCUMENT_MALFORMED"


class LimitExceeded(MalformedDocument):
    """Larger, deeper or longer than any genuine document."""

    code = "DOCUMENT_LIMIT_EXCEEDED"


class ImageUndecodable(MalformedDocument):
    """The portrait cannot be decoded within its limits."""

    code = "PORTRAIT_UNDECODABLE"


class UntrustedDocument(VerificationError):
    """The document is well formed and not genuine as far as can be shown."""

    code = "DOCUMENT_UNTRUSTED"


class SecurityObjectInvalid(UntrustedDocument):
    """The signature over EF.SOD does not verify (ICAO 9303-11, 5.1)."""

    code = "CHIP_SOD_INVALID"


class SignerUntrusted(UntrustedDocument):
    """No trusted CSCA issued the document signer."""

    code = "CHIP_DS_UNTRUSTED"


class SignerRevoked(UntrustedDocument):
    """The document signer stands on the CSCA's revocation list."""

    code = "CHIP_DS_REVOKED"


class SignerNotValidThen(UntrustedDocument):
    """The document signer was not valid when the document was signed."""

    code = "CHIP_DS_NOT_VALID"


class DataGroupMismatch(UntrustedDocument):
    """A data group is not the one that was signed."""

    code = "CHIP_DATA_ALTERED"


class DataGroupNotSigned(UntrustedDocument):
    """A data group was read that EF.SOD does not list."""

    code = "CHIP_DATA_NOT_SIGNED"


class ChipAuthenticationFailed(UntrustedDocument):
    """The chip does not hold the private key to DG14 (ICAO 9303-11, 6.2)."""

    code = "CHIP_CLONED"


class ActiveAuthenticationFailed(UntrustedDocument):
    """The chip does not hold the private key to DG15 (ICAO 9303-11, 6.1)."""

    code = "CHIP_AA_FAILED"


class AccessControlDowngraded(UntrustedDocument):
    """PACE failed although the chip offers it; BAC instead would be a silent downgrade."""

    code = "ACCESS_CONTROL_DOWNGRADED"


class FaceNotVerified(VerificationError):
    """The person at the counter was not shown to be the holder."""

    code = "FACE_NOT_VERIFIED"


class Refused(VerificationError):
    """A rule says no; the same request will be refused again."""

    code = "REFUSED"


class Unavailable(VerificationError):
    """A service that is needed does not answer; nothing is known about the question asked."""

    code = "SERVICE_UNAVAILABLE"
    retryable = True


# What parsers of hostile bytes are known to raise. RecursionError is asn1crypto on deep nesting,
# OverflowError and MemoryError are claimed lengths.
_PARSER_FAULTS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
    MemoryError,
    UnicodeError,
    ArithmeticError,
)


@contextmanager
def malformed_unless_parsed(what: str) -> Iterator[None]:
    """Turn any parser's own exception into MalformedDocument; ours pass unchanged."""
    try:
        yield
    except VerificationError:
        raise
    except _PARSER_FAULTS as fault:
        # The cause's text may quote the document: only its type goes on.
        raise MalformedDocument(f"{what}: {type(fault).__name__}") from None
