"""One spelling for one value; nothing that is spelt differently elsewhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.messages.canonical import canonical_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_the_value_survives_and_the_spelling_is_stable(value: object) -> None:
    encoded = canonical_json(value)  # type: ignore[arg-type]
    assert json.loads(encoded) == value
    assert canonical_json(json.loads(encoded)) == encoded


@given(st.dictionaries(st.sampled_from(["b", "a", "ab", "B", "_"]), st.integers(0, 9), min_size=2))
def test_the_order_of_names_does_not_matter(value: dict[str, int]) -> None:
    assert canonical_json({**value}) == canonical_json(dict(reversed(list(value.items()))))


def test_the_spelling_is_rfc_8785() -> None:
    value = {"numbers": [333333333], "string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_json(value) == expected.encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [1.0, {"a": [0.1]}, 2**53, -(2**53), {"é": 1}, {1: 1}, b"x", {"a": {"b": {1}}}]
)
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"canonical|ASCII|beyond"):
        canonical_json(value)  # type: ignore[arg-type]
