"""From a visit to the evidence that the gateway judges; nothing in it is a verdict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from reader_agent.session.card_reading import CardReading
from reader_agent.version import AGENT_VERSION
from verification.lds.files import LdsFile
from verification.messages.evidence import (
    ActiveAuthenticationProof,
    AttestedEvidence,
    CardEvidence,
    Evidence,
    FaceClaim,
)
from verification.messages.verification_session import ChipProof

_ALWAYS = frozenset({LdsFile.COM, LdsFile.SOD, LdsFile.CARD_ACCESS})


@dataclass(slots=True)
class Gathered:
    """What the steps of a visit found, each where it was made."""

    chip: ChipProof | None = None
    chip_fault: str | None = None
    active_authentication: bytes | None = None
    face: FaceClaim | None = None


def build_evidence(
    session: str,
    reading: CardReading,
    gathered: Gathered,
    *,
    data_groups: Collection[int],
    captured_at: datetime,
    timings_ms: dict[str, int],
) -> Evidence:
    """The evidence of one tap, with no data group that the purpose does not allow."""
    files = {
        file.name: content
        for file, content in reading.files.items()
        if file in _ALWAYS or (file.is_data_group and file.value in data_groups)
    }
    signature = gathered.active_authentication
    card = CardEvidence(
        files=files,
        access=reading.access.method,
        downgraded=reading.access.downgraded,
        chip=gathered.chip,
        active_authentication=ActiveAuthenticationProof(signature) if signature else None,
        chip_fault=gathered.chip_fault,
    )
    attested = AttestedEvidence(
        agent_version=AGENT_VERSION,
        captured_at=captured_at.isoformat(timespec="milliseconds"),
        face=gathered.face,
        timings_ms=timings_ms,
    )
    return Evidence(session=session, card=card, attested=attested)
