"""What the facts add up to. Pure: the same facts give the same answer, and nothing is asked here.

Refusals come before everything that is only unknown: a document that is not genuine is refused even
while the registry is down. The order says which reason a teller is shown when several hold:
document, chip, card status, person, face.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gateway.domain.purpose import Purpose
from verification.inspection.report import Check, InspectionReport
from verification.messages.credential_status import CredentialState
from verification.messages.decision import Assurance, ChipAssurance, DecisionOutcome, snapshot_age
from verification.messages.evidence import FaceClaim
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.person_query import LifeStatus, PersonAnswer

ASKED_ATTRIBUTES = frozenset({"full_name", "date_of_birth", "sex"})
"""The registry must say yes to each of these; one it does not mention has not been confirmed."""

# A counter that says its chip check failed is believed: it can only make the answer weaker.
_BELIEVED_CHIP_FAULTS = frozenset({"CHIP_CLONED", "CHIP_AA_FAILED"})

_CODE_OF_STATE = {
    CredentialState.ISSUED: "CARD_NOT_ACTIVE",
    # Only where a purpose wants a card that nobody has yet.
    CredentialState.ACTIVE: "CARD_ALREADY_ACTIVE",
    CredentialState.LOST: "CARD_LOST",
    CredentialState.SUSPENDED: "CARD_SUSPENDED",
    CredentialState.REPLACED: "CARD_REPLACED",
    CredentialState.REVOKED: "CARD_REVOKED",
    CredentialState.EXPIRED: "CARD_EXPIRED",
    CredentialState.UNKNOWN: "CARD_UNKNOWN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a decision rests on. ``None`` for an answer means that the service did not give one.

    ``portrait_is_signed`` says whether the portrait that the counter compared is the one EF.SOD
    signs; ``holder_is_named`` whether the signed files name a person completely; ``chip_fault`` is
    what the counter itself reports of its chip check; ``today`` is the day in Viet Nam.
    ``card_state_age`` is None for a state that the issuer says now, else how old it is in seconds.
    """

    report: InspectionReport
    chip: ChipAssurance
    today: date
    holder_is_named: bool
    chip_fault: str | None = None
    card_expiry: date | None = None
    card_state: CredentialState | None = None
    card_state_age: int | None = None
    person: PersonAnswer | None = None
    face: FaceClaim | None = None
    portrait_is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the code of the reason where it is not ``verified``, and how strong each part is."""

    outcome: DecisionOutcome
    code: str | None
    assurance: Assurance


def decide(purpose: Purpose, facts: Facts) -> Verdict:
    """The verdict: the first refusal, else the first thing that is unknown, else verified."""
    assurance = Assurance(
        chip=facts.chip,
        face=_face_assurance(facts),
        status=_status_assurance(facts),
    )
    for refusal in REFUSALS:
        code = refusal(purpose, facts)
        if code is not None:
            return Verdict(DecisionOutcome.REFUSED, code, assurance)
    unknown = _unknown(purpose, facts)
    if unknown is not None:
        return Verdict(DecisionOutcome.UNAVAILABLE, unknown, assurance)
    return Verdict(DecisionOutcome.VERIFIED, None, assurance)


def _document_refusal(_purpose: Purpose, facts: Facts) -> str | None:
    # Authentic files that do not name a person completely leave nothing to ask the registries.
    return facts.report.fault_code or (None if facts.holder_is_named else "DOCUMENT_MALFORMED")


def _chip_refusal(purpose: Purpose, facts: Facts) -> str | None:
    if facts.chip_fault in _BELIEVED_CHIP_FAULTS:
        return facts.chip_fault
    return None if facts.chip.reaches(purpose.min_chip) else "ASSURANCE_TOO_LOW"


def _card_refusal(purpose: Purpose, facts: Facts) -> str | None:
    if facts.card_state is not None and facts.card_state not in purpose.card_states:
        return _CODE_OF_STATE[facts.card_state]
    if facts.card_expiry is not None and facts.card_expiry < facts.today:
        return "CARD_EXPIRED"
    return None


def _person_refusal(_purpose: Purpose, facts: Facts) -> str | None:
    person = facts.person
    if person is None:
        return None
    if not person.found:
        return "PERSON_NOT_FOUND"
    if person.life_status in {LifeStatus.DECEASED, LifeStatus.MISSING}:
        return f"PERSON_{person.life_status.upper()}"
    confirmed = {name for name, agrees in person.matched.items() if agrees}
    disagrees = any(not agrees for agrees in person.matched.values())
    return "PERSON_MISMATCH" if disagrees or not confirmed >= ASKED_ATTRIBUTES else None


def _face_refusal(purpose: Purpose, facts: Facts) -> str | None:
    if not purpose.face_required:
        return None
    face = facts.face
    if face is None:
        return "FACE_NOT_VERIFIED"
    if not face.matched:
        return _face_code(face.code)
    if not facts.portrait_is_signed:
        return "FACE_PORTRAIT_NOT_SIGNED"
    if face.method == "manual":
        return None if purpose.manual_face and (face.manual_reason or "").strip() else "FACE_NOT_VERIFIED"
    return _engine_refusal(purpose, face)


def _face_code(claimed: str | None) -> str:
    """The counter's code where it is one of ours: its own words would end up in the log."""
    known = claimed is not None and claimed.startswith("FACE_") and claimed in fault_catalogue()
    return claimed if claimed is not None and known else "FACE_NOT_MATCHED"


def _engine_refusal(purpose: Purpose, face: FaceClaim) -> str | None:
    if face.method != "engine" or face.score is None or face.threshold is None:
        return "FACE_NOT_VERIFIED"
    if purpose.head_turn_required and face.head_turn != "passed":
        return "FACE_TURN_NOT_SHOWN"
    return None


REFUSALS: tuple[Callable[[Purpose, Facts], str | None], ...] = (
    _document_refusal,
    _chip_refusal,
    _card_refusal,
    _person_refusal,
    _face_refusal,
)


def _unknown(purpose: Purpose, facts: Facts) -> str | None:
    if not facts.report.passed(Check.SIGNER_REVOCATION):
        return "CHIP_REVOCATION_UNKNOWN"
    if facts.card_state is None or (facts.card_state_age or 0) > purpose.status_max_age_seconds:
        return "CARD_STATUS_UNAVAILABLE"
    # A registry that does not say whether the person lives has not answered.
    alive = facts.person is not None and facts.person.life_status is LifeStatus.ALIVE
    return None if alive else "REGISTRY_UNAVAILABLE"


def _status_assurance(facts: Facts) -> str:
    """``online``, or ``snapshot(120s)`` for what was last heard of the card so long ago."""
    if facts.card_state is None:
        return "none"
    return "online" if facts.card_state_age is None else snapshot_age(facts.card_state_age)


def _face_assurance(facts: Facts) -> str:
    """``agent`` for an engine on the counter, ``manual`` for the teller's eye, else ``none``."""
    face = facts.face
    if face is None or not face.matched or not facts.portrait_is_signed:
        return "none"
    return {"manual": "manual", "engine": "agent"}.get(face.method, "none")
