"""Publishing attributes, handing them to receivers, and hearing that they have arrived.

``officer`` is whoever acts, vouched for by the calling program that signed him in.
"""

from __future__ import annotations

import msgspec


class PublicationWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes of one person that are to be handed to receivers."""

    citizen_number: str
    attributes: tuple[str, ...]


class PublicationProposal(PublicationWanted, frozen=True, forbid_unknown_fields=True):
    """The same, by whom it is proposed."""

    officer: str


class ValuesSigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever is signed in signs for the very values whose digest they were shown, or rejects them."""

    values_digest: str
    approves: bool = True


class SignOff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same, by which officer."""

    officer: str
    values_digest: str
    approves: bool = True


class PublicationView(msgspec.Struct, frozen=True):
    """A publication; ``faults`` are codes of the quality gate.

    ``ended`` are attributes of one that went out which were withdrawn, or published anew, since.
    """

    id: str
    citizen_number: str
    attributes: tuple[str, ...]
    values_digest: str
    state: str
    proposed_by: str
    signed_by: tuple[str, ...]
    faults: tuple[str, ...]
    changed_at: str
    ended: tuple[str, ...] = ()


class PublicationValues(msgspec.Struct, frozen=True):
    """What one signature would cover now: the values by attribute, and their digest."""

    values: dict[str, str | None]
    values_digest: str


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
