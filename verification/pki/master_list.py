"""Master lists: the country signing CAs that a State believes in, signed by it (ICAO 9303-12, 9).

A list is believed when a CSCA that is already trusted made its signer for this very purpose. Every
certificate in it is read and judged by itself, so that one that cannot be used hinders no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from verification.encoding.der_walk import require_end, step
from verification.encoding.tlv import INTEGER, SEQUENCE, SET
from verification.errors import (
    AlgorithmRefused,
    LimitExceeded,
    MalformedDocument,
    MasterListUntrusted,
    SecurityObjectInvalid,
    SignerNotValidThen,
    UntrustedDocument,
    VerificationError,
)
from verification.lds.signed_data import SignerInfo, parse_signed_file, read_signed_data
from verification.pki.authorities import (
    Authority,
    Refusal,
    follow_links,
    is_self_signed,
    is_signed_by,
    read_authority,
    trusted_authorities,
)
from verification.pki.certificate import DIGITAL_SIGNATURE, Certificate, parse_certificate
from verification.pki.cms_signature import (
    MAX_CARRIED,
    require_content_signature,
    require_named,
    signer_certificate,
)
from verification.pki.distinguished_name import readable_name
from verification.pki.public_keys import load_public_key
from verification.pki.signature_policy import STRICT, SignaturePolicy

MASTER_LIST = "2.23.136.1.1.2"
MASTER_LIST_SIGNER = "2.23.136.1.1.3"
"""The one extended key usage of who signs master lists."""

MAX_MASTER_LIST = 4 * 1024 * 1024
"""Bytes; the lists of 2026 have 0.6 to 1 MB."""
MAX_MEMBERS = 4_096

EXPIRED_SINCE = "CHIP_DS_EXPIRED_SINCE"

_VERSION_0 = b"\x00"


class MasterList(NamedTuple):
    """A list as it was read; nothing in it is trusted. ``members`` are encoded certificates."""

    content: bytes
    content_type: str
    signer: SignerInfo
    certificates: tuple[bytes, ...]
    members: tuple[bytes, ...]


class Members(NamedTuple):
    """The certificates of a list, each judged by itself.

    A member is proven when it signed itself or when another member, or a CSCA trusted before,
    made it as a link. The others are vouched for by the signature over the list alone.
    """

    authorities: tuple[Authority, ...]
    refused: tuple[Refusal, ...]
    self_signed: int
    links: int

    @property
    def unproven(self) -> int:
        """Members whose maker's key is not at hand."""
        return len(self.authorities) - self.self_signed - self.links


class RefusedMember(NamedTuple):
    """A certificate of the list that cannot be used, by its subject's name."""

    subject: str
    reason: str


class MasterListFindings(NamedTuple):
    """What an operator wants to know of a list before it is used.

    ``signature`` is a word of BSI TR-03135-1: ``successful``, ``failed``, or ``undetermined`` where
    no root was given to judge the signer by.
    """

    certificates: int
    loaded: int
    usable_keys: int
    signature: str
    signature_code: str | None
    signature_reason: str
    refused: tuple[RefusedMember, ...]
    members: Members


def parse_master_list(encoded: bytes) -> MasterList:
    """Take a master list apart; raises MalformedDocument or LimitExceeded.

    BER with indefinite lengths is rewritten first; everything else must be DER.
    """
    return parse_signed_file(encoded, _read, "master list", MAX_MASTER_LIST)


def _read(encoded: bytes) -> MasterList:
    content, content_type, signer, certificates = read_signed_data(encoded)
    if content_type != MASTER_LIST:
        raise MalformedDocument("signed content is no master list")
    if len(certificates) > MAX_CARRIED:
        raise LimitExceeded(f"master list that carries {len(certificates)} certificates")
    return MasterList(content, content_type, signer, certificates, _members(content))


def _members(content: bytes) -> tuple[bytes, ...]:
    """CscaMasterList: version 0 and a SET OF Certificate."""
    position, end = step(content, 0, SEQUENCE)
    start, position = step(content, position, INTEGER)
    if content[start:position] != _VERSION_0:
        raise MalformedDocument("version of the master list is not 0")
    position, members_end = step(content, position, SET)
    if not members_end == end == len(content):
        raise MalformedDocument("master list goes on after its certificates")
    found = []
    while position < end:
        begin = position
        _, position = step(content, begin, SEQUENCE)
        found.append(content[begin:position])
        if len(found) > MAX_MEMBERS:
            raise LimitExceeded(f"master list of more than {MAX_MEMBERS} certificates")
    require_end(position, end)
    return tuple(found)


def require_signed_list(
    master_list: MasterList, trusted: Sequence[Authority], policy: SignaturePolicy = STRICT
) -> Certificate:
    """The signer, made for this purpose by a trusted CSCA, signed the list while it was valid.

    Raises MasterListUntrusted, AlgorithmRefused or MalformedDocument.
    """
    signer = _signer(master_list)  # 1. who signed it
    _require_signs_lists(signer)  # 2. made for signing master lists
    issuer = _issuer(signer, [*trusted, *_links(master_list, trusted, policy)], policy)  # 3. by one we trust
    _require_valid_then(master_list, signer, issuer)  # 4. valid at that time
    _require_signature(master_list, signer, policy)  # 5. over this list
    return signer


def _signer(master_list: MasterList) -> Certificate:
    try:
        signer = parse_certificate(signer_certificate(master_list))
        require_named(master_list, signer)
    except SecurityObjectInvalid as fault:
        raise MasterListUntrusted(str(fault)) from None
    return signer


