"""One tree of errors; the group says who acts next.

VerificationError
├── CardCommunication      teller: put the card on the reader again
│   ├── ReaderNotFound, ReaderUnplugged, ReaderBusy
│   ├── CardNotPresent, CardRemoved, CardUnresponsive, UnexpectedStatusWord
│   └── SecureMessagingFailed
├── AccessDenied           teller: check the CAN or the machine readable zone
│   ├── AccessSecretMalformed, AccessSecretWrong, AccessControlUnsupported, MrzNeeded
│   ├── CitizenNumberMalformed, CardQrMalformed, FileLocked, TerminalAuthenticationFailed, TerminalNotTrusted
│   └── TerminalCertificateInvalid, TerminalCertificateExpired
├── MalformedDocument      card unusable: another document
│   ├── LimitExceeded, ChipAuthenticationUnsupported
│   ├── FingerTemplateMalformed, FingerQualityInsufficient, SlapMiscounted
│   └── ImageUndecodable: FingerImageUndecodable
├── UntrustedDocument      do not accept: keep calm, call the supervisor
│   ├── SecurityObjectInvalid, SignerRevoked, SignerNotValidThen, SigningTimeUnknown
│   ├── SignerUntrusted: AuthorityUnknown
│   ├── DataGroupMismatch, DataGroupNotSigned, AlgorithmRefused
│   ├── FileListInconsistent, CountryMismatch, HolderInconsistent
│   └── ChipAuthenticationFailed, ActiveAuthenticationFailed, AccessControlDowngraded
├── FaceNotVerified        teller: capture again, or compare by eye
│   ├── FaceNotFound, FaceMultiple, FaceQualityInsufficient, FaceFramesTooFew, FaceChanged
│   └── PortraitFaceNotFound
├── Refused                policy: say why, nothing to repeat
│   ├── CallerNotAuthenticated: AgentUnknown, SignatureInvalid, ClockSkew
│   ├── RequestMalformed, TransitionRefused, SealBroken, ReceiptInvalid, StatusListInvalid
│   └── OfficerSessionEnded, FieldsRefused, DossierAlreadyOpen
└── Unavailable            a service is down: say so, never "not found"
    └── RevocationUnknown, RegistryUnavailable, FaceModelMissing, FaceModelAltered, FaceSelfTestFailed

What only one program, or only one part of it, refuses stands in its own module ``refusals``, in these
groups; packets' and extracts' stand in ``messages.refusals``.
Every class has its own ``code``; sentences live in ``messages/faults`` under that code.
No message carries a person's data, a key, a CAN, an MRZ or an APDU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class CitizenNumberMalformed(AccessDenied):
    """The citizen number cannot be right: it is not twelve digits."""

    code = "CITIZEN_NUMBER_MALFORMED"


class CardQrMalformed(AccessDenied):
    """The scanned text is not the QR code of an identity card."""

    code = "CARD_QR_MALFORMED"


class AccessSecretWrong(AccessDenied):
    """The chip refused the CAN or MRZ."""

    code = "ACCESS_SECRET_WRONG"
    retryable = True


class AccessControlUnsupported(AccessDenied):
    """The chip offers no access protocol that this reader speaks."""

    code = "ACCESS_CONTROL_UNSUPPORTED"


class MrzNeeded(AccessDenied):
    """The chip offers no PACE, and a CAN does not open basic access control."""

    code = "MRZ_NEEDED"


class FileLocked(AccessDenied):
    """The chip keeps this file closed to this reader (status word 6982)."""

    code = "FILE_LOCKED"


class TerminalAuthenticationFailed(AccessDenied):
    """The chip refused a step of terminal authentication (BSI TR-03110-1, 3.5)."""

    code = "TERMINAL_AUTHENTICATION_FAILED"


class TerminalNotTrusted(AccessDenied):
    """No certificates lead from a key that the chip trusts to this terminal."""

    code = "TERMINAL_NOT_TRUSTED"


class TerminalCertificateInvalid(AccessDenied):
    """A terminal's certificates do not hold: signature, name, role or key."""

    code = "TERMINAL_CERTIFICATE_INVALID"


class TerminalCertificateExpired(AccessDenied):
    """A terminal's certificate is not valid on this day."""

    code = "TERMINAL_CERTIFICATE_EXPIRED"


