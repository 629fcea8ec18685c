"""Fresh synthetic cards for tests, signed by one ceremony a test run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.synthetic_card import PROFILES, invent_holder, make_card

MOMENT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@cache
def ceremony() -> Ceremony:
    """The CSCA and document signer of these cards."""
    return hold_ceremony(CeremonyPlan(), MOMENT)


@cache
def card(profile: str) -> CardImage:
    """One card of this profile; do not change it."""
    return make_card(
        PROFILES[profile],
        invent_holder(MOMENT.date()),
        lambda hashes: sign_security_object(hashes, ceremony().document_signer, signing_time=MOMENT),
    )
