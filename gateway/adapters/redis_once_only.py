"""Redis in front of SQL: refuses a repeated nonce sooner, and is missed by nobody when it is gone."""

from __future__ import annotations

from datetime import datetime

import redis

from gateway.adapters.redis_pause import RedisPause
from gateway.ports import Clock, OnceOnly


class RedisOnceOnly:
    """The OnceOnly port: Redis may only say "seen"; "new" is always said by SQL."""

    def __init__(self, client: redis.Redis, authority: OnceOnly, clock: Clock) -> None:
        self._client = client
        self._authority = authority
        self._clock = clock
        self._pause = RedisPause()

    def take(self, owner: str, nonce: str, expires: datetime) -> bool:
        """Whether this is the first time; remembered until ``expires``."""
        if self._pause.is_over and self._seen(owner, nonce, expires):
            return False
        return self._authority.take(owner, nonce, expires)

    def _seen(self, owner: str, nonce: str, expires: datetime) -> bool:
        seconds = max(1, round((expires - self._clock()).total_seconds()) + 1)
        try:
            return not self._client.set(f"n:{owner}:{nonce}", b"1", nx=True, ex=seconds)
        except redis.RedisError as fault:
            self._pause.begin(fault)
            return False
