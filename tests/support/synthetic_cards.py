"""Fresh synthetic cards for tests, signed by one ceremony a test run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.cv_authorities import CvCeremony, CvPlan, hold_cv_ceremony
from issuance_backend.csca.document_signer import sign_card_security, sign_security_object
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import PROFILES, ChipProfile
from issuance_backend.virtual_card.synthetic_card import CardIssuer, invent_holder, make_card

MOMENT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@cache
def ceremony() -> Ceremony:
    """The CSCA and document signer of these cards."""
    return hold_ceremony(CeremonyPlan(), MOMENT)


@cache
def terminals() -> CvCeremony:
    """The authorities whose terminal may read the fingerprints on these cards."""
    return hold_cv_ceremony(CvPlan(), MOMENT.date())


@cache
def card(profile: str) -> CardImage:
    """One card of this profile; do not change it."""
    return card_of(PROFILES[profile])


def card_of(profile: ChipProfile) -> CardImage:
    """A card with any profile."""
    signer = ceremony().document_signer
    issuer = CardIssuer(
        sign_security_object=lambda hashes: sign_security_object(hashes, signer, signing_time=MOMENT),
        sign_card_security=lambda content: sign_card_security(content, signer, signing_time=MOMENT),
        trust_points=(terminals().cvca.certificate.encoded,),
    )
    return make_card(profile, invent_holder(MOMENT.date()), issuer)
