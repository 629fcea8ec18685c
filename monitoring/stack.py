"""The programs of one machine: their keys, settings and order. Nothing here knows what they do.

Everything lies under one folder: ``keys`` (made once, 0600), ``pki`` and ``trust`` from the ceremony,
the databases, ``cards`` (the software cards' drawer) and ``logs``. A second start finds them in place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from monitoring.supervisor import Program, ProgramFailed, Supervisor
from monitoring.virtual_reader import VirtualReader

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
PREPARE_SECONDS = 180
PARTNER = "bank-demo"
PARTNER_PURPOSES = ("bank.counter.identify", "bank.counter.identify.passive", "hospital.check_in")
AGENT = "counter-demo"
CAPTURE_OFFICER, APPROVING_OFFICER = "officer-capture", "officer-approve"
OFFICERS = {CAPTURE_OFFICER: "capture", APPROVING_OFFICER: "approver"}
CITIZENS = 200
CITIZEN_SEED = 2026
COUNTER_READER = "Virtual PCD 00 00"
READY_PATHS = {
    "registry": "/readyz",
    "issuance": "/readyz",
    "gateway": "/readyz",
    "admin": "/readyz",
    "wallet": "/healthz",
    "agent": "/v1/status",
}

# Which caller may do what at which service; each caller proves itself with its own secret token.
SERVICE_CALLERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "registry": {"gateway": ("person.query",), "issuance": ("person.query", "registry.read")},
    "issuance": {"gateway": ("status.query", "events.credential-status")},
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where each program listens; all on loopback."""

    registry: int
    issuance: int
    gateway: int
    admin: int
    wallet: int
    agent: int
    vpcd: int

    @classmethod
    def free(cls) -> Addresses:
        """Ports that nobody listens on now."""
        sockets = [socket.create_server((HOST, 0)) for _ in fields(cls)]
        ports = [int(each.getsockname()[1]) for each in sockets]
        for each in sockets:
            each.close()
        return cls(*ports)

    @classmethod
    def usual(cls) -> Addresses:
        """The addresses of ``make up``."""
        return cls(8701, 8702, 8703, 8704, 8705, 8706, 8707)

    def url(self, name: str) -> str:
        """The base address of a program."""
        return f"http://{HOST}:{getattr(self, name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one machine's stack is made with. Without a ``reader`` cards come over the vpcd socket."""

    folder: Path
    models: Path
    addresses: Addresses
    camera: str = "none"
    reader: VirtualReader | None = None


