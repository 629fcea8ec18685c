"""What only the desk of citizens' own records refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused


class OwnRecordProofRefused(Refused):
    """The gateway's receipt does not prove that the holder of an active card stands here now."""

    code = "OWN_RECORD_PROOF_REFUSED"


class OwnRecordProofUsed(Refused):
    """This receipt opened a visit before."""

    code = "OWN_RECORD_PROOF_USED"


class OwnRecordTooOften(Refused):
    """So many visits of one citizen in a day, or complaints in one visit, and no more."""

    code = "OWN_RECORD_TOO_OFTEN"


class CitizenVisitEnded(Refused):
    """No visit of this id is open at this officer's counter."""

    code = "CITIZEN_VISIT_ENDED"


class ComplaintUnknown(Refused):
    """There is no such complaint, or it is of another area."""

    code = "COMPLAINT_UNKNOWN"
