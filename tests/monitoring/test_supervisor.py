from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitoring import supervisor as supervisor_module
from monitoring.supervisor import MAX_RESTARTS, Program, ProgramFailed, supervised
from tests.support.processes import process_id
from tests.support.stopwatch import within

SERVER = """
import http.server, sys
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
KILLED_PARENT = """
import pathlib, sys, time
from monitoring.supervisor import Program, Supervisor
supervisor = Supervisor(pathlib.Path(sys.argv[1]))
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
supervisor.start(Program(name="sleeper", command=sleeper, environment={}))
print(supervisor._processes["sleeper"].pid, flush=True)
time.sleep(60)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server(name: str, port: int) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-c", SERVER, str(port)],
        environment=dict(os.environ),
        ready_url=f"http://127.0.0.1:{port}/",
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def wait_until(condition, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_program_starts_stops_and_starts_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        supervisor.start(server("web", free_port()))
        supervisor.wait_ready("web")
        supervisor.stop("web")
        assert supervisor.states() == {"web": "stopped"}
        supervisor.resume("web")
        assert supervisor.states() == {"web": "running"}


def test_a_program_that_dies_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path) as supervisor:
        supervisor.start(server("web", free_port()))
        supervisor.wait_ready("web")
        supervisor.watch()
        first = process_id(supervisor, "web")
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: process_id(supervisor, "web") != first)
        supervisor.wait_ready("web")


def test_a_program_that_dies_again_and_again_is_given_up_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor_module, "WATCH_SECONDS", 0.01)
    command = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
    with supervised(tmp_path) as supervisor:
        supervisor.start(Program(name="mayfly", command=command, environment=dict(os.environ)))
        supervisor.watch()
        assert wait_until(lambda: "program given up" in caplog.messages)
        assert supervisor.states() == {"mayfly": "ended"}
    assert caplog.messages.count("program given up") == 1
    assert caplog.messages.count("program ended by itself") == MAX_RESTARTS


@pytest.mark.parametrize("status", [0, 3])
def test_a_program_that_works_in_rounds_is_started_again_when_it_is_time_however_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    monkeypatch.setattr(supervisor_module, "WATCH_SECONDS", 0.01)
    command = [sys.executable, "-S", "-c", f"print('round'); raise SystemExit({status})"]
    log = tmp_path / "rounds.log"
    with supervised(tmp_path) as supervisor:
        began = time.monotonic()
        program = Program(name="rounds", command=command, environment=dict(os.environ), every=0.2)
        supervisor.start(program)
        supervisor.watch()
        assert wait_until(lambda: log.read_text().count("round") > MAX_RESTARTS + 1, 30)
        assert time.monotonic() - began > 0.2 * (MAX_RESTARTS + 1)
    assert ("round failed" in caplog.messages) == (status != 0)
    assert "program given up" not in caplog.messages


def test_a_program_that_cannot_start_is_named_with_its_log(tmp_path: Path) -> None:
    broken = Program(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit(3)"],
        environment=dict(os.environ),
        ready_url=f"http://127.0.0.1:{free_port()}/",
    )
    with supervised(tmp_path) as supervisor:
        supervisor.start(broken)
        with pytest.raises(ProgramFailed, match=r"broken ended while starting.*broken\.log"):
            supervisor.wait_ready("broken")


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(10)
    assert wait_until(lambda: not alive(child))


@pytest.mark.alone
def test_programs_that_are_slow_to_end_end_together(tmp_path: Path) -> None:
    slow = (
        "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(1), sys.exit())); time.sleep(60)"
    )
    with supervised(tmp_path) as supervisor:
        for number in range(4):
            command = [sys.executable, "-S", "-c", slow]
            supervisor.start(Program(name=f"slow-{number}", command=command, environment={}))
        pids = [process_id(supervisor, f"slow-{number}") for number in range(4)]
        time.sleep(0.5)
        with within(3):
            supervisor.stop_all()
        assert not [pid for pid in pids if alive(pid)]
        assert set(supervisor.states().values()) == {"stopped"}


@pytest.mark.alone
def test_programs_that_do_not_end_are_waited_for_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_SECONDS", 1.0)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with supervised(tmp_path) as supervisor:
        for number in range(4):
            command = [sys.executable, "-S", "-c", stubborn]
            supervisor.start(Program(name=f"stubborn-{number}", command=command, environment={}))
        assert wait_until(lambda: all(log.read_text() for log in tmp_path.glob("*.log")))
        pids = [process_id(supervisor, f"stubborn-{number}") for number in range(4)]
        began = time.monotonic()
        with within(3):
            supervisor.stop_all()
        assert time.monotonic() - began >= 1
        assert not [pid for pid in pids if alive(pid)]
