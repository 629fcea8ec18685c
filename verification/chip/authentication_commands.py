"""Commands that carry a public key, which may be longer than a short command (ICAO 9303-11, 9.3)."""

from __future__ import annotations

from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import SHORT_MAX_EXPECTED, CommandApdu

# Data that stay in a short command under secure messaging too. Keys on every curve do; those of
# Diffie-Hellman with 2048 bits do not.
_SHORT = 200
# Room for the chip's own key of the same length and its data objects.
_ANSWER_ROOM = 1024


def exchange_key(channel: Channel, command: CommandApdu) -> tuple[bytes, int]:
    """Send GENERAL AUTHENTICATE or MSE:Set KAT in one command, whatever its length.

    Chaining means something else in GENERAL AUTHENTICATE, and a chip whose keys need it has to
    know extended length (9.3.1.1, 9.3.2). Where it says that it does not, the command goes in pieces.
    """
    if len(command.data) <= _SHORT:
        return channel.exchange(command)
    found = channel.extended_length
    channel.extended_length = True
    try:
        data, status = channel.exchange(_with_room(command))
    finally:
        channel.extended_length = found
    if status == status_word.WRONG_LENGTH and not found and not channel.is_session_lost:
        return channel.exchange(command)
    return data, status


def _with_room(command: CommandApdu) -> CommandApdu:
    return command._replace(expected=_ANSWER_ROOM) if command.expected == SHORT_MAX_EXPECTED else command
