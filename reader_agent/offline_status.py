"""What this counter knows of a card while the gateway does not answer: a signed list on its disk.

Nothing of it is in memory before a visit without a gateway, and the list itself never is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from monitoring.environment import ConfigurationFault
from reader_agent.ports import ListedStanding
from verification.errors import SignatureInvalid, StatusListInvalid, VerificationError
from verification.lds.dg13 import parse_dg13
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.messages.national_time import vietnam_date
from verification.messages.signing_key import PublicKey, public_key_of, thumbprint
from verification.messages.status_list import MAX_HEAD, StatusListHead, holds, read_head, short_key

_READ_BYTES = 65_536

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptStatusList:
    """A list on the disk: a line with its signed head, then its bytes."""

    path: Path
    head: StatusListHead
    line: bytes

    @classmethod
    def opened(cls, path: Path, keys: Mapping[str, PublicKey]) -> KeptStatusList:
        """The list, if a trusted key signed these very bytes; raises StatusListInvalid or OSError."""
        with path.open("rb") as file:
            line = file.readline(MAX_HEAD + 1)
            head = read_head(line.decode("ascii", "replace").rstrip("\n"), keys)
            if _digest(file) != head.sha256:
                raise StatusListInvalid("the list is not the one that was signed")
        return cls(path, head, line)

    def content(self) -> bytes:
        """The list's bytes."""
        return self.path.read_bytes().removeprefix(self.line)

    def lists(self, key: int) -> bool:
        """Whether the list names this key; raises StatusListInvalid for one renewed since it was opened."""
        with self.path.open("rb") as file:
            if file.read(len(self.line)) != self.line:
                raise StatusListInvalid("another list lies there now")

            def read(start: int, length: int) -> bytes:
                file.seek(len(self.line) + start)
                return file.read(length)

            return holds(read, key)


def write_status_list(path: Path, head: str, content: bytes) -> None:
    """Put a list in the place of the former one, whole or not at all."""
    made = path.with_suffix(".new")
    with made.open("wb") as file:
        file.write(head.encode() + b"\n" + content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def trusted_list_keys(folder: Path) -> dict[str, PublicKey]:
    """The gateway's keys, ``log_key*.jwk``, by thumbprint; raises ConfigurationFault for one that is none."""
    try:
        keys = [public_key_of(json.loads(path.read_bytes())) for path in sorted(folder.glob("log_key*.jwk"))]
    except (OSError, ValueError, AttributeError, SignatureInvalid) as fault:
        raise ConfigurationFault(f"trust folder, log_key*.jwk: {type(fault).__name__}") from None
    return {thumbprint(key): key for key in keys}


def listed_standing(
    path: Path, trust_dir: Path, files: Mapping[LdsFile, bytes], now: datetime
) -> ListedStanding | None:
    """What the list says of a card whose files are authentic; None where it can say nothing.

    A card that was issued on or after the list's day may be missing from it, whatever happened to it.
    """
    try:
        found = KeptStatusList.opened(path, trusted_list_keys(trust_dir))
        as_of = datetime.fromisoformat(found.head.as_of)
        signature = parse_security_object(files[LdsFile.SOD]).signer.signature
        listed = found.lists(short_key(status_key(signature)))
        issued_on = parse_dg13(files[LdsFile.DG13]).date_of_issue
    except (VerificationError, ConfigurationFault, OSError, ValueError, KeyError) as fault:
        logger.warning("no list of card states", extra={"fault": type(fault).__name__})
        return None
    if not listed and (issued_on is None or issued_on >= vietnam_date(as_of)):
        return None
    return ListedStanding(listed, max(0, round((now - as_of).total_seconds())))


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while part := file.read(_READ_BYTES):
        digest.update(part)
    return digest.hexdigest()
