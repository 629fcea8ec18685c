"""Whether there is a figure of a name: a mistyped one must not look like a figure that is nought."""

from __future__ import annotations

from sqlalchemy import Connection

from issuance_backend.refusals import FigureUnknown
from issuance_backend.statistics import averages, figures, number_repository, repository
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.domain import count_of, into, measured_of

MISSING, STOCK = "missing.", "stock."
_COUNTED = ("in.", "out.", "time.", "cause.")
_DEFINED = ("clock.", "measured.", "band.")


def known_figure(connection: Connection, asked: str) -> str:
    """The figure that is asked for by its own name or a counter's, as it was recorded.

    Known are figures that are defined (``captured``, ``clock.local.late``), and of states, codes and kits
    those that anything was ever recorded of (``stock.card.active``). Raises FigureUnknown.
    """
    if not asked.startswith((MISSING, STOCK, *_COUNTED, *_DEFINED)):
        return count_of(vocabulary().counter(asked).id)
    if not _is_known(connection, asked):
        raise FigureUnknown("no figure of this name was ever counted")
    return asked


def _is_known(connection: Connection, figure: str) -> bool:
    if figure.startswith(MISSING):
        return number_repository.knows_kit(connection, figure.removeprefix(MISSING))
    if figure.startswith(_DEFINED):
        return figure in _defined()
    names = repository.figure_names(connection)
    if figure.startswith(STOCK):
        return into(*_place(figure.removeprefix(STOCK))) in names
    if figure.startswith("time."):
        return figure in figures.time_names(figures.places(names))
    # Nothing need have gone out of a state yet.
    return figure in names or figure.replace("out.", "in.", 1) in names


def _place(name: str) -> tuple[str, str]:
    kind, _, state = name.partition(".")
    return kind, state


def _defined() -> frozenset[str]:
    words = vocabulary()
    clocks = (f"clock.{clock.id}.{part}" for clock in words.clocks for part in figures.CLOCK_PARTS)
    measures = (measured_of(measure.id) for measure in words.measures)
    return frozenset((*clocks, *measures, *averages.band_names(words)))
