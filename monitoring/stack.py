"""The programs of one machine and their order. Nothing here knows what they do."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from monitoring.preparation import Preparation
from monitoring.site import BANK_COUNTER, HOST, OFFICE_COUNTER, Counter, Site, SiteSettings, environment
from monitoring.supervisor import Program, Supervisor

logger = logging.getLogger(__name__)

READY_PATHS = {
    "registry": "/readyz",
    "issuance": "/readyz",
    "gateway": "/readyz",
    "admin": "/readyz",
    "wallet": "/healthz",
    "agent": "/v1/status",
    "office_gateway": "/readyz",
    "office_agent": "/v1/status",
    "kit": "/readyz",
}
WORKERS: Mapping[str, tuple[str, ...]] = {
    "workers": ("work", "dossiers", "search", "production", "packets", "deaths", "housekeeping"),
}
"""What the issuance office does while nobody waits, in one process that answers at no address."""

ROUND_SECONDS = 3600.0
"""Between two rounds of housekeeping at the registry: nothing of it stays in memory between them."""


class Stack:
    """One machine with every program on it."""

    def __init__(self, site: Site, supervisor: Supervisor, say: Callable[[str], None] = logger.info) -> None:
        self.settings = SiteSettings(site)
        self.folder = self.settings.folder
        self.addresses = site.addresses
        self._reader = site.reader
        self._supervisor = supervisor
        self._say = say

    def start(self) -> None:
        """Prepare what is missing, start everything and wait until all of it answers."""
        Preparation(self.settings, self._say).make()
        if self._reader:
            self._reader.start()
        programs = [
            self._registry(),
            self._issuance(),
            *(self._gateway(counter.gateway) for counter in (BANK_COUNTER, OFFICE_COUNTER)),
            self._admin(),
            self._wallet(),
            *(self._agent(counter) for counter in (BANK_COUNTER, OFFICE_COUNTER)),
            *(self._worker(name) for name in WORKERS),
            self.registry_rounds(),
        ]
        self._say(f"starting {', '.join(program.name for program in programs)}")
        for program in programs:
            self._supervisor.start(program)
        for program in programs:
            self._supervisor.wait_ready(program.name)
        self._supervisor.watch()

    def open_kit(self, kit: Path, store_key: Path) -> None:
        """Start the pages of a kit that was made once the office answered, and wait until they do."""
        command = [
            *_python("enrollment_admin.station"),
            *("serve", "--folder", str(kit), "--store-key", str(store_key)),
            *("--port", str(self.addresses.kit), "--sticks", str(self.folder / "sticks")),
            *("--url", self.addresses.url("issuance")),
            *("--token-file", str(self.settings.keys / "kits.token")),
        ]
        self._supervisor.start(self._program("kit", command, {}))
        self._supervisor.wait_ready("kit")

    def stop(self) -> None:
        """Stop everything that was started."""
        self._supervisor.stop_all()
        if self._reader:
            self._reader.stop()

    def stop_program(self, name: str) -> None:
        """Stop one program, as if it had failed."""
        self._supervisor.stop(name)

    def resume_program(self, name: str) -> None:
        """Start a stopped program again."""
        self._supervisor.resume(name)

    @property
    def transport(self) -> str:
        """How cards reach the agent on this machine."""
        return "pcscd + virtual reader" if self._reader else "the vpcd socket"

    def _registry(self) -> Program:
        return self._server(
            "registry", "issuance_backend.population_registry.wsgi:registry()", self.settings.registry()
        )

    def _issuance(self) -> Program:
        return self._server("issuance", "issuance_backend.wsgi:issuance()", self.settings.issuance())

    def _gateway(self, name: str) -> Program:
        """By its own command, as an operator runs it: more than one worker, its own limits and metrics."""
        return self._program(name, [*_python("gateway"), "serve"], self.settings.gateway(name))

    def _admin(self) -> Program:
        return self._server("admin", "enrollment_admin.wsgi:application()", self.settings.admin())

    def _wallet(self) -> Program:
        command = [
            *_python("issuance_backend.virtual_card.wallet"),
            *("--listen", f"{HOST}:{self.addresses.wallet}", "--cards", str(self.folder / "cards")),
            *(part for door in self.settings.doors for part in ("--vpcd", door)),
        ]
        return self._program("wallet", command, {"ISSUANCE_PROFILE": "demo"})

    def _agent(self, counter: Counter) -> Program:
        return self._program(
            counter.program, [*_python("reader_agent"), "serve"], self.settings.agent(counter)
        )

    def _worker(self, name: str) -> Program:
        command = [*_python("issuance_backend"), *WORKERS[name]]
        return Program(name=name, command=command, environment=environment(self.settings.issuance()))

    def registry_rounds(self) -> Program:
        """What the registry does now and then; it has a database of its own, and so a program of its own."""
        command = [*_python("issuance_backend.population_registry"), "housekeeping", "--once"]
        settings = environment(self.settings.registry())
        return Program(name="registry_rounds", command=command, environment=settings, every=ROUND_SECONDS)

    def _server(self, name: str, application: str, settings: Mapping[str, str]) -> Program:
        """One gunicorn worker with threads: enough for one machine, and SQLite has one writer anyway."""
        command = [
            *_python("gunicorn"),
            *("--bind", f"{HOST}:{getattr(self.addresses, name)}", "--worker-class", "gthread"),
            *("--workers", "1", "--threads", "8", "--graceful-timeout", "3", "--no-control-socket"),
            application,
        ]
        return self._program(name, command, settings)

    def _program(self, name: str, command: list[str], settings: Mapping[str, str]) -> Program:
        return Program(
            name=name,
            command=command,
            environment=environment(settings),
            ready_url=self.addresses.url(name) + READY_PATHS[name],
        )


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]
