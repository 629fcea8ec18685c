"""Where a commune's people live, as addresses are written in the matching index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from issuance_backend.population_registry.matching.place import plain_name, read_place
from issuance_backend.population_registry.units.domain import Unit, UnitLevel, UnitRegister
from issuance_backend.refusals import UnitUnknown


def commune_name(register: UnitRegister, code: str) -> str:
    """The commune and what it lies in, by their last names; raises UnitUnknown."""
    *_, last = _addresses(register, _versions(register, code)[-1])
    return last


def homes(register: UnitRegister, code: str) -> frozenset[str]:
    """Every residence of the index that means this commune; raises UnitUnknown.

    Addresses keep the names of their day: those of the commune, of what it lies in, and of what it was made
    of. An address without a district means it as well.
    """
    units = [*_versions(register, code), *_formers(register, code)]
    places = {read_place(address) for unit in units for address in _addresses(register, unit)}
    return frozenset(text for place in places for text in (place.text, replace(place, district="").text))


def communes_of(register: UnitRegister, residence: str) -> set[str]:
    """Every commune whose homes this residence is one of: what it names, and what that became."""
    place = read_place(residence)
    reached: set[str] = set()
    looking = {code for code in register.communes_ever() if place.commune in _names(register, code)}
    while looking:
        reached |= looking
        looking = {code for former in looking for code in register.successors(former)} - reached
    return {
        code
        for code in reached
        if register.versions(code)[-1].level is UnitLevel.COMMUNE and place.text in homes(register, code)
    }


def _names(register: UnitRegister, code: str) -> set[str]:
    return {plain_name(version.name) for version in register.versions(code)}


def _versions(register: UnitRegister, code: str) -> list[Unit]:
    versions = register.versions(code)
    if not versions or versions[-1].level is not UnitLevel.COMMUNE:
        raise UnitUnknown("there never was such a commune")
    return versions


def _formers(register: UnitRegister, code: str) -> Iterator[Unit]:
    """What passed into a unit, and what had passed into that."""
    for former in register.formers(code):
        yield from register.versions(former)
        yield from _formers(register, former)


def _addresses(register: UnitRegister, unit: Unit) -> Iterator[str]:
    """The unit by its own name and by every name that stood above it meanwhile, oldest first."""
    codes = unit.code.split(".")
    above = [".".join(codes[:length]) for length in range(len(codes) - 1, 0, -1)]
    renamed = {version.valid_from for code in above for version in register.versions(code)}
    for day in sorted({unit.valid_from, *filter(unit.is_on, renamed)}):
        parts = [found.name for code in above if (found := register.unit(code, day)) is not None]
        yield ", ".join([unit.name, *parts])
