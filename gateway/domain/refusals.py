"""What only the gateway refuses, or cannot answer; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import CallerNotAuthenticated, Refused, Unavailable


class SignatureReplayed(CallerNotAuthenticated):
    """This signature or assertion was already used once."""

    code = "SIGNATURE_REPLAYED"


class ClientAssertionInvalid(CallerNotAuthenticated):
    """A partner's ``private_key_jwt`` does not verify (RFC 7523)."""

    code = "CLIENT_ASSERTION_INVALID"


class AccessTokenInvalid(CallerNotAuthenticated):
    """The bearer token is not ours, or has run out."""

    code = "ACCESS_TOKEN_INVALID"
    retryable = True


class OperatorUnknown(CallerNotAuthenticated):
    """Not the operator's token, or this gateway has none."""

    code = "OPERATOR_UNKNOWN"


class SessionUnknown(Refused):
    """No session of this caller has this id."""

    code = "SESSION_UNKNOWN"


class SessionExpired(Refused):
    """The session's time has run out."""

    code = "SESSION_EXPIRED"


class SessionClosed(Refused):
    """The session is not in a state that allows this step."""

    code = "SESSION_CLOSED"


class EvidenceReplayed(Refused):
    """This very evidence was already decided."""

    code = "EVIDENCE_REPLAYED"


class ChallengeUsed(Refused):
    """The session's one-time challenge was already spent on other evidence."""

    code = "CHALLENGE_USED"


class EvidenceIncomplete(Refused):
    """The evidence lacks a file that the purpose needs, or names one that does not exist."""

    code = "EVIDENCE_INCOMPLETE"


class PurposeNotPermitted(Refused):
    """No such purpose, or not for this partner."""

    code = "PURPOSE_NOT_PERMITTED"


class IdempotencyConflict(Refused):
    """The idempotency key was already used with another request."""

    code = "IDEMPOTENCY_CONFLICT"


class BodyTooLarge(Refused):
    """The body is larger than this address takes."""

    code = "BODY_TOO_LARGE"


class ContentTypeWrong(Refused):
    """The body is not of the content type that this address takes."""

    code = "CONTENT_TYPE_WRONG"


class TooManyRequests(Refused):
    """The caller's quota is spent; ``seconds`` until it may ask again."""

    code = "TOO_MANY_REQUESTS"
    retryable = True

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class LogTampered(Refused):
    """The evidence log does not lead to the heads that were signed."""

    code = "LOG_TAMPERED"


class TrustUnavailable(Unavailable):
    """The gateway's own trust folder cannot be used: nothing can be said of any document."""

    code = "TRUST_UNAVAILABLE"


class CardEventsUnavailable(Unavailable):
    """The issuer tells nothing of its cards at the moment."""

    code = "CARD_EVENTS_UNAVAILABLE"


class CardEventsRestarted(Unavailable):
    """The issuer never was where this gateway had heard it: its records were put back."""

    code = "CARD_EVENTS_RESTARTED"


class StatusListUnavailable(Unavailable):
    """No list of card states was made yet: the issuer has not been heard since this gateway was set up."""

    code = "STATUS_LIST_UNAVAILABLE"


class CardStatusUnavailable(Unavailable):
    """The issuer does not answer: nothing is known of the card's state."""

    code = "CARD_STATUS_UNAVAILABLE"
