"""The commands of a store of sealed pictures, for every program that has one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from issuance_backend.blob_store.keys import add_key, remove_key
from issuance_backend.blob_store.service import BlobStore


class StoreDamaged(ValueError):
    """Contents are lost or altered; the message names their addresses."""


def add_store_commands(parser: argparse.ArgumentParser) -> Any:
    """Describe the commands; a program may add some of its own to what this returns."""
    commands = parser.add_subparsers(dest="action", required=True)
    for name, told in (
        ("new-key", "make a wrapping key the current one; with a new file also the key of addresses"),
        ("remove-key", "take out a key that wraps nothing any more"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("--keys", type=Path, required=True)
        command.add_argument("--id", required=True)
    commands.add_parser("rewrap", help="wrap every key with the current key; contents stay as they are")
    commands.add_parser("check", help="open every content")
    commands.add_parser("sweep", help="remove what failed transactions and killed programs left")
    return commands


def run_on_store(options: argparse.Namespace, opened: Callable[[], BlobStore]) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and StoreDamaged."""
    if options.action == "new-key":
        add_key(options.keys, options.id)
        return f"{options.id} is the current key; programs take it when they start; then: store rewrap"
    store = opened()
    if options.action == "check":
        return _check(store)
    if options.action == "remove-key":
        return _remove_key(options, store)
    if options.action == "rewrap":
        return f"{store.rewrap()} keys wrapped with the current key"
    return f"{store.sweep()} objects removed that nothing names"


def _check(store: BlobStore) -> str:
    found = store.check()
    if found.missing or found.altered:
        lines = [f"{found.whole} whole, {len(found.missing)} missing, {len(found.altered)} altered"]
        lines += [f"missing {address}" for address in found.missing]
        lines += [f"altered {address}" for address in found.altered]
        raise StoreDamaged("\n".join(lines))
    return f"{found.whole} contents, all whole"


def _remove_key(options: argparse.Namespace, store: BlobStore) -> str:
    used = store.count_wrapped_with(options.id)
    if used:
        raise ValueError(f"{used} contents would be lost with this key; run: store rewrap")
    remove_key(options.keys, options.id)
    return f"{options.id} is removed"