class MalformedDocument(VerificationError):
    """Bytes that are not what the standard prescribes."""

    code = "DOCUMENT_MALFORMED"


class LimitExceeded(MalformedDocument):
    """Larger, deeper or longer than any genuine document."""

    code = "DOCUMENT_LIMIT_EXCEEDED"


class ChipAuthenticationUnsupported(MalformedDocument):
    """DG14 offers no chip authentication that this product speaks; the chip may still be genuine."""

    code = "CHIP_AUTHENTICATION_UNSUPPORTED"


class ImageUndecodable(MalformedDocument):
    """The portrait cannot be decoded within its limits."""

    code = "PORTRAIT_UNDECODABLE"


class FingerImageUndecodable(ImageUndecodable):
    """A finger image cannot be decoded within its limits."""

    code = "FINGER_IMAGE_UNDECODABLE"


class FingerTemplateMalformed(MalformedDocument):
    """A fingerprint template is not the record that ISO/IEC 19794-2 prescribes."""

    code = "FINGER_TEMPLATE_MALFORMED"


class FingerQualityInsufficient(MalformedDocument):
    """A print shows no minutiae that could be compared."""

    code = "FINGER_QUALITY_INSUFFICIENT"
    retryable = True


class SlapMiscounted(MalformedDocument):
    """A slap does not show as many fingers as the hand has: nobody knows which is which."""

    code = "SLAP_MISCOUNTED"
    retryable = True


class UntrustedDocument(VerificationError):
    """The document is well formed and not genuine as far as can be shown."""

    code = "DOCUMENT_UNTRUSTED"


class SecurityObjectInvalid(UntrustedDocument):
    """The signature over EF.SOD does not verify (ICAO 9303-11, 5.1)."""

    code = "CHIP_SOD_INVALID"


class SignerUntrusted(UntrustedDocument):
    """No trusted CSCA issued the document signer."""

    code = "CHIP_DS_UNTRUSTED"


class AuthorityUnknown(SignerUntrusted):
    """No CSCA of the name or key that the document signer names is known here."""

    code = "CHIP_CSCA_UNKNOWN"


class SignerRevoked(UntrustedDocument):
    """The document signer stands on the CSCA's revocation list."""

    code = "CHIP_DS_REVOKED"


class SignerNotValidThen(UntrustedDocument):
    """The document signer was not valid when the document was signed."""

    code = "CHIP_DS_NOT_VALID"


class MasterListUntrusted(UntrustedDocument):
    """No trusted CSCA stands behind a master list, or a certificate in it is broken (ICAO 9303-12, 9)."""

    code = "MASTER_LIST_UNTRUSTED"


class RevocationListOutdated(UntrustedDocument):
    """A revocation list is older than one of the same issuer that was already in use."""

    code = "REVOCATION_LIST_OUTDATED"


class SigningTimeUnknown(UntrustedDocument):
    """The document signer has expired and nothing tells whether that was after it signed."""

    code = "CHIP_SIGNING_TIME_UNKNOWN"


class DataGroupMismatch(UntrustedDocument):
    """A data group is not the one that was signed."""

    code = "CHIP_DATA_ALTERED"


class DataGroupNotSigned(UntrustedDocument):
    """A data group was read that EF.SOD does not list."""

    code = "CHIP_DATA_NOT_SIGNED"


class AlgorithmRefused(UntrustedDocument):
    """Signed with an algorithm, key or curve that is unknown or no longer relied on."""

    code = "CHIP_ALGORITHM_REFUSED"


class FileListInconsistent(UntrustedDocument):
    """EF.COM and EF.SOD list different data groups (BSI TR-03135-1)."""

    code = "CHIP_FILES_INCONSISTENT"


class CountryMismatch(UntrustedDocument):
    """The document was signed by another country than it names as its issuer."""

    code = "CHIP_COUNTRY_MISMATCH"


class HolderInconsistent(UntrustedDocument):
    """DG1 and DG13 name different holders."""

    code = "CHIP_HOLDER_INCONSISTENT"


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


class FaceNotFound(FaceNotVerified):
    """No face is in the picture."""

    code = "FACE_NOT_FOUND"
    retryable = True


class FaceMultiple(FaceNotVerified):
    """More than one face is in the picture, and none stands out."""

    code = "FACE_MULTIPLE"
    retryable = True


