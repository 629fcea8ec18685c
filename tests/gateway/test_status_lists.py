"""Lists of card states: made when due, only while the issuer is heard, handed out as the shorter way."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import pytest

from gateway.adapters import sql_status_lists
from gateway.adapters.sql_card_states import SqlCardStates
from gateway.adapters.sql_status_lists import SqlStatusLists
from gateway.domain.card_standing import FRESH_SECONDS
from gateway.domain.refusals import CardEventsUnavailable
from tests.support.gateway_world import World
from verification.messages.signing_key import thumbprint
from verification.messages.status_list import (
    StatusListAnswer,
    StatusListDelta,
    StatusListHead,
    decode_keys,
    encode_keys,
    read_head,
    require_content,
    short_key,
    updated,
)

ADDRESS = "/v1/status-snapshot"


def keys(*numbers: int) -> list[str]:
    return [f"{number:010x}aabbcc" for number in numbers]


def tell(world: World, state: str, *numbers: int) -> None:
    for key in keys(*numbers):
        world.card_events.tell(key, state)


def made(world: World) -> bool:
    """Time passes, the issuer is heard, a list is made."""
    world.clock.move(seconds=world.settings.status_list_seconds)
    world.gateway.follower.step()
    return world.gateway.list_maker.make()


def fetched(world: World, since: int | None = None) -> tuple[StatusListHead, StatusListAnswer]:
    response = world.counter.send("GET", ADDRESS if since is None else f"{ADDRESS}?since={since}")
    assert response.status_code == 200, response.text
    answer = msgspec.json.decode(response.data, type=StatusListAnswer)
    key = world.log_key.public_key()
    return read_head(answer.head, {thumbprint(key): key}), answer


def test_a_list_names_every_card_that_is_not_active_and_no_other(world: World) -> None:
    tell(world, "active", 1, 2, 3)
    for number, state in enumerate(["lost", "suspended", "revoked", "replaced", "issued"], 10):
        tell(world, "active", number)
        tell(world, state, number)
    assert made(world)
    head, answer = fetched(world)
    assert answer.content is not None
    require_content(answer.content, head)
    assert decode_keys(answer.content) == [short_key(key) for key in keys(10, 11, 12, 13, 14)]
    assert (head.epoch, head.cards, head.known, head.iss) == (1, 5, 8, "test.gateway/log")
    assert datetime.fromisoformat(head.as_of) == world.clock()


def test_a_caller_that_has_a_list_is_given_what_changed(world: World) -> None:
    tell(world, "lost", *range(100))
    assert made(world)
    _, first = fetched(world)
    tell(world, "active", 3)
    assert made(world)
    tell(world, "lost", 500)
    tell(world, "active", 4)
    assert made(world)
    head, answer = fetched(world, since=1)
    assert answer.content is None
    assert [delta.epoch for delta in answer.deltas] == [2, 3]
    assert first.content is not None
    newer = updated(first.content, answer.deltas, head)
    wanted = {*range(100), 500} - {3, 4}
    assert decode_keys(newer) == [short_key(key) for key in keys(*sorted(wanted))]
    same, none = fetched(world, since=3)
    assert (same.epoch, none.content, none.deltas) == (3, None, ())


@pytest.mark.parametrize("since", [0, 2, 99])
def test_a_caller_with_a_list_that_is_not_kept_is_given_the_whole(world: World, since: int) -> None:
    tell(world, "lost", 1)
    assert made(world)
    assert fetched(world, since=since)[1].content is not None


def test_old_ways_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_status_lists, "KEPT_EPOCHS", 2)
    for number in range(4):
        tell(world, "lost", *range(100 * number, 100 * number + 100))
        assert made(world)
    lists = SqlStatusLists(world.database)
    assert lists.deltas_since(2) is None
    assert [delta.epoch for delta in lists.deltas_since(3) or ()] == [4]


def test_where_nearly_everything_changed_the_whole_list_is_shorter(world: World) -> None:
    tell(world, "lost", *range(200))
    assert made(world)
    tell(world, "active", *range(199))
    assert made(world)
    assert fetched(world, since=1)[1].content is not None


def test_no_list_is_made_while_the_issuer_is_not_heard(world: World) -> None:
    refused = world.counter.send("GET", ADDRESS)
    assert (refused.status_code, json.loads(refused.data)["code"]) == (503, "STATUS_LIST_UNAVAILABLE")
    assert not world.gateway.list_maker.make()
    tell(world, "lost", 1)
    assert made(world)
    world.card_events.fault = CardEventsUnavailable("down")
    assert not made(world)
    world.card_events.fault = None
    world.gateway.follower.step()
    world.clock.move(seconds=FRESH_SECONDS + 1)
    assert not world.gateway.list_maker.make()
    assert fetched(world)[0].epoch == 1


def test_a_list_is_made_when_its_time_has_come_and_once(world: World) -> None:
    assert made(world)
    assert not world.gateway.list_maker.make()
    world.clock.move(seconds=world.settings.status_list_seconds - 1)
    world.gateway.follower.step()
    assert not world.gateway.list_maker.make()
    newest = SqlStatusLists(world.database).newest()
    assert newest is not None
    assert not SqlStatusLists(world.database).keep(newest, nothing_changed(newest.epoch))
    assert SqlStatusLists(world.database).newest() == newest


def test_nothing_is_read_of_lists_and_cards_while_none_is_due_or_the_issuer_is_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made(world)

    def read(_: object) -> None:
        raise AssertionError("a whole list was read")

    monkeypatch.setattr(SqlStatusLists, "newest", read)
    monkeypatch.setattr(SqlCardStates, "not_good", read)
    assert not world.gateway.list_maker.make()
    world.clock.move(seconds=world.settings.status_list_seconds)
    assert not world.gateway.list_maker.make(), "the issuer was heard too long ago"
    world.gateway.follower.step()
    with pytest.raises(AssertionError):
        world.gateway.list_maker.make()


def nothing_changed(epoch: int) -> StatusListDelta:
    return StatusListDelta(epoch, encode_keys(()), encode_keys(()))


def test_only_an_agent_is_given_the_list(world: World) -> None:
    assert made(world)
    assert world.app.test_client().get(ADDRESS).status_code == 401
