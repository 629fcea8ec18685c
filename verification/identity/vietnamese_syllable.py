"""The Vietnamese syllable: what is one, its spelling apart from habits, and its skeleton.

Two habits change the letters of a name and not the name: where the tone stands (hoà, hòa) and i or y
as the only vowel (Lí, Lý). :func:`canonical_word` writes both alike; :func:`skeleton_word` drops all marks.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TONES = {"\u0300": 1, "\u0301": 2, "\u0309": 3, "\u0303": 4, "\u0323": 5}
_ACUTE, _DOT = 2, 5
_WORD = re.compile(r"\w+")
_ONSETS = _WORD.findall("ngh ch gh gi kh ng nh ph qu th tr b c d đ g h k l m n p q r s t v x")
_RHYMES = frozenset(
    _WORD.findall("""
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
    i ia ich iê iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on
    ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut
    uy uya uych uyên uyêt uynh uyt uyu uyp ư ưa ưc ưi ưm ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu
    y yêm yên yêng yêt yêu
    """)
)
_LETTERS = re.compile("[a-zăâđêôơư]+")
_VOWELS = "aeiouyăâêôơư"
_STOPPED = re.compile(r"(?:c|ch|p|t)\Z")
_ONLY_VOWEL_Y = re.compile(r"([bcdđghklmnpqrstvx]*|qu)y")
_D_STROKE = str.maketrans("đĐðÐ", "dDdD")


@lru_cache(maxsize=65_536)
def split_tone(word: str) -> tuple[str, int]:
    """The word in small NFC letters without its tone, and the tone: 0 for none, -1 for more than one."""
    letters, tones = [], []
    for char in unicodedata.normalize("NFD", word.lower()):
        if char in _TONES:
            tones.append(_TONES[char])
        else:
            letters.append(char)
    tone = -1 if len(tones) > 1 else (tones or [0])[0]
    return unicodedata.normalize("NFC", "".join(letters)).replace("ð", "đ"), tone


@lru_cache(maxsize=65_536)
def is_vietnamese_syllable(word: str) -> bool:
    """Whether a Vietnamese speller would write this one word, the tone where either habit puts it."""
    letters, tone = split_tone(word)
    if tone < 0:
        return False
    for onset in (*_ONSETS, ""):
        rhyme = letters[len(onset) :]
        if letters.startswith(onset) and rhyme in _RHYMES:
            # A syllable that ends in a stop has the acute or the dot.
            has_its_tone = not _STOPPED.search(rhyme) or tone in {_ACUTE, _DOT}
            return has_its_tone and (not tone or _tone_at(word) - len(onset) in _tone_places(rhyme))
    return letters == "gi"


def _tone_at(word: str) -> int:
    """The position of the letter that carries the tone."""
    letters = -1
    for char in unicodedata.normalize("NFD", word.lower()):
        if char in _TONES:
            break
        letters += not unicodedata.combining(char)
    return letters


def _tone_places(rhyme: str) -> set[int]:
    vowels = len(rhyme) - len(rhyme.lstrip(_VOWELS))
    marked = [place for place, letter in enumerate(rhyme) if letter in "ăâêôơư"]
    if marked:
        return {marked[-1]}
    if vowels < len(rhyme):
        return {vowels - 1}
    if vowels == 2:
        return {0, 1} if rhyme in {"oa", "oe", "uy"} else {0}
    return {vowels // 2}


def has_vietnamese_letters(word: str) -> bool:
    """Whether the word has no letter of another alphabet; names of other peoples may be no syllables."""
    return bool(_LETTERS.fullmatch(split_tone(word)[0]))


@lru_cache(maxsize=65_536)
def canonical_word(word: str) -> str:
    """The word with its tone as a digit at the end and i for y where it is the only vowel."""
    letters, tone = split_tone(word)
    if _ONLY_VOWEL_Y.fullmatch(letters):
        letters = letters[:-1] + "i"
    return f"{letters}{tone}" if tone > 0 else letters


@lru_cache(maxsize=65_536)
def skeleton_word(word: str) -> str:
    """The canonical word in capitals of the Latin alphabet, without any mark."""
    letters = canonical_word(word).rstrip("12345").translate(_D_STROKE)
    decomposed = unicodedata.normalize("NFD", letters)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).upper()
