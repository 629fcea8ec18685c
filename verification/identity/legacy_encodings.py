"""Vietnamese text from before Unicode: TCVN3 (ABC fonts), VNI for Windows, VIQR (RFC 1456).

The first two reach us as Latin letters that only their font turned into Vietnamese ("NguyÔn V¨n" for
"Nguyễn Văn"). Which one it is, is told by its syllables: the reading in which most words are
Vietnamese wins, and text that is Vietnamese as it stands is left alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import StrEnum

from verification.identity.vietnamese_syllable import has_vietnamese_letters, is_vietnamese_syllable

MAX_TEXT = 2_000


class WrittenIn(StrEnum):
    """How a text was encoded."""

    UNICODE = "unicode"
    TCVN3 = "tcvn3"
    VNI = "vni"
    VIQR = "viqr"


def _tcvn3_table() -> dict[int, str]:
    # TCVN 5712:1993, VN3: capitals with a tone exist only as another font's small letters.
    runs = {
        0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
        0xB5: "àảãáạ",
        0xBB: "ằẳẵắ",
        0xC6: "ặầẩẫấậè",
        0xCE: "ẻẽéẹềểễếệìỉ",
        0xDC: "ĩíịò",
        0xE1: "ỏõóọồổỗốộờởỡớợù",
        0xF1: "ủũúụừửữứựỳỷỹýỵ",
    }
    return {start + offset: char for start, run in runs.items() for offset, char in enumerate(run)}


def _vni_table() -> dict[str, str]:
    tones = dict(zip("øùûõï", "\u0300\u0301\u0309\u0303\u0323", strict=True))
    circumflex = {"â": "", **dict(zip("àáåãä", "\u0300\u0301\u0309\u0303\u0323", strict=True))}
    breve = {"ê": "", **dict(zip("èéúüë", "\u0300\u0301\u0309\u0303\u0323", strict=True))}
    table = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ì": "ì", "í": "í"}
    written = {"a": "a", "e": "e", "o": "o", "u": "u", "y": "y", "ô": "ơ", "ö": "ư"}
    for letter, meant in written.items():
        table |= {letter + sign: meant + mark for sign, mark in tones.items()}
    for letter in "aeo":
        table |= {letter + sign: letter + "\u0302" + mark for sign, mark in circumflex.items()}
    table |= {"a" + sign: "a\u0306" + mark for sign, mark in breve.items()}
    small = {key: unicodedata.normalize("NFC", value) for key, value in table.items()}
    # A capital's sign is a capital too, but fonts accept either.
    capitals = {key.upper(): value.upper() for key, value in small.items()}
    mixed = {key[0].upper() + key[1:]: value.upper() for key, value in small.items()}
    return small | mixed | capitals


_TCVN3 = _tcvn3_table()
_TCVN3_OF = {char: bytes([code]) for code, char in _TCVN3.items()}
_VNI = _vni_table()
_VNI_OF = {value: key for key, value in reversed(_VNI.items())}
_VNI_UNIT = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))
_VIQR_MARKS = {
    "^": "\u0302",
    "(": "\u0306",
    "+": "\u031b",
    "*": "\u031b",
    "`": "\u0300",
    "'": "\u0301",
    "?": "\u0309",
    "~": "\u0303",
    ".": "\u0323",
}
_VIQR_UNIT = re.compile(r"([dD])[dD]|([aA])([\^(]?)([`'?~.]?)|([oO])([\^+*]?)([`'?~.]?)"
                        r"|([eE])(\^?)([`'?~.]?)|([uU])([+*]?)([`'?~.]?)|([iIyY])()([`'?~.]?)")  # fmt: skip
_SIGN_OF_MARK = {mark: sign for sign, mark in reversed(_VIQR_MARKS.items())}
_WORDS = re.compile(r"[^\W\d_]+")
_VIQR_SIGNS = re.compile(r"[\^(+*`'?~.]|dd", re.IGNORECASE)
_SYMBOLS = re.compile(r"[^\w\s,.\-/()'’]|[\^+*~`?]")


def from_tcvn3(text: str) -> str:
    """Read letters of Latin-1, or of Windows-1252, as the TCVN3 bytes they stand for."""
    return "".join(_TCVN3.get(ord(char), char) for char in text)


def from_vni(text: str) -> str:
    """Read pairs of letter and sign as VNI fonts show them."""
    composed = unicodedata.normalize("NFC", text)
    return _VNI_UNIT.sub(lambda found: _VNI[found[0]], composed)


def from_viqr(text: str) -> str:
    """Read ASCII signs after a vowel as its marks: ``Nguye^~n``."""
    return _VIQR_UNIT.sub(_viqr_letter, text)


def to_tcvn3(text: str) -> str:
    """Write as TCVN3 looks without its font; capitals with a tone become small letters."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(_TCVN3_OF.get(char, _TCVN3_OF.get(char.lower(), b"")).decode("latin-1") or char
                   for char in composed)  # fmt: skip


