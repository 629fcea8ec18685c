"""What a WSGI server is pointed at for the office: ``issuance_backend.wsgi:issuance()``."""

from __future__ import annotations

import os

from flask import Flask

from issuance_backend.app import issuance_from
from monitoring import logs


def issuance() -> Flask:
    """The issuance office, set by ``ISSUANCE_*``."""
    logs.configure("issuance")
    return issuance_from(os.environ)
