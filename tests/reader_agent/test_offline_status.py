"""A visit without the gateway, and the counter's own list: it says more, and refuses nobody by itself."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from monitoring.environment import ConfigurationFault
from reader_agent import status_list_fetch
from reader_agent.app import offline_standing
from reader_agent.offline_status import (
    KeptStatusList,
    listed_standing,
    trusted_list_keys,
    write_status_list,
)
from reader_agent.ports import ListedStanding
from reader_agent.settings import AgentSettings
from reader_agent.status_list_fetch import MAX_ANSWER_BYTES, fetch
from tests.support import pki
from tests.support.counter_bench import HttpGateway, genuine_card, make_bench, serving
from tests.support.gateway_world import World, make_world
from verification.errors import StatusListInvalid
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.messages.signing_key import SigningKey, public_jwk
from verification.messages.status_list import StatusListHead, decode_keys, encode_keys, short_key, sign_head

FILES = pki.card().files
KEY = short_key(status_key(parse_security_object(FILES[LdsFile.SOD]).signer.signature))
SIGNER = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    folder = tmp_path / "gateway_keys"
    folder.mkdir()
    (folder / "log_key.jwk").write_text(json.dumps(public_jwk(SIGNER.public_key())))
    return folder


def list_of(path: Path, *keys: int, key: SigningKey = SIGNER, hours: float = 1, epoch: int = 1) -> Path:
    """A list that was made some hours ago."""
    content = encode_keys(keys)
    as_of = (pki.NOW - timedelta(hours=hours)).isoformat(timespec="seconds")
    digest = hashlib.sha256(content).hexdigest()
    head = StatusListHead("gateway/log", epoch, as_of, len(keys), len(keys) + 5, digest)
    write_status_list(path, sign_head(head, key), content)
    return path


def test_a_card_is_on_the_list_or_not_and_the_age_is_said(tmp_path: Path, trust: Path) -> None:
    path = list_of(tmp_path / "status", KEY ^ 1, KEY, 5)
    assert listed_standing(path, trust, FILES, pki.NOW) == ListedStanding(True, 3600)
    list_of(path, KEY ^ 1, 5, hours=20)
    assert listed_standing(path, trust, FILES, pki.NOW) == ListedStanding(False, 72_000)


def test_a_card_younger_than_the_list_may_be_missing_from_it(tmp_path: Path, trust: Path) -> None:
    """It was issued on 1 April: a list of that day, or of before, does not know what became of it."""
    days = (pki.NOW - pki.SIGNED).days
    path = list_of(tmp_path / "status", 5, hours=24 * days + 2)
    assert listed_standing(path, trust, FILES, pki.NOW) is None
    list_of(path, KEY, hours=24 * days + 2)
    assert listed_standing(path, trust, FILES, pki.NOW) is not None
    assert listed_standing(list_of(path, 5, hours=24 * (days - 1)), trust, FILES, pki.NOW) is not None


def test_a_list_that_was_altered_anywhere_says_nothing(tmp_path: Path, trust: Path) -> None:
    path = list_of(tmp_path / "status", KEY)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert listed_standing(path, trust, FILES, pki.NOW) is None, position
    for cut in (0, 10, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert listed_standing(path, trust, FILES, pki.NOW) is None
    path.unlink()
    assert listed_standing(path, trust, FILES, pki.NOW) is None
    list_of(path, KEY, key=ec.generate_private_key(ec.SECP256R1()))
    assert listed_standing(path, trust, FILES, pki.NOW) is None


def test_a_list_that_is_renewed_during_a_look_is_not_misread(tmp_path: Path, trust: Path) -> None:
    path = list_of(tmp_path / "status", KEY)
    opened = KeptStatusList.opened(path, trusted_list_keys(trust))
    # Its head has another length: where the old list began, the new one has something else.
    list_of(path, *range(1, 400), KEY, epoch=1_000_000)
    with pytest.raises(StatusListInvalid):
        opened.lists(KEY)
    assert KeptStatusList.opened(path, trusted_list_keys(trust)).lists(KEY)


def test_that_a_card_is_not_listed_counts_for_a_day_and_that_it_is_listed_for_ever(
    tmp_path: Path, trust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reader_agent.app.utc_now", lambda: pki.NOW)
    path = tmp_path / "status"
    settings = AgentSettings(
        gateway_url="http://127.0.0.1:1", trust_dir=trust, device_key=path, id="c", status_list=path
    )
    list_of(path, 5, hours=24)
    assert offline_standing(settings, FILES) == ListedStanding(False, 86_400)
    list_of(path, 5, hours=24.1)
    assert offline_standing(settings, FILES) is None
    list_of(path, KEY, hours=100)
    assert offline_standing(settings, FILES) == ListedStanding(True, 360_000)


@pytest.mark.parametrize(
    ("standing", "code", "status"),
    [
        (None, "SERVICE_UNAVAILABLE", "none"),
        (ListedStanding(False, 5_400), "SERVICE_UNAVAILABLE", "snapshot(5400s)"),
        (ListedStanding(True, 60), "CARD_ON_STATUS_LIST", "snapshot(60s)"),
    ],
)
def test_a_visit_without_the_gateway_says_what_the_list_says_and_decides_nothing(
    tmp_path: Path, standing: ListedStanding | None, code: str, status: str
) -> None:
    with serving(HttpGateway()) as gateway:
        bench = make_bench(gateway, tmp_path, image=genuine_card(), offline_standing=lambda _files: standing)
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == ("unavailable", code)
    assert verdict["assurance"] == {"chip": "chip-live-agent", "face": "none", "status": status}
    assert verdict["holder"] is None


def test_with_the_gateway_there_nobody_looks_into_the_list(tmp_path: Path) -> None:
    def never(_files: object) -> ListedStanding:
        raise AssertionError("asked")

    with serving(HttpGateway()) as gateway:
        bench = make_bench(gateway, tmp_path, image=genuine_card(), offline_standing=never)
        assert bench.tap()["verdict"]["outcome"] == "verified"


# -- fetching


class Wire:
    """The counter's way to a gateway of a test; ``answer`` stands in for what the gateway would say."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[str] = []
        self.answer: bytes | None = None

    def get(self, path: str, longest: int) -> bytes:
        assert longest == MAX_ANSWER_BYTES
        self.asked.append(path)
        response = self.world.counter.send("GET", path)
        assert response.status_code == 200
        return self.answer or response.data


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def next_list(world: World, *numbers: int) -> None:
    for number in numbers:
        world.card_events.tell(f"{number:010x}aabbcc", "lost")
    world.clock.move(seconds=world.settings.status_list_seconds)
    world.gateway.follower.step()
    assert world.gateway.list_maker.make()


