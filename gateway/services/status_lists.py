"""Lists of card states for counters without a network: made every so often, handed out as differences."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import timedelta

from gateway.domain.card_standing import Heard
from gateway.domain.refusals import StatusListUnavailable
from gateway.ports import CardStates, Clock, KeptList, StatusLists
from verification.errors import Unavailable
from verification.messages.signing_key import SigningKey
from verification.messages.status_list import (
    StatusListAnswer,
    StatusListDelta,
    StatusListHead,
    decode_keys,
    encode_keys,
    short_key,
    sign_head,
)

LOOK_SECONDS = 2.0

logger = logging.getLogger(__name__)


class StatusListMaker:
    """Makes the next list when its time has come. Two who do so at once make one list."""

    def __init__(
        self,
        states: CardStates,
        lists: StatusLists,
        clock: Clock,
        *,
        every: timedelta,
        origin: str,
        key: SigningKey,
    ) -> None:
        self._states = states
        self._lists = lists
        self._clock = clock
        self._every = every
        self._origin = origin
        self._key = key

    def run(self, stop: threading.Event) -> None:
        """Make lists until told to stop."""
        while not stop.wait(LOOK_SECONDS):
            try:
                self.make()
            except Unavailable as fault:
                logger.warning("no list of card states made", extra={"code": fault.code})

    def make(self) -> bool:
        """Make a list if one is due and the issuer is heard; an old list says by itself how old it is."""
        now, made_at = self._clock(), self._lists.made_at()
        is_due = made_at is None or now - made_at >= self._every
        if not is_due or not Heard(None, self._states.heard_at()).is_fresh(now):
            return False
        newest, cards = self._lists.newest(), self._states.not_good()
        if cards.at is None:  # it began to read everything again meanwhile
            return False
        before = set(decode_keys(newest.content)) if newest else set()
        keys = {short_key(status_key) for status_key in cards.withdrawn}
        content, epoch = encode_keys(keys), newest.epoch + 1 if newest else 1
        head = StatusListHead(
            iss=self._origin,
            epoch=epoch,
            as_of=cards.at.isoformat(timespec="seconds"),
            cards=len(keys),
            known=cards.known,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        delta = StatusListDelta(epoch, encode_keys(keys - before), encode_keys(before - keys))
        return self._lists.keep(KeptList(epoch, now, sign_head(head, self._key), content), delta)


def status_list(lists: StatusLists, since: int | None) -> StatusListAnswer:
    """The newest list: whole, or as the shorter way from the one that the caller has.

    Raises StatusListUnavailable while none was made.
    """
    newest = lists.newest()
    if newest is None:
        raise StatusListUnavailable("no list was made yet")
    deltas = None if since is None else lists.deltas_since(since)
    if deltas is None or _size(deltas) > len(newest.content):
        return StatusListAnswer(newest.head, content=newest.content)
    # One that was made between the two questions belongs to the next answer.
    return StatusListAnswer(newest.head, deltas=tuple(d for d in deltas if d.epoch <= newest.epoch))


def _size(deltas: tuple[StatusListDelta, ...]) -> int:
    return sum(len(delta.added) + len(delta.removed) for delta in deltas)
