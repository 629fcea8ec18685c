"""What is recorded of one thing that happened, and what subscribers are told of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from issuance_backend.outbox.domain import Notice

SYSTEM = "system"
"""The actor where a program, not an officer, took a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened; ``detail`` never names a person.

    ``notice`` is what subscribers may know of it, told when the step is committed and not before.
    """

    subject: str
    event: str
    state: str
    actor: str
    at: str
    detail: dict[str, str] = field(default_factory=dict)
    notice: Notice | None = None
