"""Publishing attributes, handing them to receivers, and hearing that they have arrived.

``officer`` is whoever acts, vouched for by the calling program that signed him in.
"""

from __future__ import annotations

import msgspec


class PublicationProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes of one person that are to be handed to receivers."""

    citizen_number: str
    attributes: tuple[str, ...]
    officer: str


class SignOff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An officer signs for the very values whose digest he was shown, or rejects them."""

    officer: str
    values_digest: str
    approves: bool = True


class PublicationView(msgspec.Struct, frozen=True):
    """A publication; ``faults`` are codes of the quality gate."""

    id: str
    citizen_number: str
    attributes: tuple[str, ...]
    values_digest: str
    state: str
    proposed_by: str
    signed_by: tuple[str, ...]
    faults: tuple[str, ...]


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that receives these attributes when they are published."""

    receiver: str
    attributes: tuple[str, ...]


class Delivery(msgspec.Struct, frozen=True):
    """``publish``: use this value; ``withdraw``: stop using what you have.

    A value that changed after it was sent is not shown: its withdrawal is the next delivery.
    """

    id: str
    kind: str
    citizen_number: str
    attribute: str
    sent_at: str
    value: str | None = None
    is_current: bool = False


class MissingAcknowledgement(msgspec.Struct, frozen=True):
    """A receiver that has not yet said that a delivery arrived."""

    id: str
    receiver: str
    kind: str
    attribute: str
    sent_at: str
