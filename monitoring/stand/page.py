"""The demonstration stand's page: who stands before the camera, and which card lies on the reader.

It takes the place of people and plastic, and of nothing else: the camera's pictures and the card's answers
go the ordinary ways.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

SHOWN_PEOPLE = 8


class StandPerson(NamedTuple):
    """A synthetic citizen whom the stand can draw."""

    citizen_number: str
    full_name: str
    portrait_seed: int


class Stand:
    """What the page offers: the first synthetic citizens, and the cards that issuance has made so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def people(self) -> Sequence[StandPerson]:
        """The citizens that the page shows; empty before the registry is filled."""
        path = self._folder / "people.json"
        if not path.exists():
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))[:SHOWN_PEOPLE]
        return [StandPerson(row["citizen_number"], row["full_name"], row["portrait_seed"]) for row in rows]

    def cards(self) -> Sequence[str]:
        """The cards in the drawer, the newest first."""
        made = sorted(
            (self._folder / "cards").glob("*.card"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        return [path.stem for path in made]

    def page(self, language: str) -> bytes:
        """The page in Vietnamese or English."""
        texts = _texts()[language]
        page = (resources.files(__package__) / "stand.html").read_text(encoding="utf-8")
        rows = {
            "PEOPLE": "".join(_person_row(person, texts) for person in self.people()),
            "CARDS": "".join(_card_row(card, texts) for card in self.cards())
            or f"<tr><td>{html.escape(texts['no_cards'])}</td></tr>",
            "LANGUAGE": language,
        }
        for name, text in {**texts, **rows}.items():
            page = page.replace("{{" + name + "}}", text)
        return page.encode()


def _person_row(person: StandPerson, texts: Mapping[str, str]) -> str:
    picture = f"/portrait/{person.portrait_seed}.jpg"
    return (
        f'<tr><td><img src="{picture}" alt="" width="56" height="56"></td>'
        f"<td><b>{html.escape(person.full_name)}</b><br><code>{html.escape(person.citizen_number)}</code></td>"
        f'<td><a href="{picture}" download="portrait.jpg">{html.escape(texts["download"])}</a></td>'
        f"<td>{_button('/person', texts['stands'], seed=person.portrait_seed, kind='living')} "
        f"{_button('/person', texts['photograph'], seed=person.portrait_seed, kind='photograph')}</td></tr>"
    )


def _card_row(card: str, texts: Mapping[str, str]) -> str:
    kinds = (None, "cloned_chip", "swapped_dg14", "flipped_dg13")
    buttons = " ".join(_button("/card", texts[kind or "genuine"], card=card, tamper=kind) for kind in kinds)
    return f"<tr><td><code>{html.escape(card)}</code></td><td>{buttons}</td></tr>"


def _button(path: str, label: str, **order: Any) -> str:
    body = html.escape(json.dumps(order), quote=True)
    return f'<button data-path="{path}" data-order="{body}">{html.escape(label)}</button>'


@cache
def _texts() -> dict[str, dict[str, str]]:
    source = (resources.files(__package__) / "texts.json").read_text(encoding="utf-8")
    return {language: dict(texts) for language, texts in json.loads(source).items()}
