"""What every test may ask for: the specimen files beside the project, and the face models."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.engines import Engine, Postgres

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SHARED_MISSING = "the specimen files do not lie beside the project (../shared)"
MODELS_MISSING = "the face models are not there: run `make setup`"

# With --import-mode=importlib nothing is put on the path: `tests.support` is imported from here.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def _machine() -> ModuleType:
    """What a test does about a machine that lacks something."""
    from tests.support import machine  # noqa: PLC0415 - the path is set above

    return machine


def _model_directory() -> Path | None:
    """Where models are: TEST_MODEL_DIR, or else what `make setup` made."""
    folder = Path(os.environ.get("TEST_MODEL_DIR", ROOT / ".run" / "models"))
    return folder if any(folder.glob("*.onnx")) else None


def _is_alone(config: pytest.Config) -> bool:
    """Whether this run is of what measures a time: it meets what a program meets."""
    return bool(config.getoption("markexpr") == "alone")


def pytest_configure(config: pytest.Config) -> None:
    """What measures no time is written to memory."""
    from tests.support.late_addresses import build_addresses_late  # noqa: PLC0415 - the path is set above

    build_addresses_late()
    if not _is_alone(config):
        from tests.support.memory_files import write_to_memory  # noqa: PLC0415 - the path is set above

        write_to_memory()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs files that are not on this machine; measure a missed time again."""
    from tests.support.stopwatch import TIMES_MADE, TooSlow, is_too_slow  # noqa: PLC0415 - the path is set above

    missing = {}
    if not SHARED.is_dir():
        missing["shared_data"] = pytest.mark.skip(reason=SHARED_MISSING)
    # Where changes are judged, models that could not be made are a failure: the demo's own test needs them.
    if _model_directory() is None and not _machine().changes_are_judged():
        missing["needs_models"] = pytest.mark.skip(reason=MODELS_MISSING)
    # Who looks at a failure with a debugger looks at the first one.
    reruns = 0 if config.getoption("usepdb") else TIMES_MADE - 1
    made_again = pytest.mark.flaky(reruns=reruns, only_rerun=[TooSlow.__name__], condition=is_too_slow)
    for item in items:
        if item.get_closest_marker("alone") or item.get_closest_marker("timed"):
            item.add_marker(made_again)
        for marker in missing.keys() & {mark.name for mark in item.iter_markers()}:
            item.add_marker(missing[marker])


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end: nobody looks for garbage among thousands of tests again."""
    if not _is_alone(session.config):
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A program that a test runs in this process sends the logs its own way; the next test has them back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with specimen files, models and faces that may not be copied into the project."""
    if not SHARED.is_dir():
        # They are not the project's: a checkout without them is judged by all the rest.
        pytest.skip(SHARED_MISSING)
    return SHARED


@pytest.fixture(scope="session")
def model_directory() -> Path:
    """The folder with the face models."""
    found = _model_directory()
    if found is None:
        _machine().lacks(MODELS_MISSING)
    return found


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server for this test run."""
    from tests.support.engines import MISSING, Postgres  # noqa: PLC0415 - the path is set above

    if Postgres.binaries() is None:
        _machine().lacks(MISSING)
    # A socket's path has little room, and its folder must be open to the server's own account.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = Postgres(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each of the two database engines in turn."""
    from tests.support.engines import Sqlite  # noqa: PLC0415 - the path is set above

    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield server
    server.drop_copies()
