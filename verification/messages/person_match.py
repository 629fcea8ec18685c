"""Who in the registry may be meant: asked where a number is missing, and before a new one is given."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

LIKELY = "likely"

NameText = Annotated[str, msgspec.Meta(max_length=200)]
PlaceText = Annotated[str, msgspec.Meta(max_length=400)]


class MatchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a paper or a person says; texts may be in Unicode, TCVN3, VNI or VIQR.

    ``date_of_birth`` is yyyy-mm-dd, dd/mm/yyyy, mm/yyyy or yyyy; ``number`` has 9 or 12 digits. With
    ``others_than`` only those are told who are likely, and another person than whoever has that number: each
    once, by the number that stands.
    """

    full_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    date_of_birth: Annotated[str, msgspec.Meta(max_length=12)] | None = None
    sex: Literal["M", "F"] | None = None
    number: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    place_of_origin: PlaceText | None = None
    residence: PlaceText | None = None
    father: NameText | None = None
    mother: NameText | None = None
    others_than: Annotated[str, msgspec.Meta(max_length=12)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10


class MatchEvidence(msgspec.Struct, frozen=True):
    """One field's say: how it agrees, and bits for (below zero: against) the same person."""

    field: str
    level: str
    bits: float


class MatchCandidate(msgspec.Struct, frozen=True):
    """A number of the registry; ``likeness`` is likely or possible, and nothing follows from it alone."""

    citizen_number: str
    likeness: str
    bits: float
    evidence: tuple[MatchEvidence, ...]


class MatchAnswer(msgspec.Struct, frozen=True):
    """Candidates, best first.

    ``complete`` is false when too many share a key for all to be compared, and until the registry has made an
    index to its end: nobody found is then no word about anybody.
    """

    candidates: tuple[MatchCandidate, ...]
    complete: bool
