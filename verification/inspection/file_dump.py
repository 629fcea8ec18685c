"""What a file holds, for support: its kind and structure, without a person's data unless asked.

The kind is told by the content, not by the file's name. A data group's hash is left out as well:
who knows a person's data could find them again by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import rsa

from verification.encoding.object_identifier import build_oid
from verification.errors import MalformedDocument, VerificationError
from verification.inspection.protocol_names import parameters_name, protocol_name
from verification.inspection.tlv_outline import outline
from verification.lds.card_security import SECURITY_OBJECT, parse_card_security
from verification.lds.card_verifiable import CvEcKey, CvPublicKey, parse_cv_certificate
from verification.lds.common_data import parse_common_data
from verification.lds.dg1 import parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg3 import parse_dg3
from verification.lds.dg4 import parse_dg4
from verification.lds.dg13 import Dg13Field, parse_dg13
from verification.lds.dg15 import parse_dg15
from verification.lds.ef_cvca import parse_ef_cvca
from verification.lds.files import TAGS, LdsFile
from verification.lds.security_infos import SecurityInfos, parse_card_access, parse_dg14
from verification.lds.security_object import parse_security_object
from verification.lds.signed_data import SIGNED_DATA, SignedContent
from verification.lds.template import template_value
from verification.pki.certificate import parse_certificate
from verification.pki.distinguished_name import readable_name
from verification.pki.master_list import parse_master_list
from verification.pki.public_keys import PublicKey, load_public_key
from verification.pki.revocation import parse_revocation_list

Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class Dump:
    """A file's kind, what it says, and the outline of its data objects.

    ``fault`` is why the file cannot be read as its kind; then there are no facts.
    """

    kind: str
    size: int
    outline: list[str]
    facts: Facts = field(default_factory=dict)
    fault: VerificationError | None = None


def dump(encoded: bytes, *, with_person: bool = False) -> Dump:
    """Describe any file of a document or of its PKI; never raises for a bad one."""
    found = [_described(encoded, kind, describe) for kind, describe in _candidates(encoded)]
    best = next((one for one in found if one.fault is None), found[-1])
    if with_person and best.fault is None and best.kind in _PERSON:
        return replace(best, facts={**best.facts, "person": _PERSON[best.kind](encoded)})
    return best


def _described(encoded: bytes, kind: str, describe: Callable[[bytes], Facts]) -> Dump:
    try:
        return Dump(kind, len(encoded), outline(encoded), describe(encoded))
    except VerificationError as fault:
        return Dump(kind, len(encoded), outline(encoded), fault=fault)


def _candidates(encoded: bytes) -> list[tuple[str, Callable[[bytes], Facts]]]:
    """The kinds this may be, the likeliest last: its fault is the one that is told."""
    first = encoded[:1]
    if first == b"\x30":
        # A certificate begins with its version and a list with its own: neither has this so early.
        is_signed_data = build_oid(SIGNED_DATA) in encoded[:24]
        return [*(_SIGNED_DATA if is_signed_data else _SIGNED).items()]
    if encoded[:2] == b"\x7f\x21":
        return [("CV certificate", _cv_certificate)]
    for file, tag in TAGS.items():
        if first == bytes((tag,)):
            return [(_kind(file), _DESCRIBED.get(file, _template(file)))]
    return [("unknown", _unknown)]


def _kind(file: LdsFile) -> str:
    return _NAMES.get(file, file.name if file.is_data_group else f"EF.{file.name}")


_NAMES = {LdsFile.CARD_ACCESS: "EF.CardAccess", LdsFile.CARD_SECURITY: "EF.CardSecurity"}


def _unknown(_encoded: bytes) -> Facts:
    raise MalformedDocument("no file of a document or of its PKI begins like this")


def _template(file: LdsFile) -> Callable[[bytes], Facts]:
    def describe(encoded: bytes) -> Facts:
        return {"content_bytes": len(template_value(encoded, file))}

    return describe


def _common_data(encoded: bytes) -> Facts:
    found = parse_common_data(encoded)
    return {
        "lds_version": found.lds_version,
        "unicode_version": found.unicode_version,
        "data_groups": [file.name for file in found.data_groups],
    }


def _security_object(encoded: bytes) -> Facts:
    found = parse_security_object(encoded)
    return {
        "lds_version": found.lds_version,
        "lds_version_info": found.lds_version_info,
        "hash_algorithm": found.hash_algorithm,
        "data_groups": [file.name for file in found.hashes],
        **_signed(found),
    }


def _signed(found: SignedContent) -> Facts:
    signer = found.signer
    by_key_id = signer.subject_key_id is not None
    signing_time = signer.attributes.signing_time if signer.attributes else None
    return {
        "content_type": found.content_type,
        "signer_named_by": "key identifier" if by_key_id else "issuer and serial number",
        "digest_algorithm": signer.digest_algorithm,
        "signed_attributes": signer.attributes is not None,
        "signing_time": signing_time and signing_time.isoformat(),
        "certificates": [_certificate(certificate) for certificate in found.certificates],
    }


def _certificate(encoded: bytes) -> Facts:
    found = parse_certificate(encoded)
    return {
        "subject": readable_name(found.subject),
        "issuer": readable_name(found.issuer),
        "serial_number": found.serial_number.hex(),
        "not_before": found.not_before.isoformat(),
        "not_after": found.not_after.isoformat(),
        "authority": found.is_authority,
        "document_types": list(found.document_types),
        "subject_key_id": _hex(found.subject_key_id),
        "authority_key_id": _hex(found.authority_key_id),
        "key": _key(found.public_key_info),
    }


def _hex(octets: bytes | None) -> str | None:
    return None if octets is None else octets.hex()


def _key(public_key_info: bytes) -> str:
    try:
        return _key_name(load_public_key(public_key_info, accepts_legacy=True))
    except VerificationError as fault:
        return f"not usable: {fault}"


def _key_name(key: PublicKey) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}, exponent {key.public_numbers().e}"
    return f"EC {key.curve.name}"


def _revocation_list(encoded: bytes) -> Facts:
    found = parse_revocation_list(encoded)
    return {
        "issuer": readable_name(found.issuer),
        "this_update": found.this_update.isoformat(),
        "next_update": found.next_update.isoformat(),
        "number": found.number,
        "revoked": len(found.serial_numbers),
        "issuer_key_id": _hex(found.issuer_key_id),
    }


def _card_security(encoded: bytes) -> Facts:
    found = parse_card_security(encoded)
    if found.content_type != SECURITY_OBJECT:
        raise MalformedDocument("signed content is not a set of SecurityInfos")
    return {**_security_infos(found.security_infos), **_signed(found)}


def _master_list(encoded: bytes) -> Facts:
    found = parse_master_list(encoded)
    return {"members": len(found.members), **_signed(found)}


def _security_infos(infos: SecurityInfos) -> Facts:
    return {
        "pace": [
            {
                "protocol": protocol_name(info.protocol),
                "version": info.version,
                "parameters": parameters_name(info.parameter_id),
            }
            for info in infos.pace
        ],
        "chip_authentication": [
            {"protocol": protocol_name(info.protocol), "version": info.version, "key_id": info.key_id}
            for info in infos.chip_authentication
        ],
        "chip_authentication_keys": [
            {"key": _key(key.public_key_info), "key_id": key.key_id} for key in infos.chip_authentication_keys
        ],
        "active_authentication": [info.signature_algorithm for info in infos.active_authentication],
        "terminal_authentication": [info.version for info in infos.terminal_authentication],
        "unknown": [info.protocol for info in infos.unknown],
    }


def _dg1(encoded: bytes) -> Facts:
    zone = parse_dg1(encoded).zone
    return {
        "zone": type(zone).__name__.upper(),
        "document_code": zone.document_code,
        "issuing_state": zone.issuing_state,
    }


def _dg2(encoded: bytes) -> Facts:
    return {
        "portraits": [
            {
                "media_type": portrait.media_type,
                "width": portrait.width,
                "height": portrait.height,
                "bytes": len(portrait.image),
            }
            for portrait in parse_dg2(encoded).portraits
        ]
    }


def _dg3(encoded: bytes) -> Facts:
    return {
        "fingers": [
            {
                "position": finger.position.name.lower(),
                "media_type": finger.media_type,
                "width": finger.width,
                "height": finger.height,
                "bytes": len(finger.image),
            }
            for finger in parse_dg3(encoded).fingers
        ]
    }


def _dg4(encoded: bytes) -> Facts:
    return {
        "irises": [
            {"format": record.format.name, "bytes": len(record.data)} for record in parse_dg4(encoded).records
        ]
    }


def _dg13(encoded: bytes) -> Facts:
    found = parse_dg13(encoded)
    present = sorted([*found.fields, *found.unknown])
    return {
        "version": found.version,
        "fields": [_field_name(number) for number in present],
        "empty": [_field_name(number) for number, texts in sorted(found.fields.items()) if not any(texts)],
    }


def _field_name(number: int) -> str:
    known = number in Dg13Field.__members__.values()
    return f"{number} {Dg13Field(number).name.lower()}" if known else str(number)


def _dg15(encoded: bytes) -> Facts:
    return {"key": _key(parse_dg15(encoded).public_key_info)}


def _cvca(encoded: bytes) -> Facts:
    return {"trusted_keys": list(parse_ef_cvca(encoded))}


def _cv_certificate(encoded: bytes) -> Facts:
    found = parse_cv_certificate(encoded)
    return {
        "holder": found.holder_reference,
        "authority": found.authority_reference,
        "role": found.authorization.role.name,
        "rights": found.authorization.rights,
        "reads_dg3": found.authorization.reads_dg3,
        "reads_dg4": found.authorization.reads_dg4,
        "effective": found.effective.isoformat(),
        "expiration": found.expiration.isoformat(),
        "key": _cv_key(found.public_key),
    }


def _cv_key(public_key: CvPublicKey) -> str:
    key = public_key.key
    if not isinstance(key, CvEcKey):
        return f"RSA {key.modulus.bit_length()}, exponent {key.exponent}"
    return f"EC {key.curve.name if key.curve else 'on the curve of the CVCA'}"


def _zone_text(encoded: bytes) -> Facts:
    return {"mrz": parse_dg1(encoded).mrz}


def _holder_text(encoded: bytes) -> Facts:
    return {_field_name(number): list(texts) for number, texts in parse_dg13(encoded).fields.items()}


_DESCRIBED: Mapping[LdsFile, Callable[[bytes], Facts]] = {
    LdsFile.COM: _common_data,
    LdsFile.SOD: _security_object,
    LdsFile.DG1: _dg1,
    LdsFile.DG2: _dg2,
    LdsFile.DG3: _dg3,
    LdsFile.DG4: _dg4,
    LdsFile.DG13: _dg13,
    LdsFile.DG14: lambda encoded: _security_infos(parse_dg14(encoded)),
    LdsFile.DG15: _dg15,
    LdsFile.CARD_ACCESS: lambda encoded: _security_infos(parse_card_access(encoded)),
    LdsFile.CVCA: _cvca,
}
_SIGNED_DATA: Mapping[str, Callable[[bytes], Facts]] = {
    "master list": _master_list,
    "EF.CardSecurity": _card_security,
}
_SIGNED: Mapping[str, Callable[[bytes], Facts]] = {
    "certificate revocation list": _revocation_list,
    "certificate": _certificate,
}
_PERSON: Mapping[str, Callable[[bytes], Facts]] = {"DG1": _zone_text, "DG13": _holder_text}
