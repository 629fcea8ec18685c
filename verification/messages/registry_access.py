"""Who reads a person's entry in the population registry, and for what: said by whoever asks, kept, and told
to the person.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

HEADER = "Read-For"
"""Of a question to the registry: the statement, ``name=word`` with semicolons between."""

UNSTATED = "unstated"
"""The purpose of whoever did not say one."""

_WORD = re.compile(r"[A-Za-z0-9._:+-]{1,80}")
_WORDS = re.compile(r"[a-z_]{1,30}(?:,[a-z_]{1,30}){0,20}")
_MOST = 600


class Purpose(StrEnum):
    """For what an office reads; a partner's purposes are those of its contract with the gateway."""

    CAPTURE = "capture"
    COMPARISON = "comparison"
    CENTRAL_APPROVAL = "central_approval"
    OWN_RECORD = "own_record"
    COMMUNE_EXTRACT = "commune_extract"
    PUBLICATION = "publication"
    PUBLICATION_CHECK = "publication_check"
    MERGE_CHECK = "merge_check"
    IDENTITY_CHECK = "identity_check"
    POPULATION_FORM = "population_form"


class ReadingFor(msgspec.Struct, frozen=True, kw_only=True):
    """For what, and for whom: a partner, or an officer with unit and roles, who is not named to citizens.

    Of what a kit takes along: which kit, and until when it holds it.
    """

    purpose: str = UNSTATED
    agency: str | None = None
    unit: str | None = None
    roles: str | None = None
    officer: str | None = None
    kit: str | None = None
    until: str | None = None

    def header(self) -> str:
        """The statement as it is sent."""
        return ";".join(f"{name}={word}" for name, word in msgspec.structs.asdict(self).items() if word)


class PersonRead(msgspec.Struct, frozen=True, kw_only=True):
    """One time that an entry was read; ``reader`` is the program that asked.

    A kit that took the entries of a whole commune along holds this one ``until`` a moment; who receives what
    is published was handed the named ``attributes``.
    """

    id: str
    read_at: str
    reader: str
    purpose: str
    agency: str | None = None
    unit: str | None = None
    roles: str | None = None
    officer: str | None = None
    kit: str | None = None
    until: str | None = None
    attributes: tuple[str, ...] = ()


def read_statement(text: str) -> ReadingFor:
    """What was said; a statement that cannot be read says nothing, and is kept as that."""
    if len(text) > _MOST:
        return ReadingFor()
    parts = (part.partition("=") for part in text.split(";"))
    said = {name: word for name, _, word in parts if name in ReadingFor.__struct_fields__}
    return ReadingFor(**{name: word for name, word in said.items() if _is_word(name, word)})


def stated(purpose: str | None, agency: str | None) -> ReadingFor:
    """What the gateway says in its question of a partner; words that are none count as nothing said."""
    words = {"purpose": purpose, "agency": agency}
    return ReadingFor(**{name: word for name, word in words.items() if word and _is_word(name, word)})


def _is_word(name: str, word: str) -> bool:
    most = {"unit": 20, "officer": 40, "kit": 40, "until": 32}.get(name, 240)
    return len(word) <= most and bool((_WORDS if name == "roles" else _WORD).fullmatch(word))
