"""A worker that makes cards, put together as ``ISSUANCE_*`` sets it."""

from __future__ import annotations

from collections.abc import Mapping

from issuance_backend.blob_store.place import open_store
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.moments import Clock, utc_now
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.composition import workshop
from issuance_backend.personalization.demo_print_defect import DrawerWithBadPrints
from issuance_backend.personalization.service import CardLine
from issuance_backend.settings import IssuanceSettings, require_printer
from monitoring.database import Database
from monitoring.environment import read_settings


def create_card_line(
    settings: IssuanceSettings, database: Database, keys: ChipKeyPool, *, clock: Clock = utc_now
) -> CardLine:
    """A worker that makes cards with the settings of the office; tests hand in another clock."""
    require_printer(settings)
    pictures = Pictures(database, open_store(settings.store_place, database, clock))
    drawer = DrawerWithBadPrints if settings.demo_bad_print else CardDrawer
    machines = workshop(settings.pki_dir, drawer(settings.card_dir), pictures, keys, clock)
    return CardLine(database, machines, clock)


def card_line_from(environ: Mapping[str, str], database: Database, keys: ChipKeyPool) -> CardLine:
    """A worker that makes cards as ``ISSUANCE_*`` sets it."""
    return create_card_line(read_settings(IssuanceSettings, "ISSUANCE_", environ), database, keys)
