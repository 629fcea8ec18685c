"""A private PC/SC stack with two empty virtual slots, for machines that have no card reader.

pcscd and the vpcd driver run in a network namespace of their own, because vpcd listens on every
address. pcscd's socket is a file in ``directory``; a client finds it by PCSCLITE_CSOCK_NAME. A
card reaches its slot through a door, a unix socket: the process inside the namespace connects to
the slot and hands the connected socket out. So every program stays in the normal network.

By hand: ``python -m monitoring.virtual_reader DIRECTORY`` (needs root).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from monitoring.refusals import VirtualReaderUnavailable

SLOTS = 2
_FIRST_PORT = 35963
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SYSTEM_PCSC = Path("/run/pcscd")
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_DOOR_SECONDS = 5.0
# The kernel's limit for a unix socket's path is 107 bytes.
_LONGEST_DIRECTORY = 90
_READY = b"ready\n"
_UNSHARE = ("unshare", "--net", "--mount", "--propagation", "private")
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL")


class VirtualReader:
    """The stack of one directory; it ends with ``stop`` or with the process that started it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pcsc_socket(self) -> Path:
        """What PCSCLITE_CSOCK_NAME must say."""
        return self.directory / "pcscd.comm"

    def door(self, slot: int) -> Path:
        """The unix socket behind which ``slot`` (0 or 1) is reached."""
        return self.directory / f"door-{slot}"

    @staticmethod
    def available() -> str | None:
        """Return why the stack cannot run on this machine, or None when it can."""
        if os.geteuid() != 0:
            return "making a network namespace needs root"
        for program, package in (("unshare", "util-linux"), ("setpriv", "util-linux"), ("pcscd", "pcscd")):
            if shutil.which(program) is None:
                return f"{program} is missing (package {package})"
        if not _DRIVER.exists():
            return "the vpcd driver is missing (package vsmartcard-vpcd)"
        # Containers often have root without the right to make namespaces: only a try tells.
        trial = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False, timeout=_START_SECONDS)
        return None if trial.returncode == 0 else "this machine does not permit network namespaces"

    def start(self) -> None:
        """Start the stack and return when clients can use it; raises VirtualReaderUnavailable."""
        reason = self.available()
        if reason is not None:
            raise VirtualReaderUnavailable(reason)
        if len(str(self.directory).encode()) > _LONGEST_DIRECTORY:
            raise VirtualReaderUnavailable("the directory's path is too long for a unix socket")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear()
        _SYSTEM_PCSC.mkdir(exist_ok=True)
        # Its standard input is a lifeline: the pipe closes when this process ends, however that happens.
        self._process = subprocess.Popen(
            [*_UNSHARE, sys.executable, "-m", "monitoring.virtual_reader", "--inside", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
        )
        if not _says_ready(self._process):
            self.stop()
            raise VirtualReaderUnavailable("pcscd did not start")

    def stop(self) -> None:
        """End the stack and remove its sockets; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._clear()

    def is_running(self) -> bool:
        """Whether the stack was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> VirtualReader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _clear(self) -> None:
        for left_over in (self.pcsc_socket, self.directory / "pcscd.pid", *map(self.door, range(SLOTS))):
            left_over.unlink(missing_ok=True)


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    if process.stdout is None:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return bool(selector.select(_START_SECONDS)) and process.stdout.readline() == _READY


def _run_inside(directory: Path) -> int:
    """Be the process inside the namespaces: pcscd's parent and the keeper of the doors."""
    # The terminal's interrupt is for the parent, which ends us by closing the lifeline.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_loopback()
    _bind(directory, _SYSTEM_PCSC)
    with contextlib.ExitStack() as closing:
        doors = [closing.enter_context(_open_door(directory / f"door-{slot}")) for slot in range(SLOTS)]
        pcscd = _start_pcscd(directory)
        closing.callback(_end, pcscd)
        if not _wait_for(directory / "pcscd.comm", pcscd):
            return 1
        # pcscd opens its directory to every user; here only the owner reaches cards and doors.
        directory.chmod(0o700)
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        _keep_doors(doors, pcscd)
    return 0


def _raise_loopback() -> None:
    """Bring up ``lo``, which a new network namespace has switched off (netdevice(7))."""
    set_flags, up_and_running = 0x8914, 0x49
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, set_flags, struct.pack("16sh", b"lo", up_and_running))


def _bind(directory: Path, target: Path) -> None:
    """Lay ``directory`` over ``target`` in this mount namespace; Debian's pcscd has its path compiled in."""
    bind = 0x1000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(bytes(directory), bytes(target), None, bind, None) != 0:
        raise OSError(ctypes.get_errno(), "bind mount refused")


def _open_door(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(path))
    path.chmod(0o600)
    door.listen()
    return door


def _start_pcscd(directory: Path) -> subprocess.Popen[bytes]:
    configuration = directory / "reader.conf.d"
    configuration.mkdir(exist_ok=True)
    (configuration / "vpcd").write_text(
        'FRIENDLYNAME "Virtual PCD"\n'
        f"DEVICENAME   /dev/null:0x{_FIRST_PORT:X}\n"
        f"LIBPATH      {_DRIVER}\n"
        f"CHANNELID    0x{_FIRST_PORT:X}\n"
    )
    return subprocess.Popen(
        [*_DIE_WITH_US, "pcscd", "--foreground", "--error", "--config", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _keep_doors(doors: list[socket.socket], pcscd: subprocess.Popen[bytes]) -> None:
    """Serve until the lifeline closes or pcscd ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for slot, door in enumerate(doors):
            selector.register(door, selectors.EVENT_READ, slot)
        while pcscd.poll() is None:
            for key, _ in selector.select(0.5):
                if key.data is None:
                    return
                _hand_out(doors[key.data], _FIRST_PORT + key.data)


def _hand_out(door: socket.socket, port: int) -> None:
    """Give the caller at the door a socket that is connected to the slot; an empty answer says no."""
    with contextlib.suppress(OSError):
        caller, _ = door.accept()
        with caller, _slot_for(caller, port) as slot:
            slot.setblocking(True)
            socket.send_fds(caller, [b"\x01"], [slot.fileno()])


def _slot_for(caller: socket.socket, port: int) -> socket.socket:
    """A connection to the slot; raises OSError when there is none in time, or nobody to have it."""
    deadline = time.monotonic() + _DOOR_SECONDS
    while True:
        if _has_left(caller):
            # A connection opened for nobody would lie in the slot's short queue.
            raise ConnectionAbortedError("the caller has left")
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=0.5)
        except OSError:
            # The queue empties when pcscd next looks at the slot.
            if time.monotonic() > deadline:
                raise


def _has_left(caller: socket.socket) -> bool:
    try:
        return caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def _main(arguments: list[str]) -> int:
    if len(arguments) == 2 and arguments[0] == "--inside":
        return _run_inside(Path(arguments[1]))
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m monitoring.virtual_reader DIRECTORY\n")
        return 2
    try:
        with VirtualReader(Path(arguments[0])) as reader:
            sys.stdout.write(f"export PCSCLITE_CSOCK_NAME={reader.pcsc_socket}\n")
            sys.stdout.writelines(f"slot {slot}: unix:{reader.door(slot)}\n" for slot in range(SLOTS))
            sys.stdout.flush()
            while reader.is_running():
                time.sleep(0.5)
    except VirtualReaderUnavailable as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    sys.stderr.write("pcscd ended\n")
    return 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
