"""Where cards are written: a port, and the drawer of card images that stands for a machine."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Protocol

from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.virtual_card.card_image import CardImage

_CARD_ID = re.compile(r"[0-9a-f]{16}")


class CardWriter(Protocol):
    """A machine that writes chips and can read a written one back."""

    def write(self, card: str, image: CardImage) -> None:
        """Write one blank; raises ProductionUnavailable, after which the blank is spoiled."""
        ...

    def written(self, card: str) -> CardImage:
        """The card as it was written, for quality control; raises ProductionUnavailable."""
        ...

    def destroy(self, card: str) -> None:
        """Make a spoiled card unusable; one that was never written is no fault."""
        ...


class CardDrawer:
    """Keeps each card as ``<id>.card`` in a folder from which software cards are inserted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, card: str, image: CardImage) -> None:
        """Write the image whole or not at all, readable by this user only: it holds the chip's keys."""
        target = self._path(card)
        draft = target.with_suffix(f".{secrets.token_hex(4)}.draft")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(image.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as fault:
            raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None

    def written(self, card: str) -> CardImage:
        """The image in the drawer."""
        try:
            return CardImage.from_bytes(self._path(card).read_bytes())
        except OSError as fault:
            raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None

    def destroy(self, card: str) -> None:
        """Remove the image."""
        self._path(card).unlink(missing_ok=True)

    def _path(self, card: str) -> Path:
        if not _CARD_ID.fullmatch(card):
            raise ValueError("not a card id")
        return self._folder / f"{card}.card"
