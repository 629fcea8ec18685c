"""The reader under test, over any card."""

from __future__ import annotations

import os

from tests.support.chip_card import MRZ_INFORMATION, image
from verification.chip.keys import MrzKey
from verification.chip.reading import DocumentReader, ReadPolicy
from verification.lds.files import LdsFile

MRZ = MrzKey(MRZ_INFORMATION)
READABLE = {file: content for file, content in image().files.items() if file is not LdsFile.DG3}


def reader_of(card: object, **policy: object) -> DocumentReader:
    return DocumentReader(card, os.urandom, policy=ReadPolicy(**policy))  # type: ignore[arg-type]
