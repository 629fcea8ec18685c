"""What a gateway is told at start, from ``GATEWAY_*`` variables (``monitoring.environment`` reads them)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from monitoring.environment import ConfigurationFault


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Frozen settings.

    Secrets are paths: ``log_key`` is a PEM, ``seal_key`` 32 bytes, ``service_token_file`` text.
    ``public_url`` is the address that agents sign their requests for; it is never taken from a
    request. ``operator_token_file`` is the secret of whoever may see every partner's figures; without it
    nobody may. ``log_origin`` names the evidence log in its signed heads; by default the host of
    ``public_url``.
    """

    trust_dir: Path
    registry_url: str
    credentials_url: str
    service_token_file: Path
    log_key: Path
    seal_key: Path
    public_url: str
    database_url: str = "sqlite:///gateway.db"
    redis_url: str | None = field(default=None, metadata={"env": "REDIS_URL"})
    log_origin: str | None = None
    operator_token_file: Path | None = None
    listen: str = "127.0.0.1:8700"
    workers: int = 2
    threads: int = 8
    session_seconds: int = 300
    token_seconds: int = 300
    service_seconds: float = 2.0
    requests_per_minute: int = 600
    status_list_seconds: int = 900

    def __post_init__(self) -> None:
        """Refuse what would only fail in front of a customer; every fault at once."""
        urls = {
            "GATEWAY_REGISTRY_URL": self.registry_url,
            "GATEWAY_CREDENTIALS_URL": self.credentials_url,
            "GATEWAY_PUBLIC_URL": self.public_url,
        }
        numbers = {
            "GATEWAY_WORKERS": self.workers,
            "GATEWAY_THREADS": self.threads,
            "GATEWAY_SESSION_SECONDS": self.session_seconds,
            "GATEWAY_TOKEN_SECONDS": self.token_seconds,
            "GATEWAY_SERVICE_SECONDS": self.service_seconds,
            "GATEWAY_REQUESTS_PER_MINUTE": self.requests_per_minute,
            "GATEWAY_STATUS_LIST_SECONDS": self.status_list_seconds,
        }
        faults = [
            f"{name}: must be an http or https address"
            for name, url in urls.items()
            if not url.startswith(("http://", "https://"))
        ]
        faults += [f"{name}: must be above 0" for name, number in numbers.items() if number <= 0]
        if faults:
            raise ConfigurationFault("\n".join(faults))

    @property
    def base_url(self) -> str:
        """The public address without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def origin(self) -> str:
        """The evidence log's name."""
        return self.log_origin or self.base_url.partition("://")[2]
