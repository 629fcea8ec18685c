"""One customer's visit as everybody sees it: the worker writes, the page and the API read."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from reader_agent.refusals import CounterSessionCancelled, CounterSessionExpired, ManualFaceNotExpected
from reader_agent.session.access import Access
from reader_agent.session.state import FINAL, Event, SessionState, advance
from reader_agent.session.verdict import Verdict


class SessionOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller asks the counter for."""

    purpose: str
    access: Access
    consent: bool
    language: str = "vi"
    partner_ref: str | None = None


class ManualFace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the teller saw, and why by eye."""

    matched: bool
    reason: str


class Progress(msgspec.Struct, frozen=True):
    """Bytes of the card read so far, of as many as are known by now."""

    done: int
    total: int


class Challenge(msgspec.Struct, frozen=True):
    """Where the holder is to turn the head; None is straight ahead."""

    direction: str | None


class SessionView(msgspec.Struct, frozen=True):
    """A snapshot for the page and for callers; it names nobody before the gateway releases a name."""

    id: str
    state: SessionState
    step: str
    progress: Progress
    challenge: Challenge
    hint: str | None
    manual_cause: str | None
    has_portrait: bool
    has_live: bool
    verdict: Verdict | None
    timings_ms: dict[str, int]
    receipt: str | None
    gateway_session: str | None


class Portrait(NamedTuple):
    """The chip's picture as it was signed."""

    image: bytes
    media_type: str


@dataclass
class _Shown:
    state: SessionState = SessionState.OPENING
    step: str = ""
    progress: Progress = field(default_factory=lambda: Progress(0, 0))
    direction: str | None = None
    hint: str | None = None
    manual_cause: str | None = None
    verdict: Verdict | None = None
    receipt: str | None = None
    timings_ms: dict[str, int] = field(default_factory=dict)
    portrait: Portrait | None = None
    live: bytes | None = None
    gateway_session: str | None = None


