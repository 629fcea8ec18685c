"""Whom we believe: country signing CAs, their revocation lists, and the document signers they made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from verification.errors import AlgorithmRefused, MalformedDocument, SignerUntrusted, VerificationError
from verification.pki.certificate import (
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    KEY_CERT_SIGN,
    Certificate,
    parse_certificate,
)
from verification.pki.public_keys import PublicKey, load_public_key
from verification.pki.revocation import RevocationList, parse_revocation_list
from verification.pki.signature_algorithms import signature_verifier

MAX_CACHED_SIGNERS = 1024
"""A signer serves about 100,000 cards (9303-12): enough for every card in circulation."""
MAX_CANDIDATES = 8
"""CSCA keys tried for one certificate: successors share a name, so there are a few."""


class Authority(NamedTuple):
    """A CSCA certificate whose key is trusted."""

    certificate: Certificate
    key: PublicKey


class DocumentSigner(NamedTuple):
    """A certificate that a trusted CSCA issued for signing documents, with that CSCA's lists."""

    certificate: Certificate
    key: PublicKey
    authority: Certificate
    revocation_lists: tuple[RevocationList, ...]


class Rejected(NamedTuple):
    """A file that was offered as trust and cannot be used: its SHA-256 and the fault code."""

    digest: str
    code: str
    reason: str


class _Lists(NamedTuple):
    generation: int
    by_issuer: Mapping[bytes, tuple[RevocationList, ...]]
    rejected: tuple[Rejected, ...]


