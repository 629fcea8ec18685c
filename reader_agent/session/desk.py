"""One counter, one customer at a time; no fault of one visit may keep the next from starting."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable

from reader_agent.refusals import CounterBusy, CounterSessionUnknown
from reader_agent.session.counter_session import CounterSession, SessionOrder

CANCEL_GRACE_SECONDS = 3.0
"""A cancelled visit ends between two commands to the card; after this the counter goes on without it."""

PICTURES_KEPT_SECONDS = 120.0
"""How long portrait and live picture stay on the page after a verdict."""

RunVisit = Callable[[CounterSession], None]
logger = logging.getLogger(__name__)


class CounterDesk:
    """Starts visits and remembers the latest."""

    def __init__(
        self,
        run: RunVisit,
        *,
        session_seconds: float,
        pictures_kept_seconds: float = PICTURES_KEPT_SECONDS,
    ) -> None:
        self._run = run
        self._session_seconds = session_seconds
        self._pictures_kept_seconds = pictures_kept_seconds
        self._lock = threading.Lock()
        self._session: CounterSession | None = None
        self._worker: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a customer is being served."""
        session = self._session
        return session is not None and not session.is_over

    @property
    def holds_reader(self) -> bool:
        """Whether a visit may still be talking to the card, also one that was just cancelled."""
        worker = self._worker
        return worker is not None and worker.is_alive()

    @property
    def latest(self) -> CounterSession | None:
        """The running visit, or the last one."""
        return self._session

    def start(self, order: SessionOrder) -> CounterSession:
        """Begin a visit; raises CounterBusy while one runs."""
        with self._lock:
            self._require_free()
            if self._session is not None:
                self._session.forget_pictures()
            session = CounterSession(f"cs_{secrets.token_hex(8)}", order, seconds=self._session_seconds)
            worker = threading.Thread(target=self._serve, args=(session,), name="visit", daemon=True)
            self._session, self._worker = session, worker
            worker.start()
            return session

    def session(self, session_id: str) -> CounterSession:
        """The latest visit under its id; raises CounterSessionUnknown."""
        session = self._session
        if session is None or not secrets.compare_digest(session.id.encode(), session_id.encode()):
            raise CounterSessionUnknown("not the latest session")
        return session

    def cancel(self, session_id: str) -> CounterSession:
        """End a visit at once, for the teller; the worker follows within its grace."""
        session = self.session(session_id)
        session.cancel(grace=CANCEL_GRACE_SECONDS)
        return session

    def _require_free(self) -> None:
        session, worker = self._session, self._worker
        if session is None or worker is None or not worker.is_alive():
            return
        if session.is_over:
            # Cancelled or decided: it only has to put down the card.
            worker.join(CANCEL_GRACE_SECONDS)
        if worker.is_alive() and not session.is_overdue:
            raise CounterBusy("a visit is running")
        if worker.is_alive():
            # A driver that never returns keeps its thread; the next visit takes a fresh one.
            logger.error("visit abandoned", extra={"session": session.id})
            session.cancel(grace=0)

    def _serve(self, session: CounterSession) -> None:
        try:
            self._run(session)
        finally:
            self._forget_later(session)

    def _forget_later(self, session: CounterSession) -> None:
        timer = threading.Timer(self._pictures_kept_seconds, session.forget_pictures)
        timer.daemon = True
        timer.start()
