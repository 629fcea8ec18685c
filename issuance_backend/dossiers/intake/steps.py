"""What is recorded of a packet and of a kit; nothing of it names a citizen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import domain, repository
from issuance_backend.dossiers.intake.domain import PacketEvent, Signer
from issuance_backend.dossiers.intake.repository import Packet
from issuance_backend.steps import SYSTEM, Step

# The subject's column holds forty characters; half of a SHA-256 is as unique as anything.
_HASH_CHARACTERS = 32
REGISTERED = "register_signer"


def subject(packet: str) -> str:
    """The name under which a packet's steps are recorded."""
    return f"packet/{packet[:_HASH_CHARACTERS]}"


def step_of(
    packet: Packet, event: PacketEvent, at: str, actor: str = SYSTEM, unit: str | None = None
) -> Step:
    """The step that led a packet to the state it is in; the first says at which unit."""
    detail = {"kit": packet.kit, "sequence": str(packet.sequence), **({"unit": unit} if unit else {})}
    for name in ("dossier", "code", "case_id"):
        value = getattr(packet, name)
        detail |= {name: value} if value else {}
    return Step(
        subject=subject(packet.packet),
        event=event.value,
        state=packet.state.value,
        actor=actor,
        at=at,
        detail=detail,
    )


def advance(
    connection: Connection, packet: Packet, events: Sequence[PacketEvent], at: str, actor: str = SYSTEM
) -> None:
    """Record events with everything else that the packet changed; raises TransitionRefused."""
    steps = []
    for event in events:
        packet = replace(packet, state=domain.advance(packet.state, event))
        steps.append(step_of(packet, event, at, actor))
    repository.save(connection, packet)
    recorded_events.append(connection, *steps)


def record_kit(connection: Connection, kit: str, event: str, actor: str, at: str, **detail: str) -> None:
    """Record what was decided about a kit or an officer's keys."""
    _record(connection, "kit", event, actor, at, {"kit": kit, **detail})


def record_key(connection: Connection, signer: Signer, actor: str, at: str) -> None:
    """Record that a key may sign from now on, by its owner's name: who signs is asked who admitted them."""
    detail = {"kit": signer.owner, "key": signer.thumbprint}
    _record(connection, _keys_of(signer.owner), REGISTERED, actor, at, detail)


def admitted_by(connection: Connection, owner: str) -> tuple[str, ...]:
    """Who registered a key with which this owner signs packets."""
    return tuple(sorted({step.actor for step in recorded_events.of_subject(connection, _keys_of(owner))}))


def released_by(connection: Connection, packet: str) -> tuple[str, ...]:
    """Who let a doubtful packet in by a case."""
    steps = recorded_events.of_subject(connection, subject(packet))
    return tuple(step.actor for step in steps if step.event == PacketEvent.RELEASE)


def _keys_of(owner: str) -> str:
    return f"signer/{hashlib.sha256(owner.encode()).hexdigest()[:_HASH_CHARACTERS]}"


def _record(
    connection: Connection, subject: str, event: str, actor: str, at: str, detail: dict[str, str]
) -> None:
    step = Step(subject=subject, event=event, state=event, actor=actor, at=at, detail=detail)
    recorded_events.append(connection, step)
