"""Starts programs, waits until they answer, restarts what dies, and stops them all.

Children get SIGTERM from the kernel when their parent dies, however it dies: nothing is left behind.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
START_SECONDS = 60.0
STOP_SECONDS = 8.0
WATCH_SECONDS = 0.5
MAX_RESTARTS = 5

logger = logging.getLogger(__name__)


class ProgramFailed(Exception):
    """A program ended or did not answer in time; the message names it and its log file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process: its command, its settings, and the address that answers 200 once it is ready.

    One that does its work and ends is started again ``every`` so many seconds.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready_url: str | None = None
    every: float | None = None


class Supervisor:
    """The programs of one machine. ``logs`` receives one file a program."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._programs: dict[str, Program] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def start(self, program: Program) -> None:
        """Start a program without waiting; :meth:`wait_ready` waits."""
        with self._lock:
            self._programs[program.name] = program
            self._processes[program.name] = self._spawn(program)

    def wait_ready(self, name: str, seconds: float = START_SECONDS) -> None:
        """Return when the program answers at its ready address; raises ProgramFailed."""
        program = self._programs[name]
        until = time.monotonic() + seconds
        while program.ready_url and not answers(program.ready_url):
            if self._processes[name].poll() is not None:
                raise ProgramFailed(f"{name} ended while starting; see {self._log_path(name)}")
            if time.monotonic() > until:
                raise ProgramFailed(f"{name} was not ready in {seconds:.0f} s; see {self._log_path(name)}")
            time.sleep(0.03)

    def watch(self) -> None:
        """Restart programs that end by themselves, until :meth:`stop_all`; runs in its own thread."""
        threading.Thread(target=self._watch, name="supervisor", daemon=True).start()

    def stop(self, name: str) -> None:
        """Stop one program and leave it stopped; harmless when it is not running."""
        with self._lock:
            process = self._processes.pop(name, None)
        if process:
            _end(process)

    def resume(self, name: str) -> None:
        """Start a stopped program again and wait until it answers."""
        self.start(self._programs[name])
        self.wait_ready(name)

    def stop_all(self) -> None:
        """Ask every program to end, and wait for all: one that waits for another ends with it.

        All together have ``STOP_SECONDS``; what runs then is killed.
        """
        self._ended.set()
        with self._lock:
            processes = list(self._processes.values())
            self._processes.clear()
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in reversed(processes):
            _wait_or_kill(process, until)

    def states(self) -> dict[str, str]:
        """``running``, ``stopped`` or ``ended`` for every program that was ever started."""
        with self._lock:
            return {name: self._state(name) for name in self._programs}

    def _state(self, name: str) -> str:
        process = self._processes.get(name)
        if process is None:
            return "stopped"
        return "running" if process.poll() is None else "ended"

    def _log_path(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        self._logs.mkdir(parents=True, exist_ok=True)
        with self._log_path(program.name).open("ab") as log:
            process = subprocess.Popen(
                list(program.command),
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - prctl only, no lock is taken in the child
            )
        self._started[program.name] = time.monotonic()
        logger.info("program started", extra={"program": program.name, "pid": process.pid})
        return process

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            with self._lock:
                for name, process in list(self._processes.items()):
                    if process.poll() is not None and not self._ended.is_set() and self._is_due(name):
                        self._restart(name, process.returncode)

    def _is_due(self, name: str) -> bool:
        every = self._programs[name].every
        return every is None or time.monotonic() >= self._started[name] + every

    def _restart(self, name: str, status: int) -> None:
        if self._programs[name].every is not None:
            if status:
                logger.warning("round failed", extra={"program": name, "status": status})
            self._processes[name] = self._spawn(self._programs[name])
            return
        count = self._restarts[name] = self._restarts.get(name, 0) + 1
        if count == MAX_RESTARTS + 1:
            logger.error("program given up", extra={"program": name, "status": status})
        if count > MAX_RESTARTS:
            return
        logger.warning("program ended by itself", extra={"program": name, "status": status, "count": count})
        self._processes[name] = self._spawn(self._programs[name])


@contextmanager
def supervised(logs: Path) -> Iterator[Supervisor]:
    """A supervisor that stops everything on the way out, also when the body is interrupted."""
    supervisor = Supervisor(logs)
    try:
        yield supervisor
    finally:
        supervisor.stop_all()


def answers(url: str, seconds: float = 1.0) -> bool:
    """Whether ``url`` answers 200 within ``seconds``."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310 - our own http addresses
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def end_with_parent() -> None:
    """In the child, before exec: ask the kernel for SIGTERM when the parent ends (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the child's own process group, SIGKILL after a while; only pids that we started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        _wait_or_kill(process, time.monotonic() + STOP_SECONDS)


def _wait_or_kill(process: subprocess.Popen[bytes], until: float) -> None:
    """Wait for a process that was asked to end, and end it when it takes longer than this moment."""
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
