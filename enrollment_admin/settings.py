"""Settings of the enrolment pages, ``ADMIN_*``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """``secret_key_file`` holds the secret that signs session cookies; changing it signs everybody out.

    ``status_token_file`` holds the token with which the public status page asks; without it there is none.
    ``proxies`` is how many proxies of ours stand before these pages: that many say who is calling.
    """

    backend_url: str
    secret_key_file: Path
    status_token_file: Path | None = None
    proxies: int = 0
