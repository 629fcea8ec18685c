"""When a request that comes again is answered as before, worked on again, or refused.

Once something was committed under a key, nothing is ever executed under it again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from issuance_backend.refusals import AnswerLost, IdempotencyConflict, RequestStillRunning
from verification.errors import RequestMalformed

HEADER = "Idempotency-Key"
"""Of a request that may come again."""

KEPT_FOR = timedelta(hours=24)
"""Whoever repeats a request later than this finds it in the dossier's own history."""

ATTEMPT_LENGTH = timedelta(minutes=2)
"""Longer than any request lives: whatever works on a request longer was left by a program that stopped."""

_KEY = re.compile(r"[\x21-\x7e]{16,128}")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """A request that came before with the same key of the same caller."""

    request_digest: str
    attempt: str
    attempt_until: datetime
    took_effect: bool
    answer: KeptAnswer | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a request under a key."""

    caller: str
    key: str
    name: str


def require_key(text: str) -> str:
    """The key as it was sent; raises RequestMalformed for one that is too short to be drawn by chance."""
    if not _KEY.fullmatch(text):
        raise RequestMalformed("Idempotency-Key is not 16 to 128 printable characters")
    return text


def request_digest(method: str, address: str, body: bytes) -> str:
    """Identifies what is asked for; the address includes the query."""
    asked = [method, address, hashlib.sha256(body).hexdigest()]
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def judge(known: KnownRequest, digest: str, moment: datetime) -> KeptAnswer | None:
    """The answer of a request that is repeated; None when it may be executed once more.

    Raises IdempotencyConflict, RequestStillRunning and AnswerLost.
    """
    if known.request_digest != digest:
        raise IdempotencyConflict("the key was used with another request")
    if known.answer is not None:
        return known.answer
    if moment < known.attempt_until:
        raise RequestStillRunning("the same request is being worked on")
    if known.took_effect:
        raise AnswerLost("it took effect and the program stopped before it answered")
    return None
