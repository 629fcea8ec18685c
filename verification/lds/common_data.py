"""EF.COM: versions and the list of data groups (ICAO 9303-10, 4.6.1). It is not signed."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.tlv import build, children
from verification.errors import MalformedDocument
from verification.lds.files import TAGS, LdsFile
from verification.lds.template import template_value

_LDS_VERSION = 0x5F01
_UNICODE_VERSION = 0x5F36
_TAG_LIST = 0x5C
_BY_TAG = {tag: file for file, tag in TAGS.items() if file.is_data_group}


@dataclass(frozen=True, slots=True)
class CommonData:
    """Versions as digits (``0107``, ``040000``) and the data groups the card claims to have."""

    lds_version: str
    unicode_version: str
    data_groups: tuple[LdsFile, ...]


def parse_common_data(encoded: bytes) -> CommonData:
    """Read EF.COM; raises MalformedDocument, also for a data group named twice or unknown."""
    parts = children(template_value(encoded, LdsFile.COM))
    if [part.tag for part in parts] != [_LDS_VERSION, _UNICODE_VERSION, _TAG_LIST]:
        raise MalformedDocument("EF.COM is not two versions and a tag list")
    lds_version, unicode_version, tag_list = (part.value for part in parts)
    return CommonData(_version(lds_version, 4), _version(unicode_version, 6), _data_groups(tag_list))


def build_common_data(common_data: CommonData) -> bytes:
    """Write EF.COM."""
    return build(
        LdsFile.COM.tag,
        build(_LDS_VERSION, common_data.lds_version.encode("ascii"))
        + build(_UNICODE_VERSION, common_data.unicode_version.encode("ascii"))
        + build(_TAG_LIST, bytes(file.tag for file in common_data.data_groups)),
    )


def _version(value: bytes, digits: int) -> str:
    if len(value) != digits or not value.isdigit():
        raise MalformedDocument(f"EF.COM version is not {digits} digits")
    return value.decode("ascii")


def _data_groups(tag_list: bytes) -> tuple[LdsFile, ...]:
    if len(set(tag_list)) != len(tag_list) or not set(tag_list) <= _BY_TAG.keys():
        raise MalformedDocument("EF.COM lists a data group twice or an unknown one")
    return tuple(_BY_TAG[tag] for tag in tag_list)
