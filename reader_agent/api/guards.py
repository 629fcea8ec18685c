"""Who may speak to the counter: this machine's own page and programs, nobody's web page elsewhere.

A page on the internet can make a browser send requests to 127.0.0.1, and DNS rebinding can even make
them look same-origin. So the Host must be exactly this counter's, a browser's Origin too, the browser
must not call the request cross-site, and whatever changes something must carry a header that no
foreign page can add without the permission that is never given.
"""

from __future__ import annotations

import re

from flask import request

from reader_agent.refusals import AgentClientMissing, HostNotAllowed, OriginNotAllowed

CLIENT_HEADER = "X-Agent-Client"
_CLIENT_NAME = re.compile(r"[ -~]{1,64}")
_SAME_SITE = frozenset({"same-origin", "none"})
_READING = frozenset({"GET", "HEAD"})


class LocalGuard:
    """Checks every request to one listening port."""

    def __init__(self, port: int) -> None:
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def require_local(self) -> None:
        """For what only shows. Raises HostNotAllowed or OriginNotAllowed."""
        if request.headers.get("Host", "").lower() not in self._hosts:
            raise HostNotAllowed("foreign Host header")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins:
            raise OriginNotAllowed("foreign Origin")
        if request.headers.get("Sec-Fetch-Site", "none") not in _SAME_SITE:
            raise OriginNotAllowed("cross-site request")

    def require_client(self) -> None:
        """For the API: also a caller that names itself, on whatever changes something."""
        self.require_local()
        if request.method in _READING:
            return
        if not _CLIENT_NAME.fullmatch(request.headers.get(CLIENT_HEADER, "")):
            raise AgentClientMissing("no X-Agent-Client")
