"""What may be captured can be printed: no dossier is approved whose card no machine can make."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from issuance_backend.dossiers.particulars import field_faults
from issuance_backend.personalization.card_faces.fonts import CardFonts, Typeface
from issuance_backend.population_registry.domain import extract
from tests.support.issuance_office import citizens

PERSON = extract(citizens()[0]).person
_BASIC_PLANE = 0x10000


def _taken(letter: str) -> bool:
    return not field_faults(replace(PERSON, place_of_residence=f"a{letter}b"))


@pytest.mark.parametrize("face", list(Typeface))
def test_the_typeface_of_the_card_has_every_letter_that_is_taken(face: Typeface) -> None:
    taken = [letter for letter in map(chr, range(_BASIC_PLANE)) if _taken(letter)]
    assert {*"ẤỵĐđơ̆ư̆č’–"} <= set(taken)
    assert not _taken("🙂")
    for letter in taken:
        CardFonts().width(face, letter)


def test_the_bar_of_the_qr_code_is_in_no_text() -> None:
    for name in ("full_name", "place_of_residence", "old_id"):
        assert field_faults(replace(PERSON, **{name: "a|b"})) == {name: "FIELD_CHARACTERS"}
