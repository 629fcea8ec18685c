"""One way of writing a case at every desk: what is held by one can be let go by the same."""

from __future__ import annotations

import pytest

from tests.issuance_backend.test_openapi import Contract
from tests.support.issuance_office import NOW, Office, citizens

SINCE = NOW.isoformat()
ACTS = {
    "/v1/officer-certificates/lan.capture/withdrawal": {"since": SINCE},
    "/v1/packet-signers/revocation": {"kind": "officer", "owner": "lan.capture", "revoked_at": SINCE},
}


@pytest.mark.parametrize(
    ("case", "is_one"),
    [
        ("VV-1", True),
        ("V_1", True),
        ("/2026-VKS", True),
        ("v" * 64, True),
        ("v" * 65, False),
        ("v1", False),
        ("VV 1", False),
        ("VV\n1", False),
        ("VVĐ-1", False),
    ],
)
def test_a_case_that_holds_can_be_let_go(office: Office, case: str, is_one: bool) -> None:
    dossier = office.sign_in("lan.capture").capture(citizens()[0]).get_json()["id"]
    son, contract = office.sign_in("son.supervisor"), Contract("dossiers")
    for act in ("suspension", "resumption"):
        answer = contract.judge(son.post(f"/v1/dossiers/{dossier}/{act}", {"case_id": case}))
        assert answer.status_code == (200 if is_one else 422), act
    for path, body in ACTS.items():
        answer = son.post(path, {**body, "case_id": case})
        assert answer.status_code == (200 if is_one else 422), path
