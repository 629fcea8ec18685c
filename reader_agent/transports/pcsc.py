"""Any PC/SC reader, over pyscard's raw interface (the only importer of pyscard).

Three traps of the interface shape this module. SCardTransmit cannot be interrupted, so every
session runs its calls on a thread of its own that can be left behind. A card that is pulled
inside a command shows as success with an empty answer. Disconnecting powers the card off by
default, so a session left behind must not do that to the next customer's card.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from smartcard import scard  # type: ignore[import-untyped]

from verification.errors import (
    CardCommunication,
    CardNotPresent,
    CardRemoved,
    CardUnresponsive,
    ReaderBusy,
    ReaderUnplugged,
)

ANSWER_SECONDS = 5.0
_SLICE_MILLISECONDS = 250
_CLOSE_SECONDS = 2.0
# The service looks at its readers every 0.4 s; a card changed in between is mute or "removed" so long.
_CONNECT_SECONDS = 0.8
_CONNECT_PAUSE = 0.05
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_Answer = TypeVar("_Answer")

_FAULTS: dict[int, type[CardCommunication]] = {
    0x80100009: ReaderUnplugged,  # unknown reader
    0x8010000B: ReaderBusy,  # sharing violation
    0x8010000C: CardNotPresent,  # no smart card
    0x8010000F: CardUnresponsive,  # protocol mismatch
    0x80100010: CardUnresponsive,  # not ready
    0x80100013: ReaderUnplugged,  # communication error: the service ended inside a command
    0x80100014: ReaderUnplugged,  # unknown error: what a dying service answers
    0x80100016: CardRemoved,  # not transacted: gone, and not yet noticed by polling
    0x80100017: ReaderUnplugged,  # reader unavailable
    0x8010001D: ReaderUnplugged,  # no service
    0x8010001E: ReaderUnplugged,  # service stopped
    0x8010002E: ReaderUnplugged,  # no readers
    0x80100065: CardUnresponsive,  # unsupported card: an answer to reset that makes no sense
    0x80100066: CardUnresponsive,  # mute card
    0x80100067: CardUnresponsive,  # unpowered card
    0x80100068: ReaderBusy,  # another program reset the card under us
    0x80100069: CardRemoved,  # removed card
}
_TIMEOUT = 0x8010000A
_NO_READERS = 0x8010002E


def list_readers() -> list[str]:
    """Return the names of the readers; raises ReaderUnplugged when the PC/SC service does not run."""
    with _context() as context:
        result, names = scard.SCardListReaders(context, [])
        if _unsigned(result) == _NO_READERS:
            return []
        _require(result, "list readers")
        return [str(name) for name in names]


class PcscReader:
    """One reader by its full name."""

    def __init__(self, name: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._name = name
        self._answer_seconds = answer_seconds
        self._left_behind: _Worker | None = None
        self._reset_first = False
        self._current: PcscTransport | None = None

    @property
    def name(self) -> str:
        """The reader's name as PC/SC lists it."""
        return self._name

    def is_card_present(self) -> bool:
        """Whether a card lies on the reader; raises ReaderUnplugged."""
        with _context() as context:
            return _is_present(_state(context, self._name))

    def wait_for_card(self, timeout: float) -> bool:
        """Return True as soon as a card lies on the reader, False after ``timeout`` seconds.

        Raises ReaderUnplugged. It asks for the state only: connecting while a card arrives makes
        pcscd lose the card now and then.
        """
        deadline = time.monotonic() + timeout
        with _context() as context:
            state = _state(context, self._name)
            while not _is_present(state):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                # In slices, so that a signal to the program is heard between two of them.
                state = _state(context, self._name, state, min(int(left * 1000) + 1, _SLICE_MILLISECONDS))
            return True

    def connect(self) -> PcscTransport:
        """Power the card and take it for this program alone; an earlier session here is closed.

        Raises CardNotPresent, CardUnresponsive, ReaderBusy or ReaderUnplugged.
        """
        if self._current is not None:
            self._current.close()
            self._current = None
        if self._left_behind is not None and self._left_behind.is_alive():
            if self.is_card_present():
                raise CardUnresponsive("the silent card of the last session still lies on the reader")
            raise CardNotPresent("no card on the reader")
        self._left_behind = None
        worker = _Worker(self._note_left_behind)
        reset_first, self._reset_first = self._reset_first, False
        try:
            session = worker.call(lambda: _open_patiently(self._name, reset_first), self._answer_seconds)
        except CardCommunication:
            worker.end()
            raise
        self._current = PcscTransport(worker, session, self._name, self._answer_seconds)
        self._current.when_torn = self._note_torn
        return self._current

    def _note_torn(self) -> None:
        # Only a reset shows at once whether the service still holds the card that is gone.
        self._reset_first = True

    def _note_left_behind(self, worker: _Worker) -> None:
        self._left_behind = worker
        self._reset_first = True


@dataclass(frozen=True, slots=True)
class _Session:
    context: Any
    card: Any
    protocol: int


