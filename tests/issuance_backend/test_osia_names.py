"""What the contracts say of OSIA is so: its operations, its names of fields, and ours beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

STANDARD: dict[str, Any] = json.loads(
    Path(__file__).with_name("osia_operations.json").read_text(encoding="utf-8")
)["interfaces"]
CONTRACTS: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in resources.files("issuance_backend").joinpath("openapi").iterdir()
    if path.name.endswith(".yaml")
}
COVERED = {
    *("accounts", "biometric_search", "counter_captures", "credentials", "dossiers", "events", "numbers"),
    *("packets", "person_matches", "persons", "production", "registry", "registry_events"),
}
"""The slices that OSIA has an interface for; it knows no DC01, no statistics and no units."""


def members(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from members(value)
    elif isinstance(node, list):
        for value in node:
            yield from members(value)


def named(contract: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Everything that names an operation of OSIA, with what it says."""
    return [(each, each["x-osia"]) for each in members(CONTRACTS[contract]) if "x-osia" in each]


def own_names(contract: str) -> set[str]:
    """The parameters of a contract and the members of its bodies, and of contracts it refers to."""
    referred = {each["$ref"].partition("#")[0] for each in members(CONTRACTS[contract]) if "$ref" in each}
    names: set[str] = set()
    for each in (part for name in {contract, *filter(None, referred)} for part in members(CONTRACTS[name])):
        names |= {each["name"]} if {"name", "in"} <= each.keys() else set()
        names |= each["properties"].keys() if isinstance(each.get("properties"), dict) else set()
    return names


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_what_is_named_is_of_the_standard(contract: str) -> None:
    for _, said in named(contract):
        assert said.keys() <= {"interface", "operation", "fields", "differs"}
        interface = STANDARD[said["interface"]]
        assert said["operation"] in interface["operations"]
        fields = said.get("fields", {})
        assert set(fields.values()) <= set(interface["fields"])
        own = own_names(contract) | {part.strip("{}") for part in "/".join(paths(contract)).split("/")}
        assert fields.keys() <= own


def paths(contract: str) -> list[str]:
    return list(CONTRACTS[contract].get("paths", {}))


def test_every_slice_that_osia_covers_says_where() -> None:
    assert {name.removesuffix(".yaml") for name in CONTRACTS if named(name)} == COVERED


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
def test_a_name_of_the_standard_means_what_the_standard_means(contract: str) -> None:
    """An operation that is called as one of OSIA's is that one."""
    standard = {operation for interface in STANDARD.values() for operation in interface["operations"]}
    for each in members(CONTRACTS[contract]):
        if each.get("operationId") in standard:
            assert each["x-osia"]["operation"] == each["operationId"]


def test_every_operation_of_the_search_is_named() -> None:
    """A task has no path of its own: what it asks for is named where its body is described."""
    schemas = CONTRACTS["biometric_search.yaml"]["components"]["schemas"]
    asked = [reference["$ref"].rpartition("/")[2] for reference in schemas["SearchRequest"]["oneOf"]]
    assert {name: schemas[name]["x-osia"]["operation"] for name in asked} == {
        "InsertOperation": "createEncounter",
        "IdentifyOperation": "identify",
        "VerifyOperation": "verifyFromId",
        "DeleteOperation": "deleteAll",
    }
