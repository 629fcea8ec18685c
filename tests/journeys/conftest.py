"""One running stand for all journeys and for `tests/faults`; what leaked is looked for after everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running_stand import RunningStand, running_stand

LAST = "test_nothing_leaks.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search comes after every journey and every fault, whatever they left behind."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path == here / LAST)


@pytest.fixture(scope="session")
def stand(request: pytest.FixtureRequest, model_directory: Path) -> RunningStand:
    """Every program, as real processes; started once a test run."""
    return running_stand(request.config, model_directory)
