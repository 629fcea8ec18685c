"""Every page of forms DC01 as its officer sees it: in both languages, on a desk and on a telephone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dc01_office import WHOLE
from tests.support.engines import Sqlite
from tests.support.form_room import CLERK, COLLECTOR, LEADER, SECOND, THIRD, form_room
from tests.support.issuance_office import make_office
from tests.support.office_pages import pages_of
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.served_app import serving
from tests.support.teller_page import browser
from verification.messages.dc01 import FormKeyed

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_every_page_is_right_in_both_languages_wide_and_narrow(office_pki: Path, tmp_path: Path) -> None:
    office = make_office(tmp_path, office_pki)
    with (
        form_room(office, Sqlite(tmp_path), tmp_path) as room,
        pages_of(room.office, tmp_path) as app,
    ):
        judged = room.dc01.forms.form(room.dc01.accepted(4)[0]).batch
        room.dc01.plan(1)
        (scanned,) = room.dc01.scanned(1)
        _, (waiting,) = room.dc01.indexed(1)
        batch, ids = room.keyed(3)
        room.dc01.batches.draw(batch, LEADER)
        drawn = [form for form, state in zip(ids, room.dc01.states(ids), strict=True) if "sampled" in state]
        twice = FormKeyed(values={**WHOLE, "father": "KHÁC", "sex": "M"}, officer=SECOND)
        room.dc01.batches.key_again(drawn[0], twice)
        _, (mended,) = room.keyed(read=lambda _: {**WHOLE, "religion": ""})
        visits = {
            COLLECTOR: ["/dc01", "/dc01/forms?state=planned", f"/dc01/forms/{scanned}/scan"],
            CLERK: [f"/dc01/forms/{waiting}/keying", f"/dc01/forms/{mended}/keying", "/dc01/second-keying"],
            THIRD: ["/dc01/differences", f"/dc01/forms/{scanned}/index"],
            LEADER: ["/dc01", f"/dc01/batches/{batch}", f"/dc01/batches/{judged}"],
        }
        faults: list[str] = []
        with serving(app) as url, browser() as chrome:
            walk = Walk(chrome, url)
            for officer, paths in visits.items():
                for language in LANGUAGES:
                    walk.sign_in(officer, language)
                    for place, path in enumerate(paths):
                        walk.open(path, "wide")
                        for kind, width in WIDTHS.items():
                            walk.size(width)
                            name = f"dc01-{officer}-{place}-{language}-{kind}"
                            faults += walk.faults(name, language, kind)
    assert not faults, "\n".join(faults)
