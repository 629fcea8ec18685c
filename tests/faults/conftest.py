"""Faults are made on the same running stand that the journeys use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running_stand import RunningStand, running_stand


@pytest.fixture(scope="session")
def stand(request: pytest.FixtureRequest, model_directory: Path) -> RunningStand:
    """Every program, as real processes; started once a test run."""
    return running_stand(request.config, model_directory)
