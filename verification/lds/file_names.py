"""Which file of a card a file on disk is, by the names that readers and test sets give it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from verification.lds.files import LdsFile

_SEPARATORS = re.compile(r"[ _.\-]")
_NAME = re.compile(
    r"(?:ef)?(?:(?:dg|datagroup)(?P<group>\d{1,2})"
    r"|(?P<file>com|sod|cardaccess|cardsecurity|cvca)"
    r"|01(?P<identifier>[0-9a-f]{2}))(?:bin|dat|der)?"
)
_BY_WORD: Mapping[str, LdsFile] = {
    "com": LdsFile.COM,
    "sod": LdsFile.SOD,
    "cardaccess": LdsFile.CARD_ACCESS,
    "cardsecurity": LdsFile.CARD_SECURITY,
    "cvca": LdsFile.CVCA,
}
_BY_IDENTIFIER: Mapping[str, tuple[LdsFile, ...]] = {
    f"{identifier:02x}": tuple(file for file in LdsFile if file.file_id[1] == identifier)
    for identifier in {file.file_id[1] for file in LdsFile}
}


def file_of_name(name: str, content: bytes) -> LdsFile | None:
    """``EF_DG1.bin``, ``Datagroup1.bin`` and ``ef0101.bin`` are DG1; None for a name of no file.

    Two file identifiers mean another file in the master file than in the application: there the
    content's first octet decides.
    """
    found = _NAME.fullmatch(_SEPARATORS.sub("", name.casefold()))
    if found is None:
        return None
    if found["group"]:
        number = int(found["group"])
        return LdsFile(number) if LdsFile.DG1 <= number <= LdsFile.DG16 else None
    if found["file"]:
        return _BY_WORD[found["file"]]
    named = _BY_IDENTIFIER.get(found["identifier"], ())
    fitting = [file for file in named if content[:1] == bytes((file.tag,))]
    return next(iter(fitting or named), None)
