"""What a card's state is: from what was heard while that is fresh, else by asking the issuer."""

from __future__ import annotations

import math

from gateway.domain.card_standing import CardStanding
from gateway.domain.refusals import CardStatusUnavailable
from gateway.ports import CardStates, Clock, CredentialStatus
from verification.messages.credential_status import CredentialState, CredentialStatusQuery
from verification.messages.national_time import vietnam_date


class CardStatusDesk:
    """Answers for one card. A state that may be out of date is never told without its age."""

    def __init__(self, states: CardStates, issuer: CredentialStatus, clock: Clock) -> None:
        self._states = states
        self._issuer = issuer
        self._clock = clock

    def ask(self, query: CredentialStatusQuery) -> CardStanding:
        """The card's state; raises CardStatusUnavailable where nothing was ever heard of it."""
        now = self._clock()
        heard = self._states.heard(query.status_key)
        known = heard.card.state_on(vietnam_date(now)) if heard.card else CredentialState.UNKNOWN
        if known is not CredentialState.UNKNOWN and heard.is_fresh(now):
            return CardStanding(known)
        try:
            return CardStanding(self._issuer.ask(query).state)
        except CardStatusUnavailable:
            age = heard.age(now)
            if known is CredentialState.UNKNOWN or age is None:
                raise
            return CardStanding(known, math.ceil(age))
