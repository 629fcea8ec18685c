"""Country signing CAs: which of the certificates that were handed in may issue (ICAO 9303-12, 7.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature

from verification.errors import AlgorithmRefused, MalformedDocument, SignerUntrusted, VerificationError
from verification.pki.certificate import KEY_CERT_SIGN, Certificate, parse_certificate
from verification.pki.distinguished_name import comparable_name, country_of
from verification.pki.public_keys import PublicKey, load_public_key
from verification.pki.signature_algorithms import signature_verifier
from verification.pki.signature_policy import STRICT, SignaturePolicy

MAX_CANDIDATES = 16
"""CSCA keys tried for one certificate: successors share a name, so there are a few."""


class Authority(NamedTuple):
    """The certificate of a CSCA, and what it and its maker are found by."""

    certificate: Certificate
    key: PublicKey
    name: str
    key_id: bytes | None
    country: str | None
    issuer_name: str
    issuer_key_id: bytes | None

    @property
    def names_itself(self) -> bool:
        """Whether the certificate says that its own key signed it.

        Equal names do not say so, a link often bears the name of its maker; the key identifiers do.
        """
        return self.issuer_name == self.name and self.issuer_key_id in (None, self.key_id)


class Refusal(NamedTuple):
    """A certificate that was offered as an authority, and why it is none."""

    encoded: bytes
    fault: VerificationError


class Signed(Protocol):
    """X.509's SIGNED macro: a certificate or a revocation list."""

    @property
    def signed(self) -> bytes:
        """The octets that were signed."""

    @property
    def signature_algorithm(self) -> bytes:
        """The encoded AlgorithmIdentifier."""

    @property
    def signature(self) -> bytes:
        """The signature value."""


def read_authority(encoded: bytes, policy: SignaturePolicy = STRICT) -> Authority:
    """Read a certificate whose key may sign certificates; nothing says yet that it is trusted.

    Raises MalformedDocument, AlgorithmRefused for its key, or SignerUntrusted.
    """
    certificate = parse_certificate(encoded)
    usage = certificate.key_usage
    if not certificate.is_authority or (usage is not None and not usage & KEY_CERT_SIGN):
        raise SignerUntrusted("certificate is not an authority")
    if certificate.has_unknown_critical:
        raise SignerUntrusted("authority has a critical extension that is not understood")
    country = certificate.country
    if country_of(certificate.issuer) != country:
        raise SignerUntrusted("authority of one country issued by another")
    return Authority(
        certificate,
        load_public_key(certificate.public_key_info, accepts_legacy=policy.accepts_legacy),
        comparable_name(certificate.subject),
        certificate.subject_key_id,
        country,
        comparable_name(certificate.issuer),
        certificate.authority_key_id,
    )


def is_self_signed(authority: Authority) -> bool:
    """Whether its own key signed it; SHA-1 will do, because this signature protects nothing."""
    return is_signed_by(authority.certificate, authority.key, accepts_legacy=True)


def trusted_authorities(
    encoded: Iterable[bytes], policy: SignaturePolicy = STRICT
) -> tuple[list[Authority], list[Refusal]]:
    """Sort certificates that an operator hands in into trusted ones and refused ones.

    A self-signed certificate is trusted because it was handed in. Every other one is a link and
    trusted when a trusted key signed it.
    """
    authorities: list[Authority] = []
    links: list[Authority] = []
    refused: list[Refusal] = []
    for content in dict.fromkeys(encoded):
        try:
            authority = read_authority(content, policy)
        except VerificationError as fault:
            refused.append(Refusal(content, fault))
        else:
            (authorities if is_self_signed(authority) else links).append(authority)
    proven, unproven = follow_links(authorities, links, policy)
    nobody = SignerUntrusted("neither self-signed nor signed by a trusted CSCA")
    refused.extend(Refusal(link.certificate.encoded, nobody) for link in unproven)
    return [*authorities, *proven], refused


def follow_links(
    authorities: Iterable[Authority], links: Iterable[Authority], policy: SignaturePolicy = STRICT
) -> tuple[list[Authority], list[Authority]]:
    """Divide links into those that lead on from a trusted authority, in any number of steps, and the rest.

    A link is asked for its signature by the authorities that it names, and by each of them once.
    """
    unproven = {link.certificate.encoded: link for link in links}
    by_issuer: dict[str | bytes | None, list[Authority]] = {}
    for link in unproven.values():
        for handle in {link.issuer_name, link.issuer_key_id} - {None}:
            by_issuer.setdefault(handle, []).append(link)
    tries: Counter[bytes] = Counter()
    proven: list[Authority] = []
    waiting = list(authorities)
    while waiting:
        issuer = waiting.pop()
        for link in (*by_issuer.get(issuer.name, ()), *by_issuer.get(issuer.key_id, ())):
            encoded = link.certificate.encoded
            if encoded not in unproven or tries[encoded] >= MAX_CANDIDATES:
                continue
            tries[encoded] += 1
            if _is_link(issuer, link, policy):
                proven.append(unproven.pop(encoded))
                waiting.append(link)
    return proven, list(unproven.values())


def _is_link(issuer: Authority, link: Authority, policy: SignaturePolicy) -> bool:
    """Whether the issuer made the link, while it was valid, for a successor in its own country.

    An authority that could make one for another country could sign that country's documents.
    """
    return (
        issuer.country == link.country
        and issuer.certificate.is_valid_at(link.certificate.not_before)
        and is_signed_by(link.certificate, issuer.key, accepts_legacy=policy.accepts_legacy)
    )


def is_signed_by(signed: Signed, key: PublicKey, *, accepts_legacy: bool = False) -> bool:
    """Whether this key made the signature. A search, not a check: callers raise when no key answers."""
    try:
        verify = signature_verifier(signed.signature_algorithm, accepts_legacy=accepts_legacy)
        verify(key, signed.signature, signed.signed)
    except (InvalidSignature, AlgorithmRefused, MalformedDocument):
        return False
    return True
