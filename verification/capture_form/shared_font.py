"""A font of the PDF writer that several threads may write documents with."""

from __future__ import annotations

import threading
from typing import Any

from reportlab.pdfbase.ttfonts import TTFont


class SharedFont(TTFont):  # type: ignore[misc]
    """A TrueType font whose letters are taken out of its file for one document at a time.

    reportlab reads the file by one position for all threads: of two documents that end at the same moment
    each would be given pieces of the other's letters, and papers would show wrong ones.
    """

    def __init__(self, name: str, filename: str) -> None:
        super().__init__(name, filename)
        self._taking = threading.Lock()

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - reportlab's name
        """Put the letters that a document uses into it."""
        with self._taking:
            super().addObjects(doc)
