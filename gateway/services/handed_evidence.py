"""Evidence as it was handed over: what can be refused before it is judged, and judging it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.purpose import Purpose
from gateway.domain.refusals import EvidenceIncomplete, PurposeNotPermitted
from gateway.domain.session import Session
from gateway.services.chip_session import active_authentication_of, chip_authentication_of
from verification.errors import RequestMalformed
from verification.inspection.inspect import inspect
from verification.inspection.report import InspectionReport
from verification.lds.files import CardFiles, LdsFile
from verification.messages.evidence import Evidence
from verification.pki.trust_store import TrustStore

REQUIRED_FILES = (LdsFile.SOD, LdsFile.DG1, LdsFile.DG13)
_ALWAYS_SEEN = frozenset({LdsFile.COM, LdsFile.SOD, LdsFile.CARD_ACCESS})


@dataclass(frozen=True, slots=True)
class HandedEvidence:
    """Evidence that is complete enough to be judged."""

    evidence: Evidence
    files: CardFiles
    digest: str
    chip_state: bytes | None


def complete_files(session: Session, purpose: Purpose, evidence: Evidence) -> CardFiles:
    """The evidence's files, where they are complete and the purpose may see them.

    Raises RequestMalformed, EvidenceIncomplete or PurposeNotPermitted.
    """
    if evidence.session != session.id:
        raise RequestMalformed("the evidence belongs to another session")
    try:
        files = evidence.card.lds_files()
    except KeyError:
        raise RequestMalformed("the evidence names a file that does not exist") from None
    missing = [file.name for file in REQUIRED_FILES if file not in files]
    if missing:
        raise EvidenceIncomplete(f"the evidence lacks {', '.join(missing)}")
    seen = _ALWAYS_SEEN | {LdsFile(number) for number in purpose.data_groups}
    if not files.keys() <= seen:
        raise PurposeNotPermitted("the evidence holds a data group that the purpose may not see")
    return files


def inspect_again(
    session: Session, handed: HandedEvidence, trust_store: TrustStore, moment: datetime
) -> InspectionReport:
    """Every check made anew from the files, with what the gateway itself knows of the chip."""
    card = handed.evidence.card
    return inspect(
        handed.files,
        trust_store,
        moment,
        chip_authentication=chip_authentication_of(handed.chip_state, card, handed.files),
        active_authentication=active_authentication_of(session.challenge, card, handed.files),
    )
