"""``python -m reader_agent.status_list_fetch``: bring this counter's list of card states up to date.

Run it every quarter of an hour (cron, a systemd timer, the task scheduler). It is a program of its own, so
that a serving counter pays no memory for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from monitoring.environment import ConfigurationFault
from monitoring.logs import configure
from reader_agent import exit_codes
from reader_agent.app import gateway_client, settings_from
from reader_agent.gateway_client import GatewayClient
from reader_agent.offline_status import KeptStatusList, trusted_list_keys, write_status_list
from verification.errors import StatusListInvalid, VerificationError
from verification.messages.signing_key import PublicKey
from verification.messages.status_list import (
    StatusListAnswer,
    StatusListHead,
    read_head,
    require_content,
    updated,
)

MAX_ANSWER_BYTES = 67_108_864
"""The list of 20 million cards that are not good."""

SECONDS = 120.0


def fetch(client: GatewayClient, path: Path, keys: Mapping[str, PublicKey]) -> StatusListHead:
    """Renew the list at ``path``; what is there stays when the new one is not what was signed.

    Raises Unavailable, GatewayRefusal or StatusListInvalid.
    """
    kept = _kept(path, keys)
    answer, head = _asked(client, keys, kept, f"?since={kept.head.epoch}" if kept else "")
    try:
        content = _content(answer, head, kept)
    except StatusListInvalid:
        # A gateway that was put back from a copy gives its numbers to other lists, from which ours does not
        # differ by what it says: the whole list says where it is.
        answer, head = _asked(client, keys, kept, "")
        content = _content(answer, head, None)
    write_status_list(path, answer.head, content)
    return head


def _asked(
    client: GatewayClient, keys: Mapping[str, PublicKey], kept: KeptStatusList | None, since: str
) -> tuple[StatusListAnswer, StatusListHead]:
    body = client.get(f"/v1/status-snapshot{since}", MAX_ANSWER_BYTES)
    try:
        answer = msgspec.json.decode(body, type=StatusListAnswer)
    except (msgspec.DecodeError, RecursionError):
        raise StatusListInvalid("the answer is none of the contract's") from None
    head = read_head(answer.head, keys)
    # An older list than the one at hand would hide what was withdrawn since.
    if kept and head.iss == kept.head.iss and head.epoch < kept.head.epoch:
        raise StatusListInvalid("the list is older than the one at hand")
    return answer, head


def _content(answer: StatusListAnswer, head: StatusListHead, kept: KeptStatusList | None) -> bytes:
    if answer.content is not None:
        require_content(answer.content, head)
        return answer.content
    if kept is None:
        raise StatusListInvalid("differences came, and there is nothing here that they differ from")
    return updated(kept.content(), answer.deltas, head)


def _kept(path: Path, keys: Mapping[str, PublicKey]) -> KeptStatusList | None:
    try:
        return KeptStatusList.opened(path, keys)
    except (OSError, StatusListInvalid):
        return None  # none yet, or one that nobody can use: the whole list is fetched


def main() -> int:
    """Fetch once; 0 done, 2 wrong settings, 6 the list at hand stays."""
    configure("reader_agent")
    try:
        settings = settings_from(os.environ)
        if settings.status_list is None:
            raise ConfigurationFault("AGENT_STATUS_LIST is not set")
        client = gateway_client(settings, seconds=SECONDS)
        head = fetch(client, settings.status_list, trusted_list_keys(settings.trust_dir))
    except ConfigurationFault as faults:
        sys.stderr.write(f"{faults}\n")
        return exit_codes.USAGE
    except VerificationError as fault:
        sys.stderr.write(f"{fault.code}\n")
        return exit_codes.OFFLINE
    sys.stdout.write(f"list {head.epoch} as of {head.as_of}: {head.cards} of {head.known} cards\n")
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
