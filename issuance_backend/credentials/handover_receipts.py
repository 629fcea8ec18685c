"""Receipts of the gateway as proof that a card's holder stands there with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from issuance_backend.moments import parse_moment
from issuance_backend.refusals import HandOverProofRefused
from monitoring.environment import ConfigurationFault
from verification.errors import ReceiptInvalid, SignatureInvalid
from verification.messages.decision import ChipAssurance, DecisionOutcome
from verification.messages.receipt import LogEntry, read_receipt
from verification.messages.signing_key import PublicKey, public_key_of, thumbprint

PURPOSE = "card.handover"
FRESH = timedelta(minutes=10)
"""A proof that is older is of another visit."""

_CLOCKS_APART = timedelta(seconds=30)
_FACE_COMPARED = ("face_comparison", "successful")


class ReceiptDesk:
    """Reads receipts with the keys of the gateways that this office trusts."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = keys

    def session(self, token: str, status_key: str | None, moment: datetime) -> str:
        """The session that proves this card's holder; raises ReceiptInvalid or HandOverProofRefused."""
        session, card = self.holder(token, PURPOSE, moment)
        if card != status_key:
            raise HandOverProofRefused("it speaks of another card")
        return session

    def holder(self, token: str, purpose: str, moment: datetime) -> tuple[str, str]:
        """The session, and the status key of the card whose holder it proves; raises as ``session`` does."""
        entry = read_receipt(token, self._keys).entry
        fault = _fault(entry, purpose, moment)
        if fault is not None or entry.card is None:
            raise HandOverProofRefused(fault or "it speaks of no card")
        return entry.session, entry.card


def load_receipt_keys(path: Path | None) -> dict[str, PublicKey]:
    """The keys of a JWK or of a JWK set by thumbprint, none without a file; raises ConfigurationFault."""
    if path is None:
        return {}
    try:
        said = json.loads(path.read_bytes())
        keys = [public_key_of(jwk) for jwk in said.get("keys", [said])]
    except (OSError, ValueError, AttributeError, TypeError, SignatureInvalid) as fault:
        raise ConfigurationFault(f"ISSUANCE_RECEIPT_KEYS_FILE: {type(fault).__name__}") from None
    return {thumbprint(key): key for key in keys}


def _fault(entry: LogEntry, purpose: str, moment: datetime) -> str | None:
    """What the receipt does not prove; ``None`` when it proves all."""
    if entry.purpose != purpose:
        return "it was made for another purpose"
    if entry.outcome != DecisionOutcome.VERIFIED.value:
        return "the gateway did not verify"
    if entry.assurance.get("chip") != ChipAssurance.CHIP_LIVE_GATEWAY.value:
        return "the gateway did not prove the chip itself"
    if not any((name, outcome) == _FACE_COMPARED for name, outcome, _ in entry.checks):
        return "no face was compared"
    return None if _is_fresh(entry, moment) else "it is of another visit"


def _is_fresh(entry: LogEntry, moment: datetime) -> bool:
    try:
        recorded = parse_moment(entry.recorded_at)
    except ValueError:
        raise ReceiptInvalid("the receipt has no moment") from None
    return -_CLOCKS_APART <= moment - recorded <= FRESH
