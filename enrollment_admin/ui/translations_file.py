"""The sentences of the pages, a JSON file a language; Vietnamese is the first language."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

LANGUAGES = ("vi", "en")


@cache
def sentences(language: str) -> dict[str, str]:
    """Every sentence of a language by key; an unknown language reads as Vietnamese."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    content = (resources.files("enrollment_admin.ui") / "translations" / f"{known}.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, str])
