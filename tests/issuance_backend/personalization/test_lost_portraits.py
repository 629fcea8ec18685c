"""An order whose portrait the store does not hold now uses no blank and keeps no other order waiting."""

from __future__ import annotations

import pytest

from issuance_backend.dossiers import acts
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.personalization.service import WRITING_TIME
from issuance_backend.refusals import BlobUnknown
from tests.support.issuance_office import Office, citizens, picture
from tests.support.running import run_pending


def test_an_order_without_its_portrait_waits_and_the_others_are_made(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    capturing, operating = office.sign_in("lan.capture"), office.sign_in("hoa.production")
    captures = [
        capturing.capture(citizens()[each], f"capture-00000000{each}0", portrait=picture(each))
        for each in (4, 5)
    ]
    lost, next_one = (str(each.get_json()["id"]) for each in captures)
    for dossier in (lost, next_one):
        office.approve_all(dossier)
    office.receive_blanks(3)
    batch = operating.post("/v1/production-batches", {"limit": 10}).get_json()["id"]

    def orders() -> dict[str, tuple[str, str | None]]:
        told = operating.get(f"/v1/production-batches/{batch}").get_json()
        return {each["dossier"]: (each["card_state"], each["code"]) for each in told}

    with office.database.reading() as connection:
        missing = acts.found(connection, lost).portrait
    read = Pictures.read

    def guarded(pictures: Pictures, name: str) -> bytes:
        if name == missing:
            raise BlobUnknown("no such object")
        return read(pictures, name)

    monkeypatch.setattr(Pictures, "read", guarded)
    assert run_pending(office.card_line()) == 2
    assert orders() == {lost: ("ordered", BlobUnknown.code), next_one: ("qa_passed", None)}
    assert operating.get("/v1/blank-stock").get_json()["stock"] == 2

    monkeypatch.undo()
    assert not office.card_line().run_once(), "its lease lasts"
    office.now[0] += WRITING_TIME
    assert run_pending(office.card_line()) == 1
    assert orders()[lost] == ("qa_passed", None)
