"""What a card's faces say: taken from the data groups, so that the chip and the print have one source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from issuance_backend.personalization.card_faces.layout import CardLayout, FieldName, layout_on
from verification.encoding.dates import date_from_slashed
from verification.identity.card_qr import CardQr, build_card_qr
from verification.identity.citizen_number import CitizenNumber
from verification.lds.dg1 import Dg1
from verification.lds.dg13 import Dg13, Dg13Field

_MRZ_LINE = 30
_FIELDS: dict[FieldName, Dg13Field] = {
    "number": Dg13Field.NUMBER,
    "full_name": Dg13Field.FULL_NAME,
    "date_of_birth": Dg13Field.DATE_OF_BIRTH,
    "sex": Dg13Field.SEX,
    "nationality": Dg13Field.NATIONALITY,
    "place_of_origin": Dg13Field.PLACE_OF_ORIGIN,
    "place_of_residence": Dg13Field.PLACE_OF_RESIDENCE,
    "identification": Dg13Field.IDENTIFICATION,
    "date_of_issue": Dg13Field.DATE_OF_ISSUE,
    "date_of_expiry": Dg13Field.DATE_OF_EXPIRY,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FaceContents:
    """Everything printed on one card; ``portrait`` is the encoded image of DG2."""

    fields: dict[FieldName, str]
    issued_on: date
    mrz_lines: tuple[str, ...]
    qr_text: str
    portrait: bytes

    @property
    def layout(self) -> CardLayout:
        """The layout of the day of issue."""
        return layout_on(self.issued_on)


def face_contents(dg1: Dg1, dg13: Dg13, portrait: bytes) -> FaceContents:
    """What the faces say; raises CardLayoutUnknown, MalformedDocument, CardQrMalformed."""
    fields = {name: _text(dg13, field) for name, field in _FIELDS.items()}
    fields["full_name"] = fields["full_name"].upper()
    issued_on = date_from_slashed(fields["date_of_issue"])
    mrz = dg1.mrz
    return FaceContents(
        fields=fields,
        issued_on=issued_on,
        mrz_lines=tuple(mrz[start : start + _MRZ_LINE] for start in range(0, len(mrz), _MRZ_LINE)),
        qr_text=qr_text(dg1, dg13, issued_on),
        portrait=portrait,
    )


def qr_text(dg1: Dg1, dg13: Dg13, issued_on: date) -> str:
    """The QR code's text: 7 fields, and four empty ones on layouts whose further fields are not published."""
    born = date_from_slashed(_text(dg13, Dg13Field.DATE_OF_BIRTH))
    return build_card_qr(
        CardQr(
            citizen_number=CitizenNumber(_text(dg13, Dg13Field.NUMBER)),
            old_id=_text(dg13, Dg13Field.OLD_ID) or None,
            full_name=_text(dg13, Dg13Field.FULL_NAME),
            date_of_birth=born,
            birth_year=born.year,
            sex=dg1.zone.sex,
            address=_text(dg13, Dg13Field.PLACE_OF_RESIDENCE),
            date_of_issue=issued_on,
            supplement=("",) * (layout_on(issued_on).qr_fields - 7),
        )
    )


def _text(dg13: Dg13, field: Dg13Field) -> str:
    return ", ".join(dg13.fields.get(field, ()))
