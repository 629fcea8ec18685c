"""One machine: where its programs listen, who uses its counters, and what each program is told at start.

Everything lies under one folder: ``keys`` (made once, 0600), ``pki`` and ``trust`` from the ceremony,
the databases, ``cards`` (the software cards' drawer) and ``logs``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from monitoring.virtual_reader import VirtualReader

HOST = "127.0.0.1"
PARTNER = "bank-demo"
PARTNER_PURPOSES = ("bank.counter.identify", "bank.counter.identify.passive", "hospital.check_in")
AGENT = "counter-demo"
OFFICE_PARTNER, OFFICE_AGENT = "issuing-office", "counter-office"
OFFICE_PURPOSES = ("card.handover", "citizen.own_record")
COUNTER_READER, OFFICE_READER = "Virtual PCD 00 00", "Virtual PCD 00 01"

SMALL: Mapping[str, str] = {
    "PYTHONNODEBUGRANGES": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "131072",
}
"""A heap that gives back, and code without column numbers: a third less memory, all day."""


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
    office_gateway: int
    office_agent: int
    office_vpcd: int
    kit: int

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
        return cls(8701, 8702, 8703, 8704, 8705, 8706, 8707, 8709, 8710, 8711, 8712)

    def url(self, name: str) -> str:
        """The base address of a program."""
        return f"http://{HOST}:{getattr(self, name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one machine's stack is made with. Without a ``reader`` cards come over the vpcd socket.

    With ``has_bad_print`` the first card is printed out of focus, and quality control must stop it.
    """

    folder: Path
    models: Path
    addresses: Addresses
    camera: str = "none"
    reader: VirtualReader | None = None
    has_bad_print: bool = False


class Counter(NamedTuple):
    """A counter of this machine: which gateway decides for it, and where its cards are laid."""

    program: str
    gateway: str
    agent: str
    key: str
    slot: int


BANK_COUNTER = Counter("agent", "gateway", AGENT, "agent_device", 0)
OFFICE_COUNTER = Counter("office_agent", "office_gateway", OFFICE_AGENT, "office_agent_device", 1)
"""Where cards are handed over. The office has a gateway of its own, with its own key and log."""


