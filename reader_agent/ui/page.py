"""The teller's page as HTML.

Filled in by the standard library: a template engine's first page costs a counter 0.7 MB, all day.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

import msgspec
from markupsafe import escape

from reader_agent.ui.texts import LANGUAGES, texts
from verification.messages.fault_catalogue import counter_faults

STEPS = (
    "opening", "waiting_for_card", "reading", "inspecting", "proving_chip", "comparing_face", "deciding",
)  # fmt: skip

_PAGE = Path(__file__).parent / "counter.html"
_ONE_PURPOSE = Template(
    '<p class="purpose">$label: <strong>$name</strong></p>\n'
    '      <input id="purpose" type="hidden" value="$code">'
)
_PURPOSES = Template(
    '<div class="field">\n'
    '        <label for="purpose">$label</label>\n'
    '        <select id="purpose" name="purpose">$options</select>\n'
    "      </div>"
)
_OPTION = Template('<option value="$code">$name</option>')
_STEP = Template(
    '<li data-step="$step" data-at="pending">'
    '<span class="mark" aria-hidden="true"></span><span>$name</span> <span class="spoken"></span></li>'
)
# What could end a script element or begin a comment inside one.
_UNSAFE_IN_SCRIPT = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"})


def counter_page(language: str, purposes: tuple[str, ...]) -> str:
    """The page in one language; raises KeyError where the page names a text that does not exist."""
    words = texts(language)
    parts = {
        "language": language,
        "other": next(other for other in LANGUAGES if other != language),
        "purpose_field": _purpose_field(words, purposes),
        "step_items": "".join(_filled(_STEP, step=step, name=words[f"step_{step}"]) for step in STEPS),
        "page_texts": _for_script({**words, **_fault_sentences(language)}),
    }
    escaped = {name: str(escape(text)) for name, text in words.items()}
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(escaped | parts)


def _purpose_field(words: Mapping[str, str], purposes: tuple[str, ...]) -> str:
    """A choice of what the counter offers; where it offers one thing only, that thing."""
    label = words["purpose_label"]
    if len(purposes) == 1:
        (code,) = purposes
        return _filled(_ONE_PURPOSE, label=label, name=words.get(code, code), code=code)
    options = "".join(_filled(_OPTION, code=code, name=words.get(code, code)) for code in purposes)
    return _PURPOSES.substitute(label=escape(label), options=options)


def _filled(template: Template, **texts_by_name: str) -> str:
    return template.substitute({name: escape(text) for name, text in texts_by_name.items()})


def _fault_sentences(language: str) -> dict[str, str]:
    """What is said beside a field or as a hint, by fault code."""
    return {
        f"fault_{code}": f"{entry.text(language).what} {entry.text(language).next}"
        for code, entry in counter_faults().items()
    }


def _for_script(texts_by_name: Mapping[str, str]) -> str:
    return msgspec.json.encode(texts_by_name).decode().translate(_UNSAFE_IN_SCRIPT)
