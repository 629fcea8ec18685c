"""The hashes that a security object signs, for cards that tests make by hand."""

from __future__ import annotations

import hashlib

from verification.lds.files import CardFiles, LdsFile


def data_group_hashes(files: CardFiles, hash_algorithm: str = "sha256") -> dict[LdsFile, bytes]:
    """Hash every data group among ``files``, over the bytes that go onto the card."""
    return {
        file: hashlib.new(hash_algorithm, content).digest()
        for file, content in files.items()
        if file.is_data_group
    }
