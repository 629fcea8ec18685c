"""What only the intake of sealed packets refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, Unavailable, UntrustedDocument


class PacketUnknown(Refused):
    """No packet with this hash was announced."""

    code = "PACKET_UNKNOWN"


class PacketSignerUnknown(UntrustedDocument):
    """The kit or the officer that a packet names has no such key here, or not at that time."""

    code = "PACKET_SIGNER_UNKNOWN"


class KeyInOwnName(Refused):
    """Four eyes: whoever signs packets did not admit the key themselves."""

    code = "KEY_IN_OWN_NAME"


class PacketSequenceTaken(UntrustedDocument):
    """The kit gave one running number to two packets."""

    code = "PACKET_SEQUENCE_TAKEN"


class PacketTooFarAhead(Refused):
    """The kit's numbers run too far ahead of what came before."""

    code = "PACKET_TOO_FAR_AHEAD"


class PacketClockAhead(Refused):
    """A kit says that it sealed a packet at a time that has not come."""

    code = "PACKET_CLOCK_AHEAD"


class PacketChunkRefused(Refused):
    """A chunk is not what its digest says, or does not belong where it was put."""

    code = "PACKET_CHUNK_REFUSED"


class PacketIncomplete(Refused):
    """Chunks of the packet are missing still."""

    code = "PACKET_INCOMPLETE"


class PacketContentRefused(UntrustedDocument):
    """The packet is signed, but nothing in it can be opened; its capture must be made again."""

    code = "PACKET_CONTENT_REFUSED"


class CommuneExtractRefused(Refused):
    """No registered kit asked for an extract of the registry, or it may have none."""

    code = "COMMUNE_EXTRACT_REFUSED"


class CommuneExtractTooLarge(Refused):
    """The unit that a kit is registered for has more people than an extract holds."""

    code = "COMMUNE_EXTRACT_TOO_LARGE"


class KitUnknown(Refused):
    """There is no such kit."""

    code = "KIT_UNKNOWN"


class SignerTaken(Refused):
    """This key or this kit is registered already."""

    code = "PACKET_SIGNER_TAKEN"


class IntakeKeyUnavailable(Unavailable):
    """The centre's keys for packets cannot be read."""

    code = "INTAKE_KEY_UNAVAILABLE"
    retryable = False


class IntakeStorageUnavailable(Unavailable):
    """The disk that packets are collected on cannot be used now; nothing was acknowledged."""

    code = "INTAKE_STORAGE_UNAVAILABLE"
