"""Alembic runs this; the connection is handed in by ``Database.migrate``."""

from __future__ import annotations

from alembic import context

from gateway.adapters.sql_schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
