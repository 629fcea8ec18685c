"""What officers of the production centre send and see: batches, blanks and their destruction."""

from __future__ import annotations

import msgspec


class BatchOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which waiting orders make a batch: those for one unit and everything below it, the oldest first."""

    limit: int
    unit: str | None = None


class BatchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How many orders of a batch stand where."""

    waiting: int
    held: int
    made: int
    cancelled: int


class ProductionBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One batch."""

    id: str
    operator: str
    unit: str | None
    size: int
    made_at: str
    progress: BatchProgress


class BatchOrderState(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a batch with the card that it has now; ``code`` says why it waits or is held."""

    dossier: str
    state: str
    code: str | None
    card: str
    card_state: str
    attempt: int
    serial: str | None


class FaultReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a quality officer saw on a card that had passed."""

    fault: str


class BlankDelivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blanks that were delivered: the first and the last serial."""

    first: str
    last: str


class BlankRange(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it stands; ``left`` counts the blanks that were not taken in their turn."""

    id: str
    first: str
    last: str
    left: int
    received_by: str
    received_at: str


class BlankStock(msgspec.Struct, frozen=True, kw_only=True):
    """The books of blanks: what was received is issued, spoiled, destroyed or in stock."""

    received: int
    stock: int
    issued: int
    spoiled: int
    destroyed: int


class StockCount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many blanks lie in the safe."""

    counted: int


class StockCounted(msgspec.Struct, frozen=True, kw_only=True):
    """A count beside the books; nothing is corrected by it."""

    id: str
    counted: int
    booked: int
    difference: int


class BlankSerials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blanks, by what is printed on them."""

    serials: tuple[str, ...]


class SpoiledBlank(msgspec.Struct, frozen=True, kw_only=True):
    """A blank that waits for its destruction."""

    serial: str
    card: str | None


class BlankDestruction(msgspec.Struct, frozen=True, kw_only=True):
    """A destruction by two officers."""

    id: str
    state: str
    serials: tuple[str, ...]
    proposed_by: str
    proposed_at: str
    confirmed_by: str | None
    confirmed_at: str | None
