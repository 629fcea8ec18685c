"""The real engine, once a session, and drawn persons in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import lacks
from verification.face.choice import choose_engine
from verification.face.counter import FaceDesk
from verification.face.engine import FaceEngine


@pytest.fixture(scope="session")
def engine(model_directory: Path) -> FaceEngine:
    """The engine that this machine's models make."""
    chosen = choose_engine(model_directory)
    if chosen is None:
        lacks("the face models are not complete: run `make setup`")
    return chosen


@pytest.fixture(scope="session")
def desk(engine: FaceEngine) -> Iterator[FaceDesk]:
    """A face desk with the real engine."""
    made = FaceDesk(engine)
    yield made
    made.close()
