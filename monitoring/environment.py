"""Typed settings from the environment: frozen, checked at start, every fault reported at once."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class ConfigurationFault(Exception):
    """The environment does not make valid settings; the message lists every fault, a line each."""


def read_settings(cls: type[Settings], prefix: str, environ: Mapping[str, str]) -> Settings:
    """Build the frozen dataclass ``cls`` from variables named ``PREFIX_FIELD``.

    A field without a default must be set; a variable with the prefix that no field knows is a fault,
    because a misspelt name would otherwise be silently ignored. ``metadata={"env": NAME}`` gives a
    field another variable name. Raises ConfigurationFault.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is not a dataclass")
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    faults: list[str] = []
    known: set[str] = set()
    for field in dataclasses.fields(cls):
        name = field.metadata.get("env", prefix + field.name.upper())
        known.add(name)
        text = environ.get(name)
        if text is None:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                faults.append(f"{name} is not set")
            continue
        try:
            values[field.name] = _convert(text, hints[field.name])
        except ValueError as fault:
            faults.append(f"{name}: {fault}")
    faults.extend(f"{name} is not a setting" for name in sorted(environ) if _unknown(name, prefix, known))
    if faults:
        raise ConfigurationFault("\n".join(faults))
    return cls(**values)


def read_secret(path: Path) -> str:
    """The text of a secret file, trimmed; raises ConfigurationFault when it is empty or missing."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise ConfigurationFault(f"secret file {path.name}: {type(fault).__name__}") from None
    if not secret:
        raise ConfigurationFault(f"secret file {path.name} is empty")
    return secret


def _unknown(name: str, prefix: str, known: set[str]) -> bool:
    return name.startswith(prefix) and name not in known


def _convert(text: str, kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        kind = next(member for member in typing.get_args(kind) if member is not types.NoneType)
        if not text:
            return None
    if kind is bool:
        if text.lower() not in {"true", "false"}:
            raise ValueError("must be true or false")
        return text.lower() == "true"
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"must be a number ({kind.__name__})") from None
    if kind is Path:
        return Path(text)
    return text
