"""Which scanner a setting names."""

from __future__ import annotations

from pathlib import Path

from issuance_backend.content_scanning.clamd import ClamdScanner, tcp_socket, unix_socket
from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.store_profile import DEMO
from monitoring.environment import ConfigurationFault

NONE = "none"


def require_scanner(variable: str, place: str, profile: str) -> None:
    """Raises ConfigurationFault: whatever is no demonstration looks at what it is given."""
    if place == NONE and profile != DEMO:
        raise ConfigurationFault(f"{variable}: none only in the profile demo")


def scanner_at(place: str) -> ContentScanner:
    """The scanner at ``unix:/path``, at ``tcp:host:port``, or none; raises ConfigurationFault."""
    kind, _, address = place.partition(":")
    if place == NONE:
        return UNSCANNED
    if kind == "unix" and address.startswith("/"):
        return ClamdScanner(unix_socket(Path(address)))
    host, _, port = address.rpartition(":")
    if kind == "tcp" and host and port.isascii() and port.isdecimal() and 0 < int(port) < 2**16:
        return ClamdScanner(tcp_socket(host.strip("[]"), int(port)))
    raise ConfigurationFault("*_CONTENT_SCANNER: unix:/path, tcp:host:port or none")
