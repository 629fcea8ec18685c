"""A card that was destroyed after a newer one took its place is told as replaced."""

from __future__ import annotations

from typing import Any

import msgspec
from alembic import command
from sqlalchemy import select

from issuance_backend.outbox.tables import NOTICES
from tests.support.delivery import EXCHANGED, SUPERVISOR, active, card_of, deliver, finished, hand_over
from tests.support.issuance_office import STATUS_TOKEN, Office, citizens
from tests.support.old_databases import migrate

PERSON, ANOTHER = citizens()[1:3]


def destroyed(office: Office, card: str) -> str:
    """The card's key, after two officers signed."""
    for officer in ("khoa.stock", SUPERVISOR):
        done = office.sign_in(officer).post(f"/v1/credentials/{card}/destruction")
        assert done.status_code == 200, done.get_data(as_text=True)
    gone = card_of(office, card)
    assert gone.state == "destroyed"
    return str(gone.status_key)


def replaced(office: Office) -> str:
    """An older card, taken and destroyed after the new one was handed over."""
    older = active(office, PERSON)
    newer = finished(office, PERSON, "capture-0000000002", terms=EXCHANGED)
    deliver(office, newer)
    assert hand_over(office, newer).status_code == 200
    assert card_of(office, older).state == "replaced"
    return older


def revoked(office: Office) -> str:
    """A card that its holder handed in."""
    card = active(office, ANOTHER, "capture-0000000003")
    done = office.sign_in(SUPERVISOR).post(f"/v1/credentials/{card}/revocation", {"reason": "handed_in"})
    assert done.status_code == 200
    return card


def told(office: Office, key: str) -> tuple[Any, list[Any]]:
    """What is answered of a card, and every word that went out about it."""
    asked = office.client().post(
        "/v1/credential-status-queries",
        json={"status_key": key},
        headers={"Authorization": f"Bearer {STATUS_TOKEN}"},
    )
    with office.database.reading() as connection:
        words = connection.execute(
            select(NOTICES.c.data).where(NOTICES.c.key == key).order_by(NOTICES.c.sequence)
        ).scalars()
        return asked.get_json()["state"], [msgspec.json.decode(word)["state"] for word in words]


def test_it_stays_replaced(office: Office) -> None:
    card = replaced(office)
    answered, words = told(office, destroyed(office, card))
    assert (answered, words[-3:]) == ("replaced", ["active", "replaced", "replaced"])
    assert card_of(office, card).reason == "replaced"


def test_one_that_was_revoked_stays_revoked(office: Office) -> None:
    answered, words = told(office, destroyed(office, revoked(office)))
    assert (answered, words[-2:]) == ("revoked", ["revoked", "revoked"])


def test_nobody_revokes_a_card_as_replaced(office: Office) -> None:
    card = active(office, PERSON)
    supervisor = office.sign_in(SUPERVISOR)
    for way in ("suspension", "revocation"):
        refused = supervisor.post(f"/v1/credentials/{card}/{way}", {"reason": "replaced"})
        assert (refused.status_code, list(refused.get_json()["fields"])) == (422, ["reason"])


def test_what_an_older_office_told_of_such_cards_is_mended(office: Office) -> None:
    keys = [destroyed(office, card(office)) for card in (replaced, revoked)]
    migrate(office.database, command.downgrade, "0034")
    assert [told(office, key)[1][-2:] for key in keys] == [["replaced", "revoked"], ["revoked", "revoked"]]
    assert [told(office, key)[0] for key in keys] == ["revoked", "revoked"]
    migrate(office.database, command.upgrade, "head")
    assert [told(office, key)[1][-2:] for key in keys] == [["replaced", "replaced"], ["revoked", "revoked"]]
    assert [told(office, key)[0] for key in keys] == ["replaced", "revoked"]
