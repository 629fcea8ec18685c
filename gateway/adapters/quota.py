"""Request quotas: a sliding window in Redis where there is one, in this process otherwise."""

from __future__ import annotations

import logging

import redis
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter

from gateway.adapters.redis_pause import RedisPause
from gateway.domain.refusals import TooManyRequests

WINDOW_SECONDS = 60

logger = logging.getLogger(__name__)


class SlidingQuota:
    """The Quota port. Without Redis every worker counts for itself, so each gives out its share."""

    def __init__(self, per_minute: int, workers: int, redis_url: str | None) -> None:
        self._shared = _shared(redis_url)
        self._pause = RedisPause()
        self._shared_limit = RateLimitItemPerMinute(per_minute, namespace="rl")
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._local_limit = RateLimitItemPerMinute(max(1, per_minute // workers), namespace="rl")

    def require(self, caller: str) -> None:
        """Count one request; raises TooManyRequests."""
        if not self._hit(caller):
            raise TooManyRequests(WINDOW_SECONDS)

    def _hit(self, caller: str) -> bool:
        if self._shared is not None and self._pause.is_over:
            try:
                return self._shared.hit(self._shared_limit, caller)
            except redis.RedisError as fault:
                self._pause.begin(fault)
        return self._local.hit(self._local_limit, caller)


def _shared(redis_url: str | None) -> MovingWindowRateLimiter | None:
    if redis_url is None:
        return None
    try:
        storage: Storage = RedisStorage(redis_url, socket_connect_timeout=0.25, socket_timeout=0.25)
        return MovingWindowRateLimiter(storage)
    except redis.RedisError as fault:
        # Redis may come up after us, or never: it is not needed to answer.
        logger.warning("redis gave no answer", extra={"fault": type(fault).__name__})
        return None
