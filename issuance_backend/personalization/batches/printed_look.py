"""What a quality officer sees of a card that the program passed: its faces, as the scanner saw them."""

from __future__ import annotations

from collections.abc import Callable

from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardState
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces
from issuance_backend.refusals import CredentialUnknown
from monitoring.database import Database
from verification.errors import TransitionRefused


class PrintedLook:
    """Shows the print of cards that can still be refused; ``printed`` hands over a card's faces."""

    def __init__(self, database: Database, printed: Callable[[str], PrintedFaces]) -> None:
        self._database = database
        self._printed = printed

    def faces(self, officer: Officer, card_id: str) -> PrintedFaces:
        """Both faces (PNG); raises CredentialUnknown, TransitionRefused, ProductionUnavailable."""
        officer.require(Role.QUALITY)
        with self._database.reading() as connection:
            card = cards.find(connection, card_id)
        if card is None:
            raise CredentialUnknown("no card with this id was made here")
        if card.state is not CardState.QA_PASSED:
            raise TransitionRefused("the card is not in the centre's hands")
        return self._printed(card_id)
