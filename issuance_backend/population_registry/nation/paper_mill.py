"""Events of an invented nation and old papers about it, written by a program beside the one that draws.

Drawing people and writing what is said about them take about as long: two processors halve the time, and
the same seed gives the same bytes, as one program reads the portions in their order.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from issuance_backend.population_registry.matching.domain import Claim
from issuance_backend.population_registry.nation.events import events_of
from issuance_backend.population_registry.nation.old_records import OldRecord, old_record
from issuance_backend.population_registry.nation.people import NationPerson, NationPlan

_EVENT_YEARS = 2
_CLAIM_FIELDS = tuple(Claim.__dataclass_fields__)
_values_of_claim = attrgetter(*_CLAIM_FIELDS)
_THAT_IS_ALL = b""

Write = Callable[[Sequence[NationPerson]], None]
"""Takes portions of the people in their order; an empty one says that these were all."""


class PapersNotWritten(OSError):
    """The program that writes ended early; it said itself why."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Files of JSON lines: dated events, and what old papers say with every mistake labelled."""

    events: Path | None
    papers: Path | None
    plan: NationPlan

    def begin(self) -> None:
        """Empty the files."""
        for path in filter(None, (self.events, self.papers)):
            path.write_bytes(b"")

    def write(self, portions: Iterable[Sequence[NationPerson]]) -> None:
        """Append what is said about the people, whatever portions they come in."""
        since = self.plan.today - timedelta(days=_EVENT_YEARS * 365)
        # Not a secret: the same mistakes must come out again for the same seed.
        draw = random.Random(self.plan.seed).random  # noqa: S311
        for people in portions:
            if self.events:
                _append(self.events, events_of(people, since))
            if self.papers:
                _append(self.papers, (_paper(old_record(draw, person)) for person in people))


@contextmanager
def written_beside(wanted: Papers) -> Iterator[Write]:
    """Hand portions to a program beside this one; after the empty portion every file is written.

    Raises OSError for a file that cannot be made, and PapersNotWritten from a portion.
    """
    wanted.begin()
    if wanted.events is None and wanted.papers is None:
        yield lambda _people: None
        return
    # Not forked: this program has a database open.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    mill = context.Process(target=_mill, args=(wanted, theirs), daemon=True)
    mill.start()
    theirs.close()

    def hand_over(people: Sequence[NationPerson]) -> None:
        with suppress(BrokenPipeError):
            ours.send_bytes(msgspec.msgpack.encode(people) if people else _THAT_IS_ALL)
            if people:
                return
        mill.join()
        if mill.exitcode:
            raise PapersNotWritten(f"the program that writes papers ended with {mill.exitcode}")

    try:
        yield hand_over
    finally:
        ours.close()
        mill.join()


def _mill(wanted: Papers, portions: Connection) -> None:
    read = msgspec.msgpack.Decoder(list[NationPerson])
    gc.disable()  # people refer to no one in a circle
    try:
        wanted.write(map(read.decode, iter(portions.recv_bytes, _THAT_IS_ALL)))
    except EOFError:
        # Whoever draws the people gave up, and says why.
        return
    except OSError as fault:
        raise SystemExit(str(fault)) from None


def _append(path: Path, items: Iterator[object]) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.Encoder().encode_lines(list(items)))


def _paper(record: OldRecord) -> dict[str, Any]:
    return {
        "about": record.about,
        "mistakes": record.mistakes,
        "claim": _said(record.claim),
    }


def _said(claim: Claim) -> dict[str, Any]:
    said = dict(zip(_CLAIM_FIELDS, _values_of_claim(claim), strict=True))
    return {**said, "date_of_birth": claim.date_of_birth and claim.date_of_birth.text}
