"""Sending beside the pages: an officer goes on with the next citizen while packets leave and returns come."""

from __future__ import annotations

import logging
import threading

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.outbox import Outbox, Progress, SendReport
from enrollment_admin.station.returns import Returns
from verification.errors import VerificationError

logger = logging.getLogger(__name__)


class Sending:
    """One round at a time; without a centre nothing is sent."""

    def __init__(self, outbox: Outbox, returns: Returns, centre: CentreClient | None) -> None:
        self._outbox = outbox
        self._returns = returns
        self._centre = centre
        self._turn = threading.Lock()
        self.progress: Progress | None = None
        self.report: SendReport | None = None

    @property
    def is_running(self) -> bool:
        """Whether a round is under way."""
        return self._turn.locked()

    def start(self) -> None:
        """Begin a round, unless one is under way."""
        if self._centre is not None and self._turn.acquire(blocking=False):
            self.report = None
            threading.Thread(target=self._run, args=(self._centre,), name="outbox").start()

    def _run(self, centre: CentreClient) -> None:
        try:
            report = self._outbox.send(centre, self._told)
            if report.stopped is None:
                self._ask_what_came_back(centre)
            self.report = report
        except VerificationError as fault:
            self.report = SendReport((), 0, (), fault.code)
            logger.warning("sending ended", extra={"code": fault.code})
        finally:
            self.progress = None
            self._turn.release()

    def _ask_what_came_back(self, centre: CentreClient) -> None:
        try:
            self._returns.fetch(centre)
        except VerificationError as fault:
            # What was sent is sent; the former list stands.
            logger.warning("returns not fetched", extra={"code": fault.code})

    def _told(self, progress: Progress) -> None:
        self.progress = progress
