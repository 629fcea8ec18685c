"""``python -m issuance_backend.population_registry housekeeping``: what nobody waits for at the registry.

Answers kept for repeated requests and readings of two years ago are forgotten, forms that nothing confirmed
for 24 months become stale, clean ones of before likeness was compared are compared, pictures of settled forms
are erased when their time is over and their store is swept where one is set, entries that changed are indexed
for matching, and the filters that kits take along are made once a day. Any number of programs may do it at
once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from issuance_backend import housekeeping
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import Clock, utc_now
from issuance_backend.population_registry.dc01.form_desk import FormDesk
from issuance_backend.population_registry.dc01.scan_desk import ScanDesk
from issuance_backend.population_registry.extracts.service import ExtractDesk
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.storage import registry_store
from issuance_backend.population_registry.units.service import UnitOffice
from monitoring.database import Database

PAUSE_SECONDS = 3600.0
"""A round looks at every entry."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    housekeeping.add_options(parser, PAUSE_SECONDS)


def run(
    options: argparse.Namespace, environ: Mapping[str, str], database: Database, clock: Clock = utc_now
) -> str:
    """Do what was asked and say what was done; raises ConfigurationFault and ValueError."""
    units = UnitOffice(database, clock)
    store = registry_store(environ, database, clock)
    forms = FormDesk(database, clock, units)
    duties: dict[str, Callable[[], int]] = {
        "old requests forgotten": RequestRegister(database, clock).purge,
        "readings forgotten": ReadBook(database, clock).forget,
        "forms stale": forms.age,
        "older forms doubtful": forms.judge_older,
        "pictures of forms erased": ScanDesk(database, clock, forms, store).erase,
        **({} if store is None else {"objects swept": store.sweep}),
        "entries indexed": MatchingDesk(database, clock).refresh,
        "people in new filters": ExtractDesk(database, clock, units).renew,
    }
    return housekeeping.keep_house(options, duties)
