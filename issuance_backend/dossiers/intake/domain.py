"""The life of a sealed packet at the centre, the order of a kit's packets, and when a case is needed.

announced   the signed metadata are here                 the kit sends chunks
received    whole, verified, receipt signed              opened when every earlier number is decided
doubtful    a signer revoked, an officer not certified,
            a chain broken, a twin                       a supervisor decides, with a case
released    a case vouches for it                        opened at once
opened      it is a dossier                              the dossier goes its own way, or gives way
refused     nothing in it can be opened, or the case     the capture is made again
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from issuance_backend.dossiers.intake.refusals import PacketClockAhead
from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.state_table import StateTable
from verification.errors import FieldsRefused
from verification.messages.signing_key import PublicKey, public_key_of

MAX_AHEAD = 100_000
"""No kit's numbers run further ahead of what is decided: a list of gaps stays a list."""

_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")


class PacketState(StrEnum):
    """Where a packet stands."""

    ANNOUNCED = "announced"
    RECEIVED = "received"
    DOUBTFUL = "doubtful"
    RELEASED = "released"
    OPENED = "opened"
    REFUSED = "refused"


class PacketEvent(StrEnum):
    """What can happen to a packet."""

    ANNOUNCE = "announce"
    RECEIVE = "receive"
    DOUBT = "doubt"
    RELEASE = "release"
    OPEN = "open"
    REFUSE = "refuse"
    REJECT = "reject"


TABLE: StateTable[PacketState, PacketEvent] = StateTable(
    {
        (None, PacketEvent.ANNOUNCE): PacketState.ANNOUNCED,
        (PacketState.ANNOUNCED, PacketEvent.RECEIVE): PacketState.RECEIVED,
        (PacketState.ANNOUNCED, PacketEvent.REFUSE): PacketState.REFUSED,
        (PacketState.RECEIVED, PacketEvent.OPEN): PacketState.OPENED,
        (PacketState.RECEIVED, PacketEvent.DOUBT): PacketState.DOUBTFUL,
        (PacketState.DOUBTFUL, PacketEvent.RELEASE): PacketState.RELEASED,
        (PacketState.DOUBTFUL, PacketEvent.REJECT): PacketState.REFUSED,
        (PacketState.RELEASED, PacketEvent.OPEN): PacketState.OPENED,
        (PacketState.RELEASED, PacketEvent.DOUBT): PacketState.DOUBTFUL,
        # The same person was captured before, elsewhere, and that packet came later.
        (PacketState.OPENED, PacketEvent.DOUBT): PacketState.DOUBTFUL,
    }
)
advance, fold = TABLE.advance, TABLE.fold


class SignerKind(StrEnum):
    """Whose key it is; with the office's no packet is signed."""

    OFFICER = "officer"
    KIT = "kit"
    OFFICE = "office"


class Doubt(StrEnum):
    """Why a packet waits for a case; each is a fault code."""

    SIGNER_REVOKED = "PACKET_SIGNER_REVOKED"
    OFFICER_NOT_CERTIFIED = "PACKET_OFFICER_NOT_CERTIFIED"
    CHAIN_BROKEN = "PACKET_CHAIN_BROKEN"
    GAP_CLOSED = "PACKET_GAP_CLOSED"


CLOCK_AHEAD = timedelta(days=1)
"""No kit's clock runs further ahead: what was sealed since a moment was announced since a day before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key that signs packets, and how long it may."""

    thumbprint: str
    kind: SignerKind
    owner: str
    jwk: str
    valid_from: str
    valid_until: str | None = None
    revoked_at: str | None = None
    revoked_case: str | None = None

    @property
    def key(self) -> PublicKey:
        """The public key itself."""
        return public_key_of(msgspec.json.decode(self.jwk, type=dict[str, str]))

    def is_valid_at(self, moment: str) -> bool:
        """Whether it may have signed then, revocation apart."""
        then = parse_moment(moment)
        is_over = self.valid_until is not None and then >= parse_moment(self.valid_until)
        return parse_moment(self.valid_from) <= then and not is_over

    def is_trusted(self, happened_at: str, announced_at: str) -> bool:
        """Whether a packet was signed before any revocation, as far as anybody but the signer can say (I15).

        The moment in a packet is the signer's own word. That the packet was announced to us by then is not.
        """
        if self.revoked_at is None:
            return True
        revoked = parse_moment(self.revoked_at)
        return parse_moment(happened_at) < revoked and parse_moment(announced_at) < revoked


def announced_after(moment: str) -> str:
    """Packets that were sealed at a moment or later, by their own word, were announced after this one."""
    earliest = datetime.min.replace(tzinfo=UTC) + CLOCK_AHEAD
    return rfc3339(max(parse_moment(moment), earliest) - CLOCK_AHEAD)


def require_sealed_by(happened_at: str, now: datetime) -> None:
    """Raise PacketClockAhead for a packet of a kit whose clock runs a day ahead of ours, or more."""
    if parse_moment(happened_at) >= now + CLOCK_AHEAD:
        raise PacketClockAhead("sealed at a time that has not come")


def doubt_of_order(previous: str, head: str | None) -> Doubt | None:
    """What is wrong with a packet's place in its kit's chain; an unknown head contradicts nothing."""
    return Doubt.CHAIN_BROKEN if head is not None and previous != head else None


def gaps(settled: int, newest: int, known: Iterable[int]) -> tuple[int, ...]:
    """The numbers that neither came nor were announced (invariant I7)."""
    here = set(known)
    return tuple(number for number in range(settled + 1, newest + 1) if number not in here)


def ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as first and last of each run."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)


def require_owner(owner: str) -> str:
    """The name of a kit or an officer, if it can be one; raises FieldsRefused."""
    if not _OWNER.fullmatch(owner):
        raise FieldsRefused({"owner": "FIELD_CHARACTERS"})
    return owner
