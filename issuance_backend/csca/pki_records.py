"""The files of an issuer's PKI and the log that vouches for them.

What is published stands in the log with its SHA-256: first the finished file is written aside, then
the log's line, then the file takes its place. A cut between two of these steps is made good by the
next command; a file that is another than the log says, be it older and genuine, is refused.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony_log import CeremonyLog
from issuance_backend.csca.crl import number_of
from issuance_backend.csca.signer_pool import SIGNER_QUOTA
from issuance_backend.csca.signing_algorithms import SigningAlgorithm
from issuance_backend.refusals import IssuingRecordsBroken, SigningKeyUnavailable

CSCA_CERTIFICATE = "csca.der"
REVOCATION_LIST = "csca.crl"
SIGNER_CERTIFICATE = "ds.der"
MASTER_LIST_SIGNER = "mls.der"
MASTER_LIST = "masterlist.ml"
LOG = "ceremony.log"
SIGNERS = "signers"
SETTINGS = "pki.json"

CERTIFICATE_ISSUED = "certificate issued"
LIST_ISSUED = "revocation list issued"


class TokenName(msgspec.Struct, frozen=True):
    """Which hardware token: the PKCS#11 library of its maker, and its label."""

    library: str
    label: str


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the keys lie and how they sign; no token means encrypted files.

    ``profile`` is ``demo``, where the custodians' passphrases lie beside the keys, or ``production``.
    """

    profile: str
    root_token: TokenName | None = None
    signer_token: TokenName | None = None
    signer_quota: int = SIGNER_QUOTA
    algorithms: dict[str, str] = msgspec.field(default_factory=dict)

    def algorithm_of(self, name: str) -> SigningAlgorithm:
        """How the key of this name signs; raises SigningKeyUnavailable for one never made."""
        algorithm = self.algorithms.get(name)
        if algorithm is None:
            raise SigningKeyUnavailable(f"no key {name} was ever made here")
        return SigningAlgorithm.named(algorithm)


class Authority(NamedTuple):
    """One of the CSCA's keys by its name, with the file of its certificate."""

    key: str
    file: str
    certificate: x509.Certificate


