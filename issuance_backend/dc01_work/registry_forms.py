"""DC01 forms as the office works on them in the registry: every refusal of its comes back as itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from issuance_backend.content_scanning.refusals import (
    ContentInfected,
    ContentNotScanned,
    ContentScannerUnavailable,
)
from issuance_backend.refusals import (
    BlobAltered,
    BlobStoreUnavailable,
    Dc01BarcodeTaken,
    Dc01BatchNotReady,
    Dc01BatchUnknown,
    Dc01FormUnknown,
    Dc01PageUnknown,
    Dc01ScanOutside,
    PictureErased,
    RegistryPersonUnknown,
    SameOfficer,
)
from issuance_backend.registry_http import RegistryHttp
from issuance_backend.registry_relay import RegistryRelay, by_code, there
from verification.errors import TransitionRefused
from verification.messages.registry_access import ReadingFor

Answer = TypeVar("Answer")

_SECONDS = 20.0
"""A picture of eight megabytes is looked at by a scanner before it is answered."""

_REFUSALS = by_code(
    *(Dc01BarcodeTaken, Dc01BatchNotReady, Dc01BatchUnknown, Dc01FormUnknown, Dc01PageUnknown),
    *(Dc01ScanOutside, PictureErased, RegistryPersonUnknown, SameOfficer, TransitionRefused),
    *(ContentInfected, ContentNotScanned, ContentScannerUnavailable, BlobAltered, BlobStoreUnavailable),
)


@dataclass(frozen=True, slots=True)
class FormPicture:
    """One page of a form."""

    content: bytes
    media_type: str


class RegistryForms(RegistryRelay):
    """The registry's forms; its token has the role dc01.work."""

    def __init__(self, url: str, token: str, key: Callable[[], str | None]) -> None:
        super().__init__(
            http=RegistryHttp(url, token, seconds=_SECONDS),
            key=key,
            root="/v1/dc01",
            refusals=_REFUSALS,
            unknown={"forms": Dc01FormUnknown, "batches": Dc01BatchUnknown},
        )

    def looked_at(self, kind: type[Answer], form: str, what: str, reading: ReadingFor) -> Answer:
        """What is keyed of a form (``values``) or whose it is (``person``); the registry records the look."""
        return there(self.read(kind, "forms", form, what, reading=reading, officer=reading.officer))

    def picture(self, form: str, page: str, reading: ReadingFor) -> FormPicture:
        """One page of a form; the registry records the look."""
        path = self.address(("forms", form, "pages", page), {"officer": reading.officer})
        response = self.http.relayed("GET", path, reading=reading, refusals=self.refusals)
        return FormPicture(bytes(response.data), response.headers.get("Content-Type", ""))
