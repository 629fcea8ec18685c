"""Settings of the enrolment pages, ``ADMIN_*``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """``secret_key_file`` holds the secret that signs session cookies; changing it signs everybody out."""

    backend_url: str
    secret_key_file: Path
