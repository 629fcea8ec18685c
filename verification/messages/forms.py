"""Printed forms as the issuance office describes them: which edition of a code is in force on a day."""

from __future__ import annotations

import msgspec


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a form: what is asked, and under which number."""

    number: str
    item: str
    vi: str
    en: str
    mandatory: bool
    style: str
    width: str


class FormException(msgspec.Struct, frozen=True, kw_only=True):
    """A coded reason for which an item may be left out; ``whole`` stands for all prints, or all slaps.

    ``photo_from`` is the day from which a photograph of the hand goes with it, None where it needs none.
    """

    code: str
    item: str
    vi: str
    en: str
    whole: bool = False
    photo_from: str | None = None


class FormSlaps(msgspec.Struct, frozen=True, kw_only=True):
    """The slaps that are taken beside the single prints, from a day on: kits have to learn of it before."""

    positions: tuple[int, ...]
    valid_from: str
    legal_basis: str


class FormPrints(msgspec.Struct, frozen=True, kw_only=True):
    """Whose prints are taken: of these fingers (ISO/IEC 19794-4), from a full age; of no one younger."""

    positions: tuple[int, ...]
    from_age: int
    legal_basis: str
    slaps: FormSlaps | None = None


class FormLayout(msgspec.Struct, frozen=True, kw_only=True):
    """What the page has besides its items, and who signs it.

    ``receipt`` says that it bears the receipt code by which the citizen asks where things stand.
    """

    heading: str
    portrait: bool
    fingerprints: bool
    barcode: bool
    signatures: tuple[str, ...]
    receipt: bool = False


class FormEdition(msgspec.Struct, frozen=True, kw_only=True):
    """One edition of a form: the same code means another form before and after.

    ``use`` is what it is for: ``dossier``, ``registry`` or ``account``. ``valid_to`` is the last day.
    """

    code: str
    edition: str
    use: str
    vi: str
    en: str
    circular: str
    source: str
    valid_from: str
    valid_to: str | None
    layout: FormLayout
    exceptions: tuple[FormException, ...]
    fields: tuple[FormField, ...]
    prints: FormPrints | None = None