class CounterSession:
    """Thread-safe. The worker calls ``require_going_on`` between steps: cancelling and expiry act there."""

    def __init__(self, session_id: str, order: SessionOrder, *, seconds: float) -> None:
        """``seconds`` is the longest a visit may take, people's time included."""
        self.id = session_id
        self.order = order
        self.began = time.monotonic()
        self._deadline = self.began + seconds
        self._changed = threading.Condition()
        self._version = 0
        self._shown = _Shown()
        self._cancelled = False
        self._manual: ManualFace | None = None

    # -- the worker's side ------------------------------------------------------------------

    def require_going_on(self) -> None:
        """Raises CounterSessionCancelled or CounterSessionExpired."""
        if self._cancelled:
            raise CounterSessionCancelled("cancelled by the teller")
        if time.monotonic() > self._deadline:
            raise CounterSessionExpired("the visit took too long")

    def advance(self, event: Event) -> None:
        """Take the event; raises TransitionRefused, and CounterSessionCancelled after a cancellation."""
        self.require_going_on()
        with self._changed:
            self._shown.state = advance(self._shown.state, event)
            self._shown.hint = None
            self._tell()

    def show_progress(self, step: str, done: int, total: int) -> None:
        """What is being read; raises like ``require_going_on``, which is how a reading is cancelled."""
        self.require_going_on()
        with self._changed:
            self._shown.step = step
            self._shown.progress = Progress(done, total)
            self._tell()

    def show_gateway_session(self, session_id: str) -> None:
        """The id under which the partner's own server finds the result at the gateway."""
        with self._changed:
            self._shown.gateway_session = session_id
            self._tell()

    def show_portrait(self, portrait: Portrait) -> None:
        """Show the chip's portrait; only once its hash has been proven signed."""
        with self._changed:
            self._shown.portrait = portrait
            self._tell()

    def show_live(self, jpeg: bytes, hint: str | None) -> None:
        """Show a live picture, and what keeps it from being good enough."""
        with self._changed:
            first = self._shown.live is None
            self._shown.live = jpeg
            # Pictures are polled; only what the text shows is an event.
            if first or hint != self._shown.hint:
                self._shown.hint = hint
                self._tell()

    def show_direction(self, direction: str | None) -> None:
        """Ask the holder to turn the head."""
        with self._changed:
            if direction != self._shown.direction:
                self._shown.direction = direction
                self._tell()

    def add_time(self, name: str, seconds: float) -> None:
        """Add to a named time."""
        with self._changed:
            timings = self._shown.timings_ms
            timings[name] = timings.get(name, 0) + round(seconds * 1000)

    def wait_for_manual_face(self, cause: str, seconds: float) -> ManualFace:
        """Ask the teller to compare by eye; raises CounterSessionExpired when nobody answers."""
        until = time.monotonic() + seconds
        with self._changed:
            self._shown.manual_cause = cause
            self._tell()
            while self._manual is None:
                self.require_going_on()
                left = until - time.monotonic()
                if left <= 0:
                    raise CounterSessionExpired("nobody compared by eye")
                self._changed.wait(min(left, 0.5))
            return self._manual

    def conclude(self, verdict: Verdict, receipt: str | None) -> None:
        """Show the verdict; a session that was cancelled meanwhile shows none."""
        with self._changed:
            if self._shown.state in FINAL:
                return
            event = Event.CANCELLED if self._cancelled else Event.DECIDED
            self._shown.state = advance(self._shown.state, event)
            self._shown.direction = self._shown.hint = None
            if event is Event.DECIDED:
                self._shown.verdict = verdict
                self._shown.receipt = receipt
            self._tell()

    # -- the page's side --------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """Where the visit stands."""
        with self._changed:
            return self._shown.state

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to come."""
        return self.state in FINAL

    @property
    def is_overdue(self) -> bool:
        """Whether the worker should have ended by now: cancelled or past its time, with grace."""
        return time.monotonic() > self._deadline

    @property
    def portrait(self) -> Portrait | None:
        """The chip's portrait once it may be shown."""
        with self._changed:
            return self._shown.portrait

    @property
    def live(self) -> bytes | None:
        """The latest live picture, as JPEG."""
        with self._changed:
            return self._shown.live

    @property
    def timings_ms(self) -> dict[str, int]:
        """Named times so far."""
        with self._changed:
            return dict(self._shown.timings_ms)

    def cancel(self, *, grace: float) -> None:
        """End the visit. The worker has ``grace`` seconds to let go before the counter goes on without it."""
        with self._changed:
            self._cancelled = True
            self._deadline = min(self._deadline, time.monotonic() + grace)
            if self._shown.state not in FINAL:
                self._shown.state = advance(self._shown.state, Event.CANCELLED)
                self._shown.direction = self._shown.hint = None
            self._tell()

    def answer_manual_face(self, answer: ManualFace) -> None:
        """The teller's comparison by eye; raises ManualFaceNotExpected when nobody asked."""
        with self._changed:
            if self._shown.state is not SessionState.COMPARING_BY_EYE or self._manual is not None:
                raise ManualFaceNotExpected("no comparison by eye is open")
            self._manual = answer
            self._tell()

    def forget_pictures(self) -> None:
        """Drop portrait and live picture from memory."""
        with self._changed:
            self._shown.portrait = self._shown.live = None
            self._tell()

    def view(self) -> SessionView:
        """A snapshot of everything shown."""
        with self._changed:
            return self._view()

    def wait_for_change(self, seen: int, seconds: float) -> tuple[int, SessionView]:
        """The next version after ``seen``, or the same one when nothing changed in ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, seconds)
            return self._version, self._view()

    def _tell(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _view(self) -> SessionView:
        shown = self._shown
        return SessionView(
            id=self.id,
            state=shown.state,
            step=shown.step,
            progress=shown.progress,
            challenge=Challenge(shown.direction),
            hint=shown.hint,
            manual_cause=shown.manual_cause,
            has_portrait=shown.portrait is not None,
            has_live=shown.live is not None,
            verdict=shown.verdict,
            timings_ms=dict(shown.timings_ms),
            receipt=shown.receipt,
            gateway_session=shown.gateway_session,
        )
