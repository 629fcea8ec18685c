"""What a counter is told at start, from ``AGENT_*`` variables (``monitoring.environment`` reads them)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitoring.environment import ConfigurationFault

_LOOPBACK = ("127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """Frozen settings of one counter.

    ``reader`` is a glob over PC/SC reader names, or ``vpcd:127.0.0.1:PORT``. ``camera`` is
    ``opencv:N``, ``opencv:/dev/PATH``, ``folder:PATH``, an ``http://`` snapshot address, or ``none``.
    ``status_list`` is the file of cards that are not good, for visits without the gateway; that a card
    is not in it counts for ``status_list_hours``. ``purposes`` are the comma-separated purposes that
    the teller's page offers, the usual one first.
    """

    gateway_url: str
    trust_dir: Path
    device_key: Path
    id: str
    listen: str = "127.0.0.1:8642"
    reader: str = "*"
    camera: str = "none"
    model_dir: Path | None = None
    status_list: Path | None = None
    language: str = "vi"
    purposes: str = "bank.counter.identify"
    card_wait_seconds: float = 60.0
    session_seconds: float = 180.0
    gateway_seconds: float = 10.0
    status_list_hours: float = 24.0

    def __post_init__(self) -> None:
        """Refuse what would only fail in front of a customer; every fault at once."""
        faults = [
            *self._listen_faults(),
            *self._gateway_faults(),
            *self._limit_faults(),
        ]
        if self.language not in {"vi", "en"}:
            faults.append("AGENT_LANGUAGE: must be vi or en")
        if not 0 < self.status_list_hours <= 168:
            faults.append("AGENT_STATUS_LIST_HOURS: must be above 0 and at most 168")
        if not self.purpose_list:
            faults.append("AGENT_PURPOSES: name at least one purpose")
        if faults:
            raise ConfigurationFault("\n".join(faults))

    @property
    def host(self) -> str:
        """The loopback address to listen on, as it stands in a URL."""
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The TCP port to listen on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def purpose_list(self) -> tuple[str, ...]:
        """The offered purposes in order."""
        return tuple(name.strip() for name in self.purposes.split(",") if name.strip())

    def _listen_faults(self) -> list[str]:
        host, _, port = self.listen.rpartition(":")
        # The page shows portraits: it may never be offered to the network.
        if host not in _LOOPBACK:
            return ["AGENT_LISTEN: must be 127.0.0.1:PORT or [::1]:PORT"]
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            return ["AGENT_LISTEN: the port must be between 1 and 65535"]
        return []

    def _gateway_faults(self) -> list[str]:
        if not self.gateway_url.startswith(("https://", "http://")):
            return ["AGENT_GATEWAY_URL: must be an http or https address"]
        return []

    def _limit_faults(self) -> list[str]:
        limits = {
            "AGENT_CARD_WAIT_SECONDS": self.card_wait_seconds,
            "AGENT_SESSION_SECONDS": self.session_seconds,
            "AGENT_GATEWAY_SECONDS": self.gateway_seconds,
        }
        return [
            f"{name}: must be above 0 and at most 600"
            for name, limit in limits.items()
            if not 0 < limit <= 600
        ]
