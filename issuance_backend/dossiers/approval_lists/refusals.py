"""What is refused about lists of local approvals and their signatures."""

from __future__ import annotations

from verification.errors import Refused, Unavailable, UntrustedDocument


class ApproverKeyUnknown(UntrustedDocument):
    """An approval is signed with a key that is not registered as its approver's."""

    code = "APPROVER_KEY_UNKNOWN"


class ApproverKeyRevoked(UntrustedDocument):
    """An approval is signed with a key of its approver that was good no longer."""

    code = "APPROVER_KEY_REVOKED"


class ApproverSignatureMissing(UntrustedDocument):
    """A list of approvals that its approver has to have signed bears the office's signature alone."""

    code = "APPROVER_SIGNATURE_MISSING"


class ApprovalAltered(UntrustedDocument):
    """What came back signed is not what the office prepared for this approver."""

    code = "APPROVAL_ALTERED"


class ApprovalExpired(Refused):
    """What was prepared was not signed in time."""

    code = "APPROVAL_EXPIRED"


class ApprovalOutdated(Refused):
    """A dossier is not any more as it was when a list of approvals was prepared."""

    code = "APPROVAL_OUTDATED"


class ApprovalNotListed(UntrustedDocument):
    """No list of approvals stands for this dossier as it was captured."""

    code = "APPROVAL_NOT_LISTED"


class ApprovalListAltered(UntrustedDocument):
    """A list of approvals is not what the office signed."""

    code = "APPROVAL_LIST_ALTERED"


class ApprovalListSignerUnknown(UntrustedDocument):
    """A list of approvals is signed with no key of the office."""

    code = "APPROVAL_LIST_SIGNER_UNKNOWN"


class ApprovalListSignerRevoked(UntrustedDocument):
    """A list of approvals is signed with a key of the office that was good no longer."""

    code = "APPROVAL_LIST_SIGNER_REVOKED"


class ApprovalListUnknown(Refused):
    """There is no such list of approvals, or it is of another area."""

    code = "APPROVAL_LIST_UNKNOWN"


class ApprovalKeyUnavailable(Unavailable):
    """The office has no key that the centre takes lists of approvals from; nobody approves locally."""

    code = "APPROVAL_KEY_UNAVAILABLE"
    retryable = False
