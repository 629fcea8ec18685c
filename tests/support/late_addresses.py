"""Flask apps that are made quickly: how an address is built is compiled when one is built.

Most tests make an app of their own, and werkzeug compiles two functions for each of its 150 routes: half
of the time that an app takes. Hardly any test asks for an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compiled = Rule._compile_builder


def _compiled_when_asked(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    made: list[Callable[..., Any]] = []

    def build(self: Rule, **values: Any) -> Any:
        if not made:
            made.append(_compiled(rule, append_unknown))
        return made[0](self, **values)

    return build


def build_addresses_late() -> None:
    """Compile it so from now on, in this process."""
    Rule._compile_builder = _compiled_when_asked  # type: ignore[method-assign]
