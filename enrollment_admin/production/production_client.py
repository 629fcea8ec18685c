"""What the pages of the production centre ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, FileAnswer, Listed
from verification.messages.production import (
    BatchOrder,
    BatchOrderState,
    BlankDelivery,
    BlankDestruction,
    BlankRange,
    BlankSerials,
    BlankStock,
    FaultReport,
    ProductionBatch,
    SpoiledBlank,
    StockCount,
    StockCounted,
)

_STOCK, _DESTRUCTIONS = "/v1/blank-stock", "/v1/blank-destructions"


def batches(backend: BackendClient, cursor: str | None) -> Listed[ProductionBatch]:
    """Batches with their progress, the newest first."""
    return backend.listed("/v1/production-batches", {}, cursor, ProductionBatch)


def make_batch(backend: BackendClient, order: BatchOrder) -> ProductionBatch:
    """Put waiting orders into a batch."""
    return backend.ask("POST", "/v1/production-batches", ProductionBatch, order)


def orders_of(backend: BackendClient, batch: str) -> list[BatchOrderState]:
    """The orders of one batch, with the card that each has now."""
    path = f"/v1/production-batches/{quote(batch, safe='')}"
    return backend.ask("GET", path, list[BatchOrderState])


def release(backend: BackendClient, dossier: str) -> None:
    """Let an order that is held go on."""
    backend.tell("POST", f"/v1/production-orders/{quote(dossier, safe='')}/release")


def refuse_card(backend: BackendClient, card: str, report: FaultReport) -> None:
    """What a quality officer saw on a card that had passed."""
    backend.tell("POST", f"/v1/produced-cards/{quote(card, safe='')}/refusal", report)


def printed_face(backend: BackendClient, card: str, face: str) -> FileAnswer:
    """The ``front`` or ``back`` of a card that passed, as the machine's scanner saw it (PNG)."""
    return backend.file(f"/v1/produced-cards/{quote(card, safe='')}/{face}.png")


def books(backend: BackendClient) -> BlankStock:
    """The books of blanks."""
    return backend.ask("GET", _STOCK, BlankStock)


def ranges(backend: BackendClient, cursor: str | None) -> Listed[BlankRange]:
    """Deliveries as they stand."""
    return backend.listed(f"{_STOCK}/ranges", {}, cursor, BlankRange)


def spoiled(backend: BackendClient, cursor: str | None) -> Listed[SpoiledBlank]:
    """Blanks that wait for their destruction."""
    return backend.listed(f"{_STOCK}/spoiled", {}, cursor, SpoiledBlank)


def open_destructions(backend: BackendClient) -> list[BlankDestruction]:
    """Destructions that wait for the second officer."""
    return backend.ask("GET", _DESTRUCTIONS, list[BlankDestruction])


def receive(backend: BackendClient, delivery: BlankDelivery) -> None:
    """Take a delivery into the books."""
    backend.tell("POST", f"{_STOCK}/ranges", delivery)


def count(backend: BackendClient, counted: StockCount) -> StockCounted:
    """Put what lies in the safe beside the books."""
    return backend.ask("POST", f"{_STOCK}/counts", StockCounted, counted)


def write_off(backend: BackendClient, serials: BlankSerials) -> BlankStock:
    """Take damaged blanks out of the stock."""
    return backend.ask("POST", f"{_STOCK}/write-offs", BlankStock, serials)


def propose_destruction(backend: BackendClient, serials: BlankSerials) -> BlankDestruction:
    """The first officer's word."""
    return backend.ask("POST", _DESTRUCTIONS, BlankDestruction, serials)


def end_destruction(backend: BackendClient, destruction: str, step: str) -> BlankDestruction:
    """``confirmation`` or ``cancellation``."""
    return backend.ask("POST", f"{_DESTRUCTIONS}/{quote(destruction, safe='')}/{step}", BlankDestruction)
