"""The operator sees how many certificates are about to end, and of nobody whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from issuance_backend.officers.certificate_gauge import WITHIN, CertificateGauge
from monitoring.database import Database
from monitoring.metrics import CERTIFICATES_ENDING
from tests.support.certified import certify
from tests.support.issuance_office import NOW, Office
from verification.messages.national_time import vietnam_date

TODAY = vietnam_date(NOW)
LAST = TODAY + WITHIN


def shown(office: Office) -> str:
    answer = office.client().get("/metrics")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def ending(office: Office, level: str = "capture") -> float:
    line = f'idv_officer_certificates_ending{{level="{level}"}} '
    (found,) = [each for each in shown(office).splitlines() if each.startswith(line)]
    return float(found.removeprefix(line))


def test_what_ends_within_thirty_days_is_counted_and_nobody_is_named(office: Office) -> None:
    before = ending(office)
    certify(office.database, "lan.capture", until=TODAY.isoformat())
    certify(office.database, "mai.office", until=LAST.isoformat())
    certify(office.database, "minh.approve", until=(LAST + timedelta(days=1)).isoformat())
    certify(office.database, "son.supervisor", until=(TODAY - timedelta(days=1)).isoformat())
    assert ending(office) == before, "counted every ten minutes only"
    office.now[0] += timedelta(minutes=10)
    assert (before, ending(office)) == (0, 1), "a later one follows the first officer's"
    assert ending(office, "trainee") == 0
    assert "lan.capture" not in shown(office)


def test_a_database_that_is_away_leaves_the_number_and_the_metrics(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    certify(office.database, "mai.office", until=LAST.isoformat())
    assert ending(office) == 1
    monkeypatch.setattr("issuance_backend.officers.certificate_gauge._COUNTED_FOR", timedelta())
    gone = CertificateGauge(Database("sqlite:////nowhere/at-all.db"), lambda: NOW)
    gone.measure()
    assert ending(office) == 1
    assert CERTIFICATES_ENDING.labels("capture")._value.get() == 1
