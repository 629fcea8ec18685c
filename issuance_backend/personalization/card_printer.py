"""Where cards are written and printed: a port, and the drawer of card images that stands for a machine."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Protocol

from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, PrintJob
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.virtual_card.card_image import CardImage

_CARD_ID = re.compile(r"[0-9a-f]{16}")


class CardWriter(Protocol):
    """A machine that writes chips and prints faces, and can read both back."""

    def write(self, card: str, image: CardImage) -> None:
        """Write one blank; raises ProductionUnavailable, after which the blank is spoiled."""
        ...

    def print_faces(self, card: str, job: PrintJob) -> None:
        """Print both faces of the same blank; raises ProductionUnavailable, after which it is spoiled."""
        ...

    def written(self, card: str) -> CardImage:
        """The card as it was written, for quality control; raises ProductionUnavailable."""
        ...

    def printed(self, card: str) -> PrintedFaces:
        """Both faces as the machine's scanner sees them; raises ProductionUnavailable."""
        ...

    def destroy(self, card: str) -> None:
        """Make a card unusable; one that was never written is no fault. Raises ProductionUnavailable."""
        ...


class CardDrawer:
    """Keeps each card as ``<id>.card`` in a folder from which software cards are inserted.

    It stands in for a printer too: it keeps the print file and hands the rasters back as if scanned.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, card: str, image: CardImage) -> None:
        """Write the image whole or not at all, readable by this user only: it holds the chip's keys."""
        self._keep(self._path(card), image.to_bytes())

    def print_faces(self, card: str, job: PrintJob) -> None:
        """Keep the print file and the rasters beside the card's image."""
        path = self._path(card)
        self._keep(path.with_suffix(".pdf"), job.print_file)
        self._keep(path.with_suffix(".front.png"), job.faces.front)
        self._keep(path.with_suffix(".back.png"), job.faces.back)

    def written(self, card: str) -> CardImage:
        """The image in the drawer."""
        return CardImage.from_bytes(_content(self._path(card)))

    def printed(self, card: str) -> PrintedFaces:
        """The rasters in the drawer."""
        path = self._path(card)
        return PrintedFaces(_content(path.with_suffix(".front.png")), _content(path.with_suffix(".back.png")))

    def destroy(self, card: str) -> None:
        """Remove the image and the faces, also what an interrupted machine left half written."""
        try:
            for path in self._folder.glob(f"{self._path(card).stem}.*"):
                path.unlink(missing_ok=True)
        except OSError as fault:
            raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None

    def _keep(self, target: Path, content: bytes) -> None:
        draft = target.with_suffix(f".{secrets.token_hex(4)}.draft")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as fault:
            raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None

    def _path(self, card: str) -> Path:
        if not _CARD_ID.fullmatch(card):
            raise ValueError("not a card id")
        return self._folder / f"{card}.card"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None
