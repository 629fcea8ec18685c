"""The page's own words; the sentences of faults come from the fault catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

LANGUAGES = ("vi", "en")
_FOLDER = Path(__file__).parent / "translations"


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of a language by key; a language that is not there reads as Vietnamese."""
    name = language if language in LANGUAGES else "vi"
    return msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes(), type=dict[str, str])
