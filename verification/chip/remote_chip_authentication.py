"""Chip authentication by someone who has no reader: the gateway.

The send sequence counter starts at zero and the chip's public key stands in DG14, so the
gateway makes the ephemeral key and the first protected commands in advance. An agent relays
them and learns no key; the checksums of the chip's answers prove the chip. That DG14 is the
issuer's is for passive authentication to show: an attacker's own DG14 passes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hmac import compare_digest

import msgspec

from verification.chip.chip_authentication import agree, choose_key
from verification.chip.keys import SessionKeys, Suite
from verification.chip.sessions import open_session
from verification.errors import ChipAuthenticationFailed, LimitExceeded, SecureMessagingFailed
from verification.iso7816 import status_word
from verification.iso7816.command import ODD_READ_OFFSET, CommandApdu, read_binary, select_file
from verification.lds.files import LdsFile
from verification.lds.template import MAX_FILE

_WINDOW = 0xDF  # answers in one frame on every reader known


@dataclass(frozen=True, slots=True, repr=False)
class RemoteChipAuthentication:
    """What the agent sends to the chip, and what the gateway keeps meanwhile.

    ``agent_wrapped`` are plain commands for the agent to protect with its own session;
    ``relayed`` are protected already and go to the chip as they are. ``state`` holds session
    keys: seal it before it leaves the process.
    """

    agent_wrapped: tuple[bytes, ...]
    relayed: tuple[bytes, ...]
    state: bytes


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dg14_sha256: bytes
    suite: str
    encryption: bytes
    checksum: bytes
    offset: int
    length: int

    def __repr__(self) -> str:
        return "_State(...)"


def begin(dg14: bytes, sod_length: int, *, random: Callable[[int], bytes]) -> RemoteChipAuthentication:
    """Prepare one chip authentication over the DG14 that an agent has read.

    ``sod_length`` is the size of EF.SOD in octets. Raises ChipAuthenticationUnsupported where
    DG14 offers none, MalformedDocument for a DG14 that cannot be parsed, LimitExceeded for an
    impossible size.
    """
    if not 0 < sod_length <= MAX_FILE:
        raise LimitExceeded(f"EF.SOD claims {sod_length} octets")
    agreement = agree(choose_key(dg14), random)
    offset, length = _window(sod_length, random)
    state = _State(
        dg14_sha256=hashlib.sha256(dg14).digest(),
        suite=agreement.suite.name,
        encryption=agreement.keys.encryption,
        checksum=agreement.keys.checksum,
        offset=offset,
        length=length,
    )
    return RemoteChipAuthentication(
        agent_wrapped=tuple(command.encode() for command in agreement.commands),
        relayed=tuple(
            open_session(agreement.suite, agreement.keys, 2 * index).protect(command)
            for index, command in enumerate(_probes(offset, length))
        ),
        state=msgspec.json.encode(state),
    )


def finish(state: bytes, responses: Sequence[bytes], *, dg14: bytes, sod: bytes) -> None:
    """Judge the chip's answers to ``relayed``, in their order.

    ``dg14`` and ``sod`` are the files of the evidence. Raises ChipAuthenticationFailed unless
    the chip holds the key to this very DG14 and carries this very EF.SOD.
    """
    kept = _read_state(state)
    if not compare_digest(hashlib.sha256(dg14).digest(), kept.dg14_sha256):
        raise ChipAuthenticationFailed("DG14 is not the one that was challenged")
    if len(responses) != len(_probes(kept.offset, kept.length)):
        raise ChipAuthenticationFailed(f"{len(responses)} answers")
    suite, keys = Suite[kept.suite], SessionKeys(kept.encryption, kept.checksum)
    # Each answer counts one more than its command.
    opened = [_opened(suite, keys, 2 * index + 1, answer) for index, answer in enumerate(responses)]
    window = sod[kept.offset : kept.offset + kept.length]
    if len(window) != kept.length or not compare_digest(opened[-1], window):
        raise ChipAuthenticationFailed("the chip carries another EF.SOD")


def _probes(offset: int, length: int) -> tuple[CommandApdu, ...]:
    return select_file(LdsFile.SOD.file_id), read_binary(offset, length)


def _window(sod_length: int, random: Callable[[int], bytes]) -> tuple[int, int]:
    """A random part of EF.SOD; never past its end, where some chips drop the session."""
    length = min(_WINDOW, sod_length)
    places = min(sod_length - length, ODD_READ_OFFSET - 1) + 1
    return int.from_bytes(random(8), "big") % places, length


def _read_state(state: bytes) -> _State:
    try:
        kept = msgspec.json.decode(state, type=_State)
    except msgspec.DecodeError:
        raise ChipAuthenticationFailed("the state is not one of ours") from None
    if kept.suite not in Suite.__members__:
        raise ChipAuthenticationFailed("the state names an unknown cipher")
    return kept


def _opened(suite: Suite, keys: SessionKeys, counter: int, answer: bytes) -> bytes:
    try:
        data, status = open_session(suite, keys, counter).unprotect(answer)
    except SecureMessagingFailed:
        raise ChipAuthenticationFailed("an answer carries no valid checksum") from None
    if status != status_word.SUCCESS:
        raise ChipAuthenticationFailed(f"status word {status:04X}")
    return data
