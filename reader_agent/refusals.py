"""What only the counter refuses, or cannot do; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import FaceNotVerified, Refused, Unavailable


class FaceRefusedByTeller(FaceNotVerified):
    """The teller compared by eye and saw another person."""

    code = "FACE_REFUSED_BY_TELLER"


class CounterBusy(Refused):
    """The counter serves one customer at a time, and one is being served."""

    code = "COUNTER_BUSY"
    retryable = True


class HostNotAllowed(Refused):
    """The request names another host than this counter's own address (DNS rebinding)."""

    code = "HOST_NOT_ALLOWED"


class OriginNotAllowed(Refused):
    """A page of another origin tried to use this counter's reader."""

    code = "ORIGIN_NOT_ALLOWED"


class AgentClientMissing(Refused):
    """The calling program did not name itself in X-Agent-Client."""

    code = "AGENT_CLIENT_MISSING"


class ConsentMissing(Refused):
    """Nobody recorded that the holder agreed."""

    code = "CONSENT_MISSING"


class CounterSessionUnknown(Refused):
    """This counter holds no session of that name (any more)."""

    code = "COUNTER_SESSION_UNKNOWN"


class CounterSessionCancelled(Refused):
    """The teller ended the session before there was a verdict."""

    code = "COUNTER_SESSION_CANCELLED"
    retryable = True


class CounterSessionExpired(Refused):
    """The session took longer than a counter may wait."""

    code = "COUNTER_SESSION_EXPIRED"
    retryable = True


class ManualFaceNotExpected(Refused):
    """Nobody asked the teller to compare by eye at this moment."""

    code = "MANUAL_FACE_NOT_EXPECTED"


class GatewayRefusal(Refused):
    """The gateway answered a problem; ``answered_code`` is the code that it sent."""

    code = "GATEWAY_REFUSED"

    def __init__(self, answered_code: str, status: int) -> None:
        super().__init__(f"gateway answered {status} {answered_code}")
        self.answered_code = answered_code
        self.status = status


class GatewayAnswerMalformed(Unavailable):
    """What came back from the gateway is not what its contract says."""

    code = "GATEWAY_ANSWER_MALFORMED"


class CardOnStatusList(Unavailable):
    """The gateway does not answer, and this counter's list names the card as one that is not good."""

    code = "CARD_ON_STATUS_LIST"


class CameraUnavailable(Unavailable):
    """No picture came from the counter's camera in time."""

    code = "CAMERA_UNAVAILABLE"


class FaceEngineUnavailable(Unavailable):
    """No face model is installed here, or none passed its self-test: compare by eye."""

    code = "FACE_ENGINE_UNAVAILABLE"