class PkiRecords:
    """One issuer's published files, settings and log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = CeremonyLog(path / LOG)

    def settings(self) -> Settings:
        """What was decided at the founding ceremony; raises SigningKeyUnavailable."""
        try:
            return msgspec.json.decode((self.path / SETTINGS).read_bytes(), type=Settings)
        except (OSError, msgspec.MsgspecError) as fault:
            reason = f"{SETTINGS}: {type(fault).__name__}"
            raise SigningKeyUnavailable(f"no ceremony was held into this directory ({reason})") from None

    def save_settings(self, settings: Settings) -> None:
        """Replace the settings whole."""
        draft = self.path / f".{SETTINGS}.new"
        _write_through(draft, msgspec.json.format(msgspec.json.encode(settings)) + b"\n")
        draft.replace(self.path / SETTINGS)

    def publish(self, moment: datetime, name: str, content: bytes, event: str, **facts: object) -> None:
        """Write a file and its line in the log, so that both stand or neither."""
        draft = self._draft(name)
        draft.parent.mkdir(exist_ok=True)
        _write_through(draft, content)
        self.log.append(moment, event, file=name, sha256=hashlib.sha256(content).hexdigest(), **facts)
        draft.replace(self.path / name)

    def publish_certificate(self, moment: datetime, name: str, certificate: x509.Certificate) -> None:
        """Publish a certificate with what an auditor asks for."""
        self.publish(
            moment,
            name,
            certificate.public_bytes(Encoding.DER),
            CERTIFICATE_ISSUED,
            subject=certificate.subject.rfc4514_string(),
            serial_number=f"{certificate.serial_number:x}",
            not_before=certificate.not_valid_before_utc.isoformat(),
            not_after=certificate.not_valid_after_utc.isoformat(),
        )

    def publish_list(self, moment: datetime, name: str, issued: x509.CertificateRevocationList) -> None:
        """Publish a revocation list."""
        next_update = issued.next_update_utc
        self.publish(
            moment,
            name,
            issued.public_bytes(Encoding.DER),
            LIST_ISSUED,
            issuer=issued.issuer.rfc4514_string(),
            number=number_of(issued),
            entries=len(issued),
            next_update=None if next_update is None else next_update.isoformat(),
        )

    def finish_interrupted(self) -> None:
        """Put a file in its place whose line is in the log already: a command was cut off there."""
        for entry in self.log.entries():
            draft = self._draft(str(entry["file"])) if "file" in entry else None
            if draft is not None and draft.exists() and _sha256(draft) == entry["sha256"]:
                draft.replace(self.path / str(entry["file"]))

    def read(self, name: str) -> bytes:
        """A published file; raises IssuingRecordsBroken where it is not the one the log names last."""
        entry = self.log.last(name)
        if entry is None:
            raise SigningKeyUnavailable(f"no {name} was issued here")
        # The one aside counts from the log's line on, also while it is being put in its place.
        for path in (self.path / name, self._draft(name)):
            content = path.read_bytes() if path.exists() else b""
            if entry["sha256"] == hashlib.sha256(content).hexdigest():
                return content
        raise IssuingRecordsBroken(f"{name} is not what was issued last under this name")

    def certificate(self, name: str) -> x509.Certificate:
        """A published certificate."""
        return x509.load_der_x509_certificate(self.read(name))

    def revocation_list(self, name: str) -> x509.CertificateRevocationList:
        """A published list."""
        return x509.load_der_x509_crl(self.read(name))

    def last_list_of(self, issuer: x509.Name) -> x509.CertificateRevocationList | None:
        """The list that was issued last under this name, None before the first."""
        name = issuer.rfc4514_string()
        for entry in reversed(self.log.entries()):
            if entry["event"] == LIST_ISSUED and entry.get("issuer") == name:
                return self.revocation_list(str(entry["file"]))
        return None

    def authorities(self) -> list[Authority]:
        """The CSCA's own certificates, the one in use first, then the former ones, youngest first."""
        generation = self.issues_of(CSCA_CERTIFICATE)
        current = Authority(_csca_key(generation), CSCA_CERTIFICATE, self.certificate(CSCA_CERTIFICATE))
        former = (Authority(_csca_key(n), *self._former(n)) for n in range(generation - 1, 0, -1))
        return [current, *former]

    def issues_of(self, name: str) -> int:
        """How often something was published under this name."""
        return sum(entry.get("file") == name for entry in self.log.entries())

    def published(self, pattern: str) -> list[str]:
        """Names under which something was ever published, the oldest first: the log tells, not the folder."""
        names = dict.fromkeys(str(entry["file"]) for entry in self.log.entries() if "file" in entry)
        return [name for name in names if fnmatchcase(name, pattern)]

    def revoked(self) -> frozenset[int]:
        """Serial numbers on the published lists."""
        lists = map(self.revocation_list, self.published("*.crl"))
        return frozenset(entry.serial_number for found in lists for entry in found)

    def signers(self) -> list[str]:
        """Names of all document signers there ever were, the oldest first."""
        return [PurePath(name).stem for name in self.published(signer_file("*"))]

    def count_file(self, signer: str) -> Path:
        """Where the signatures of a signer are counted; it is there as long as the signer is in use."""
        return self.path / SIGNERS / f"{signer}.count"

    def _former(self, generation: int) -> tuple[str, x509.Certificate]:
        name = former_file(generation)
        return name, self.certificate(name)

    def _draft(self, name: str) -> Path:
        path = self.path / name
        return path.with_name(f".{path.name}.new")


def former_file(generation: int) -> str:
    """Where the certificate of a CSCA key is kept after the next one took its place."""
    return f"csca-{generation}.der"


def signer_file(signer: str) -> str:
    """Where the certificate of a document signer lies."""
    return f"{SIGNERS}/{signer}.der"


def _csca_key(generation: int) -> str:
    return f"csca-{generation}"


def _write_through(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk before anything that relies on it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
