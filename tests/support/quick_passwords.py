"""Passwords of test officers hashed quickly: a hash says how it was made, and is checked in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from issuance_backend.officers import service

OWN_METHOD = service._METHOD
"""How the product hashes, which is slow on purpose."""


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        yield
