"""kill -9 of the office's gunicorn workers while approvals are in the air: each orders one card."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import select

from issuance_backend.population_registry.api import READ_ROLE
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.schema import CREDENTIALS, DOSSIERS
from tests.support.engines import Engine
from tests.support.issuance_office import PASSWORD, Office, citizens, make_office
from tests.support.killing import require_sound
from tests.support.office_program import office_program
from tests.support.registry_office import make_registry
from tests.support.served_app import serving

pytestmark = pytest.mark.slow

DOSSIERS_IN_THE_AIR = 24
DELAYS = (0.06, 0.15, 0.1)
"""Seconds from the moment when a worker answers again to its kill."""


@dataclass
class Server:
    """Two workers of the office behind one port."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        master = self.process.pid
        children = Path(f"/proc/{master}/task/{master}/children")
        return [int(each) for each in children.read_text().split()]

    def post(self, path: str, body: object = None, token: str = "", key: str = "") -> tuple[int, str, str]:
        """Status, token and code of an answer; 0 where nobody answered."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        with urllib3.PoolManager() as pool:
            try:
                answer = pool.request(
                    "POST", self.url + path, json=body, headers=headers, retries=False, timeout=30
                )
            except urllib3.exceptions.HTTPError:
                return 0, "", ""
        said = answer.json() if answer.data else {}
        return answer.status, said.get("token", ""), said.get("code", "")

    def sign_in(self, officer: str) -> str:
        """The token of an officer, once a worker answers."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            status, token, _ = self.post(
                "/v1/officer-sessions", {"officer": officer, "password": PASSWORD}, token="x"
            )
            if status == 201:
                return token
            time.sleep(0.05)
        raise AssertionError("no worker answers")


@contextmanager
def served(office: Office) -> Iterator[Server]:
    with office_program(office.environ, workers=2) as (url, process):
        yield Server(url, process)


def told_of_registry(office: Office, url: str) -> Office:
    """The central approval asks the registry once more, so the workers need one that answers."""
    token = office.settings.blob_dir.parent / "registry.token"
    token.write_text(READ_ROLE)
    return replace(office, settings=replace(office.settings, registry_url=url, registry_token_file=token))


def locally_approved(office: Office, people: Sequence[RegistryPerson]) -> list[str]:
    office.registry.people |= {person.citizen_number: person for person in people}
    lan, minh = office.sign_in("lan.capture"), office.sign_in("minh.approve")
    made = [lan.capture(each, f"capture-{n:010}").get_json()["id"] for n, each in enumerate(people)]
    for dossier in made:
        assert minh.approve(dossier).status_code == 201
    return made


def test_a_server_whose_workers_are_killed_orders_each_card_once(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, database_engine: Engine
) -> None:
    office = make_office(tmp_path, tmp_path_factory.mktemp("server") / "pki", database_engine)
    people = citizens(DOSSIERS_IN_THE_AIR)
    waiting, acknowledged, lost = locally_approved(office, people), [], 0
    office.database.close()
    registry = make_registry(database_engine.new(), people)

    with (
        serving(registry.client(tmp_path_factory.mktemp("registry")).http.application) as registry_url,
        served(told_of_registry(office, registry_url)) as server,
        ThreadPoolExecutor(4) as pool,
    ):
        token = server.sign_in("thu.central")

        def approve(work: tuple[int, str]) -> tuple[str, int, str]:
            number, dossier = work
            path, key = f"/v1/dossiers/{dossier}/central-approval", f"approval-{dossier}-{number}"
            status, _, code = server.post(path, token=token, key=key)
            return dossier, status, code

        for number, delay in enumerate(DELAYS):
            answers = pool.map(approve, [(number, dossier) for dossier in waiting])
            time.sleep(delay)
            for worker in server.workers():
                os.kill(worker, signal.SIGKILL)
            for dossier, status, code in answers:
                if status == 200 or code == "STATE_NOT_ALLOWED":
                    acknowledged.append(dossier)
                else:
                    lost += status == 0
            token = server.sign_in("thu.central")
            waiting = [dossier for dossier in waiting if dossier not in acknowledged]
        for dossier, status, code in pool.map(approve, [(9, dossier) for dossier in waiting]):
            assert status == 200 or code == "STATE_NOT_ALLOWED", dossier
    assert lost, "killed before anything was in the air"
    with office.database.reading() as connection:
        ordered = connection.execute(select(CREDENTIALS.c.dossier)).scalars().all()
        states = set(connection.execute(select(DOSSIERS.c.state)).scalars())
    assert len(ordered) == len(set(ordered)) == DOSSIERS_IN_THE_AIR
    assert states == {"central_approved"}
    require_sound(office.database)
