"""What a migration does stands in it: a database of any age is brought up to date in one way for ever."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from gateway.adapters.sql_schema import MIGRATIONS as GATEWAY
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY
from issuance_backend.storage import ISSUANCE_MIGRATIONS

SCRIPTS = {"gateway": GATEWAY, "issuance": ISSUANCE_MIGRATIONS, "registry": REGISTRY}
REVISIONS = [path for scripts in SCRIPTS.values() for path in sorted((scripts / "versions").glob("*.py"))]
OURS = ("enrollment_admin", "gateway", "issuance_backend", "monitoring", "reader_agent", "verification")
# Tables that two chains make alike; it is no program's code, and changes as little as a revision.
FROZEN = {"issuance_backend.journal_tables"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.stem)
def test_a_migration_imports_nothing_that_can_change(path: Path) -> None:
    assert {name for name in imported(path) if name.startswith(OURS)} <= FROZEN


@pytest.mark.parametrize("scripts", SCRIPTS.values(), ids=SCRIPTS)
def test_every_chain_has_one_head(scripts: Path) -> None:
    assert len(ScriptDirectory(str(scripts)).get_heads()) == 1
