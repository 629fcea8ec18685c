"""Agencies that use the gateway, and the counters that act for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.refusals import PurposeNotPermitted
from verification.messages.signing_key import PublicKey


class Standing(StrEnum):
    """Whether a partner or an agent may act; only ``active`` may."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Partner:
    """An agency; ``key`` signs its ``private_key_jwt`` assertions, ``purposes`` are why it may ask."""

    id: str
    name: str
    standing: Standing
    key: PublicKey
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Agent:
    """A counter; ``key`` signs its requests, and it may act only while its partner may.

    ``facility`` is the code of the health facility in which it stands, where it stands in one.
    """

    id: str
    partner: str
    standing: Standing
    key: PublicKey
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request that was proven: a partner's program, or one of its agents.

    ``purposes`` are the partner's at this request: one that is taken away counts at once; ``facility`` is
    where the agent stands at this request.
    """

    partner: str
    agent: str | None = None
    purposes: frozenset[str] = frozenset()
    facility: str | None = None

    @property
    def name(self) -> str:
        """One word for quotas and idempotency keys."""
        return f"agent:{self.agent}" if self.agent else f"partner:{self.partner}"

    def require_purpose(self, code: str) -> None:
        """The partner may ask for this purpose; raises PurposeNotPermitted."""
        if code not in self.purposes:
            raise PurposeNotPermitted("the partner may not ask for this purpose")
