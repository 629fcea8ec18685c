"""The command ``python -m issuance_backend work``: several workers in one process, each in its own thread.

They share what they load, above all the face models: on one machine that is a third of the memory that they
need apart. Where there is more to do, each runs by its own command and on its own machine.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

from issuance_backend import worker_loop
from monitoring import logs
from monitoring.database import Database


class _Command(NamedTuple):
    """The command that a worker has of its own."""

    module: str
    words: tuple[str, ...]


_WORKERS = {
    "dossiers": _Command("dossier_commands", ("work",)),
    "search": _Command("search_commands", ("work",)),
    "production": _Command("production_commands", ("work",)),
    "packets": _Command("packet_commands", ("work",)),
    "deaths": _Command("credential_commands", ("follow-registry",)),
    "housekeeping": _Command("housekeeping_commands", ()),
}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("workers", nargs="+", choices=tuple(_WORKERS), help="what is to be done")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do it until told to stop; raises what stops one of them, after all of them have stopped."""
    logs.configure("workers")
    with worker_loop.told_to_stop() as ended:
        team = _Team(ended)
        for name in options.workers:
            team.start(name, _prepared(_WORKERS[name], environ, database, ended))
        team.wait()
    return f"{', '.join(options.workers)}: stopped"


def _prepared(
    command: _Command, environ: Mapping[str, str], database: Database, ended: threading.Event
) -> Callable[[], str]:
    module = import_module(f"issuance_backend.{command.module}")
    parser = argparse.ArgumentParser()
    module.add_commands(parser)
    options = parser.parse_args(command.words, argparse.Namespace(ended=ended))
    return lambda: str(module.run(options, environ, database))


class _Team:
    """Workers of one process: when one of them stops, all do, and somebody starts them again."""

    def __init__(self, ended: threading.Event) -> None:
        self._ended = ended
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    def start(self, name: str, work: Callable[[], str]) -> None:
        """Let one more work in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(work,), name=name)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Return when all have stopped; raises the first fault that stopped one."""
        self._ended.wait()
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def _run(self, work: Callable[[], str]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - handed to the thread that waits
            self._faults.append(fault)
        finally:
            self._ended.set()
