"""Redis in front of SQL: refuses a repeated nonce sooner, and is missed by nobody when it is gone."""

from __future__ import annotations

import logging
from datetime import datetime

import redis

from gateway.ports import Clock, OnceOnly

logger = logging.getLogger(__name__)


class RedisOnceOnly:
    """The OnceOnly port: Redis may only say "seen"; "new" is always said by SQL."""

    def __init__(self, client: redis.Redis, authority: OnceOnly, clock: Clock) -> None:
        self._client = client
        self._authority = authority
        self._clock = clock

    def take(self, owner: str, nonce: str, expires: datetime) -> bool:
        """Whether this is the first time; remembered until ``expires``."""
        seconds = max(1, round((expires - self._clock()).total_seconds()) + 1)
        try:
            if not self._client.set(f"n:{owner}:{nonce}", b"1", nx=True, ex=seconds):
                return False
        except redis.RedisError as fault:
            logger.warning("redis gave no answer", extra={"fault": type(fault).__name__})
        return self._authority.take(owner, nonce, expires)
