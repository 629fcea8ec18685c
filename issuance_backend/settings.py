"""Settings of the issuance office."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.blob_store.place import StoreSettings
from issuance_backend.content_scanning.place import NONE, require_scanner
from issuance_backend.store_profile import DEMO, PRODUCTION, require_profile
from monitoring.environment import ConfigurationFault

ISSUANCE_DATABASE = "sqlite:///issuance.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceSettings(StoreSettings):
    """``ISSUANCE_*``. Secrets are paths to files.

    ``pki_dir`` is what the key ceremony wrote; ``card_dir`` is the drawer that stands for the card
    printer; ``model_dir`` holds the face models, and without it officers judge portraits by eye.
    ``profile`` says whether stand-ins may be used: in ``demo`` only. ``blob_keys_file`` with
    ``blob_dir`` or ``blob_bucket`` (at ``blob_endpoint``, where that is not Amazon's) is the store of
    sealed pictures; without it they lie in the database. ``search_key_dir`` holds a key for every
    biometric gallery; without it there is no search. ``intake_key_dir`` holds the centre's keys for sealed
    packets, whose chunks are collected in ``intake_dir``; without it none is taken in.
    ``receipt_keys_file`` is a JWK or a set of them: the gateways whose receipts prove a hand-over; without it
    only a second officer's word does.
    ``approval_key_file`` is the key that the office signs lists of local approvals with; without it nobody
    approves locally.
    ``content_scanner`` looks at what was captured before anything reads it: ``unix:/path`` or
    ``tcp:host:port`` of clamd; ``none`` in a demonstration only.
    ``status_address`` is the public page that tells citizens where their applications stand, for the QR code
    on their slips; without it a slip has the receipt code alone.
    ``modalities`` names the kinds of biometrics that are searched besides faces and fingers, with commas
    between; each comes in an installed package of its own.
    ``demo_bad_print`` lets the drawer print its first two cards badly; production refuses to start with it.
    """

    service_tokens: Path
    registry_url: str
    registry_token_file: Path
    pki_dir: Path
    card_dir: Path
    database_url: str = ISSUANCE_DATABASE
    profile: str = DEMO
    model_dir: Path | None = None
    search_key_dir: Path | None = None
    intake_key_dir: Path | None = None
    intake_dir: Path = Path("packet_inbox")
    receipt_keys_file: Path | None = None
    approval_key_file: Path | None = None
    content_scanner: str = NONE
    status_address: str = ""
    modalities: str = ""
    demo_bad_print: bool = False

    def __post_init__(self) -> None:
        """Refuse a profile that is none, and half a store of pictures."""
        require_profile("ISSUANCE_PROFILE", self.profile)
        if self.demo_bad_print and self.profile != DEMO:
            raise ConfigurationFault("ISSUANCE_DEMO_BAD_PRINT: only in the profile demo")
        require_scanner("ISSUANCE_CONTENT_SCANNER", self.content_scanner, self.profile)
        self.store_place  # noqa: B018 - raises


def require_printer(settings: IssuanceSettings) -> None:
    """Raises ConfigurationFault: no profile may make cards that no printer prints."""
    if settings.profile == PRODUCTION:
        raise ConfigurationFault("ISSUANCE_PROFILE: no card printer for production is built in yet")