class Stack:
    """One machine with every program on it."""

    def __init__(self, site: Site, supervisor: Supervisor, say: Callable[[str], None] = logger.info) -> None:
        self.folder = site.folder.resolve()
        self.addresses = site.addresses
        self._models = site.models.resolve()
        self._camera = site.camera
        self._reader = site.reader
        self._supervisor = supervisor
        self._say = say

    def start(self) -> None:
        """Prepare what is missing, start everything and wait until all of it answers."""
        self._make_keys()
        self._hold_ceremony()
        self._fill_registry()
        self._make_picture_store()
        self._enrol_people_and_machines()
        if self._reader:
            self._reader.start()
        programs = [
            self._registry(),
            self._issuance(),
            self._gateway(),
            self._admin(),
            self._wallet(),
            self._agent(),
        ]
        self._say(f"starting {', '.join(program.name for program in programs)}")
        for program in programs:
            self._supervisor.start(program)
        for program in programs:
            self._supervisor.wait_ready(program.name)
        self._supervisor.watch()

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

    # -- preparation: each step leaves what it finds in place

    @property
    def _keys(self) -> Path:
        return self.folder / "keys"

    @property
    def _gateway_metrics(self) -> Path:
        """Where the gateway's workers add up their metrics."""
        return self.folder / "metrics" / "gateway"

    def _make_keys(self) -> None:
        self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "cards").mkdir(exist_ok=True, mode=0o700)
        (self.folder / "log_trust").mkdir(exist_ok=True)
        self._gateway_metrics.mkdir(parents=True, exist_ok=True)
        for name in ("gateway_log", "agent_device", "partner"):
            self._once(f"{name}.pem", _new_key)
            _write(self._keys / f"{name}.jwk", _public_jwk(self._keys / f"{name}.pem"))
        shutil.copyfile(self._keys / "gateway_log.jwk", self.folder / "log_trust" / "log_key.jwk")
        self._once("gateway_seal", lambda: secrets.token_bytes(32))
        for name in ("admin_secret", *(f"{officer}.password" for officer in OFFICERS)):
            self._once(name, _new_secret)
        for service, callers in SERVICE_CALLERS.items():
            for caller in callers:
                self._once(f"{caller}.token", _new_secret)
            table = {
                caller: {"sha256": _sha256(self._keys / f"{caller}.token"), "roles": list(roles)}
                for caller, roles in callers.items()
            }
            _write(self._keys / f"{service}_callers.json", json.dumps(table).encode())

    def _once(self, name: str, make: Callable[[], bytes]) -> None:
        if not (self._keys / name).exists():
            _write(self._keys / name, make())

    def _hold_ceremony(self) -> None:
        pki, trust = self.folder / "pki", self.folder / "trust"
        if not (pki / "ds.der").exists():
            self._say("key ceremony: country signing CA, document signer, revocation list")
            self._run("issuance_backend.csca", "ceremony", "--out", pki)
        else:
            # A list older than ninety days is stale, and without a current one nothing is verified;
            # a document signer of that age signs no more.
            self._run("issuance_backend.csca", "crl", "--out", pki)
            self._run("issuance_backend.csca", "rotate", "--out", pki)
        trust.mkdir(exist_ok=True)
        for name in ("csca.der", "csca.crl"):
            shutil.copyfile(pki / name, trust / name)

    def _fill_registry(self) -> None:
        if not (self.folder / "people.json").exists():
            self._say(f"population registry: {CITIZENS} synthetic citizens")
            self._run(
                "issuance_backend.population_registry",
                *("generate", "--count", CITIZENS, "--seed", CITIZEN_SEED),
                *("--export", self.folder / "people.json"),
                environment=self._registry_settings(),
            )

    def _make_picture_store(self) -> None:
        keys = self._keys / "blob_keys.json"
        if not keys.exists():
            settings = self._issuance_settings()
            new_key = ("store", "new-key", "--keys", keys, "--id", "first")
            self._run("issuance_backend", *new_key, environment=settings)

    def _enrol_people_and_machines(self) -> None:
        if (self.folder / "enrolled").exists():
            return
        self._say("enrolling officers, the partner and the counter's device key")
        for officer, role in OFFICERS.items():
            password = ("--password-file", self._keys / f"{officer}.password")
            self._run(
                "issuance_backend",
                *("officer", "add", "--id", officer, "--role", role, *password),
                environment=self._issuance_settings(),
            )
        purposes = (part for purpose in PARTNER_PURPOSES for part in ("--purpose", purpose))
        self._register("partner", PARTNER, "partner", "--name", "Demo bank", *purposes)
        self._register("agent", AGENT, "agent_device", "--partner", PARTNER)
        (self.folder / "enrolled").touch()

    def _register(self, kind: str, name: str, key: str, *further: str) -> None:
        """Make a partner or an agent, with its public key, known to the gateway."""
        jwk = ("--jwk", self._keys / f"{key}.jwk")
        settings = self._gateway_settings()
        self._run("gateway", kind, "add", "--id", name, *jwk, *further, environment=settings)

    def _run(self, module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
        done = subprocess.run(
            command,
            env=_environment(environment or {}),
            capture_output=True,
            timeout=PREPARE_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ProgramFailed(f"{module} {arguments[0]}: {done.stderr.decode(errors='replace')[-800:]}")

    # -- the programs

    def _registry_settings(self) -> dict[str, str]:
        return {
            "REGISTRY_DATABASE_URL": f"sqlite:///{self.folder / 'registry.db'}",
            "REGISTRY_SERVICE_TOKENS": str(self._keys / "registry_callers.json"),
        }

    def _issuance_settings(self) -> dict[str, str]:
        return {
            "ISSUANCE_DATABASE_URL": f"sqlite:///{self.folder / 'issuance.db'}",
            "ISSUANCE_SERVICE_TOKENS": str(self._keys / "issuance_callers.json"),
            "ISSUANCE_REGISTRY_URL": self.addresses.url("registry"),
            "ISSUANCE_REGISTRY_TOKEN_FILE": str(self._keys / "issuance.token"),
            "ISSUANCE_PKI_DIR": str(self.folder / "pki"),
            "ISSUANCE_CARD_DIR": str(self.folder / "cards"),
            "ISSUANCE_BLOB_KEYS_FILE": str(self._keys / "blob_keys.json"),
            "ISSUANCE_BLOB_DIR": str(self.folder / "blobs"),
            "ISSUANCE_MODEL_DIR": str(self._models),
            "ISSUANCE_PROFILE": "demo",
        }

    def _gateway_settings(self) -> dict[str, str]:
        settings = {
            "GATEWAY_DATABASE_URL": f"sqlite:///{self.folder / 'gateway.db'}",
            "GATEWAY_TRUST_DIR": str(self.folder / "trust"),
            "GATEWAY_REGISTRY_URL": self.addresses.url("registry"),
            "GATEWAY_CREDENTIALS_URL": self.addresses.url("issuance"),
            "GATEWAY_SERVICE_TOKEN_FILE": str(self._keys / "gateway.token"),
            "GATEWAY_LOG_KEY": str(self._keys / "gateway_log.pem"),
            "GATEWAY_SEAL_KEY": str(self._keys / "gateway_seal"),
            "GATEWAY_PUBLIC_URL": self.addresses.url("gateway"),
            "GATEWAY_LISTEN": f"{HOST}:{self.addresses.gateway}",
            "PROMETHEUS_MULTIPROC_DIR": str(self._gateway_metrics),
        }
        if "REDIS_URL" in os.environ:
            settings["REDIS_URL"] = os.environ["REDIS_URL"]
        return settings

    def _registry(self) -> Program:
        return self._server("registry", "issuance_backend.wsgi:registry()", self._registry_settings())

    def _issuance(self) -> Program:
        return self._server("issuance", "issuance_backend.wsgi:issuance()", self._issuance_settings())

    def _gateway(self) -> Program:
        """By its own command, as an operator runs it: more than one worker, its own limits and metrics."""
        return self._program("gateway", [*_python("gateway"), "serve"], self._gateway_settings())

    def _admin(self) -> Program:
        settings = {
            "ADMIN_BACKEND_URL": self.addresses.url("issuance"),
            "ADMIN_SECRET_KEY_FILE": str(self._keys / "admin_secret"),
        }
        return self._server("admin", "enrollment_admin.wsgi:application()", settings)

    def _wallet(self) -> Program:
        doors = (
            [f"unix:{self._reader.door(slot)}" for slot in (0, 1)] if self._reader else [self._vpcd_address]
        )
        command = [
            *_python("issuance_backend.virtual_card.wallet"),
            *("--listen", f"{HOST}:{self.addresses.wallet}", "--cards", str(self.folder / "cards")),
            *(part for door in doors for part in ("--vpcd", door)),
        ]
        return self._program("wallet", command, {"ISSUANCE_PROFILE": "demo"})

    def _agent(self) -> Program:
        settings = {
            "AGENT_LISTEN": f"{HOST}:{self.addresses.agent}",
            "AGENT_GATEWAY_URL": self.addresses.url("gateway"),
            "AGENT_TRUST_DIR": str(self.folder / "trust"),
            "AGENT_DEVICE_KEY": str(self._keys / "agent_device.pem"),
            "AGENT_ID": AGENT,
            "AGENT_READER": COUNTER_READER if self._reader else f"vpcd:{self._vpcd_address}",
            "AGENT_CAMERA": self._camera,
            "AGENT_MODEL_DIR": str(self._models),
        }
        if self._reader:
            settings["PCSCLITE_CSOCK_NAME"] = str(self._reader.pcsc_socket)
        return self._program("agent", [*_python("reader_agent"), "serve"], settings)

    @property
    def _vpcd_address(self) -> str:
        return f"{HOST}:{self.addresses.vpcd}"

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
            environment=_environment(settings),
            ready_url=self.addresses.url(name) + READY_PATHS[name],
        )


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, and of our own environment only what a process needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "OPENCV_LOG_LEVEL": "ERROR", **settings}


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_jwk(private_key: Path) -> bytes:
    """The public half of a private key file, as a JSON Web Key."""
    return json.dumps(ECKey.import_key(private_key.read_bytes()).as_dict(private=False)).encode()


def _new_secret() -> bytes:
    return secrets.token_urlsafe(32).encode()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().strip()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
