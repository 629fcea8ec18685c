"""Whom we believe: country signing CAs, their revocation lists, and the document signers they made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from verification.errors import (
    AlgorithmRefused,
    RevocationListOutdated,
    SignerUntrusted,
    VerificationError,
)
from verification.pki.authorities import MAX_CANDIDATES, Authority, is_signed_by, trusted_authorities
from verification.pki.certificate import (
    CRL_SIGN,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    Certificate,
    parse_certificate,
)
from verification.pki.cms_signature import NONE, Departures
from verification.pki.defect_list import Defect, DefectList
from verification.pki.distinguished_name import comparable_name
from verification.pki.master_list import Members, judge_members, parse_master_list, require_signed_list
from verification.pki.public_keys import PublicKey, is_legacy_key, load_public_key
from verification.pki.revocation import RevocationList, parse_revocation_list, require_not_listed
from verification.pki.signature_algorithms import signature_algorithm, signature_verifier
from verification.pki.signature_policy import STRICT, Departure, SignaturePolicy

MAX_CACHED_SIGNERS = 1024
"""A signer serves about 100,000 cards (9303-12): enough for every card in circulation."""


class DocumentSigner(NamedTuple):
    """A certificate that a trusted CSCA issued for signing documents, with that CSCA's lists.

    ``departures`` says what was accepted by policy only, ``defects`` what is known to be wrong
    with the documents of this signer.
    """

    certificate: Certificate
    key: PublicKey
    authority: Certificate
    revocation_lists: tuple[RevocationList, ...]
    departures: Departures
    defects: tuple[Defect, ...]


class Rejected(NamedTuple):
    """A file that was offered as trust and cannot be used: its SHA-256 and the fault code."""

    digest: str
    code: str
    reason: str


class _Lists(NamedTuple):
    """One generation of revocation lists, and the signers that were judged by them."""

    generation: int
    by_name: Mapping[str, tuple[RevocationList, ...]]
    rejected: tuple[Rejected, ...]
    signers: dict[bytes, DocumentSigner]


class TrustStore:
    """Trusted CSCA keys; safe to share between threads.

    A self-signed certificate that is handed in is trusted because it was handed in. A link
    certificate is trusted only when a trusted key signed it, a master list only when a CSCA that
    was handed in made its signer. What cannot be used is listed in ``rejected``: the program that
    loads the store must say so to its operator.
    """

    def __init__(
        self,
        authorities: Iterable[Authority],
        rejected: Iterable[Rejected] = (),
        *,
        policy: SignaturePolicy = STRICT,
        defects: DefectList | None = None,
    ) -> None:
        self.authorities = tuple({known.certificate.encoded: known for known in authorities}.values())
        self.policy = policy
        self._defects = defects or DefectList()
        self._rejected_certificates = tuple(rejected)
        self._by_key_id: dict[bytes, list[Authority]] = {}
        self._by_name: dict[str, list[Authority]] = {}
        for authority in self.authorities:
            if authority.key_id is not None:
                self._by_key_id.setdefault(authority.key_id, []).append(authority)
            self._by_name.setdefault(authority.name, []).append(authority)
        self._lists = _Lists(0, {}, (), {})

    @classmethod
    def from_certificates(
        cls,
        csca: Iterable[bytes],
        crls: Iterable[bytes] = (),
        master_lists: Iterable[bytes] = (),
        *,
        policy: SignaturePolicy = STRICT,
        defects: DefectList | None = None,
    ) -> TrustStore:
        """Build a store from DER certificates and lists; never raises for one of them."""
        authorities, refused = trusted_authorities(csca, policy)
        rejected = [_rejected(refusal.encoded, refusal.fault) for refusal in refused]
        lists = tuple(crls)
        store = cls(authorities, rejected, policy=policy, defects=defects)
        store.replace_revocation_lists(lists)
        for encoded in master_lists:
            # Every list is judged by the CSCAs handed in: one list does not make another believed.
            try:
                members = store._members(encoded)
            except VerificationError as fault:
                rejected.append(_rejected(encoded, fault))
                continue
            authorities.extend(members.authorities)  # those it has in common are stored once
            rejected.extend(_rejected(refusal.encoded, refusal.fault) for refusal in members.refused)
        if len(authorities) + len(rejected) > len(store.authorities) + len(refused):
            store = cls(authorities, rejected, policy=policy, defects=defects)
            store.replace_revocation_lists(lists)
        return store

    @classmethod
    def from_files(
        cls,
        contents: Iterable[bytes],
        further_lists: Iterable[bytes] = (),
        *,
        policy: SignaturePolicy = STRICT,
        defects: DefectList | None = None,
    ) -> TrustStore:
        """Build a store from the contents of a trust folder, in any order.

        They are DER certificates, revocation lists and master lists. ``further_lists`` count as
        revocation lists only: they come from the network, and nothing else there is to be trusted.
        """
        certificates, crls, master_lists = [], [*further_lists], []
        for content in contents:
            if _can_read(parse_revocation_list, content):
                crls.append(content)
            elif _can_read(parse_master_list, content):
                master_lists.append(content)
            else:
                certificates.append(content)
        return cls.from_certificates(certificates, crls, master_lists, policy=policy, defects=defects)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The certificates, and the lists of the last replacement, that are not used."""
        return self._rejected_certificates + self._lists.rejected

    @property
    def generation(self) -> int:
        """Counts the replacements of the revocation lists."""
        return self._lists.generation

    def replace_revocation_lists(self, crls: Iterable[bytes]) -> None:
        """Use these lists from now on; ones that no trusted key signed stand in ``rejected``.

        A list with a lower number than one of the same issuer in use until now is rejected as well,
        and the one in use stays: an old list put back would make revoked signers good again.
        """
        rejected: list[Rejected] = []
        by_name: dict[str, tuple[RevocationList, ...]] = {}
        for encoded in crls:
            try:
                revocation_list = parse_revocation_list(encoded)
                name = self._require_signed_list(revocation_list)
                self._require_not_older(revocation_list, name)
            except RevocationListOutdated as fault:
                rejected.append(_rejected(encoded, fault))
                by_name.setdefault(name, self._lists.by_name[name])
            except VerificationError as fault:
                rejected.append(_rejected(encoded, fault))
            else:
                by_name[name] = (*by_name.get(name, ()), revocation_list)
        # One assignment: a thread sees the old lists with their signers or the new ones with none.
        self._lists = _Lists(self._lists.generation + 1, by_name, tuple(rejected), {})

    def document_signer(self, encoded: bytes) -> DocumentSigner:
        """Return the signer when a trusted CSCA issued this certificate for signing documents.

        Raises SignerUntrusted, AlgorithmRefused or MalformedDocument. Only signers that passed
        are remembered, so that nobody can fill the memory with inventions.
        """
        lists = self._lists
        known = lists.signers.get(encoded)
        if known is not None:
            return known
        certificate = parse_certificate(encoded)
        authority = self._issuer(certificate)
        _require_signs_documents(certificate, authority)
        signer = DocumentSigner(
            certificate,
            load_public_key(certificate.public_key_info, accepts_legacy=self.policy.accepts_legacy),
            authority.certificate,
            lists.by_name.get(authority.name, ()),
            NONE,
            self._defects.of(encoded),
        )
        if self.policy.accepts_legacy:  # otherwise what is weak has been refused on the way here
            signer = signer._replace(departures=_departures(signer, authority.key))
        if len(lists.signers) >= MAX_CACHED_SIGNERS:
            lists.signers.clear()
        lists.signers[encoded] = signer
        return signer

    def _issuer(self, certificate: Certificate) -> Authority:
        verify = signature_verifier(
            certificate.signature_algorithm, accepts_legacy=self.policy.accepts_legacy
        )
        for authority in self._candidates(certificate.authority_key_id, certificate.issuer):
            try:
                verify(authority.key, certificate.signature, certificate.signed)
            except (InvalidSignature, AlgorithmRefused):
                continue  # Another key of this name, perhaps of another kind.
            return authority
        raise SignerUntrusted("no trusted CSCA issued the document signer")

    def _candidates(self, key_id: bytes | None, name: bytes) -> Iterator[Authority]:
        """Keys that may have signed: by key identifier, then by name, which successors share."""
        by_key_id = [] if key_id is None else self._by_key_id.get(key_id, [])
        yield from by_key_id[:MAX_CANDIDATES]
        by_name = self._by_name.get(comparable_name(name), [])
        yield from [authority for authority in by_name if authority not in by_key_id][:MAX_CANDIDATES]

    def _require_signed_list(self, revocation_list: RevocationList) -> str:
        """Return the name of the CSCA that signed the list, while it was valid, for its own name."""
        name = comparable_name(revocation_list.issuer)
        for authority in self._candidates(revocation_list.issuer_key_id, revocation_list.issuer):
            certificate = authority.certificate
            may_sign = (certificate.key_usage or 0) & CRL_SIGN and authority.name == name
            if may_sign and is_signed_by(
                revocation_list, authority.key, accepts_legacy=self.policy.accepts_legacy
            ):
                if not certificate.is_valid_at(revocation_list.this_update):
                    raise SignerUntrusted("CSCA was not valid when it signed the revocation list")
                return name
        raise SignerUntrusted("no trusted CSCA signed the revocation list")

    def _require_not_older(self, revocation_list: RevocationList, name: str) -> None:
        number = revocation_list.number
        for used in self._lists.by_name.get(name, ()):
            if number is not None and used.number is not None and number < used.number:
                raise RevocationListOutdated("revocation list is older than the one in use")

    def _members(self, encoded: bytes) -> Members:
        """Import a master list whose signer a CSCA of this store made; raises VerificationError."""
        master_list = parse_master_list(encoded)
        signer = require_signed_list(master_list, self.authorities, self.policy)
        require_not_listed(signer, self._lists.by_name.get(comparable_name(signer.issuer), ()))
        return judge_members(master_list, self.authorities, self.policy)


def _require_signs_documents(certificate: Certificate, authority: Authority) -> None:
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
    # Otherwise any State in the store could make signers of all the others.
    if certificate.country != authority.country:
        raise SignerUntrusted("document signer names another country than its CSCA")
    if not authority.certificate.is_valid_at(certificate.not_before):
        raise SignerUntrusted("CSCA was not valid when it issued the document signer")


def _departures(signer: DocumentSigner, authority_key: PublicKey) -> Departures:
    is_legacy = (
        signature_algorithm(signer.certificate.signature_algorithm).is_legacy
        or is_legacy_key(authority_key)
        or is_legacy_key(signer.key)
    )
    return frozenset({Departure.LEGACY_ALGORITHM}) if is_legacy else NONE


def _can_read(parse: Callable[[bytes], object], content: bytes) -> bool:
    try:
        parse(content)
    except VerificationError:
        return False
    return True


def _rejected(encoded: bytes, fault: VerificationError) -> Rejected:
    return Rejected(hashlib.sha256(encoded).hexdigest(), fault.code, str(fault))
