"""What the pages about kits ask of the backend."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from enrollment_admin.backend_client import PAGE_SIZE, BackendClient
from verification.messages.packet_intake import (
    GapClosing,
    KitNumbers,
    KitRegistration,
    KitSummary,
    PacketRelease,
    RevocationAnswer,
    SignerRegistration,
    SignerRevocation,
)


def kits(backend: BackendClient) -> list[KitSummary]:
    """Every kit that the officer may see."""
    return backend.ask("GET", "/v1/kits", list[KitSummary])


def numbers(backend: BackendClient, kit: str, cursor: str | None) -> KitNumbers:
    """Where every running number of a kit stands, with some of its doubtful packets."""
    query = urlencode({"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {}))
    return backend.ask("GET", f"/v1/kits/{quote(kit, safe='')}/numbers?{query}", KitNumbers)


def register_kit(backend: BackendClient, kit: KitRegistration) -> None:
    """A new kit with its first key."""
    backend.tell("POST", "/v1/kits", kit)


def register_signer(backend: BackendClient, signer: SignerRegistration) -> None:
    """A key of a capture officer, or a further one of a kit."""
    backend.tell("POST", "/v1/packet-signers", signer)


def close_gap(backend: BackendClient, kit: str, sequence: str, closing: GapClosing) -> None:
    """Give a packet up, in a case."""
    path = f"/v1/kits/{quote(kit, safe='')}/gaps/{quote(sequence, safe='')}/closing"
    backend.tell("POST", path, closing)


def decide(backend: BackendClient, packet: str, release: PacketRelease) -> None:
    """What a case decided on a doubtful packet."""
    backend.tell("POST", f"/v1/doubtful-packets/{quote(packet, safe='')}/decision", release)


def revoke(backend: BackendClient, revocation: SignerRevocation) -> RevocationAnswer:
    """From when nothing that was signed is accepted without a case."""
    return backend.ask("POST", "/v1/packet-signers/revocation", RevocationAnswer, revocation)