class SiteSettings:
    """What each program of a site is told, as environment variables."""

    def __init__(self, site: Site) -> None:
        self.folder = site.folder.resolve()
        self.keys = self.folder / "keys"
        self.addresses = site.addresses
        self._models = site.models.resolve()
        self._camera = site.camera
        self._reader = site.reader
        self._has_bad_print = site.has_bad_print

    def metrics(self, gateway: str) -> Path:
        """Where a gateway's workers add up their metrics."""
        return self.folder / "metrics" / gateway

    @property
    def doors(self) -> list[str]:
        """Where cards are laid, a place for every counter's slot."""
        if self._reader:
            return [f"unix:{self._reader.door(slot)}" for slot in (0, 1)]
        return self._vpcd_addresses

    @property
    def _vpcd_addresses(self) -> list[str]:
        return [f"{HOST}:{port}" for port in (self.addresses.vpcd, self.addresses.office_vpcd)]

    def registry(self) -> dict[str, str]:
        """The population registry."""
        return {
            "REGISTRY_DATABASE_URL": f"sqlite:///{self.folder / 'registry.db'}",
            "REGISTRY_SERVICE_TOKENS": str(self.keys / "registry_callers.json"),
            "REGISTRY_BLOB_KEYS_FILE": str(self.keys / "registry_blob_keys.json"),
            "REGISTRY_BLOB_DIR": str(self.folder / "registry_blobs"),
            "REGISTRY_CONTENT_SCANNER": "none",
        }

    def issuance(self) -> dict[str, str]:
        """The issuance office and its workers."""
        return {
            "ISSUANCE_DATABASE_URL": f"sqlite:///{self.folder / 'issuance.db'}",
            "ISSUANCE_SERVICE_TOKENS": str(self.keys / "issuance_callers.json"),
            "ISSUANCE_REGISTRY_URL": self.addresses.url("registry"),
            "ISSUANCE_REGISTRY_TOKEN_FILE": str(self.keys / "issuance.token"),
            "ISSUANCE_PKI_DIR": str(self.folder / "pki"),
            "ISSUANCE_CARD_DIR": str(self.folder / "cards"),
            "ISSUANCE_BLOB_KEYS_FILE": str(self.keys / "blob_keys.json"),
            "ISSUANCE_BLOB_DIR": str(self.folder / "blobs"),
            "ISSUANCE_MODEL_DIR": str(self._models),
            "ISSUANCE_SEARCH_KEY_DIR": str(self.folder / "search_keys"),
            "ISSUANCE_INTAKE_KEY_DIR": str(self.folder / "packet_keys"),
            "ISSUANCE_INTAKE_DIR": str(self.folder / "packets"),
            "ISSUANCE_CONTENT_SCANNER": "none",
            "ISSUANCE_APPROVAL_KEY_FILE": str(self.keys / "approval_key.pem"),
            "ISSUANCE_RECEIPT_KEYS_FILE": str(self.keys / "office_gateway_log.jwk"),
            "ISSUANCE_STATUS_ADDRESS": f"{self.addresses.url('admin')}/status",
            "ISSUANCE_DEMO_BAD_PRINT": str(self._has_bad_print).lower(),
            "ISSUANCE_PROFILE": "demo",
        }

    def gateway(self, name: str = BANK_COUNTER.gateway) -> dict[str, str]:
        """One of the gateways."""
        settings = {
            "GATEWAY_DATABASE_URL": f"sqlite:///{self.folder / name}.db",
            "GATEWAY_TRUST_DIR": str(self.folder / "trust"),
            "GATEWAY_REGISTRY_URL": self.addresses.url("registry"),
            "GATEWAY_CREDENTIALS_URL": self.addresses.url("issuance"),
            "GATEWAY_SERVICE_TOKEN_FILE": str(self.keys / "gateway.token"),
            "GATEWAY_LOG_KEY": str(self.keys / f"{name}_log.pem"),
            "GATEWAY_SEAL_KEY": str(self.keys / f"{name}_seal"),
            "GATEWAY_OPERATOR_TOKEN_FILE": str(self.keys / "gateway_operator.token"),
            "GATEWAY_PUBLIC_URL": self.addresses.url(name),
            "GATEWAY_LISTEN": f"{HOST}:{getattr(self.addresses, name)}",
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics(name)),
        }
        if "REDIS_URL" in os.environ:
            settings["REDIS_URL"] = os.environ["REDIS_URL"]
        return settings

    def admin(self) -> dict[str, str]:
        """The officers' pages."""
        return {
            "ADMIN_BACKEND_URL": self.addresses.url("issuance"),
            "ADMIN_SECRET_KEY_FILE": str(self.keys / "admin_secret"),
            "ADMIN_STATUS_TOKEN_FILE": str(self.keys / "status_page.token"),
        }

    def agent(self, counter: Counter) -> dict[str, str]:
        """The reader agent of a counter."""
        reader = (COUNTER_READER, OFFICE_READER)[counter.slot]
        settings = {
            "AGENT_LISTEN": f"{HOST}:{getattr(self.addresses, counter.program)}",
            "AGENT_GATEWAY_URL": self.addresses.url(counter.gateway),
            "AGENT_TRUST_DIR": str(self.folder / "trust"),
            "AGENT_DEVICE_KEY": str(self.keys / f"{counter.key}.pem"),
            "AGENT_ID": counter.agent,
            "AGENT_READER": reader if self._reader else f"vpcd:{self._vpcd_addresses[counter.slot]}",
            "AGENT_CAMERA": self._camera,
            "AGENT_MODEL_DIR": str(self._models),
        }
        if counter is OFFICE_COUNTER:
            settings["AGENT_PURPOSES"] = ",".join(OFFICE_PURPOSES)
        if self._reader:
            settings["PCSCLITE_CSOCK_NAME"] = str(self._reader.pcsc_socket)
        return settings


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, and of our own environment only what a process needs to run at all."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "OPENCV_LOG_LEVEL": "ERROR", **SMALL, **settings}
