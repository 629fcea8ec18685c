"""DG1 and DG13 speak of one person: they were signed together, but a mix-up at issuance shows here."""

from __future__ import annotations

from verification.encoding.dates import yymmdd
from verification.encoding.mrz import Td1
from verification.errors import AccessDenied, HolderInconsistent, MalformedDocument
from verification.identity.citizen_number import citizen_number_in
from verification.identity.person_name import is_name_in_mrz
from verification.lds.dg13 import Dg13

_STATE_WITH_DG13 = "VNM"


def has_holder_twice(zone: object) -> bool:
    """Whether DG13 of a document with this zone holds the data of the same person."""
    return isinstance(zone, Td1) and zone.issuing_state == _STATE_WITH_DG13


def require_same_holder(zone: Td1, dg13: Dg13) -> None:
    """Number, birth, sex and name agree; else raises HolderInconsistent."""
    try:
        number = citizen_number_in(zone).digits
    except (MalformedDocument, AccessDenied):
        raise HolderInconsistent("machine readable zone holds no citizen number") from None
    if dg13.citizen_number != number:
        raise HolderInconsistent("citizen numbers differ")
    if not _is_same_birth(zone, dg13):
        raise HolderInconsistent("dates of birth differ")
    if dg13.sex is not None and dg13.sex != zone.sex:
        raise HolderInconsistent("sexes differ")
    if dg13.full_name is None or not is_name_in_mrz(dg13.full_name, zone):
        raise HolderInconsistent("names differ")


def _is_same_birth(zone: Td1, dg13: Dg13) -> bool:
    if dg13.date_of_birth is not None:
        return yymmdd(dg13.date_of_birth) == zone.date_of_birth
    # Some people know their year of birth only; the zone then has fillers for the day.
    return dg13.birth_year is None or f"{dg13.birth_year % 100:02d}" == zone.date_of_birth[:2]
