"""A command that did some of what was asked."""

from __future__ import annotations


class PartlyDone(ValueError):
    """The message says what was refused, ``done`` what the command has to say of the rest."""

    def __init__(self, done: str, refused: str) -> None:
        super().__init__(refused)
        self.done = done
