"""Every route of every program stands behind a guard, and what is open to all is listed here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, BaseConverter

from enrollment_admin.app import create_app as create_admin
from enrollment_admin.settings import AdminSettings
from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.virtual_card import wallet
from tests.support.counter_bench import HttpGateway, make_bench
from tests.support.gateway_world import make_world
from tests.support.issuance_office import make_office
from tests.support.kit_pages_bench import kit_pages

# The blueprints that anybody may call, by program, each with its reason.
OPEN_TO_ALL = {
    "gateway": {
        "health",  # a supervisor asks it, and it tells nothing but yes or no
        "tokens",  # the assertion that is sent is itself the proof
        "log",  # hashes and signed heads, for anybody who holds a receipt
        "contract",  # what the gateway speaks is no secret
    },
    "registry": {"health"},
    "issuance": {"health", "officer_sign_in"},  # nobody is signed in before signing in
    "kit": {"health"},
    "admin": {"health"},
    "agent": {"health"},
    "wallet": {"health", "slots"},  # invented people, loopback, and never in production
}

# What citizens see, open to all so many times a minute, by program.
PUBLIC = {"admin": {"public_status"}}


def gateway(folder: Path) -> Flask:
    return make_world(folder).app


def issuance(folder: Path) -> Flask:
    return make_office(folder, folder / "pki").app


def registry(folder: Path) -> Flask:
    tokens = folder / "tokens.json"
    tokens.write_text("{}")
    tokens.chmod(0o600)
    settings = RegistrySettings(database_url=f"sqlite:///{folder / 'registry.db'}", service_tokens=tokens)
    return create_registry_app(settings)


def admin(folder: Path) -> Flask:
    secret = folder / "secret"
    secret.write_text("x" * 32)
    secret.chmod(0o600)
    return create_admin(
        AdminSettings(backend_url="http://127.0.0.1:1", secret_key_file=secret, status_token_file=secret)
    )


def kit(folder: Path) -> Flask:
    make_keys(folder / "keys", "2026-11")
    return kit_pages(folder, load_keys(folder / "keys"), has_extract=False).app


def agent(folder: Path) -> Flask:
    app: Flask = make_bench(HttpGateway(), folder).agent.app
    return app


def drawer(folder: Path) -> Flask:
    return wallet.create_app(wallet.Wallet(folder, []))


PROGRAMS: dict[str, Callable[[Path], Flask]] = {
    "gateway": gateway,
    "registry": registry,
    "issuance": issuance,
    "admin": admin,
    "kit": kit,
    "agent": agent,
    "wallet": drawer,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_route_stands_behind_the_guard_of_its_blueprint(program: str, tmp_path: Path) -> None:
    app = PROGRAMS[program](tmp_path)
    guards = app.extensions["guards"]
    assert set(guards) == set(app.blueprints)
    for name, guard in guards.items():
        assert guard in app.before_request_funcs[name], f"{name} names a guard that does not run"
    for rule in app.url_map.iter_rules():
        blueprint, separator, _ = rule.endpoint.partition(".")
        if separator:
            assert blueprint in guards, rule
        else:
            assert rule.endpoint == "static", f"{rule} belongs to no blueprint"
            assert rule.methods is not None
            assert rule.methods <= {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_what_is_listed_here_is_open_to_all(program: str, tmp_path: Path) -> None:
    guards = PROGRAMS[program](tmp_path).extensions["guards"]
    open_ones = {name for name, guard in guards.items() if guard.__name__ == "open_to_all"}
    assert open_ones == OPEN_TO_ALL[program]
    public_ones = {name for name, guard in guards.items() if guard.__qualname__.startswith("public.")}
    assert public_ones == PUBLIC.get(program, set())


def some_value(converter: BaseConverter) -> str:
    return sorted(converter.items)[0] if isinstance(converter, AnyConverter) else "x"


@pytest.mark.parametrize("program", sorted(PROGRAMS.keys() - {"wallet"}))
def test_no_other_address_does_anything_for_somebody_unknown(program: str, tmp_path: Path) -> None:
    """Asked without any proof, every guarded route refuses before it looks at what was sent."""
    app = PROGRAMS[program](tmp_path)
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.partition(".")[0]
        if rule.endpoint == "static" or blueprint in OPEN_TO_ALL[program] | PUBLIC.get(program, set()):
            continue
        path = rule.build(
            {name: some_value(rule._converters[name]) for name in rule.arguments}, append_unknown=False
        )
        assert path is not None
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = app.test_client().open(path[1], method=method, json={"x": 1})
            is_page = program in {"admin", "kit"} and method == "GET" and blueprint in {"sign_in", "language"}
            assert is_page or answer.status_code in {302, 303, 400, 401, 403}, (
                method,
                path,
                answer.status_code,
            )
            if answer.status_code in {302, 303}:
                assert answer.location.startswith("/login"), (method, path)
