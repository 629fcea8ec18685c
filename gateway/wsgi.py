"""What a WSGI server loads: ``gateway.wsgi:application()``."""

from __future__ import annotations

import os

from flask import Flask

from gateway.app import create_app, settings_from
from monitoring.logs import configure


def application() -> Flask:
    """The gateway, from this process's environment."""
    configure("gateway")
    return create_app(settings_from(os.environ))
