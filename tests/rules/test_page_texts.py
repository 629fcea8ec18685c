"""Every word of every page stands in Vietnamese and in English, under the same key, with the same blanks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("reader_agent", "enrollment_admin", "gateway", "issuance_backend", "monitoring")
VIETNAMESE = re.compile(
    "[ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.IGNORECASE
)
BLANK = re.compile(r"\{\w*\}|\$\w+|%\(\w+\)s")
# What a language calls itself, a name or a code is spelled alike everywhere.
SPELLED_ALIKE = {"Tiếng Việt", "English", "Chip", "CAN", "MRZ", "QR"}


def texts() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Vietnamese and English, by the place that they stand in."""
    found = {}
    for program in PROGRAMS:
        for path in sorted((ROOT / program).rglob("translations/vi.json")):
            english = path.with_name("en.json")
            found[str(path.parent.relative_to(ROOT))] = (read(path), read(english))
        for path in sorted((ROOT / program).rglob("texts.json")):
            both = json.loads(path.read_text(encoding="utf-8"))
            assert set(both) == {"vi", "en"}, path
            found[str(path.relative_to(ROOT))] = (both["vi"], both["en"])
    return found


def read(path: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads(
        path.read_text(encoding="utf-8"), object_pairs_hook=without_repetition
    )
    return content


def without_repetition(pairs: list[tuple[str, str]]) -> dict[str, str]:
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


TEXTS = texts()


def test_the_pages_of_teller_officer_and_stand_are_found() -> None:
    assert {
        "reader_agent/ui/translations",
        "enrollment_admin/ui/translations",
        "monitoring/stand/texts.json",
    } <= TEXTS.keys()


def test_no_language_stands_alone() -> None:
    for program in PROGRAMS:
        for path in (ROOT / program).rglob("translations/*.json"):
            assert {other.stem for other in path.parent.glob("*.json")} >= {"vi", "en"}, path


@pytest.mark.parametrize("place", TEXTS)
def test_both_languages_have_the_same_keys_and_blanks(place: str) -> None:
    vietnamese, english = TEXTS[place]
    assert vietnamese.keys() == english.keys()
    for key, text in vietnamese.items():
        assert text.strip(), key
        assert english[key].strip(), key
        assert sorted(BLANK.findall(text)) == sorted(BLANK.findall(english[key])), key


@pytest.mark.parametrize("place", TEXTS)
def test_each_language_is_itself(place: str) -> None:
    vietnamese, english = TEXTS[place]
    left_untranslated = [
        key
        for key, text in english.items()
        if VIETNAMESE.search(text) and text not in SPELLED_ALIKE and key != "language_switch"
    ]
    assert not left_untranslated
    # A sentence of four words without one Vietnamese letter was not written by somebody Vietnamese.
    not_vietnamese = [
        key for key, text in vietnamese.items() if len(text.split()) > 3 and not VIETNAMESE.search(text)
    ]
    assert not not_vietnamese


def test_what_has_stages_has_a_name() -> None:
    """Figures tell a stage beside its kind: ``complaint: waits`` is no sentence of a page."""
    for words in TEXTS["enrollment_admin/ui/translations"]:
        staged = {key.split(".")[1] for key in words if key.startswith("stage.")}
        assert staged <= {key.removeprefix("kind.") for key in words if key.startswith("kind.")}