class TrustStore:
    """Trusted CSCA keys; safe to share between threads.

    A self-signed certificate that is handed in is trusted because it was handed in. A link
    certificate is trusted only when a trusted key signed it. What cannot be used is listed in
    ``rejected``: the program that loads the store must say so to its operator.
    """

    def __init__(self, authorities: Iterable[Authority], rejected: Iterable[Rejected] = ()) -> None:
        self.authorities = tuple(authorities)
        self._rejected_certificates = tuple(rejected)
        self._by_key_id: dict[bytes, list[Authority]] = {}
        self._by_name: dict[bytes, list[Authority]] = {}
        for authority in self.authorities:
            key_id = authority.certificate.subject_key_id
            if key_id is not None:
                self._by_key_id.setdefault(key_id, []).append(authority)
            self._by_name.setdefault(authority.certificate.subject, []).append(authority)
        self._lists = _Lists(0, {}, ())
        self._signers: dict[tuple[bytes, int], DocumentSigner] = {}

    @classmethod
    def from_certificates(cls, csca: Iterable[bytes], crls: Iterable[bytes] = ()) -> TrustStore:
        """Build a store from DER certificates and revocation lists; never raises for one of them."""
        authorities, rejected = _trusted(csca)
        store = cls(authorities, rejected)
        store.replace_revocation_lists(crls)
        return store

    @classmethod
    def from_files(cls, contents: Iterable[bytes]) -> TrustStore:
        """Build a store from the contents of a trust folder: DER certificates and lists, in any order."""
        certificates, lists = [], []
        for content in contents:
            try:
                parse_revocation_list(content)
            except VerificationError:
                certificates.append(content)
            else:
                lists.append(content)
        return cls.from_certificates(certificates, lists)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The certificates, and the lists of the last replacement, that are not used."""
        return self._rejected_certificates + self._lists.rejected

    @property
    def generation(self) -> int:
        """Counts the replacements of the revocation lists."""
        return self._lists.generation

    def replace_revocation_lists(self, crls: Iterable[bytes]) -> None:
        """Use these lists from now on; ones that no trusted key signed stand in ``rejected``."""
        rejected: list[Rejected] = []
        by_issuer: dict[bytes, tuple[RevocationList, ...]] = {}
        for encoded in crls:
            try:
                revocation_list = parse_revocation_list(encoded)
                self._require_signed_list(revocation_list)
            except VerificationError as fault:
                rejected.append(_rejected(encoded, fault))
                continue
            by_issuer[revocation_list.issuer] = (*by_issuer.get(revocation_list.issuer, ()), revocation_list)
        # One assignment: a thread sees the old lists with the old number or the new with the new.
        self._lists = _Lists(self._lists.generation + 1, by_issuer, tuple(rejected))
        self._signers = {}

    def document_signer(self, encoded: bytes) -> DocumentSigner:
        """Return the signer when a trusted CSCA issued this certificate for signing documents.

        Raises SignerUntrusted, AlgorithmRefused or MalformedDocument. Only signers that passed
        are remembered, so that nobody can fill the memory with inventions.
        """
        lists = self._lists
        name = (hashlib.sha256(encoded).digest(), lists.generation)
        known = self._signers.get(name)
        if known is not None:
            return known
        certificate = parse_certificate(encoded)
        authority = self._issuer(certificate)
        _require_signs_documents(certificate, authority)
        key = load_public_key(certificate.public_key_info)
        revocation_lists = lists.by_issuer.get(certificate.issuer, ())
        signer = DocumentSigner(certificate, key, authority, revocation_lists)
        if len(self._signers) >= MAX_CACHED_SIGNERS:
            self._signers = {}
        self._signers[name] = signer
        return signer

    def _issuer(self, certificate: Certificate) -> Certificate:
        for authority in self._candidates(certificate.authority_key_id, certificate.issuer):
            if _is_signed_by(certificate, authority.key):
                return authority.certificate
        raise SignerUntrusted("no trusted CSCA issued the document signer")

    def _candidates(self, key_id: bytes | None, name: bytes) -> list[Authority]:
        """Keys that may have signed: by key identifier, then by name, which successors share."""
        candidates = [] if key_id is None else self._by_key_id.get(key_id, [])
        if not candidates or candidates[0].certificate.subject != name:
            candidates = candidates + self._by_name.get(name, [])
        return candidates if len(candidates) <= MAX_CANDIDATES else candidates[:MAX_CANDIDATES]

    def _require_signed_list(self, revocation_list: RevocationList) -> None:
        for authority in self._candidates(revocation_list.issuer_key_id, revocation_list.issuer):
            certificate = authority.certificate
            may_sign = (
                certificate.key_usage or 0
            ) & CRL_SIGN and certificate.subject == revocation_list.issuer
            if may_sign and _is_signed_by(revocation_list, authority.key):
                return
        raise SignerUntrusted("no trusted CSCA signed the revocation list")


def _require_signs_documents(certificate: Certificate, authority: Certificate) -> None:
    """The profile of a document signer (ICAO 9303-12, 7.1); raises SignerUntrusted."""
    if certificate.has_unknown_critical:
        raise SignerUntrusted("document signer has a critical extension that is not understood")
    # A CSCA issues other certificates too, for master lists for example; their holders are not
    # entitled to make documents. Those carry an extended key usage, a document signer has none.
    usage = certificate.key_usage
    if usage is None or not usage & DIGITAL_SIGNATURE or EXTENDED_KEY_USAGE in certificate.extensions:
        raise SignerUntrusted("certificate is not for signing documents")
    if certificate.is_authority:
        raise SignerUntrusted("document signer is an authority itself")
    if not authority.is_valid_at(certificate.not_before):
        raise SignerUntrusted("CSCA was not valid when it issued the document signer")


def _trusted(encoded: Iterable[bytes]) -> tuple[list[Authority], list[Rejected]]:
    authorities: list[Authority] = []
    links: list[Authority] = []
    rejected: list[Rejected] = []
    for content in dict.fromkeys(encoded):
        try:
            authority = _authority(content)
            signed_by_itself = _is_signed_by(authority.certificate, authority.key, allow_weak=True)
        except VerificationError as fault:
            rejected.append(_rejected(content, fault))
        else:
            (authorities if signed_by_itself else links).append(authority)
    authorities.extend(_reachable(authorities, links))
    for link in links:
        unproven = SignerUntrusted("neither self-signed nor signed by a trusted CSCA")
        rejected.append(_rejected(link.certificate.encoded, unproven))
    return authorities, rejected


def _reachable(authorities: list[Authority], links: list[Authority]) -> Iterator[Authority]:
    """Move links that a trusted key signed out of ``links``, until none is left that can be."""
    keys = [authority.key for authority in authorities]
    found = True
    while found:
        found = False
        for link in tuple(links):
            if any(_is_signed_by(link.certificate, key) for key in keys):
                links.remove(link)
                keys.append(link.key)
                found = True
                yield link


def _authority(encoded: bytes) -> Authority:
    certificate = parse_certificate(encoded)
    usage = certificate.key_usage
    if not certificate.is_authority or (usage is not None and not usage & KEY_CERT_SIGN):
        raise SignerUntrusted("certificate is not an authority")
    if certificate.has_unknown_critical:
        raise SignerUntrusted("authority has a critical extension that is not understood")
    return Authority(certificate, load_public_key(certificate.public_key_info))


def _is_signed_by(signed: Certificate | RevocationList, key: PublicKey, *, allow_weak: bool = False) -> bool:
    # A search, not a check: every caller raises when no key answers.
    try:
        verify = signature_verifier(signed.signature_algorithm, allow_weak=allow_weak)
        verify(key, signed.signature, signed.signed)
    except (InvalidSignature, AlgorithmRefused, MalformedDocument):
        return False
    return True


def _rejected(encoded: bytes, fault: VerificationError) -> Rejected:
    return Rejected(hashlib.sha256(encoded).hexdigest(), fault.code, str(fault))
