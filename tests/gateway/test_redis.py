"""Redis may speed things up and may go: nothing is lost, nothing is accepted twice."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from gateway.adapters.quota import SlidingQuota
from gateway.app import REDIS_SECONDS
from gateway.domain.refusals import TooManyRequests
from tests.support.gateway_world import World, make_world
from tests.support.machine import lacks
from tests.support.stopwatch import within

BODY = b'{"purpose":"hospital.check_in","consent":{"text_version":"1","language":"vi"}}'
SESSIONS = "/v1/verification-sessions"


class RedisServer:
    """A private Redis on a loopback port, stopped by its own process id."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(port=self.port)
        for _ in range(100):
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("redis did not start")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop_answering(self) -> None:
        """It is there and takes connections, and says nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def kept(self) -> list[bytes]:
        return list(redis.Redis(port=self.port).scan_iter())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        lacks("redis-server is not installed")
    started = RedisServer(tmp_path)
    yield started
    started.kill()


@pytest.fixture
def with_redis(tmp_path: Path, server: RedisServer) -> World:
    return make_world(tmp_path, redis_url=server.url)


def send_twice(world: World) -> tuple[int, int]:
    headers = world.counter.signed("POST", SESSIONS, BODY)
    first = world.counter.send_raw("POST", SESSIONS, BODY, headers)
    return first.status_code, world.counter.send_raw("POST", SESSIONS, BODY, headers).status_code


def test_nonces_and_quotas_use_redis(with_redis: World, server: RedisServer) -> None:
    assert send_twice(with_redis) == (201, 401)
    kinds = {key.split(b":")[0] for key in server.kept()}
    assert b"n" in kinds
    assert len(kinds) >= 2


def test_redis_gone_mid_work_and_everything_still_works(with_redis: World, server: RedisServer) -> None:
    headers = with_redis.counter.signed("POST", SESSIONS, BODY)
    assert with_redis.counter.send_raw("POST", SESSIONS, BODY, headers).status_code == 201
    server.kill()
    # What Redis had remembered is still refused, because SQL decides.
    assert with_redis.counter.send_raw("POST", SESSIONS, BODY, headers).status_code == 401
    assert send_twice(with_redis) == (201, 401)
    assert with_redis.decide().decision.code is None
    server.start()
    assert send_twice(with_redis) == (201, 401)


def test_an_emptied_redis_lets_nothing_through_twice(with_redis: World, server: RedisServer) -> None:
    headers = with_redis.counter.signed("POST", SESSIONS, BODY)
    assert with_redis.counter.send_raw("POST", SESSIONS, BODY, headers).status_code == 201
    redis.Redis(port=server.port).flushall()
    assert with_redis.counter.send_raw("POST", SESSIONS, BODY, headers).status_code == 401


@pytest.mark.alone
def test_a_redis_that_hangs_slows_one_request_and_not_every_one(
    with_redis: World, server: RedisServer
) -> None:
    assert send_twice(with_redis) == (201, 401)
    server.stop_answering()
    assert send_twice(with_redis) == (201, 401)
    with within(REDIS_SECONDS):
        for _ in range(5):
            assert send_twice(with_redis) == (201, 401)


def test_a_redis_that_never_was_does_not_stop_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    world = make_world(tmp_path, redis_url=f"redis://127.0.0.1:{port}/0")
    began = time.monotonic()
    assert send_twice(world) == (201, 401)
    assert timedelta(seconds=time.monotonic() - began) < timedelta(seconds=5)


def test_without_redis_each_worker_gives_out_its_share() -> None:
    quota = SlidingQuota(per_minute=10, workers=2, redis_url=None)
    for _ in range(5):
        quota.require("agent:one")
    with pytest.raises(TooManyRequests):
        quota.require("agent:one")
    quota.require("agent:two")
