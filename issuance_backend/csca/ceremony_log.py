"""The ceremony's log: one JSON object a line, only ever added to, each line holding the last one's hash.

Changing, removing or adding a line inside breaks the chain. Whoever could rewrite the whole chain is
stopped by the seals: the CSCA signs the chain's head whenever its key was used, which takes two
custodians. Only the last session may lack its seal, cut off by a crash; the next one makes up for it.
Against putting an older log back whole, the custodians write the head down.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuance_backend.csca.signer import Signer
from issuance_backend.csca.signing_algorithms import SigningAlgorithm
from issuance_backend.refusals import IssuingRecordsBroken
from verification.errors import AlgorithmRefused
from verification.pki.public_keys import load_public_key
from verification.pki.signature_algorithms import signature_verifier

FOUNDED = "ceremony begun"
OPENED = "root keys opened"
SEALED = "log sealed"
_START = "0" * 64
_MAX_LOG = 64 * 1024 * 1024

Entry = Mapping[str, object]


class LogFindings(NamedTuple):
    """What an intact log says of itself: its lines, how many lie under a seal, and its head."""

    lines: int
    sealed: int
    head: str


class CeremonyLog:
    """One log file; ``authorities`` of ``verify`` are the CSCA certificates whose seals count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, moment: datetime, event: str, **facts: object) -> str:
        """Add a line and return the new head; raises IssuingRecordsBroken where the chain is broken."""
        return self._add(moment, event, lambda _: facts)

    def seal(self, moment: datetime, authority: Signer) -> None:
        """Have the CSCA sign the head."""
        self._add(moment, SEALED, lambda head: _seal(head, authority))

    def entries(self) -> list[Entry]:
        """All lines, the oldest first; raises IssuingRecordsBroken where the chain is broken."""
        # An auditor may read only, and whoever looks into a wrong directory must leave no log there.
        with self._opened(os.O_RDONLY) as file:
            return _chained(_read(file))

    def last(self, file: str) -> Entry | None:
        """The youngest line that says what was published under this name."""
        return next((entry for entry in reversed(self.entries()) if entry.get("file") == file), None)

    def has_unsealed_session(self) -> bool:
        """Whether the root keys were used and the log not sealed after it."""
        events = [entry["event"] for entry in self.entries()]
        return SEALED not in events or OPENED in events[_last(events, SEALED) :]

    def verify(self, authorities: Sequence[x509.Certificate], noted_head: str | None = None) -> LogFindings:
        """Walk chain and seals; ``noted_head`` is what a custodian wrote down and must be in it.

        Raises IssuingRecordsBroken.
        """
        entries = self.entries()
        known = {certificate.fingerprint(hashes.SHA256()).hex(): certificate for certificate in authorities}
        for entry in entries:
            if entry["event"] == SEALED:
                _require_seal(entry, known)
        _require_sealed_sessions(entries)
        if noted_head is not None and noted_head not in (entry["hash"] for entry in entries):
            raise IssuingRecordsBroken(
                "the log does not hold the head that was written down: it is an older one"
            )
        sealed = 1 + _last([entry["event"] for entry in entries], SEALED)
        return LogFindings(len(entries), sealed, _head(entries))

    def _add(self, moment: datetime, event: str, facts_at: Callable[[str], Entry]) -> str:
        with self._opened(os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
            entries = _chained(_read(file))
            head = _head(entries)
            entry: dict[str, object] = {
                **facts_at(head),
                "sequence": len(entries) + 1,
                "at": moment.isoformat(timespec="seconds"),
                "event": event,
                "previous": head,
            }
            entry["hash"] = _hash(entry)
            os.write(file, _line(entry) + b"\n")
            os.fsync(file)
        return str(entry["hash"])

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        """The file, held against other processes."""
        file = os.open(self._path, flags, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _read(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(os.dup(file), "rb") as reader:
        content = reader.read(_MAX_LOG + 1)
    if len(content) > _MAX_LOG:
        raise IssuingRecordsBroken("the log is longer than any that was written")
    return content


def _chained(content: bytes) -> list[Entry]:
    lines = content.split(b"\n")
    if lines.pop():
        raise IssuingRecordsBroken("the last line of the log is cut off")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        entry = _entry(line, number)
        if entry["sequence"] != number or entry["previous"] != _head(entries):
            raise IssuingRecordsBroken(f"line {number} of the log does not follow the line before it")
        if entry["hash"] != _hash(entry):
            raise IssuingRecordsBroken(f"line {number} of the log was changed")
        entries.append(entry)
    return entries


def _entry(line: bytes, number: int) -> Entry:
    try:
        entry = json.loads(line)
        # Written anew it must be the same line: a name that stands twice, or a space, would be unhashed.
        if _line(entry) == line and {"sequence", "at", "event", "previous", "hash"} <= entry.keys():
            return dict(entry)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise IssuingRecordsBroken(f"line {number} of the log is not a line of it") from None
    raise IssuingRecordsBroken(f"line {number} of the log is not written as the log writes")


def _line(entry: Entry) -> bytes:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _hash(entry: Entry) -> str:
    content = {name: fact for name, fact in entry.items() if name != "hash"}
    return hashlib.sha256(_line(content)).hexdigest()


def _head(entries: Sequence[Entry]) -> str:
    return str(entries[-1]["hash"]) if entries else _START


def _last(events: Sequence[object], event: str) -> int:
    return len(events) - 1 - list(reversed(events)).index(event)


def _require_sealed_sessions(entries: Sequence[Entry]) -> None:
    """No session of the root keys lacks its seal but the last one, and never the founding one."""
    is_open = False
    for entry in entries:
        if entry["event"] == OPENED and is_open:
            raise IssuingRecordsBroken(f"the log lacks a seal before line {entry['sequence']}")
        is_open = entry["event"] in (FOUNDED, OPENED) or (is_open and entry["event"] != SEALED)
    if SEALED not in (entry["event"] for entry in entries):
        raise IssuingRecordsBroken("the founding ceremony did not end: its log was never sealed")


def _to_be_sealed(head: str) -> bytes:
    return f"ceremony log {head}".encode("ascii")


def _seal(head: str, authority: Signer) -> Entry:
    return {
        "authority": authority.certificate.fingerprint(hashes.SHA256()).hex(),
        "algorithm": str(authority.algorithm),
        "signature": authority.sign(_to_be_sealed(head)).hex(),
    }


def _require_seal(entry: Entry, authorities: Mapping[str, x509.Certificate]) -> None:
    number = entry["sequence"]
    authority = authorities.get(str(entry.get("authority")))
    if authority is None:
        raise IssuingRecordsBroken(f"line {number} of the log was sealed by another CSCA")
    try:
        algorithm = SigningAlgorithm.named(str(entry["algorithm"]))
        signature = bytes.fromhex(str(entry["signature"]))
        key = load_public_key(
            authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        signature_verifier(algorithm.identifier)(key, signature, _to_be_sealed(str(entry["previous"])))
    except (InvalidSignature, AlgorithmRefused, ValueError, KeyError):
        raise IssuingRecordsBroken(f"the seal in line {number} of the log does not hold") from None
