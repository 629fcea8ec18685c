"""One issuer's PKI on disk: what is handed out, where the keys are, and who may use them.

``csca*.der``, ``link-*.der``, ``*.crl`` and ``masterlist.ml`` go to whoever verifies cards. Keys lie in
``keys/`` as encrypted files or in hardware tokens; the root keys open to custodians together, the
signers' keys to the office that makes cards.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import CeremonyPlan, period_of_use
from issuance_backend.csca.ceremony_log import FOUNDED, OPENED, LogFindings
from issuance_backend.csca.ceremony_session import CeremonySession
from issuance_backend.csca.custodians import (
    MIN_NEEDED,
    Custodian,
    entrust,
    put_together,
    require_dual_control,
)
from issuance_backend.csca.cv_authorities import CvPlan
from issuance_backend.csca.hardware_token import HardwareToken
from issuance_backend.csca.key_places import KeyFolder, KeyPlace
from issuance_backend.csca.master_list import sign_master_list
from issuance_backend.csca.pki_records import (
    LOG,
    MASTER_LIST,
    MASTER_LIST_SIGNER,
    SETTINGS,
    SIGNERS,
    PkiRecords,
    Settings,
    TokenName,
    signer_file,
)
from issuance_backend.csca.signer import CertifiedKey, write_secret
from issuance_backend.csca.signer_pool import SIGNER_QUOTA, CountedSigner, DocumentSignerPool, SignatureCount
from issuance_backend.csca.signing_algorithms import PublicKey, SigningAlgorithm
from issuance_backend.csca.terminal_admission import TerminalAdmission
from issuance_backend.refusals import CustodianNotProven, DualControlMissing, SigningKeyUnavailable
from verification.lds.card_verifiable import CardVerifiableCertificate

_KEYS = "keys"
_CUSTODIANS = "custodians"
_SIGNERS_FILE = "signers.secret"
_KEPT = ".passphrase"
_PASSPHRASE_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What the founding ceremony decides for good.

    Without custodians two are invented and their passphrases kept beside the keys: a demonstration
    that runs unattended, and says so. ``production`` takes custodians and hardware tokens;
    ``token_pins`` are those that root and signer token have so far, the root token gets another.
    """

    profile: str = "demo"
    custodians: tuple[Custodian, ...] = ()
    needed: int = MIN_NEEDED
    root_token: TokenName | None = None
    signer_token: TokenName | None = None
    token_pins: tuple[str, str] = field(default=("", ""), repr=False)
    signer_quota: int = SIGNER_QUOTA


