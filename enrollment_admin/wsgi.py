"""What a WSGI server is pointed at: ``enrollment_admin.wsgi:application()``."""

from __future__ import annotations

import os

from flask import Flask

from enrollment_admin.app import application_from
from monitoring import logs


def application() -> Flask:
    """The enrolment pages, set by ``ADMIN_*``."""
    logs.configure("admin")
    return application_from(os.environ)
