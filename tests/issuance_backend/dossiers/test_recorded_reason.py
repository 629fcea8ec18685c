"""Where no engine judges portraits, the officer's reason stands in the dossier as it was given."""

from __future__ import annotations

from tests.support.application_desk import capture_of, make_desk, packet_of
from tests.support.engines import Engine
from tests.support.issuance_office import REASON, citizens


def test_the_reason_is_kept_for_whoever_looks_later(database_engine: Engine) -> None:
    desk = make_desk(database_engine)
    for dossier in (desk.captured(), desk.received(packet_of(citizens()[1], number=2))):
        check = desk.view(dossier).portrait_check
        assert (check.method, check.reason) == ("manual", REASON)
    assert capture_of().manual_portrait_reason == REASON
