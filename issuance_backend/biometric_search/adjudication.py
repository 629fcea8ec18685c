"""Two people look, each without the other; a third where they differ. No program decides.

open        nobody has decided                    two examiners, blind
one         one has decided                       another examiner, blind
differ      the two do not agree                  a third examiner, who is not told that he is one
decided     an outcome stands                     nobody
superseded  nobody waits for this capture now     nobody

``poor_data`` is what three different answers lead to: what cannot be told apart is captured again.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from issuance_backend.state_table import StateTable

EXAMINERS = 3
_Z_95 = 1.959964


class Finding(StrEnum):
    """What an examiner can find."""

    SAME_PERSON = "same_person"
    DIFFERENT_PERSONS = "different_persons"
    FRAUD = "fraud"
    POOR_DATA = "poor_data"


class CaseKind(StrEnum):
    """Why a pair is looked at; one pair is at most one case of each kind."""

    FOUND = "found"
    CLAIMED = "claimed"  # the application says to be the other one: here the difference speaks against it
    BAIT = "bait"  # the truth is known


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ONE = "one"
    DIFFER = "differ"
    DECIDED = "decided"
    SUPERSEDED = "superseded"


class CaseEvent(StrEnum):
    """What can happen to a case."""

    OPEN = "open"
    DECIDE = "decide"
    AGREE = "agree"
    DIFFER = "differ"
    SETTLE = "settle"
    SUPERSEDE = "supersede"


TABLE = StateTable[CaseState, CaseEvent](
    {
        (None, CaseEvent.OPEN): CaseState.OPEN,
        (CaseState.OPEN, CaseEvent.DECIDE): CaseState.ONE,
        (CaseState.ONE, CaseEvent.AGREE): CaseState.DECIDED,
        (CaseState.ONE, CaseEvent.DIFFER): CaseState.DIFFER,
        (CaseState.DIFFER, CaseEvent.SETTLE): CaseState.DECIDED,
        (CaseState.OPEN, CaseEvent.SUPERSEDE): CaseState.SUPERSEDED,
        (CaseState.ONE, CaseEvent.SUPERSEDE): CaseState.SUPERSEDED,
        (CaseState.DIFFER, CaseEvent.SUPERSEDE): CaseState.SUPERSEDED,
    }
)
advance, fold = TABLE.advance, TABLE.fold


def next_event(findings: Sequence[Finding]) -> CaseEvent:
    """What the newest of these findings, in the order they were made, does to its case."""
    if len(findings) == 1:
        return CaseEvent.DECIDE
    if len(findings) == EXAMINERS:
        return CaseEvent.SETTLE
    return CaseEvent.AGREE if findings[0] is findings[1] else CaseEvent.DIFFER


def outcome(findings: Sequence[Finding]) -> Finding:
    """What stands: the finding of two examiners, ``poor_data`` where three found three things."""
    for finding in Finding:
        if sum(each is finding for each in findings) >= 2:
            return finding
    return Finding.POOR_DATA


def seal(finding: Finding, comment: str, nonce: bytes) -> str:
    """What is recorded of a finding at once: it binds the examiner and tells nobody what it was."""
    message = f"{finding.value}\0{comment}".encode()
    return hmac.new(nonce, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision of one examiner, for figures. ``truth`` is known of baits only."""

    examiner: str
    finding: Finding
    outcome: Finding | None
    truth: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How one examiner works.

    ``missed``: one person in two applications, taken for two or not looked at closely enough to tell.
    ``false_alarms``: two persons taken for one.
    """

    examiner: str
    decided: int
    baits: int
    same_baits: int
    missed: int
    false_alarms: int
    agreed: int
    compared: int

    @property
    def miss_rate(self) -> tuple[float, float, float] | None:
        """The share of missed baits with its 95 % bounds; None before the first."""
        return wilson(self.missed, self.same_baits) if self.same_baits else None


def record_of(examiner: str, judged: Sequence[Judged]) -> Record:
    """The record that an examiner's decisions add up to."""
    own = [each for each in judged if each.examiner == examiner]
    same = [each for each in own if each.truth is True]
    different = [each for each in own if each.truth is False]
    real = [each for each in own if each.truth is None and each.outcome is not None]
    return Record(
        examiner=examiner,
        decided=len(own),
        baits=len(same) + len(different),
        same_baits=len(same),
        missed=sum(not _says_same(each.finding) for each in same),
        false_alarms=sum(_says_same(each.finding) for each in different),
        agreed=sum(each.finding is each.outcome for each in real),
        compared=len(real),
    )


def wilson(count: int, of: int) -> tuple[float, float, float]:
    """A share with the bounds of its 95 % confidence interval (Wilson's score)."""
    share = count / of
    spread = _Z_95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z_95 * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    # Rounding must not put the share outside its own interval.
    return share, max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)


def _says_same(finding: Finding) -> bool:
    return finding in {Finding.SAME_PERSON, Finding.FRAUD}
