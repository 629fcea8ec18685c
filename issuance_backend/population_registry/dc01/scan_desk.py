"""The desk of the pictures of forms: scanned, shown to whoever works on the form, erased in time.

A picture is written to the store before the transaction that names it: what is committed can be read, and
what was stored for a transaction that failed is swept.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from issuance_backend.blob_store.service import BlobStore
from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry.dc01 import domain, repository, scan_pages, scan_repository
from issuance_backend.population_registry.dc01.alike import LIKE_PERSON, alike_persons
from issuance_backend.population_registry.dc01.domain import Form, FormEvent
from issuance_backend.population_registry.dc01.form_desk import FormDesk, known, view
from issuance_backend.population_registry.dc01.scan_pages import PagePicture, ScanPage
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.refusals import (
    BlobAltered,
    BlobStoreUnavailable,
    Dc01PageUnknown,
    Dc01ScanOutside,
    PictureErased,
)
from issuance_backend.steps import SYSTEM
from monitoring.database import Database
from verification.messages.dc01 import FormScanned, FormValues, FormView
from verification.messages.registry_access import ReadingFor

KEPT = timedelta(days=5 * 365)
"""How long a picture is kept, once its form is settled."""

_PORTION = 100


class ScanDesk:
    """Owns the transactions around the pictures of forms. Without a ``store`` none is taken or shown."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        forms: FormDesk,
        store: BlobStore | None,
        scanner: ContentScanner = UNSCANNED,
    ) -> None:
        self._database = database
        self._clock = clock
        self._forms = forms
        self._store = store
        self._scanner = scanner
        self._book = ReadBook(database, clock)

    def scan(self, form_id: str, said: FormScanned) -> FormView:
        """Keep the pictures of a form's pages; until it is indexed better ones may take their place.

        Raises FieldsRefused for what is no legible picture, TransitionRefused, ContentInfected and as a
        scanner and a store do.
        """
        kinds = scan_pages.require_pages(said.pages)
        with self._database.reading() as connection:
            domain.advance(known(connection, form_id).state, FormEvent.SCAN)
        store = self._open_store()
        self._scanner.require_clean(said.pages)
        scan_pages.require_legible(said.pages)
        blobs = store.put_all(list(zip(said.pages, kinds, strict=True)))
        with self._forms.acting(said.officer) as recording:
            connection, form = recording.connection, known(recording.connection, form_id)
            kept = [
                ScanPage(
                    form=form.id,
                    page=number,
                    sha256=scan_pages.digest(content),
                    media_type=blob.media_type,
                    address=blob.address,
                    scanned_at=rfc3339(recording.moment),
                )
                for number, (content, blob) in enumerate(zip(said.pages, blobs, strict=True), 1)
            ]
            said_of_it = {f"page_{each.page}": each.sha256 for each in kept}
            scanned = recording.step(form, FormEvent.SCAN, said_of_it, scan=None, pages=len(kept))
            store.keep(connection, *blobs)
            store.forget(connection, scan_repository.replace(connection, form.id, kept), recording.moment)
            return view(scanned)

    def picture(
        self, form_id: str, number: int, officer: str, reader: str, reading: ReadingFor
    ) -> PagePicture:
        """One page, for whoever may do the form's next step; that it was looked at is recorded first.

        Raises TransitionRefused, SameOfficer, Dc01PageUnknown, Dc01ScanOutside, PictureErased and as a
        store does; BlobAltered for a picture that is not the one that was scanned.
        """
        with self._database.reading() as connection:
            form = known(connection, form_id)
            self._require_at_work(connection, form, officer)
            page = _kept_page(connection, form, number)
        self._book.note_form(form.id, reader, reading)
        if page.address is None:
            raise PictureErased("its time was over")
        content = self._open_store().read(page.address)
        if scan_pages.digest(content) != page.sha256:
            raise BlobAltered("another picture than the one that was scanned")
        return PagePicture(content, page.media_type)

    def values(self, form_id: str, officer: str, reader: str, reading: ReadingFor) -> FormValues:
        """What is keyed now, for who mends, corrects or reviews it; recorded as a look at the picture is.

        Raises TransitionRefused and SameOfficer.
        """
        with self._database.reading() as connection:
            form = known(connection, form_id)
            self._require_at_work(connection, form, officer)
            alike = alike_persons(connection, form) if LIKE_PERSON in form.conflicts else ()
        scan_pages.require_values_shown(form, officer)
        self._book.note_form(form.id, reader, reading)
        self._book.note_all(alike, reader, reading)
        return FormValues(
            values=dict(form.values or {}),
            findings=(*form.missing, *form.findings),
            conflicts=form.conflicts,
            alike_persons=alike,
        )

    def erase(self) -> int:
        """Erase the pictures of settled forms when their time is over; of how many forms."""
        done = 0
        while True:
            with self._forms.acting(SYSTEM) as recording:
                connection, moment = recording.connection, recording.moment
                found = scan_repository.due(connection, rfc3339(moment - KEPT), _PORTION)
                for form_id in found:
                    recording.amend(known(connection, form_id), "scan_erased")
                    BlobStore.forget(connection, scan_repository.erase(connection, form_id), moment)
            done += len(found)
            if len(found) < _PORTION:
                return done

    def _open_store(self) -> BlobStore:
        if self._store is None:
            raise BlobStoreUnavailable("no store is set")
        return self._store

    @staticmethod
    def _require_at_work(connection: Connection, form: Form, officer: str) -> None:
        batch = repository.batch(connection, form.batch or "")
        recheck = repository.recheck(connection, form.id, form.keyed_round)
        scan_pages.require_at_work(form, batch, recheck, officer)


def _kept_page(connection: Connection, form: Form, number: int) -> ScanPage:
    page = scan_repository.page(connection, form.id, number)
    if page is not None:
        return page
    if form.scan is not None:
        raise Dc01ScanOutside("its picture lies outside, under the reference of the form")
    raise Dc01PageUnknown("no such page")