def _require_signs_lists(signer: Certificate) -> None:
    """The profile of a master list signer (9303-12, 7.1, table 6).

    Without the extended key usage any document signer could name country signing CAs.
    """
    if MASTER_LIST_SIGNER not in signer.extended_key_usages:
        raise MasterListUntrusted("the signer's certificate is not for signing master lists")
    if not (signer.key_usage or 0) & DIGITAL_SIGNATURE or signer.is_authority:
        raise MasterListUntrusted("the signer's certificate is not for signing")
    if signer.has_unknown_critical:
        raise MasterListUntrusted("the signer's certificate has a critical extension not understood")


def _links(
    master_list: MasterList, trusted: Sequence[Authority], policy: SignaturePolicy
) -> Iterable[Authority]:
    """Links beside the list that lead on from a trusted CSCA to the signer's."""
    carried = []
    for encoded in master_list.certificates:
        try:
            carried.append(read_authority(encoded, policy))
        except VerificationError:
            continue  # the signer's own certificate, or one that leads nowhere
    return follow_links(trusted, carried, policy)[0]


def _issuer(signer: Certificate, trusted: Iterable[Authority], policy: SignaturePolicy) -> Certificate:
    for authority in trusted:
        if authority.country == signer.country and is_signed_by(
            signer, authority.key, accepts_legacy=policy.accepts_legacy
        ):
            return authority.certificate
    raise MasterListUntrusted("no trusted CSCA made the signer of the list")


def _require_valid_then(master_list: MasterList, signer: Certificate, issuer: Certificate) -> None:
    attributes = master_list.signer.attributes
    if attributes is None or attributes.signing_time is None:
        raise MasterListUntrusted("the list does not say when it was signed")
    if not signer.is_valid_at(attributes.signing_time):
        raise MasterListUntrusted("the signer was not valid when it signed the list")
    if not issuer.is_valid_at(signer.not_before):
        raise MasterListUntrusted("the CSCA was not valid when it made the signer")


def _require_signature(master_list: MasterList, signer: Certificate, policy: SignaturePolicy) -> None:
    key = load_public_key(signer.public_key_info, accepts_legacy=policy.accepts_legacy)
    try:
        require_content_signature(master_list, key, policy)
    except SecurityObjectInvalid as fault:
        raise MasterListUntrusted(str(fault)) from None


def judge_members(
    master_list: MasterList, trusted: Sequence[Authority] = (), policy: SignaturePolicy = STRICT
) -> Members:
    """Judge every certificate of the list by itself; never raises for one of them."""
    proven: list[Authority] = []
    unproven: list[Authority] = []
    refused: list[Refusal] = []
    for encoded in dict.fromkeys(master_list.members):
        try:
            authority = read_authority(encoded, policy)
        except VerificationError as fault:
            refused.append(Refusal(encoded, fault))
            continue
        (proven if is_self_signed(authority) else unproven).append(authority)
    links, vouched = follow_links([*trusted, *proven], unproven, policy)
    broken = MasterListUntrusted("the certificate's signature by its own key does not verify")
    refused.extend(
        Refusal(authority.certificate.encoded, broken) for authority in vouched if authority.names_itself
    )
    kept = (authority for authority in vouched if not authority.names_itself)
    return Members((*proven, *links, *kept), tuple(refused), len(proven), len(links))


def examine_master_list(encoded: bytes, root: bytes | None, moment: datetime) -> MasterListFindings:
    """Judge a list and everything in it without using it; ``root`` is the CSCA certificate to trust.

    Raises MalformedDocument or LimitExceeded where the file is no master list.
    """
    master_list = parse_master_list(encoded)
    trusted = [] if root is None else trusted_authorities([root])[0]
    if root is None:
        signature = _Judgement("undetermined", MasterListUntrusted.code, "no root was given to judge it by")
    elif not trusted:
        signature = _Judgement("undetermined", MasterListUntrusted.code, "the root is not a usable CSCA")
    else:
        signature = _judge_signature(master_list, trusted, moment)
    members = judge_members(master_list, trusted)
    keys = [key for key in map(_has_usable_key, master_list.members) if key is not None]
    refused = tuple(
        RefusedMember(_subject(refusal.encoded), f"{refusal.fault.code}: {refusal.fault}")
        for refusal in members.refused
    )
    return MasterListFindings(len(master_list.members), len(keys), sum(keys), *signature, refused, members)


class _Judgement(NamedTuple):
    outcome: str
    code: str | None = None
    reason: str = ""


def _judge_signature(master_list: MasterList, trusted: Sequence[Authority], moment: datetime) -> _Judgement:
    try:
        signer = require_signed_list(master_list, trusted)
    except (MalformedDocument, UntrustedDocument) as fault:
        return _Judgement("failed", fault.code, str(fault))
    if moment < signer.not_before:
        return _Judgement("failed", SignerNotValidThen.code, "the signer is not valid yet")
    if moment > signer.not_after:
        # As with documents: what counts is that it was valid when it signed.
        return _Judgement("successful", EXPIRED_SINCE, "the signer has expired since it signed")
    return _Judgement("successful")


def _has_usable_key(member: bytes) -> bool | None:
    """None for a certificate that cannot be read, else whether its key can be used."""
    try:
        certificate = parse_certificate(member)
    except MalformedDocument:
        return None
    try:
        load_public_key(certificate.public_key_info)
    except (MalformedDocument, AlgorithmRefused):
        return False
    return True


def _subject(member: bytes) -> str:
    """The holder's name, or the certificate's SHA-256 where it cannot be read."""
    try:
        return readable_name(parse_certificate(member).subject)
    except MalformedDocument:
        return f"certificate with SHA-256 {hashlib.sha256(member).hexdigest()}"
