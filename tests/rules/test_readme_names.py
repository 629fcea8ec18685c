"""What a README of the backend names is there: addresses and their methods, settings, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from issuance_backend.blob_store.place import StorePlace
from issuance_backend.outbox.domain import Topic
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.settings import IssuanceSettings
from tests.rules.test_readme_commands import ROOT

BACKEND = ROOT / "issuance_backend"
READMES = sorted(BACKEND.rglob("README.md"))
ADDRESS = re.compile(r"((?:GET|POST|PUT|DELETE)(?:, (?:GET|POST|PUT|DELETE))*) (/v1/[a-z0-9-]+)")
ALTERNATIVES = re.compile(r"(?:/ |\| |\[/|\| /)([a-z]+(?:-[a-z]+)*)(?=[\s\]|]|$)")
SETTING = re.compile(r"\b(?:ISSUANCE|REGISTRY)_[A-Z_]+\b")
FILE = re.compile(r"`([\w/.-]*\w\.(?:py|json|yaml|md|txt)|[\w/]+/)`")
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
MADE_BY_PROGRAMS = {"csca", "virtual_card"}
"""Their READMEs speak of files that a command writes."""


def documented() -> dict[str, set[str]]:
    """Every address of the contracts with its methods."""
    found: dict[str, set[str]] = {}
    for document in (BACKEND / "openapi").glob("*.yaml"):
        for path, item in (yaml.safe_load(document.read_text(encoding="utf-8")).get("paths") or {}).items():
            found.setdefault(path, set()).update(method.upper() for method in item)
    return found


DOCUMENTED = documented()


def addresses() -> Iterator[tuple[str, str]]:
    for readme in READMES:
        for found in ADDRESS.finditer(readme.read_text(encoding="utf-8")):
            yield from ((method, found[2]) for method in found[1].split(", "))


@pytest.mark.parametrize(("method", "address"), sorted(set(addresses())))
def test_an_address_is_in_a_contract_with_its_method(method: str, address: str) -> None:
    held = [
        methods for path, methods in DOCUMENTED.items() if path == address or path.startswith(f"{address}/")
    ]
    assert any(method in methods for methods in held)


def test_every_step_that_a_list_of_addresses_names_is_one() -> None:
    steps = {path.rpartition("/")[2] for path in DOCUMENTED}
    named = {
        word
        for readme in READMES
        for block in BLOCK.findall(readme.read_text(encoding="utf-8"))
        if "/v1/" in block
        for word in ALTERNATIVES.findall(block)
    }
    assert len(named) > 15
    assert named <= steps


def test_every_group_of_addresses_is_told() -> None:
    told = {address for _, address in addresses()}
    text = "\n".join(readme.read_text(encoding="utf-8") for readme in READMES)
    told |= {f"/v1/{name}" for name in re.findall(r"/v1/([a-z0-9-]+)", text)}
    groups = {"/".join(path.split("/")[:3]) for path in DOCUMENTED if path.startswith("/v1/")}
    assert not groups - told


def test_every_role_of_a_calling_program_is_told() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in BACKEND.rglob("*.py"))
    roles = set(re.findall(r'^[A-Z]+_ROLE = "(.+)"', sources, re.MULTILINE)) | {topic.role for topic in Topic}
    assert len(roles) > 15
    told = (BACKEND / "README.md").read_text(encoding="utf-8")
    # Topics of the office have one role each, and are named there by their topic.
    topics = {topic.role: topic.value for topic in Topic}
    assert not {role for role in roles if role not in told and topics.get(role, role) not in told}


def settings() -> set[str]:
    known = {f"ISSUANCE_{field.name.upper()}" for field in fields(IssuanceSettings)}
    known |= {f"REGISTRY_{field.name.upper()}" for field in fields(RegistrySettings)}
    return known | {f"ISSUANCE_BLOB_{field.name.upper()}" for field in fields(StorePlace)}


def test_settings_are_told_and_no_others_are() -> None:
    told = set(SETTING.findall((BACKEND / "README.md").read_text(encoding="utf-8")))
    assert told == settings()


@pytest.mark.parametrize(
    "readme",
    [path for path in READMES if path.parent.name not in MADE_BY_PROGRAMS],
    ids=lambda path: path.parent.name,
)
def test_a_file_that_is_named_exists(readme: Path) -> None:
    files = {str(path.relative_to(ROOT)) for top in (BACKEND, ROOT / "tests") for path in top.rglob("*")}
    missing = [
        name
        for name in FILE.findall(readme.read_text(encoding="utf-8"))
        if not any(file.endswith(f"/{name.rstrip('/')}") for file in files) and not (ROOT / name).exists()
    ]
    assert not missing
