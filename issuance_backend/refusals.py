"""What only the issuance backend refuses, or cannot do; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, Unavailable


class ServiceNotPermitted(Refused):
    """The calling program did not prove who it is, or may not ask this."""

    code = "SERVICE_NOT_PERMITTED"


class SignInFailed(Refused):
    """No officer of that name with that password; which of the two is not told."""

    code = "OFFICER_SIGN_IN_FAILED"


class SignInBlocked(Refused):
    """Too many wrong passwords: this officer must wait."""

    code = "OFFICER_SIGN_IN_BLOCKED"


class RoleMissing(Refused):
    """The officer's roles do not allow this step."""

    code = "OFFICER_ROLE_MISSING"


class SameOfficer(Refused):
    """Four eyes: this officer already took part in this dossier."""

    code = "SAME_OFFICER"


class RegistryPersonUnknown(Refused):
    """The population registry holds no person with this number."""

    code = "REGISTRY_PERSON_UNKNOWN"


class DossierUnknown(Refused):
    """There is no such dossier."""

    code = "DOSSIER_UNKNOWN"


class CaptureReplayed(Refused):
    """This capture id was already used for other content."""

    code = "CAPTURE_REPLAYED"


class CredentialUnknown(Refused):
    """There is no such card."""

    code = "CREDENTIAL_UNKNOWN"


class SlotUnknown(Refused):
    """The virtual reader has no such slot."""

    code = "SLOT_UNKNOWN"


class SoftwareCardUnknown(Refused):
    """The drawer of software cards holds no card of this name."""

    code = "SOFTWARE_CARD_UNKNOWN"


class TamperingImpossible(Refused):
    """This card lacks the file that was to be tampered with."""

    code = "TAMPERING_IMPOSSIBLE"


class ProductionUnavailable(Unavailable):
    """The document signer or the card writer cannot be used now; the order waits."""

    code = "PRODUCTION_UNAVAILABLE"


class SigningKeyUnavailable(Unavailable):
    """A signing key cannot be read, opened or used: nothing is signed."""

    code = "SIGNING_KEY_UNAVAILABLE"
    retryable = False


class DocumentSignerExhausted(Unavailable):
    """No document signer may sign now: all are past their period of use or their quota."""

    code = "DOCUMENT_SIGNER_EXHAUSTED"
    retryable = False


class DualControlMissing(Refused):
    """The issuer's root keys are used by two custodians together, never by one."""

    code = "DUAL_CONTROL_MISSING"


class CustodianNotProven(Refused):
    """No custodian of this name with this passphrase; which of the two is not told."""

    code = "CUSTODIAN_NOT_PROVEN"


class IssuingRecordsBroken(Unavailable):
    """The ceremony's log is not what was written, or what is published is not what it says was issued."""

    code = "ISSUING_RECORDS_BROKEN"
    retryable = False
