"""The face engine, loaded once and only when a face is wanted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from reader_agent.ports import FaceMatcher
from reader_agent.refusals import FaceEngineUnavailable
from verification.errors import VerificationError

logger = logging.getLogger(__name__)

LoadMatcher = Callable[[], FaceMatcher | None]
"""Makes the matcher, or None where no model is installed."""


class FaceSupply:
    """Starts loading when the card is being read, so that the engine is ready when the person is."""

    def __init__(self, load: LoadMatcher) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._matcher: FaceMatcher | None = None

    @property
    def state(self) -> str:
        """``not loaded``, ``loading``, ``manual``, or the engine's id."""
        with self._lock:
            if self._matcher is not None:
                return self._matcher.engine
            if self._worker is None:
                return "not loaded"
            return "loading" if self._worker.is_alive() else "manual"

    def prepare(self) -> None:
        """Begin loading in the background, or ready the loaded engine for the next portrait."""
        with self._lock:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._run, name="face-engine", daemon=True)
                self._worker.start()

    def matcher(self, seconds: float) -> FaceMatcher:
        """The engine. Raises FaceEngineUnavailable: none installed, none sound, or not ready in time."""
        if self._worker is None:
            self.prepare()
        worker = self._worker
        if worker is not None:
            worker.join(seconds)
        with self._lock:
            if self._matcher is None:
                raise FaceEngineUnavailable("no face engine")
            return self._matcher

    def _run(self) -> None:
        try:
            matcher = self._matcher or self._load()
            if matcher is not None:
                matcher.get_ready()
        except (VerificationError, OSError, ImportError) as fault:
            # A model that is not what its lock file says is refused here: by eye, never "go on".
            logger.error("face engine refused", extra={"fault": type(fault).__name__})  # noqa: TRY400
            return
        with self._lock:
            self._matcher = matcher
