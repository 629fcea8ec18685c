"""What sealed packets and extracts are refused for; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import MalformedDocument, Refused, UntrustedDocument


class PacketMalformed(MalformedDocument):
    """An enrolment packet is not of the form that kits and centre agreed on."""

    code = "PACKET_MALFORMED"


class CitizenSignatureMissing(MalformedDocument):
    """An enrolment packet has no signature of the citizen, and no reason why not."""

    code = "PACKET_CITIZEN_SIGNATURE_MISSING"


class PacketSupervisorMissing(MalformedDocument):
    """Something was not captured, and nobody but the capturing officer answers for it."""

    code = "PACKET_SUPERVISOR_MISSING"


class CitizenConsentInvalid(MalformedDocument):
    """What the citizen agreed to is not the form that was printed, or they agreed after the sealing."""

    code = "PACKET_CONSENT_INVALID"


class PacketSignatureInvalid(UntrustedDocument):
    """An enrolment packet, or the receipt for one, was not signed by whom it names."""

    code = "PACKET_SIGNATURE_INVALID"


class PacketAltered(UntrustedDocument):
    """The content of an enrolment packet is not the one that was sealed."""

    code = "PACKET_ALTERED"


class CommuneExtractInvalid(UntrustedDocument):
    """A kit's extract of the registry was not sealed by the centre, or was altered."""

    code = "COMMUNE_EXTRACT_INVALID"


class CommuneExtractForeign(UntrustedDocument):
    """An extract of the registry was sealed for another kit."""

    code = "COMMUNE_EXTRACT_OF_ANOTHER_KIT"


class CommuneExtractExpired(Refused):
    """A kit's extract of the registry is too old to be relied upon."""

    code = "COMMUNE_EXTRACT_EXPIRED"
