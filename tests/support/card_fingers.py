"""DG3 for cards of tests, of prints that cost nothing, and the terminal that opens it."""

from __future__ import annotations

from functools import cache

from issuance_backend.csca.cv_authorities import CvPlan, hold_cv_ceremony, sign_plain
from issuance_backend.personalization.chip_fingers import chip_fingers
from issuance_backend.personalization.finger_access import FingerAccess
from tests.support.cheap_prints import cheap_print
from tests.support.issuance_office import NOW
from verification.chip.terminal_authentication import Terminal
from verification.lds.card_verifiable import parse_cv_certificate


@cache
def card_dg3(seed: int = 0) -> bytes:
    """Both index fingers of one person."""
    return chip_fingers({2: "2", 7: "7"}, {}, lambda name: cheap_print(int(name), seed))


@cache
def office_access() -> FingerAccess:
    """A CVCA that chips trust, and a terminal under it."""
    made = hold_cv_ceremony(CvPlan(), NOW.date())
    terminal = Terminal(
        tuple(parse_cv_certificate(each) for each in made.chain),
        lambda data: sign_plain(made.terminal_key, data),
    )
    return FingerAccess((made.chain[0],), terminal)