def test_the_list_is_fetched_whole_and_then_by_differences(world: World, tmp_path: Path) -> None:
    wire, path = Wire(world), tmp_path / "status"
    keys = trusted_list_keys(world.settings.trust_dir)
    next_list(world, *range(200))
    assert fetch(wire, path, keys).epoch == 1  # type: ignore[arg-type]
    next_list(world, 500)
    assert fetch(wire, path, keys).epoch == 2  # type: ignore[arg-type]
    assert wire.asked == ["/v1/status-snapshot", "/v1/status-snapshot?since=1"]
    assert decode_keys(KeptStatusList.opened(path, keys).content()) == [*range(200), 500]
    path.write_bytes(path.read_bytes()[:-1])
    assert fetch(wire, path, keys).epoch == 2  # type: ignore[arg-type]
    assert wire.asked[-1] == "/v1/status-snapshot"
    assert len(decode_keys(KeptStatusList.opened(path, keys).content())) == 201


def test_a_gateway_put_back_that_came_farther_since_is_asked_for_the_whole_list(
    world: World, tmp_path: Path
) -> None:
    """It has the number of the list at hand, for another list."""
    wire, path, keys = Wire(world), tmp_path / "status", trusted_list_keys(world.settings.trust_dir)
    next_list(world, *range(200))
    copy = world.database.url.removeprefix("sqlite:///") + ".copy"
    copied(world.database.url, copy)
    next_list(world, 500)
    assert fetch(wire, path, keys).epoch == 2  # type: ignore[arg-type]
    copied(copy, world.database.url)
    world.clock.move(seconds=60)
    del world.card_events.told[200:]
    next_list(world, 600)
    next_list(world, 700)
    assert fetch(wire, path, keys).epoch == 3  # type: ignore[arg-type]
    assert wire.asked[-2:] == ["/v1/status-snapshot?since=2", "/v1/status-snapshot"]
    assert decode_keys(KeptStatusList.opened(path, keys).content()) == [*range(200), 600, 700]


def copied(source: str, target: str) -> None:
    """The records as they stand, put in the place of others."""
    one, other = (sqlite3.connect(name.removeprefix("sqlite:///")) for name in (source, target))
    with closing(one), closing(other):
        one.backup(other)


def test_a_list_that_is_older_altered_or_nobodys_does_not_take_the_place_of_a_good_one(
    world: World, tmp_path: Path
) -> None:
    wire, path = Wire(world), tmp_path / "status"
    keys = trusted_list_keys(world.settings.trust_dir)
    next_list(world, 1)
    older = world.counter.send("GET", "/v1/status-snapshot").data
    next_list(world, 2)
    fetch(wire, path, keys)  # type: ignore[arg-type]
    kept = path.read_bytes()
    newest = json.loads(world.counter.send("GET", "/v1/status-snapshot").data)
    other = {**newest, "content": json.loads(older)["content"]}
    no_way = {**newest, "content": None, "deltas": []}
    strange = {**newest, "head": newest["head"][:-8] + "AAAAAAAA"}
    for wrong in (older, b"{}", b"<html>", *(json.dumps(said).encode() for said in (other, strange))):
        wire.answer = wrong
        with pytest.raises(StatusListInvalid):
            fetch(wire, path, keys)  # type: ignore[arg-type]
        assert path.read_bytes() == kept
    path.unlink()
    wire.answer = json.dumps(no_way).encode()
    with pytest.raises(StatusListInvalid):
        fetch(wire, path, keys)  # type: ignore[arg-type]


def test_keys_that_are_none_stop_the_fetch(tmp_path: Path) -> None:
    assert trusted_list_keys(tmp_path) == {}
    for content in ("{}", "text", "[]"):
        (tmp_path / "log_key.jwk").write_text(content)
        with pytest.raises(ConfigurationFault):
            trusted_list_keys(tmp_path)


def test_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in {
        "AGENT_GATEWAY_URL": "http://127.0.0.1:1",
        "AGENT_TRUST_DIR": str(tmp_path),
        "AGENT_DEVICE_KEY": str(tmp_path / "device.pem"),
        "AGENT_ID": "c",
    }.items():
        monkeypatch.setenv(name, value)
    assert status_list_fetch.main() == 2
    assert "AGENT_STATUS_LIST is not set" in capsys.readouterr().err
