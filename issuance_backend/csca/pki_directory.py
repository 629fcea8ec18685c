"""The files a ceremony leaves: certificates and list to hand out, keys to lock away, and its log.

``csca.der``, ``csca.crl`` and ``ds.der`` go to whoever verifies cards. ``keys/`` holds each key
as encrypted PKCS#8 beside a file with its passphrase; in production the CSCA's key and
passphrase leave the machine after the ceremony, on separate media.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import (
    CSCA_HASH,
    DOCUMENT_SIGNER_HASH,
    CeremonyPlan,
    hold_ceremony,
    issue_document_signer,
)
from issuance_backend.csca.crl import MAX_DAYS, issue_revocation_list
from issuance_backend.csca.signer import KeyFileSigner, PrivateKey, write_secret
from issuance_backend.refusals import SigningKeyUnavailable

CSCA_CERTIFICATE = "csca.der"
REVOCATION_LIST = "csca.crl"
SIGNER_CERTIFICATE = "ds.der"
LOG = "ceremony.log"
_KEYS = "keys"
_PASSPHRASE_BYTES = 24


class PkiDirectory:
    """One issuer's PKI on disk; the moments are the caller's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, plan: CeremonyPlan, moment: datetime) -> None:
        """Hold the ceremony into this directory; refuses one that already holds keys."""
        keys = self.path / _KEYS
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            keys.mkdir(mode=0o700)
        except FileExistsError:
            raise SigningKeyUnavailable("this directory already holds keys") from None
        self._log(moment, "ceremony begun", country=plan.country, organization=plan.organization)
        ceremony = hold_ceremony(plan, moment)
        self._save_key("csca", ceremony.csca)
        self._save_key("ds", ceremony.document_signer)
        self._publish_certificate(moment, CSCA_CERTIFICATE, ceremony.csca.certificate)
        self._publish_certificate(moment, SIGNER_CERTIFICATE, ceremony.document_signer.certificate)
        self._publish_list(moment, ceremony.revocation_list)
        self._log(moment, "ceremony ended")

    def open_csca(self) -> KeyFileSigner:
        """The country signing CA; raises SigningKeyUnavailable."""
        return self._open("csca", CSCA_CERTIFICATE, CSCA_HASH)

    def open_document_signer(self) -> KeyFileSigner:
        """The document signer in use; raises SigningKeyUnavailable."""
        return self._open("ds", SIGNER_CERTIFICATE, DOCUMENT_SIGNER_HASH)

    def renew_revocation_list(
        self, moment: datetime, *, revoke: x509.Certificate | None = None, days: int = MAX_DAYS
    ) -> None:
        """Issue the next list, with one more certificate on it where ``revoke`` is given."""
        previous = x509.load_der_x509_crl((self.path / REVOCATION_LIST).read_bytes())
        serial_numbers = []
        if revoke is not None:
            serial_numbers.append(revoke.serial_number)
            self._log(moment, "certificate revoked", serial_number=f"{revoke.serial_number:x}")
        renewed = issue_revocation_list(
            self.open_csca(), moment, previous=previous, revoke=serial_numbers, days=days
        )
        self._publish_list(moment, renewed)

    def renew_document_signer(self, plan: CeremonyPlan, moment: datetime, name: str) -> None:
        """Put a new document signer in use and destroy the old one's key; its certificate is kept."""
        old = x509.load_der_x509_certificate((self.path / SIGNER_CERTIFICATE).read_bytes())
        key = PrivateKey.generate(plan.signer_curve, DOCUMENT_SIGNER_HASH)
        certificate = issue_document_signer(self.open_csca(), key, plan, moment, name)
        self._write(f"ds-{old.serial_number:x}.der", old.public_bytes(Encoding.DER))
        for secret in ("ds.pem", "ds.passphrase"):
            # Gone already where an earlier renewal was cut off: it is done again from here.
            (self.path / _KEYS / secret).unlink(missing_ok=True)
        self._save_key("ds", key)
        self._publish_certificate(moment, SIGNER_CERTIFICATE, certificate)

    def _open(self, name: str, certificate: str, hash_name: str) -> KeyFileSigner:
        keys = self.path / _KEYS
        return KeyFileSigner.open(
            keys / f"{name}.pem", keys / f"{name}.passphrase", self.path / certificate, hash_name
        )

    def _save_key(self, name: str, key: PrivateKey) -> None:
        passphrase = secrets.token_hex(_PASSPHRASE_BYTES).encode("ascii")
        key.save(self.path / _KEYS / f"{name}.pem", passphrase)
        write_secret(self.path / _KEYS / f"{name}.passphrase", passphrase + b"\n")

    def _publish_certificate(self, moment: datetime, name: str, certificate: x509.Certificate) -> None:
        self._write(name, certificate.public_bytes(Encoding.DER))
        self._log(
            moment,
            "certificate issued",
            file=name,
            subject=certificate.subject.rfc4514_string(),
            serial_number=f"{certificate.serial_number:x}",
            not_before=certificate.not_valid_before_utc.isoformat(),
            not_after=certificate.not_valid_after_utc.isoformat(),
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        )

    def _publish_list(self, moment: datetime, revocation_list: x509.CertificateRevocationList) -> None:
        self._write(REVOCATION_LIST, revocation_list.public_bytes(Encoding.DER))
        next_update = revocation_list.next_update_utc
        self._log(
            moment,
            "revocation list issued",
            file=REVOCATION_LIST,
            number=revocation_list.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number,
            entries=len(revocation_list),
            next_update=next_update.isoformat() if next_update is not None else None,
        )

    def _write(self, name: str, content: bytes) -> None:
        """Replace a published file whole: a reader sees the old one or the new one."""
        draft = self.path / f".{name}.new"
        draft.write_bytes(content)
        draft.replace(self.path / name)

    def _log(self, moment: datetime, event: str, **facts: object) -> None:
        line = {"at": moment.isoformat(timespec="seconds"), "event": event, **facts}
        with (self.path / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
