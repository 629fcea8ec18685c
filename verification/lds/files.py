"""The elementary files of the eMRTD application and of the master file (ICAO 9303-10, 3.4 and 3.11)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class LdsFile(IntEnum):
    """A file by its short EF identifier; a data group's value is its number.

    Two identifiers mean another file outside the application than inside it: the one that is
    less common carries 0x100 on top.
    """

    DG1 = 0x01
    DG2 = 0x02
    DG3 = 0x03
    DG4 = 0x04
    DG5 = 0x05
    DG6 = 0x06
    DG7 = 0x07
    DG8 = 0x08
    DG9 = 0x09
    DG10 = 0x0A
    DG11 = 0x0B
    DG12 = 0x0C
    DG13 = 0x0D
    DG14 = 0x0E
    DG15 = 0x0F
    DG16 = 0x10
    CARD_ACCESS = 0x1C
    SOD = 0x1D
    COM = 0x1E
    CVCA = 0x11C  # in the application, where EF.CardAccess cannot be selected
    CARD_SECURITY = 0x11D  # in the master file

    @property
    def file_id(self) -> bytes:
        """The two-byte file identifier for SELECT."""
        return bytes((0x01, self.value & 0xFF))

    @property
    def is_data_group(self) -> bool:
        """Whether EF.SOD signs a hash of this file."""
        return self <= LdsFile.DG16

    @property
    def tag(self) -> int:
        """The template tag that the file starts with."""
        return TAGS[self]


TAGS: Mapping[LdsFile, int] = {
    LdsFile.COM: 0x60,
    LdsFile.DG1: 0x61,
    LdsFile.DG2: 0x75,
    LdsFile.DG3: 0x63,
    LdsFile.DG4: 0x76,
    LdsFile.DG5: 0x65,
    LdsFile.DG6: 0x66,
    LdsFile.DG7: 0x67,
    LdsFile.DG8: 0x68,
    LdsFile.DG9: 0x69,
    LdsFile.DG10: 0x6A,
    LdsFile.DG11: 0x6B,
    LdsFile.DG12: 0x6C,
    LdsFile.DG13: 0x6D,
    LdsFile.DG14: 0x6E,
    LdsFile.DG15: 0x6F,
    LdsFile.DG16: 0x70,
    LdsFile.SOD: 0x77,
    LdsFile.CARD_ACCESS: 0x31,
    LdsFile.CVCA: 0x42,
    LdsFile.CARD_SECURITY: 0x30,
}

EF_CVCA_LENGTH = 36
"""Octets of EF.CVCA: two references of sixteen with tag and length, and zeros (TR-03110-3, A.7.2.4)."""

CardFiles = Mapping[LdsFile, bytes]
"""Files as they were read, whole and unchanged: hashes are taken over these bytes."""
