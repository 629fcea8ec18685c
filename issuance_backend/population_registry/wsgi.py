"""What a WSGI server is pointed at: ``issuance_backend.population_registry.wsgi:registry()``."""

from __future__ import annotations

import os

from flask import Flask

from issuance_backend.population_registry.app import registry_from
from monitoring import logs


def registry() -> Flask:
    """The population registry, set by ``REGISTRY_*``."""
    logs.configure("registry")
    return registry_from(os.environ)
