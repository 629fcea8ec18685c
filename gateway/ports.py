"""What the gateway's services need of the world; adapters and tests' fakes both fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain.call_figures import CountedCalls
from gateway.domain.card_standing import Heard
from gateway.domain.partner import Agent, Partner
from gateway.domain.session import Session
from verification.messages.credential_status import CredentialStatusAnswer, CredentialStatusQuery
from verification.messages.event_feed import EventFeed, FeedPlace
from verification.messages.person_query import PersonAnswer, PersonQuery
from verification.messages.receipt import LogEntry
from verification.messages.status_list import StatusListDelta
from verification.pki.trust_store import TrustStore

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]
TrustSource = Callable[[], TrustStore]
"""The trust store as it stands now; raises TrustUnavailable."""


class PopulationRegistry(Protocol):
    """The national registry, as this gateway sees it."""

    def ask(self, query: PersonQuery) -> PersonAnswer:
        """Yes or no by attribute; raises RegistryUnavailable, never answers "not found" for a fault."""


class CredentialStatus(Protocol):
    """The issuer's knowledge of a card."""

    def ask(self, query: CredentialStatusQuery) -> CredentialStatusAnswer:
        """The card's state; raises CardStatusUnavailable."""


class CardEvents(Protocol):
    """What the issuer tells of its cards, in one order."""

    def after(self, place: FeedPlace) -> EventFeed:
        """Events behind a place, waiting a moment for the first.

        Raises CardEventsUnavailable, or CardEventsRestarted where the issuer never was at that place.
        """


class CardStates(Protocol):
    """What was heard of cards, kept with how far it was heard; one of the gateway's workers writes it."""

    def lead(self, worker: str, now: datetime) -> bool:
        """Take or keep the one seat of the worker that follows; it is free when its holder falls silent."""

    def place(self) -> FeedPlace:
        """Where to go on."""

    def take_in(self, worker: str, feed: EventFeed, asked_at: datetime) -> bool:
        """Keep the feed and its place in one transaction; False when the seat was lost meanwhile."""

    def begin_again(self, worker: str) -> None:
        """Read every event again from the first; no card is good that is not told anew."""

    def heard(self, status_key: str) -> Heard:
        """What is known of a card, and how fresh that is."""

    def heard_at(self) -> datetime | None:
        """When the issuer was last heard out; None while it never was."""

    def not_good(self) -> KnownCards:
        """The keys of all cards that are not active, as of one moment."""


@dataclass(frozen=True, slots=True)
class KnownCards:
    """``withdrawn`` are status keys out of ``known`` cards; ``at`` is when the issuer was last heard out."""

    withdrawn: tuple[str, ...]
    known: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list of card states that was made: its number, its signed head, and its bytes."""

    epoch: int
    made_at: datetime
    head: str
    content: bytes


class StatusLists(Protocol):
    """The lists for counters without a network, as they were made."""

    def made_at(self) -> datetime | None:
        """When a list was made last, without reading it."""

    def newest(self) -> KeptList | None:
        """The list that was made last."""

    def keep(self, made: KeptList, delta: StatusListDelta) -> bool:
        """Keep the next list and how it differs from the one before; False when another was quicker."""

    def deltas_since(self, epoch: int) -> tuple[StatusListDelta, ...] | None:
        """Every difference behind ``epoch``; None where they are not kept from there on."""


class Directory(Protocol):
    """Partners and agents; looked up for every request, so that a suspension works at once."""

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, whatever its standing."""

    def agent(self, agent_id: str) -> Agent | None:
        """The agent, whatever its standing."""

    def add_partner(self, partner: Partner) -> None:
        """Register a partner, or replace its record."""

    def add_agent(self, agent: Agent) -> None:
        """Register an agent, or replace its record."""


class OnceOnly(Protocol):
    """Remembers what may be used once."""

    def take(self, owner: str, nonce: str, expires: datetime) -> bool:
        """Whether this is the first time; remembered until ``expires``."""


class Quota(Protocol):
    """How often a caller may ask."""

    def require(self, caller: str) -> None:
        """Count one request; raises TooManyRequests."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on a session while it decides; ``token`` proves the hold when it is done."""

    session: Session
    token: str


class Sessions(Protocol):
    """Where sessions are kept."""

    def open(self, session: Session, owner: str, idempotency_key: str, request_digest: str) -> Session:
        """Keep a new session; the same key with the same request gives the one it made before.

        Raises IdempotencyConflict for the same key with another request.
        """

    def get(self, session_id: str) -> Session:
        """The session; raises SessionUnknown."""

    def chip_begun(self, session_id: str, now: datetime) -> None:
        """Note that the chip part has begun; raises SessionClosed or SessionExpired."""

    def claim(self, session_id: str, evidence: str, now: datetime) -> Claim:
        """Take the session's one-time challenge for this evidence.

        Raises EvidenceReplayed for evidence that is or was decided here, ChallengeUsed for any
        other once the challenge is taken, SessionExpired, SessionUnknown. Where a worker died, the
        same evidence may be handed over again; other evidence may not.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """What is written down of a decision; it names no person, and a card only where the purpose binds it.

    ``took_ms`` runs from the evidence to the verdict, without the commit; ``facility`` is the counter's.
    """

    recorded_at: datetime
    action: str
    actor: str
    partner: str
    purpose: str
    session: str
    subject: str
    evidence: str
    outcome: str
    code: str | None
    assurance: dict[str, str]
    checks: tuple[tuple[str, str, str | None], ...]
    policy: str
    took_ms: int
    facility: str | None
    card: str | None = None


class EvidenceLog(Protocol):
    """The append-only log; what is not in it was not answered."""

    def record(self, record: DecisionRecord, claim: Claim) -> str:
        """Append, close the session and sign the receipt in one transaction; the receipt.

        Raises ChallengeUsed when the claim was lost to another worker.
        """

    def receipt(self, session_id: str) -> str | None:
        """The receipt of a decided session."""

    def entry(self, session_id: str) -> LogEntry | None:
        """What was logged of a session's decision; None while it is not decided."""

    def checkpoint(self) -> str | None:
        """The newest signed head; None while the log is empty."""

    def inclusion(self, sequence: int, size: int) -> tuple[bytes, ...]:
        """The inclusion proof; raises ValueError outside the log."""

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The consistency proof; raises ValueError outside the log."""


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Counted calls; of all times and partners ``counted`` were counted of the log's ``records``."""

    calls: tuple[CountedCalls, ...]
    records: int
    counted: int


class CallFigures(Protocol):
    """What was counted of partners' calls, with the decisions themselves."""

    def between(self, since: date, until: date, partner: str | None) -> CallCounts:
        """Everything counted on these days; of every partner for None."""
