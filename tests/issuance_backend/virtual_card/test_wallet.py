"""The drawer of software cards, over HTTP, with a virtual reader on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from issuance_backend.virtual_card import wallet
from reader_agent.transports.vpcd_socket import VpcdListener
from tests.support import synthetic_cards
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.errors import CardRemoved, ChipAuthenticationFailed
from verification.lds.files import LdsFile


@pytest.fixture
def reader() -> Iterator[VpcdListener]:
    listener = VpcdListener("127.0.0.1", 0)
    yield listener
    listener.close()


@pytest.fixture
def client(tmp_path: Path, reader: VpcdListener) -> FlaskClient:
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "lan.card").write_bytes(synthetic_cards.card("cccd").to_bytes())
    (cards / "passport.card").write_bytes(synthetic_cards.card("pace-gm").to_bytes())
    (cards / "broken.card").write_bytes(b"not a card")
    (tmp_path / "outside.card").write_bytes(synthetic_cards.card("cccd").to_bytes())
    address = f"127.0.0.1:{reader.port}"
    return wallet.create_app(wallet.Wallet(cards, [address])).test_client()


def open_card(reader: VpcdListener) -> DocumentReader:
    assert reader.wait_for_card(5)
    document = DocumentReader(reader.connect(), os.urandom)
    document.open(Can(synthetic_cards.card("cccd").can))
    return document


def test_a_card_is_put_in_read_and_taken_out(client: FlaskClient, reader: VpcdListener) -> None:
    assert client.get("/slots").json == [{"slot": 0, "card": None, "tamper": None}]
    assert client.put("/slots/0", json={"card": "lan"}).json == {"slot": 0, "card": "lan", "tamper": None}
    document = open_card(reader)
    assert document.read_files()[LdsFile.DG1] == synthetic_cards.card("cccd").files[LdsFile.DG1]
    assert client.delete("/slots/0").status_code == 204
    with pytest.raises(CardRemoved):
        document.sign_challenge(bytes(8))
    assert not reader.is_card_present()
    assert client.get("/slots").json == [{"slot": 0, "card": None, "tamper": None}]


def test_another_card_takes_the_place_of_the_first(client: FlaskClient, reader: VpcdListener) -> None:
    client.put("/slots/0", json={"card": "lan"})
    open_card(reader)
    client.put("/slots/0", json={"card": "lan", "tamper": "cloned_chip"})
    clone = open_card(reader)
    with pytest.raises(ChipAuthenticationFailed):
        clone.authenticate_chip(synthetic_cards.card("cccd").files[LdsFile.DG14])
    assert client.get("/slots").json == [{"slot": 0, "card": "lan", "tamper": "cloned_chip"}]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"card": "nobody"}, 404, "SOFTWARE_CARD_UNKNOWN"),
        ({"card": "../outside"}, 404, "SOFTWARE_CARD_UNKNOWN"),
        ({"card": ".."}, 404, "SOFTWARE_CARD_UNKNOWN"),
        ({"card": "lan.card"}, 404, "SOFTWARE_CARD_UNKNOWN"),
        ({"card": ""}, 404, "SOFTWARE_CARD_UNKNOWN"),
        ({"card": "lan", "tamper": "unheard_of"}, 400, "REQUEST_MALFORMED"),
        ({"card": "lan", "more": 1}, 400, "REQUEST_MALFORMED"),
        ({}, 400, "REQUEST_MALFORMED"),
        ([], 400, "REQUEST_MALFORMED"),
        ({"card": "broken"}, 422, "DOCUMENT_MALFORMED"),
        ({"card": "passport", "tamper": "flipped_dg13"}, 409, "TAMPERING_IMPOSSIBLE"),
    ],
)
def test_what_cannot_be_put_in(client: FlaskClient, body: object, status: int, code: str) -> None:
    response = client.put("/slots/0", json=body)
    assert response.status_code == status
    assert response.json is not None
    assert response.json["code"] == code


def test_bytes_that_are_no_json_and_bodies_too_long(client: FlaskClient) -> None:
    assert client.put("/slots/0", data=b"\xff\xfe").status_code == 400
    assert client.put("/slots/0", data=b" " * 5000).status_code == 413


def test_a_slot_that_is_not_there(client: FlaskClient) -> None:
    assert client.put("/slots/1", json={"card": "lan"}).status_code == 404
    assert client.delete("/slots/7").status_code == 404


def test_a_reader_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "lan.card").write_bytes(synthetic_cards.card("cccd").to_bytes())
    drawer = wallet.Wallet(tmp_path, [f"unix:{tmp_path}/no-door"], patience=0.1)
    service = wallet.create_app(drawer).test_client()
    response = service.put("/slots/0", json={"card": "lan"})
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["code"] == "READER_NOT_FOUND"


def test_the_wallet_does_not_start_in_production(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_PROFILE", "production")
    assert wallet.main(["--listen", "127.0.0.1:0", "--cards", ".", "--vpcd", "127.0.0.1:1"]) == 2
    assert "production" in capsys.readouterr().err


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