class PkiDirectory:
    """The directory of a PKI; the moments are the caller's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = PkiRecords(path)

    # -- with custodians

    def create(self, plan: CeremonyPlan, moment: datetime, founding: Founding | None = None) -> None:
        """Hold the founding ceremony into this directory; refuses one that already holds keys."""
        decided = founding or Founding()
        custodians = decided.custodians or _invent_custodians()
        # Before anything is made: a ceremony that is refused can be held again.
        _require_honest(decided)
        require_dual_control(custodians, decided.needed)
        _require_tokens_open(decided)
        self._take_possession()
        secret = self._entrust(custodians, decided)
        self.records.save_settings(
            Settings(decided.profile, decided.root_token, decided.signer_token, decided.signer_quota)
        )
        self._hand_over_tokens(decided, secret)
        names = sorted(custodian.name for custodian in custodians)
        self.records.log.append(
            moment, FOUNDED, custodians=names, needed=decided.needed, profile=decided.profile
        )
        with self._session(secret, moment) as session:
            session.found(plan)

    @contextmanager
    def under_dual_control(
        self, custodians: Sequence[Custodian], moment: datetime, noted_head: str | None = None
    ) -> Iterator[CeremonySession]:
        """Open the root keys with enough custodians; what is done is sealed in the log at the end.

        ``noted_head`` is the log's head as a custodian wrote it down: an older log is refused.
        Raises DualControlMissing, CustodianNotProven, IssuingRecordsBroken.
        """
        self.records.settings()
        self.records.finish_interrupted()
        self.verify_log(noted_head)
        try:
            secret = put_together(self.path / _CUSTODIANS, custodians)
        except (CustodianNotProven, DualControlMissing) as refusal:
            self.records.log.append(moment, "custodians refused", code=refusal.code, given=len(custodians))
            raise
        with self._session(secret, moment) as session:
            if self.records.log.has_unsealed_session():
                self.records.log.seal(moment, session.csca)
            names = sorted(custodian.name for custodian in custodians)
            self.records.log.append(moment, OPENED, custodians=names)
            yield session

    def kept_custodians(self) -> tuple[Custodian, ...]:
        """The custodians of a demonstration, whose passphrases were kept; nobody's in production."""
        kept = sorted((self.path / _CUSTODIANS).glob(f"*{_KEPT}"))
        return tuple(Custodian(path.stem, path.read_bytes().strip()) for path in kept)

    # -- without custodians

    def open_document_signers(self) -> DocumentSignerPool:
        """The document signers in use, within their periods and quotas; raises SigningKeyUnavailable."""
        place = self._signers_place()
        settings = self.records.settings()

        def load() -> list[CountedSigner]:
            revoked = self.records.revoked()
            return [
                CountedSigner(signer, SignatureCount(self.records.count_file(name), settings.signer_quota))
                for name in self.records.signers()
                if self.records.count_file(name).exists()
                and (signer := self._signer(place, name)).certificate.serial_number not in revoked
            ]

        def version() -> Hashable:
            watched = [self.path / SIGNERS, *sorted(self.path.glob("*.crl"))]
            return tuple((path.name, path.stat().st_mtime_ns) for path in watched)

        return DocumentSignerPool(load, version)

    def issue_master_list(self, foreign: Iterable[bytes], moment: datetime) -> None:
        """Sign and publish our own CSCA certificates and links together with those of others."""
        self.records.finish_interrupted()
        authorities = [authority.certificate for authority in self.records.authorities()]
        links = map(self.records.read, self.records.published("link-*.der"))
        own = [certificate.public_bytes(Encoding.DER) for certificate in authorities]
        with self._open_signers() as place:
            signer = self._master_list_signer(place, authorities[0], moment)
            signed = sign_master_list([*own, *links, *foreign], signer, authorities[0], moment)
        self.records.publish(moment, MASTER_LIST, signed, "master list issued")

    def admit_terminal(
        self, plan: CvPlan, key: tuple[PublicKey, SigningAlgorithm], moment: datetime
    ) -> tuple[CardVerifiableCertificate, ...]:
        """Admit a terminal under the document verifier; returns its chain."""
        self.records.finish_interrupted()
        with self._open_signers() as place:
            return TerminalAdmission(self.records, moment).admit_terminal(place, plan, key)

    def verify_log(self, noted_head: str | None = None) -> LogFindings:
        """Walk the log and its seals; raises IssuingRecordsBroken."""
        return self.records.log.verify(
            [authority.certificate for authority in self.records.authorities()], noted_head
        )

    # -- places of keys

    @contextmanager
    def _session(self, secret: bytes, moment: datetime) -> Iterator[CeremonySession]:
        token = self.records.settings().root_token
        root = _place(token, self.path / _KEYS / "root", secret)
        try:
            with self._open_signers() as signers:
                session = CeremonySession(self.records, root, signers, moment)
                yield session
                self.records.log.seal(moment, session.csca)
        finally:
            root.close()

    @contextmanager
    def _open_signers(self) -> Iterator[KeyPlace]:
        place = self._signers_place()
        try:
            yield place
        finally:
            place.close()

    def _signers_place(self) -> KeyPlace:
        try:
            secret = (self.path / _KEYS / _SIGNERS_FILE).read_bytes().strip()
        except OSError:
            raise SigningKeyUnavailable(f"cannot read {_SIGNERS_FILE}") from None
        return _place(self.records.settings().signer_token, self.path / _KEYS / "signers", secret)

    def _signer(self, place: KeyPlace, name: str) -> CertifiedKey:
        algorithm = self.records.settings().algorithm_of(name)
        return CertifiedKey(place.open(name, algorithm), self.records.certificate(signer_file(name)))

    def _master_list_signer(
        self, place: KeyPlace, authority: x509.Certificate, moment: datetime
    ) -> CertifiedKey:
        certificate = self.records.certificate(MASTER_LIST_SIGNER)
        begin, end = period_of_use(certificate)
        if not _is_issued_by(certificate, authority) or not begin <= moment <= end:
            raise SigningKeyUnavailable("the master list signer is past its use: make the next one")
        name = f"mls-{self.records.issues_of(MASTER_LIST_SIGNER)}"
        return CertifiedKey(place.open(name, self.records.settings().algorithm_of(name)), certificate)

    # -- founding

    def _take_possession(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        # Keys may have been carried off to another medium: log and settings tell of them too.
        if any((self.path / name).exists() for name in (_KEYS, LOG, SETTINGS)):
            raise SigningKeyUnavailable(
                "this directory already holds keys, or the records of some: a ceremony takes an empty one"
            )
        (self.path / _KEYS).mkdir(mode=0o700)

    def _entrust(self, custodians: Sequence[Custodian], founding: Founding) -> bytes:
        secret = entrust(self.path / _CUSTODIANS, custodians, founding.needed)
        if not founding.custodians:
            for custodian in custodians:
                path = self.path / _CUSTODIANS / f"{custodian.name}{_KEPT}"
                write_secret(path, custodian.passphrase + b"\n")
        return secret

    def _hand_over_tokens(self, founding: Founding, secret: bytes) -> None:
        """From now on the root token opens to the custodians only; the signers' place to its office."""
        root_pin, signer_pin = founding.token_pins
        if founding.root_token is not None:
            with _opened(founding.root_token, root_pin) as token:
                token.change_pin(secret.decode("ascii"))
        kept = signer_pin if founding.signer_token is not None else secrets.token_hex(_PASSPHRASE_BYTES)
        write_secret(self.path / _KEYS / _SIGNERS_FILE, kept.encode("ascii") + b"\n")


def _invent_custodians() -> tuple[Custodian, ...]:
    return tuple(
        Custodian(name, secrets.token_hex(_PASSPHRASE_BYTES).encode("ascii"))
        for name in ("demo-first", "demo-second")
    )


def _require_honest(founding: Founding) -> None:
    """A demonstration must not be called production."""
    if founding.profile not in ("demo", "production"):
        raise ValueError("the profile is demo or production")
    if founding.signer_quota < 1:
        raise ValueError("a document signer signs one document at least")
    has_tokens = founding.root_token is not None and founding.signer_token is not None
    if founding.profile == "production" and not (founding.custodians and has_tokens):
        raise DualControlMissing("production takes named custodians, and hardware tokens for all keys")


def _require_tokens_open(founding: Founding) -> None:
    for name, pin in zip((founding.root_token, founding.signer_token), founding.token_pins, strict=True):
        if name is not None:
            with _opened(name, pin):
                pass


@contextmanager
def _opened(name: TokenName, pin: str) -> Iterator[HardwareToken]:
    token = HardwareToken(name.library, name.label, pin)
    try:
        yield token
    finally:
        token.close()


def _place(token: TokenName | None, folder: Path, secret: bytes) -> KeyPlace:
    if token is None:
        return KeyFolder(folder, secret)
    return HardwareToken(token.library, token.label, secret.decode("ascii"))


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return named == key
