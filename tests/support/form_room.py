"""An office over a real registry with forms DC01: a commune's officers, two other clerks, a neighbour's."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

from issuance_backend.app import create_issuance_app
from issuance_backend.blob_store.keys import add_key
from issuance_backend.blob_store.place import open_store
from issuance_backend.officers import service
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, SINCE_2025, Dc01Office
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient
from tests.support.served_app import serving

DISTRICT = "001.005"
CLERK, SECOND, THIRD = "nhap.mot", "nhap.hai", "nhap.ba"
SUCCESSOR, NEW_CLERK, NEW_LEADER = "moi.xa", "moi.nhap", "moi.doi"
"""Of the commune that both of the forms' became in July 2025, and of its province."""
COLLECTOR, REVIEWER, LEADER, STRANGER, CHIEF = "thu.xa", "lan.xa", "hung.doi", "khac.xa", "truong.huyen"
SUPERVISOR = "giam.sat"
REGISTRARS = ("cong.bo.mot", "cong.bo.hai", "cong.bo.ba")
PEOPLE: dict[str, tuple[Role, str]] = {
    **dict.fromkeys((CLERK, SECOND, THIRD), (Role.FORM_CLERK, DISTRICT)),
    **dict.fromkeys((COLLECTOR, REVIEWER), (Role.COMMUNE_OFFICER, COMMUNE)),
    LEADER: (Role.TEAM_LEADER, DISTRICT),
    CHIEF: (Role.DISTRICT_CHIEF, DISTRICT),
    STRANGER: (Role.COMMUNE_OFFICER, NEIGHBOUR),
    SUCCESSOR: (Role.COMMUNE_OFFICER, SINCE_2025),
    NEW_CLERK: (Role.FORM_CLERK, SINCE_2025),
    NEW_LEADER: (Role.TEAM_LEADER, "01"),
    "nhap.khac": (Role.FORM_CLERK, NEIGHBOUR),
    "doi.khac": (Role.TEAM_LEADER, "002"),
    "thanh.tra": (Role.AUDITOR, DISTRICT),
    SUPERVISOR: (Role.SUPERVISOR, DISTRICT),
    **dict.fromkeys(REGISTRARS, (Role.REGISTRAR, DISTRICT)),
}


@dataclass
class FormRoom:
    """The office's own program over the registry's, and the registry's desks beside it."""

    office: Office
    dc01: Dc01Office
    registry: Flask

    def officer(self, name: str) -> OfficerClient:
        return self.office.sign_in(name)

    def lose_answer(self) -> None:
        """The registry does what it is asked next, and its answer never arrives."""
        whole = self.registry.wsgi_app

        def losing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            answer = whole(environ, start_response)
            if environ["REQUEST_METHOD"] == "GET":
                return answer
            self.registry.wsgi_app = whole  # type: ignore[method-assign]
            b"".join(answer)
            # Werkzeug leaves the line open behind this error, and whoever asked would wait for a time limit.
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError("the answer is lost")

        self.registry.wsgi_app = losing  # type: ignore[method-assign,assignment]

    def keyed(self, count: int = 1, read: Any = None) -> tuple[str, list[str]]:
        """A batch of forms that one clerk keyed."""
        batch, ids = self.dc01.indexed(count)
        self.dc01.key(ids, CLERK, **({"read": read} if read else {}))
        return batch, ids


@contextmanager
def form_room(office: Office, engine: Engine, folder: Path, scanner: str | None = None) -> Iterator[FormRoom]:
    """Both programs over HTTP; the clock of both stands before communes were merged."""
    dc01 = Dc01Office(engine.new())
    keys, tokens, token = (
        folder / "registry_keys.json",
        folder / "registry_callers.json",
        folder / "issuance.token",
    )
    add_key(keys, "first")
    token.write_text("issuance")
    roles = ["dc01.work", "registry.read", "quality.read", "person.match"]
    roles += ["person.publish", "person.merge", "person.register"]
    digest = hashlib.sha256(b"issuance").hexdigest()
    tokens.write_text(json.dumps({"issuance": {"sha256": digest, "roles": roles}}))
    settings = RegistrySettings(
        service_tokens=tokens,
        database_url=dc01.url,
        blob_keys_file=keys,
        blob_dir=folder / "registry_blobs",
        content_scanner=scanner or "none",
    )
    # What the desks scan lies where the program finds it.
    dc01.scans._store = open_store(settings.store_place, dc01.database, dc01.clock)
    registry = create_registry_app(settings, clock=dc01.clock)
    with serving(registry) as url:
        told = replace(office.settings, registry_url=url, registry_token_file=token)
        door = OfficerDoor(office.database, lambda: NOW)
        with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
            for name, (role, unit) in PEOPLE.items():
                door.enrol(name, name.replace(".", " ").title(), (role,), PASSWORD, unit)
        app = create_issuance_app(told, clock=lambda: office.now[0])
        yield FormRoom(replace(office, app=app), dc01, registry)
    dc01.database.close()