def to_vni(text: str) -> str:
    """Write as VNI for Windows looks without its font."""
    return "".join(_VNI_OF.get(char, char) for char in unicodedata.normalize("NFC", text))


def to_viqr(text: str) -> str:
    """Write in VIQR."""
    out = []
    for char in unicodedata.normalize("NFD", text.replace("đ", "dd").replace("Đ", "DD")):
        out.append(_SIGN_OF_MARK.get(char, char))
    return _marks_in_viqr_order("".join(out))


def unicode_text(text: str) -> tuple[str, WrittenIn]:
    """Return the text in Unicode (NFC) and how it was written.

    Another reading is taken only when more of its words are Vietnamese syllables than of the text as
    it stands; a text longer than MAX_TEXT is not examined.
    """
    plain = unicodedata.normalize("NFC", text)
    kind = _kind_of(plain)
    return _reading(plain, kind), kind


def unicode_texts(texts: Sequence[str]) -> list[str]:
    """Return the fields of one record in Unicode.

    They are judged together first, because a short name may be Vietnamese in two encodings ("Phóc" is
    a word, and Phúc in TCVN3); where together they are Unicode, each is judged for itself.
    """
    plain = [unicodedata.normalize("NFC", text) for text in texts]
    kind = _kind_of("\n".join(plain))
    if kind is WrittenIn.UNICODE:
        return [_reading(text, _kind_of(text)) for text in plain]
    return [_reading(text, kind) for text in plain]


def _kind_of(plain: str) -> WrittenIn:
    if len(plain) > MAX_TEXT or (plain.isascii() and not _VIQR_SIGNS.search(plain)):
        return WrittenIn.UNICODE
    best, credit = WrittenIn.UNICODE, _credit(plain)
    if credit[0] == 1:
        return best
    for kind in _READINGS:
        reading = _reading(plain, kind)
        if reading != plain and (found := _credit(reading)) > credit:
            best, credit = kind, found
    return best


def _reading(plain: str, kind: WrittenIn) -> str:
    if kind is WrittenIn.UNICODE:
        return plain
    return unicodedata.normalize("NFC", _READINGS[kind](plain))


_READINGS: dict[WrittenIn, Callable[[str], str]] = {
    WrittenIn.TCVN3: from_tcvn3,
    WrittenIn.VNI: from_vni,
    WrittenIn.VIQR: from_viqr,
}


def _credit(text: str) -> tuple[float, float]:
    """The share of words that are Vietnamese syllables, then of those in Vietnamese letters at all.

    Signs that belong to no word count against a reading.
    """
    words = _WORDS.findall(text)
    parts = len(words) + len(_SYMBOLS.findall(text)) or 1
    return (
        sum(map(is_vietnamese_syllable, words)) / parts,
        sum(map(has_vietnamese_letters, words)) / parts,
    )


def _viqr_letter(found: re.Match[str]) -> str:
    if found[1]:
        return "đ" if found[1] == "d" else "Đ"
    letter, quality, tone = (part for part in found.groups()[1:] if part is not None)
    marked = letter + "".join(_VIQR_MARKS[sign] for sign in (quality, tone) if sign)
    return unicodedata.normalize("NFC", marked)


def _marks_in_viqr_order(text: str) -> str:
    # NFD puts the dot below and the horn before the others; VIQR writes the vowel's sign first.
    return re.sub(r"([`'?~.])([\^(+*])", r"\2\1", text)
