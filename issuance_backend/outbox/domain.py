"""What subscribers are told: a topic, the key of the thing, and the few facts that are theirs to know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from verification.errors import FieldsRefused

MAX_NOTICES = 500
"""No answer holds more; whoever was away long asks again."""

DEFAULT_NOTICES = 100
MAX_WAIT_SECONDS = 25
"""Shorter than the usual thirty seconds after which something on the way gives up."""

_MARK = re.compile(r"[0-9a-f]{16}")


class Topic(StrEnum):
    """What can be followed; each by callers whose roles say so."""

    CREDENTIAL_STATUS = "credential-status"
    DOSSIER_STATE = "dossier-state"
    LIFE_EVENT = "life-event"
    PERSON_CHANGE = "person-change"

    @property
    def role(self) -> str:
        """The role of a service that may follow this topic."""
        return f"events.{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told of one step. ``key`` and ``data`` name no person: whoever listens is another program."""

    topic: Topic
    key: str
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which notices are wanted: those after a position, so many, waiting so long for the first.

    ``mark`` is what the caller was told of the history up to that position.
    """

    topics: tuple[Topic, ...]
    after: int | None = None
    mark: str = ""
    limit: int = DEFAULT_NOTICES
    wait_seconds: int = 0


def followed(roles: frozenset[str]) -> tuple[Topic, ...]:
    """The topics that a caller with these roles may follow."""
    return tuple(topic for topic in Topic if topic.role in roles)


def ask(topics: tuple[Topic, ...], query: dict[str, str]) -> Ask:
    """The question as its parameters put it; raises FieldsRefused with every parameter that is none."""
    faults: dict[str, str] = {}
    wanted = query.get("topic")
    if wanted is not None:
        topics = tuple(topic for topic in topics if topic.value == wanted)
        if not topics:
            faults["topic"] = "FIELD_CHARACTERS"
    numbers = {
        "after": (None, 2**31 - 1),
        "limit": (DEFAULT_NOTICES, MAX_NOTICES),
        "wait": (0, MAX_WAIT_SECONDS),
    }
    values: dict[str, int | None] = {}
    for name, (default, most) in numbers.items():
        text = query.get(name)
        if text is None:
            values[name] = default
        elif not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
            faults[name] = "FIELD_CHARACTERS"
        else:
            values[name] = int(text)
    mark = query.get("mark", "")
    if mark and (values.get("after") is None or not _MARK.fullmatch(mark)):
        faults["mark"] = "FIELD_CHARACTERS"
    if faults or values["limit"] == 0:
        raise FieldsRefused(faults or {"limit": "FIELD_CHARACTERS"})
    return Ask(
        topics=topics,
        after=values["after"],
        mark=mark,
        limit=values["limit"] or DEFAULT_NOTICES,
        wait_seconds=values["wait"] or 0,
    )