class PcscTransport:
    """A connected card: ``transmit`` returns or raises within the reader's answer time."""

    def __init__(self, worker: _Worker, session: _Session, name: str, answer_seconds: float) -> None:
        self._worker = worker
        self._session: _Session | None = session
        self._name = name
        self._answer_seconds = answer_seconds
        self._is_torn = False
        self.when_torn: Callable[[], None] = lambda: None
        worker.on_return = lambda: _close_session(session, scard.SCARD_LEAVE_CARD)

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU.

        Raises CardRemoved, CardUnresponsive (no answer in time), ReaderUnplugged, ReaderBusy.
        """
        session = self._session
        if session is None:
            raise CardRemoved("the session is closed")
        try:
            return self._worker.call(lambda: _transmit(session, command), self._answer_seconds)
        except CardRemoved:
            self._is_torn = True
            self.when_torn()
            raise
        except CardUnresponsive:
            if self._worker.is_left_behind:
                self._session = None
            raise

    def close(self) -> None:
        """Power the card off and let the reader go; safe to call twice and after a fault."""
        session, self._session = self._session, None
        if session is None:
            return
        # To power off a card that is gone would hide the next one until it is lifted again.
        disposition = scard.SCARD_LEAVE_CARD if self._is_torn else scard.SCARD_UNPOWER_CARD
        with contextlib.suppress(CardCommunication):
            self._worker.call(lambda: _close_session(session, disposition), _CLOSE_SECONDS)
        self._worker.end()


class _Worker:
    """One thread that may never come back from the PC/SC service.

    After a call that took too long the thread is left behind: should it return one day it runs
    ``on_return`` and ends.
    """

    def __init__(self, when_left_behind: Callable[[_Worker], None]) -> None:
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._when_left_behind = when_left_behind
        self.on_return: Callable[[], None] = lambda: None
        self.is_left_behind = False
        self._thread = threading.Thread(target=self._run, name="pcsc", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def call(self, function: Callable[[], _Answer], seconds: float) -> _Answer:
        """Run ``function`` on the thread; raises CardUnresponsive after ``seconds``."""
        job = _Job(function)
        self._jobs.put(job)
        try:
            answer, fault = job.outcome.get(timeout=seconds)
        except queue.Empty:
            self.is_left_behind = True
            self._when_left_behind(self)
            self.end()
            raise CardUnresponsive("no answer in time") from None
        if fault is not None:
            raise fault
        return answer

    def end(self) -> None:
        """Let the thread end once it has nothing more to do."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
        if self.is_left_behind:
            self.on_return()


class _Job(Generic[_Answer]):
    def __init__(self, function: Callable[[], _Answer]) -> None:
        self._function = function
        self.outcome: queue.SimpleQueue[tuple[_Answer, None] | tuple[Any, Exception]] = queue.SimpleQueue()

    def run(self) -> None:
        try:
            answer = self._function()
        except (CardCommunication, scard.error) as fault:
            self.outcome.put((None, fault))
        else:
            self.outcome.put((answer, None))


@contextlib.contextmanager
def _context() -> Iterator[Any]:
    context = _establish()
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def _establish() -> Any:
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _require(result, "establish context")
    return context


def _state(context: Any, name: str, known: int = scard.SCARD_STATE_UNAWARE, milliseconds: int = 0) -> int:
    result, states = scard.SCardGetStatusChange(context, milliseconds, [(name, known)])
    if _unsigned(result) == _TIMEOUT:
        return known
    _require(result, "reader state")
    state: int = states[0][1]
    if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE):
        raise ReaderUnplugged("the reader is gone")
    return state


def _is_present(state: int) -> bool:
    return bool(state & scard.SCARD_STATE_PRESENT)


def _open_patiently(name: str, reset_first: bool) -> _Session:
    deadline = time.monotonic() + _CONNECT_SECONDS
    while True:
        try:
            return _open_session(name, reset_first)
        except (CardUnresponsive, CardRemoved):
            if time.monotonic() > deadline:
                raise
        time.sleep(_CONNECT_PAUSE)


def _open_session(name: str, reset_first: bool) -> _Session:
    context = _establish()
    try:
        result, card, protocol = scard.SCardConnect(context, name, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS)
        _require(result, "connect")
        if reset_first:
            # The session that was left behind may have left the chip in the middle of a protocol.
            result, protocol = scard.SCardReconnect(
                card, scard.SCARD_SHARE_EXCLUSIVE, _PROTOCOLS, scard.SCARD_RESET_CARD
            )
            _require(result, "reset")
    except CardCommunication:
        scard.SCardReleaseContext(context)
        raise
    return _Session(context, card, protocol)


def _close_session(session: _Session, disposition: int) -> None:
    scard.SCardDisconnect(session.card, disposition)
    scard.SCardReleaseContext(session.context)


def _transmit(session: _Session, command: bytes) -> bytes:
    result, response = scard.SCardTransmit(session.card, session.protocol, list(command))
    _require(result, "transmit")
    if len(response) < 2:
        # "Success" without a status word is how pcscd reports a card that left inside the command.
        raise CardRemoved("no status word")
    return bytes(response)


def _require(result: int, step: str) -> None:
    code = _unsigned(result)
    if code:
        raise _FAULTS.get(code, CardCommunication)(f"{step}: PC/SC {code:08X}")


def _unsigned(result: int) -> int:
    return result & 0xFFFFFFFF