class FaceQualityInsufficient(FaceNotVerified):
    """A picture does not pass a quality gate; ``gate`` is the gate's own code."""

    code = "FACE_QUALITY_INSUFFICIENT"
    retryable = True

    def __init__(self, gate: str) -> None:
        super().__init__(f"quality gate {gate}")
        self.gate = gate


class FaceFramesTooFew(FaceNotVerified):
    """Fewer good pictures than a comparison needs."""

    code = "FACE_FRAMES_TOO_FEW"
    retryable = True


class FaceChanged(FaceNotVerified):
    """The live pictures show more than one person."""

    code = "FACE_CHANGED"


class PortraitFaceNotFound(FaceNotVerified):
    """The engine finds no face in the chip's portrait: compare by eye."""

    code = "FACE_PORTRAIT_NOT_FOUND"


class Refused(VerificationError):
    """A rule says no; the same request will be refused again."""

    code = "REFUSED"


class RequestMalformed(Refused):
    """The body of a request is not what the interface prescribes."""

    code = "REQUEST_MALFORMED"


class OfficerSessionEnded(Refused):
    """The officer is not signed in, or no longer."""

    code = "OFFICER_SESSION_ENDED"


class TransitionRefused(Refused):
    """The state does not allow this step; somebody else may have been quicker."""

    code = "STATE_NOT_ALLOWED"


class FieldsRefused(Refused):
    """What was typed cannot be accepted; ``fields`` maps a field's name to its fault code."""

    code = "FIELDS_REFUSED"

    def __init__(self, fields: Mapping[str, str]) -> None:
        named = (f"{field} ({fault})" for field, fault in sorted(fields.items()))
        super().__init__("not accepted: " + ", ".join(named))
        self.fields = dict(fields)


class DossierAlreadyOpen(Refused):
    """Another dossier of this person is still being worked on."""

    code = "DOSSIER_ALREADY_OPEN"


class CallerNotAuthenticated(Refused):
    """The calling program did not prove who it is."""

    code = "NOT_AUTHENTICATED"


class AgentUnknown(CallerNotAuthenticated):
    """No active agent has this key id."""

    code = "AGENT_UNKNOWN"


class SignatureInvalid(CallerNotAuthenticated):
    """The message signature is missing, outside the profile, or does not verify (RFC 9421)."""

    code = "SIGNATURE_INVALID"


class ClockSkew(CallerNotAuthenticated):
    """The signature was made too long ago, or in the future; ``offset_ms`` is the caller's lead."""

    code = "CLOCK_SKEW"
    retryable = True

    def __init__(self, offset_ms: int) -> None:
        super().__init__(f"the caller's clock is off by {offset_ms} ms")
        self.offset_ms = offset_ms


class SealBroken(Refused):
    """A sealed token was altered, has run out, or belongs elsewhere."""

    code = "SEALED_STATE_INVALID"


class StatusListInvalid(Refused):
    """A list of card states is not what the gateway signed, or is damaged."""

    code = "STATUS_LIST_INVALID"


class ReceiptInvalid(Refused):
    """A receipt is not what the gateway signed, or its proof does not lead to the signed head."""

    code = "RECEIPT_INVALID"


class Unavailable(VerificationError):
    """A service that is needed does not answer; nothing is known about the question asked."""

    code = "SERVICE_UNAVAILABLE"
    retryable = True


class RevocationUnknown(Unavailable):
    """No current revocation list of this issuer is at hand."""

    code = "CHIP_REVOCATION_UNKNOWN"


class FaceModelMissing(Unavailable):
    """A face model file is not there: the teller compares by eye."""

    code = "FACE_MODEL_MISSING"
    retryable = False


class FaceModelAltered(Unavailable):
    """A face model file is not the approved one; it is never used."""

    code = "FACE_MODEL_ALTERED"
    retryable = False


class FaceSelfTestFailed(Unavailable):
    """The engine does not give its known answer; it is never used."""

    code = "FACE_SELF_TEST_FAILED"
    retryable = False


class RegistryUnavailable(Unavailable):
    """The population registry does not answer: nothing is known of the person."""

    code = "REGISTRY_UNAVAILABLE"


# What parsers of hostile bytes are known to raise: RecursionError on deep nesting, OverflowError
# and MemoryError on claimed lengths.
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
