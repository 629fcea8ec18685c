"""Why a partner may ask, and what that purpose needs and releases. Data, not code."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.refusals import PurposeNotPermitted
from verification.messages.credential_status import CredentialState
from verification.messages.decision import ChipAssurance
from verification.messages.verification_session import SessionPolicy

HOUR = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One purpose; ``version`` goes into the log, so that a decision names the rules it was made by.

    ``release`` are the holder's attributes that the answer may carry. ``manual_face`` says whether a
    teller's own comparison by eye, with a stated reason, is enough where no engine can run.
    ``card_states`` are those in which the card may be, and ``status_max_age_seconds`` is how old what is
    known of it may be while the issuer does not answer. Where ``binds_card``, the receipt names the card.
    """

    code: str
    version: str
    data_groups: tuple[int, ...] = (1, 2, 13, 14, 15)
    face_required: bool = True
    head_turn_required: bool = False
    manual_face: bool = True
    min_chip: ChipAssurance = ChipAssurance.CHIP_LIVE_GATEWAY
    release: tuple[str, ...] = ("full_name", "citizen_number", "date_of_birth", "sex")
    card_states: frozenset[CredentialState] = frozenset({CredentialState.ACTIVE})
    status_max_age_seconds: int = 0
    binds_card: bool = False

    def policy(self) -> SessionPolicy:
        """What the counter is told."""
        return SessionPolicy(
            data_groups=self.data_groups,
            face_required=self.face_required,
            head_turn_required=self.head_turn_required,
            min_chip_assurance=self.min_chip.value,
        )


PURPOSES = {
    purpose.code: purpose
    for purpose in (
        Purpose(code="bank.counter.identify", version="2026-11-01", head_turn_required=True),
        Purpose(code="bank.counter.identify.passive", version="2026-11-01"),
        # A hospital must admit, also while the issuer does not answer (Decree 188/2025, article 38).
        Purpose(code="hospital.check_in", version="2026-11-02", status_max_age_seconds=HOUR),
        # The office that issued the card gives it to its holder: good and in nobody's hands yet.
        Purpose(
            code="card.handover",
            version="2026-11-01",
            manual_face=False,
            release=("full_name",),
            card_states=frozenset({CredentialState.ISSUED}),
            binds_card=True,
        ),
        # The holder at the office's counter who asks for their own record.
        Purpose(
            code="citizen.own_record",
            version="2026-11-01",
            manual_face=False,
            release=(),
            binds_card=True,
        ),
    )
}


def purpose_named(code: str) -> Purpose:
    """The purpose; raises PurposeNotPermitted for a name that is none."""
    try:
        return PURPOSES[code]
    except KeyError:
        raise PurposeNotPermitted("there is no such purpose") from None
