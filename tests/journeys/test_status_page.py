"""The public page over the real programs: a slip is followed, and its code is written down nowhere."""

from __future__ import annotations

import pytest

from monitoring.staff import CAPTURE_OFFICER, Staff
from tests.support.running_stand import RunningStand, http
from verification.messages.receipt_code import receipt_code

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]


def test_a_slip_is_followed_to_the_card_and_its_code_is_in_no_log(stand: RunningStand) -> None:
    issued = stand.holder
    urls = stand.addresses.url("admin"), stand.addresses.url("issuance")
    officers = Staff(*urls, {CAPTURE_OFFICER: stand.password(CAPTURE_OFFICER)})
    view = officers.at_office(CAPTURE_OFFICER).get_json(f"/v1/dossiers/{issued.dossier}")
    page, code = f"{urls[0]}/status", str(view["receipt_code"])
    told = http("GET", f"{page}?code={code}")
    assert told.status == 200
    shown = told.body.decode()
    assert "Thẻ đã được trao" in shown
    for secret in (issued.number, str(issued.person["full_name"]), issued.dossier, CAPTURE_OFFICER):
        assert secret not in shown
    assert http("GET", f"{page}?code={receipt_code('nobody')}").status == 404
    written = b"".join(path.read_bytes() for path in (stand.folder / "logs").glob("*.log"))
    assert b'"/status"' in written
    assert code.encode() not in written
