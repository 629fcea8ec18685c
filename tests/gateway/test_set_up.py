"""Starting the gateway: settings, keys, trust, schema, server; and a real gunicorn on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import create_engine, inspect

from gateway.adapters.key_files import load_seal_secret, load_signing_key, load_trusted_log_keys
from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_schema import MIGRATIONS, metadata
from gateway.adapters.trust_folder import LOOK_AGAIN_SECONDS, TrustFolder
from gateway.app import Outside, create_app
from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.refusals import TrustUnavailable
from gateway.server import options
from gateway.settings import GatewaySettings
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_settings
from tests.support import pki
from tests.support.gateway_world import (
    Clock,
    World,
    make_settings,
    make_world,
    private_pem,
    public_pem,
    write_secret,
)
from verification.messages.message_signature import sign_request

ROOT = Path(__file__).parents[2]


def environment(settings: GatewaySettings, **changes: str) -> dict[str, str]:
    names = (
        "trust_dir", "registry_url", "credentials_url", "service_token_file", "log_key", "seal_key",
        "public_url", "database_url", "listen", "workers",
    )  # fmt: skip
    return {f"GATEWAY_{name.upper()}": str(getattr(settings, name)) for name in names} | changes


@pytest.fixture
def settings(tmp_path: Path) -> GatewaySettings:
    return make_settings(tmp_path, ec.generate_private_key(ec.SECP256R1()))


def test_settings_are_read_and_every_fault_is_told_at_once(settings: GatewaySettings) -> None:
    given = environment(settings, REDIS_URL="redis://127.0.0.1/0")
    assert read_settings(GatewaySettings, "GATEWAY_", given).redis_url == "redis://127.0.0.1/0"
    with pytest.raises(ConfigurationFault) as caught:
        read_settings(GatewaySettings, "GATEWAY_", {"GATEWAY_WORKER": "2"})
    told = str(caught.value).splitlines()
    assert "GATEWAY_WORKER is not a setting" in told
    assert len(told) == 8
    bad = {"GATEWAY_PUBLIC_URL": "gateway", "GATEWAY_REGISTRY_URL": "file:///x", "GATEWAY_WORKERS": "0"}
    with pytest.raises(ConfigurationFault) as caught:
        read_settings(GatewaySettings, "GATEWAY_", environment(settings, **bad))
    assert len(str(caught.value).splitlines()) == 3


def test_the_origin_is_the_public_host_unless_named(settings: GatewaySettings) -> None:
    assert replace(settings, log_origin=None, public_url="https://gw.example/").origin == "gw.example"
    assert settings.origin == "test.gateway/log"


def test_secrets_that_others_can_read_stop_the_start(settings: GatewaySettings) -> None:
    for path in (settings.log_key, settings.seal_key):
        path.chmod(0o640)
        with pytest.raises(ConfigurationFault, match="others may read"):
            create_app(settings)
        path.chmod(0o600)


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_seal_key_is_32_bytes(tmp_path: Path, content: bytes) -> None:
    write_secret(tmp_path / "seal", content)
    with pytest.raises(ConfigurationFault, match="32 bytes"):
        load_seal_secret(tmp_path / "seal")


def test_only_our_kinds_of_keys_are_loaded(tmp_path: Path) -> None:
    file = tmp_path / "key"
    for key in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        write_secret(file, private_pem(key))
        assert type(load_signing_key(file)) is type(key)
    for content in (b"", b"text", private_pem(ec.generate_private_key(ec.SECP384R1()))):
        write_secret(file, content)
        with pytest.raises(ConfigurationFault):
            load_signing_key(file)
    with pytest.raises(ConfigurationFault):
        load_signing_key(tmp_path / "missing")


def test_trusted_log_keys_are_read_as_jwk_and_pem(settings: GatewaySettings) -> None:
    (settings.trust_dir / "log_key_old.pem").write_bytes(public_pem(ed25519.Ed25519PrivateKey.generate()))
    assert len(load_trusted_log_keys(settings.trust_dir)) == 2
    (settings.trust_dir / "log_key_bad.pem").write_bytes(b"text")
    with pytest.raises(ConfigurationFault):
        load_trusted_log_keys(settings.trust_dir)


def test_a_new_revocation_list_counts_without_a_restart(settings: GatewaySettings) -> None:
    clock = Clock()
    trust = TrustFolder(settings.trust_dir, clock)
    before = trust()
    clock.move(seconds=LOOK_AGAIN_SECONDS)
    assert trust() is before
    other = pki.issuer()
    (settings.trust_dir / "csca_next.der").write_bytes(other.csca.certificate.public_bytes(Encoding.DER))
    assert trust() is before
    clock.move(seconds=LOOK_AGAIN_SECONDS)
    assert trust() is not before


def test_a_trust_folder_that_broke_is_unavailable_until_it_is_mended(settings: GatewaySettings) -> None:
    clock = Clock()
    trust = TrustFolder(settings.trust_dir, clock)
    certificate = settings.trust_dir / "csca.der"
    whole = certificate.read_bytes()
    certificate.write_bytes(whole[:-1])
    clock.move(seconds=LOOK_AGAIN_SECONDS)
    for _ in range(3):
        with pytest.raises(TrustUnavailable):
            trust()
    certificate.write_bytes(whole)
    assert len(trust().authorities) == 1


def test_a_trust_file_that_is_not_used_is_told_to_the_operator(
    settings: GatewaySettings, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.trust_dir / "more.crl").write_bytes(b"half a list")
    TrustFolder(settings.trust_dir, Clock())
    assert [record.message for record in caplog.records] == ["trust file not used"]


def test_without_trust_nothing_is_decided_and_the_challenge_is_kept(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    outside = Outside(clock=world.clock, registry=world.registry, card_status=world.card_status)
    world.app = world.counter.app = create_app(world.settings, outside)
    evidence = world.evidence(world.counter.open())
    certificate = world.settings.trust_dir / "csca.der"
    whole = certificate.read_bytes()
    certificate.unlink()
    world.clock.move(seconds=LOOK_AGAIN_SECONDS)
    refused = world.counter.submit(evidence)
    assert (refused.status_code, json.loads(refused.data)["code"]) == (503, "TRUST_UNAVAILABLE")
    assert world.app.test_client().get("/readyz").status_code == 503
    certificate.write_bytes(whole)
    assert world.counter.submit(evidence).status_code == 200


def test_a_trust_folder_without_certificates_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault):
        TrustFolder(tmp_path, Clock())
    with pytest.raises(ConfigurationFault):
        TrustFolder(tmp_path / "none", Clock())


def test_the_migrations_make_the_schema_and_can_be_repeated(settings: GatewaySettings) -> None:
    for _ in range(2):
        database = Database(settings.database_url)
        database.migrate(MIGRATIONS)
        database.close()
    found = inspect(create_engine(settings.database_url))
    assert set(found.get_table_names()) - {"alembic_version"} == set(metadata.tables)
    for name, table in metadata.tables.items():
        assert {column["name"] for column in found.get_columns(name)} == set(table.columns.keys())


def test_readiness_names_what_is_missing(world: World) -> None:
    client = world.app.test_client()
    assert json.loads(client.get("/readyz").data) == {
        "ready": True,
        "parts": {"database": True, "trust": True},
    }
    with world.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE log_head")
    response = client.get("/readyz")
    assert (response.status_code, json.loads(response.data)["parts"]["database"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def test_the_server_binds_where_it_is_told_with_threads(settings: GatewaySettings) -> None:
    told = options(settings.listen, settings.workers, settings.threads)
    assert (told["bind"], told["worker_class"]) == ("127.0.0.1:8700", "gthread")


def test_a_real_server_answers_and_stops_when_told(settings: GatewaySettings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    url = f"http://{listen}"
    served = replace(settings, listen=listen, public_url=url, workers=2)
    together = tmp_path / "metrics"
    together.mkdir()
    (together / "counter_1.db").write_bytes(b"of a run before")
    environ = environment(served, PATH=os.environ["PATH"], PROMETHEUS_MULTIPROC_DIR=str(together))
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"], cwd=ROOT, env=environ, stderr=log
        )
    try:
        assert wait_for(f"{url}/readyz")["ready"] is True
        key = ed25519.Ed25519PrivateKey.generate()
        directory = SqlDirectory(Database(settings.database_url))
        directory.add_partner(
            Partner("p", "Bank", Standing.ACTIVE, key.public_key(), frozenset({"hospital.check_in"}))
        )
        directory.add_agent(Agent("a", "p", Standing.ACTIVE, key.public_key()))
        # Over a socket, through gunicorn's own reading of the request's target; either worker may answer.
        assert send_repeatedly(url, key) == [201] + [401] * 9
        assert counted(f"{url}/metrics", "/v1/verification-sessions") == 10
    finally:
        process.terminate()
        code = process.wait(timeout=20)
    assert code == 0, (tmp_path / "server.log").read_text()


def send_repeatedly(url: str, key: ed25519.Ed25519PrivateKey) -> list[int]:
    """One signed request sent ten times at once: the statuses, sorted."""
    body = b'{"purpose":"hospital.check_in","consent":{"text_version":"1","language":"vi"}}'
    stamp = {"key": key, "key_id": "a", "created": datetime.now(UTC), "nonce": os.urandom(16)}
    address = f"{url}/v1/verification-sessions"
    headers = sign_request("POST", address, {"Content-Type": "application/json"}, body, **stamp)
    pool = urllib3.PoolManager(maxsize=10)
    with ThreadPoolExecutor(10) as executor:
        sent = [executor.submit(pool.request, "POST", address, body=body, headers=headers) for _ in range(10)]
    return sorted(answer.result().status for answer in sent)


def counted(url: str, route: str) -> int:
    """How many requests of a route the metrics of any one worker tell: those of all of them."""
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback
        lines = response.read().decode().splitlines()
    found = [
        line for line in lines if line.startswith("idv_http_requests_total") and f'route="{route}"' in line
    ]
    return round(sum(float(line.rsplit(" ", 1)[1]) for line in found))


def wait_for(url: str) -> dict[str, object]:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
                return dict(json.load(response))
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")
