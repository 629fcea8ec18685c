"""What a WSGI server is pointed at: ``issuance_backend.wsgi:registry()`` and ``:issuance()``."""

from __future__ import annotations

import os

from flask import Flask

from issuance_backend.app import issuance_from, registry_from
from monitoring import logs


def registry() -> Flask:
    """The population registry, set by ``REGISTRY_*``."""
    logs.configure("registry")
    return registry_from(os.environ)


def issuance() -> Flask:
    """The issuance office, set by ``ISSUANCE_*``."""
    logs.configure("issuance")
    return issuance_from(os.environ)
