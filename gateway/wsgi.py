"""What a WSGI server loads: ``gateway.wsgi:application()``."""

from __future__ import annotations

import os

from flask import Flask

from gateway.app import create_gateway, settings_from
from monitoring.logs import configure


def application() -> Flask:
    """The gateway, from this process's environment, with its work begun."""
    configure("gateway")
    gateway = create_gateway(settings_from(os.environ))
    gateway.begin_work()
    return gateway.app
