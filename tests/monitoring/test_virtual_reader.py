"""The private PC/SC stack: it starts, hides, refuses in words, and ends with whoever started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring import virtual_reader
from monitoring.refusals import VirtualReaderUnavailable
from monitoring.virtual_reader import VirtualReader
from tests.support.machine import lacks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[VirtualReader]:
    reason = VirtualReader.available()
    if reason is not None:
        lacks(reason)
    with VirtualReader(tmp_path / "bed") as reader:
        yield reader


def through(door: Path) -> socket.socket | None:
    """Knock and return the socket that is handed out."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(8)
        caller.connect(str(door))
        _, descriptors, _, _ = socket.recv_fds(caller, 1, 1)
    return socket.socket(fileno=descriptors[0]) if descriptors else None


def pcscd_of(directory: Path) -> list[int]:
    """The pcscd processes that run with this bed's configuration."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if line[:1] == [b"pcscd"] and str(directory / "reader.conf.d").encode() in line:
            found.append(int(entry.name))
    return found


def ends(directory: Path) -> bool:
    deadline = time.monotonic() + 5
    while pcscd_of(directory):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.needs_pcscd
def test_both_doors_lead_to_a_slot_and_no_port_is_open_outside(running: VirtualReader) -> None:
    for slot in range(virtual_reader.SLOTS):
        connection = through(running.door(slot))
        assert connection is not None
        assert connection.getpeername() == ("127.0.0.1", 35963 + slot)
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", 35963 + slot), timeout=1)


@pytest.mark.needs_pcscd
def test_only_the_owner_reaches_sockets_and_doors(running: VirtualReader) -> None:
    assert running.directory.stat().st_mode & 0o077 == 0
    assert running.door(0).stat().st_mode & 0o077 == 0


@pytest.mark.needs_pcscd
def test_the_machines_own_pcscd_directory_is_untouched(running: VirtualReader) -> None:
    assert running.pcsc_socket.exists()
    assert not running.directory.samefile("/run/pcscd")


@pytest.mark.needs_pcscd
def test_a_caller_that_goes_away_at_the_door_stops_nobody(running: VirtualReader) -> None:
    for _ in range(5):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.connect(str(running.door(0)))
    connection = through(running.door(0))
    assert connection is not None
    connection.close()


@pytest.mark.needs_pcscd
def test_stop_leaves_no_process_and_no_socket_and_start_works_again(running: VirtualReader) -> None:
    assert pcscd_of(running.directory)
    running.stop()
    running.stop()
    assert not running.is_running()
    assert ends(running.directory)
    assert [path.name for path in running.directory.iterdir()] == ["reader.conf.d"]
    running.start()
    assert running.is_running()


@pytest.mark.needs_pcscd
def test_it_ends_when_pcscd_is_killed(running: VirtualReader) -> None:
    os.kill(pcscd_of(running.directory)[0], signal.SIGKILL)
    deadline = time.monotonic() + 5
    while running.is_running() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running.is_running()


@pytest.mark.needs_pcscd
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_it_dies_with_the_program_that_started_it(tmp_path: Path, ending: signal.Signals) -> None:
    if (reason := VirtualReader.available()) is not None:
        lacks(reason)
    command = [sys.executable, "-m", "monitoring.virtual_reader", str(tmp_path / "bed")]
    # Whoever is started in the background of a script inherits that interrupts are ignored.
    inherited = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert program.stdout is not None
    assert program.stdout.readline() == f"export PCSCLITE_CSOCK_NAME={tmp_path}/bed/pcscd.comm\n"
    assert program.stdout.readline() == f"slot 0: unix:{tmp_path}/bed/door-0\n"
    assert pcscd_of(tmp_path / "bed")
    program.send_signal(ending)
    program.wait(5)
    program.stdout.close()
    assert ends(tmp_path / "bed")


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VirtualReader, "available", staticmethod(lambda: None))
    with pytest.raises(VirtualReaderUnavailable, match="too long"):
        VirtualReader(tmp_path / ("x" * 120)).start()


def test_without_root_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "root" in str(VirtualReader.available())
    with pytest.raises(VirtualReaderUnavailable, match="root"):
        VirtualReader(tmp_path).start()


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(virtual_reader.shutil, "which", lambda name: None if name == "pcscd" else name)
    assert "pcscd" in str(VirtualReader.available())
    monkeypatch.setattr(virtual_reader.shutil, "which", lambda name: name)
    monkeypatch.setattr(virtual_reader, "_DRIVER", Path("/nowhere/libifdvpcd.so"))
    assert "vsmartcard-vpcd" in str(VirtualReader.available())


@pytest.mark.parametrize("arguments", [[], ["-h"], ["a", "b"], ["--inside"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert virtual_reader._main(arguments) == 2
    assert "usage" in capsys.readouterr().err
