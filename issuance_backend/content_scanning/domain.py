"""What is asked before anything from outside is read as a picture or a document, and stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class ContentScanner(Protocol):
    """Knows malware."""

    def require_clean(self, contents: Iterable[bytes]) -> None:
        """Return for contents in which nothing is known.

        Raises ContentInfected, ContentNotScanned and ContentScannerUnavailable.
        """
        ...

    def answers(self) -> bool:
        """Whether it can be asked now."""
        ...


class Unscanned:
    """No scanner: a demonstration says so in its settings, and no production starts with it."""

    def require_clean(self, contents: Iterable[bytes]) -> None:
        """Look at nothing."""

    def answers(self) -> bool:
        """Nobody is waited for."""
        return True


UNSCANNED = Unscanned()
