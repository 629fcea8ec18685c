"""Vietnamese names: one Unicode form, a key for search, and the spelling in the MRZ."""

from __future__ import annotations

import re
import unicodedata

from verification.encoding.mrz import MachineReadableZone
from verification.errors import MalformedDocument

MAX_NAME = 200

# ICAO 9303-3, 6 A: a letter with marks is written without them. Đ has no decomposition.
_NOT_DECOMPOSED = str.maketrans({"Đ": "D", "đ": "d", "Ð": "D", "ð": "d"})
_LETTERS = re.compile(r"[A-Z]+")
_SPACE = re.compile(r"\s+")
# The apostrophes people type in ethnic names: ASCII, typographic, modifier letters.
_APOSTROPHES = re.compile("['’‘ʼ`´]")

# Family names of two words that cards write as one word in front of the fillers.
_JOINED_FAMILY_NAMES = frozenset({("HOANG", "PHU")})


def normalized_name(name: str) -> str:
    """Return the name in NFC with single spaces; letters and case stay as they were written."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", name)).strip()


def without_marks(text: str) -> str:
    """Return upper-case text without tone marks and vowel signs; Đ becomes D."""
    decomposed = unicodedata.normalize("NFD", text.translate(_NOT_DECOMPOSED))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


def mrz_name(full_name: str) -> tuple[str, str]:
    """Return primary and secondary identifier of a full name as the CCCD's MRZ spells them.

    The family name is the first word; the rest are given names, with a space between words.
    Raises MalformedDocument for a name without letters of the MRZ.
    """
    words = _words(full_name)
    if not words:
        raise MalformedDocument("name has no letter for the MRZ")
    if tuple(words[:2]) in _JOINED_FAMILY_NAMES and len(words) > 2:
        words[:2] = ["".join(words[:2])]
    return words[0], " ".join(words[1:])


def is_name_in_mrz(full_name: str, zone: MachineReadableZone) -> bool:
    """Whether the zone spells this name.

    Where the words are parted is not compared: issuers join and split family names and
    apostrophes differently. A zone whose name field is full may hold only the beginning.
    """
    letters = "".join(_words(full_name))
    written = (zone.primary_identifier + zone.secondary_identifier).replace(" ", "")
    if zone.is_name_cut:
        return bool(written) and letters.startswith(written)
    return letters == written


def _words(name: str) -> list[str]:
    if len(name) > MAX_NAME:
        raise MalformedDocument(f"name of {len(name)} characters")
    # H'Men reads as two words, as the MRZ of such cards shows it.
    return _LETTERS.findall(without_marks(_APOSTROPHES.sub(" ", name)))
