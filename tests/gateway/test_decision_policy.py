"""The decision policy as a table: one fact changed at a time, and the order between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from gateway.domain.decision_policy import Facts, decide
from gateway.domain.purpose import PURPOSES, Purpose, purpose_named
from gateway.domain.refusals import PurposeNotPermitted
from verification.inspection.report import (
    PASSED,
    PASSIVE_AUTHENTICATION,
    Check,
    CheckResult,
    InspectionReport,
    Outcome,
)
from verification.messages.credential_status import CredentialState
from verification.messages.decision import ChipAssurance, DecisionOutcome
from verification.messages.evidence import FaceClaim
from verification.messages.person_query import LifeStatus, PersonAnswer

BANK = PURPOSES["bank.counter.identify"]
PASSIVE = PURPOSES["bank.counter.identify.passive"]
ALIVE = PersonAnswer(True, {"full_name": True, "date_of_birth": True, "sex": True}, LifeStatus.ALIVE)
FACE = FaceClaim(
    method="engine",
    matched=True,
    code=None,
    portrait_digest=b"",
    score=0.3,
    threshold=0.45,
    head_turn="passed",
)
CHECKS = dict.fromkeys((*PASSIVE_AUTHENTICATION, Check.SIGNER_REVOCATION, Check.CHIP_AUTHENTICATION), PASSED)
REPORT = InspectionReport(CHECKS)
GOOD = Facts(
    report=REPORT,
    chip=ChipAssurance.CHIP_LIVE_GATEWAY,
    today=date(2026, 11, 21),
    holder_is_named=True,
    card_expiry=date(2030, 1, 1),
    card_state=CredentialState.ACTIVE,
    person=ALIVE,
    face=FACE,
    portrait_is_signed=True,
)


def failed(check: Check, code: str) -> InspectionReport:
    return InspectionReport({**CHECKS, check: CheckResult(Outcome.FAILED, code)})


def face(**changes: object) -> FaceClaim:
    return msgspec.structs.replace(FACE, **changes)


DOCUMENT = {"report": failed(Check.SOD_SIGNATURE, "CHIP_SOD_INVALID")}
CLONE = {"report": failed(Check.CHIP_AUTHENTICATION, "CHIP_CLONED"), "chip": ChipAssurance.SIGNED_DATA}
NO_CHIP = {"chip": ChipAssurance.SIGNED_DATA}
LOST = {"card_state": CredentialState.LOST}
NOT_FOUND = {"person": PersonAnswer(False)}
NO_FACE = {"face": face(matched=False, code="FACE_NOT_MATCHED")}


def code(purpose: Purpose = BANK, **changes: object) -> str | None:
    return decide(purpose, replace(GOOD, **changes)).code  # type: ignore[arg-type]


def test_all_facts_good_is_verified() -> None:
    verdict = decide(BANK, GOOD)
    assert (verdict.outcome, verdict.code) == (DecisionOutcome.VERIFIED, None)
    assert (verdict.assurance.face, verdict.assurance.status) == ("agent", "online")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (DOCUMENT, "CHIP_SOD_INVALID"),
        (CLONE, "CHIP_CLONED"),
        (NO_CHIP, "ASSURANCE_TOO_LOW"),
        ({"chip": ChipAssurance.CHIP_LIVE_AGENT}, "ASSURANCE_TOO_LOW"),
        ({"chip_fault": "CHIP_CLONED"}, "CHIP_CLONED"),
        ({"chip_fault": "CHIP_AA_FAILED"}, "CHIP_AA_FAILED"),
        ({"holder_is_named": False}, "DOCUMENT_MALFORMED"),
        (LOST, "CARD_LOST"),
        ({"card_state": CredentialState.SUSPENDED}, "CARD_SUSPENDED"),
        ({"card_state": CredentialState.REPLACED}, "CARD_REPLACED"),
        ({"card_state": CredentialState.REVOKED}, "CARD_REVOKED"),
        ({"card_state": CredentialState.EXPIRED}, "CARD_EXPIRED"),
        ({"card_state": CredentialState.ISSUED}, "CARD_NOT_ACTIVE"),
        ({"card_state": CredentialState.UNKNOWN}, "CARD_UNKNOWN"),
        ({"card_expiry": date(2026, 11, 20)}, "CARD_EXPIRED"),
        (NOT_FOUND, "PERSON_NOT_FOUND"),
        ({"person": PersonAnswer(True, ALIVE.matched, LifeStatus.DECEASED)}, "PERSON_DECEASED"),
        ({"person": PersonAnswer(True, ALIVE.matched, LifeStatus.MISSING)}, "PERSON_MISSING"),
        (
            {"person": PersonAnswer(True, {**ALIVE.matched, "sex": False}, LifeStatus.ALIVE)},
            "PERSON_MISMATCH",
        ),
        ({"person": PersonAnswer(True, {"full_name": True}, LifeStatus.ALIVE)}, "PERSON_MISMATCH"),
        ({"person": PersonAnswer(True, {}, LifeStatus.ALIVE)}, "PERSON_MISMATCH"),
        (NO_FACE, "FACE_NOT_MATCHED"),
        ({"face": None}, "FACE_NOT_VERIFIED"),
        ({"face": face(matched=False, code=None)}, "FACE_NOT_MATCHED"),
        ({"face": face(matched=False, code="NGUYỄN VĂN A 001090123456")}, "FACE_NOT_MATCHED"),
        ({"face": face(matched=False, code="CARD_LOST")}, "FACE_NOT_MATCHED"),
        ({"face": face(score=None)}, "FACE_NOT_VERIFIED"),
        ({"face": face(method="guess")}, "FACE_NOT_VERIFIED"),
        ({"face": face(head_turn="failed")}, "FACE_TURN_NOT_SHOWN"),
        ({"face": face(head_turn="not required")}, "FACE_TURN_NOT_SHOWN"),
        ({"face": face(method="manual", manual_reason=" ")}, "FACE_NOT_VERIFIED"),
        ({"portrait_is_signed": False}, "FACE_PORTRAIT_NOT_SIGNED"),
    ],
)
def test_one_bad_fact_is_refused_by_its_own_code(changes: dict[str, object], expected: str) -> None:
    verdict = decide(BANK, replace(GOOD, **changes))  # type: ignore[arg-type]
    assert (verdict.outcome, verdict.code) == (DecisionOutcome.REFUSED, expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"card_state": None}, "CARD_STATUS_UNAVAILABLE"),
        ({"person": None}, "REGISTRY_UNAVAILABLE"),
        # Found, and not a word on whether the person lives: that is no answer.
        ({"person": PersonAnswer(True, ALIVE.matched)}, "REGISTRY_UNAVAILABLE"),
        ({"card_state": None, "person": None}, "CARD_STATUS_UNAVAILABLE"),
        (
            {
                "report": InspectionReport(
                    {c: r for c, r in CHECKS.items() if c is not Check.SIGNER_REVOCATION}
                )
            },
            "CHIP_REVOCATION_UNKNOWN",
        ),
    ],
)
def test_what_is_unknown_is_unavailable(changes: dict[str, object], expected: str) -> None:
    verdict = decide(BANK, replace(GOOD, **changes))  # type: ignore[arg-type]
    assert (verdict.outcome, verdict.code) == (DecisionOutcome.UNAVAILABLE, expected)


def test_the_order_is_document_chip_card_person_face_and_then_the_unknown() -> None:
    steps: list[tuple[dict[str, object], str]] = [
        (NO_FACE, "FACE_NOT_MATCHED"),
        (NOT_FOUND, "PERSON_NOT_FOUND"),
        (LOST, "CARD_LOST"),
        (NO_CHIP, "ASSURANCE_TOO_LOW"),
        (DOCUMENT, "CHIP_SOD_INVALID"),
    ]
    gathered: dict[str, object] = {}
    for changes, expected in steps:
        gathered |= changes
        assert code(**gathered) == expected
    assert code(person=None, **NO_FACE) == "FACE_NOT_MATCHED"
    assert code(card_state=None, **NOT_FOUND) == "PERSON_NOT_FOUND"


@pytest.mark.parametrize("check", PASSIVE_AUTHENTICATION)
def test_a_part_of_passive_authentication_that_was_not_made_is_refused(check: Check) -> None:
    without = InspectionReport({c: r for c, r in CHECKS.items() if c is not check})
    assert code(report=without) == "CHECK_NOT_MADE"


def test_a_card_that_expires_today_is_still_good_and_one_without_expiry_too() -> None:
    assert code(card_expiry=GOOD.today) is None
    assert code(card_expiry=None) is None


def test_a_purpose_without_head_turn_needs_none() -> None:
    assert code(PASSIVE, face=face(head_turn="not required")) is None


def test_a_purpose_without_face_needs_none() -> None:
    gate = replace(BANK, face_required=False)
    assert code(gate, face=None) is None


def test_a_teller_may_compare_by_eye_where_the_purpose_allows_it() -> None:
    by_eye = face(method="manual", score=None, manual_reason="FACE_ENGINE_UNAVAILABLE: no model")
    verdict = decide(BANK, replace(GOOD, face=by_eye))
    assert (verdict.code, verdict.assurance.face) == (None, "manual")
    assert code(replace(BANK, manual_face=False), face=by_eye) == "FACE_NOT_VERIFIED"


def test_an_agents_other_chip_faults_change_nothing() -> None:
    assert code(chip_fault="SOMETHING") is None


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(PurposeNotPermitted):
        purpose_named("bank.everything")


def test_a_comparison_of_an_unheard_kind_is_no_assurance() -> None:
    no_face_asked = replace(BANK, face_required=False)
    claim = msgspec.structs.replace(GOOD.face, method="astrology", score=None)
    verdict = decide(no_face_asked, replace(GOOD, face=claim))
    assert (verdict.outcome, verdict.assurance.face) == (DecisionOutcome.VERIFIED, "none")


HANDOVER = PURPOSES["card.handover"]


def test_a_hand_over_wants_a_card_that_nobody_has_yet() -> None:
    assert code(HANDOVER, card_state=CredentialState.ISSUED) is None
    refused = {state: code(HANDOVER, card_state=state) for state in CredentialState}
    assert refused.pop(CredentialState.ISSUED) is None
    assert refused == {
        CredentialState.ACTIVE: "CARD_ALREADY_ACTIVE",
        CredentialState.LOST: "CARD_LOST",
        CredentialState.SUSPENDED: "CARD_SUSPENDED",
        CredentialState.REPLACED: "CARD_REPLACED",
        CredentialState.REVOKED: "CARD_REVOKED",
        CredentialState.EXPIRED: "CARD_EXPIRED",
        CredentialState.UNKNOWN: "CARD_UNKNOWN",
    }


def test_a_hand_over_wants_chip_and_face_proven_by_machines() -> None:
    issued = {"card_state": CredentialState.ISSUED}
    by_eye = face(method="manual", score=None, manual_reason="FACE_ENGINE_UNAVAILABLE")
    assert code(HANDOVER, face=by_eye, **issued) == "FACE_NOT_VERIFIED"
    assert code(HANDOVER, face=None, **issued) == "FACE_NOT_VERIFIED"
    assert code(HANDOVER, chip=ChipAssurance.CHIP_LIVE_TICKET, **issued) == "ASSURANCE_TOO_LOW"


def test_what_was_heard_before_is_told_with_its_age_and_borne_as_the_purpose_says() -> None:
    old = replace(GOOD, card_state_age=3_600)
    assert (decide(BANK, old).code, decide(BANK, old).assurance.status) == (
        "CARD_STATUS_UNAVAILABLE",
        "snapshot(3600s)",
    )
    hospital = PURPOSES["hospital.check_in"]
    assert decide(hospital, old).outcome is DecisionOutcome.VERIFIED
    assert decide(hospital, replace(old, card_state_age=3_601)).code == "CARD_STATUS_UNAVAILABLE"
    assert decide(BANK, replace(old, card_state=CredentialState.LOST)).code == "CARD_LOST"
