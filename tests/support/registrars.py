"""The office of forms DC01 with short ways to a form that becomes an entry of the registry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import repository as forms
from issuance_backend.population_registry.dc01.domain import Form
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.schema import EVENTS
from tests.support.dc01_office import COMMUNE, WHOLE, Dc01Office
from verification.messages.dc01 import FormKeyed, FormReview


class Registrars(Dc01Office):
    """The office of forms, and short ways to a form that is registered."""

    def matched(self, *read: dict[str, str]) -> list[str]:
        ids = self.accepted(len(read), COMMUNE, read.__getitem__)
        self.forms.match(self.batch_of(ids[0]))
        return ids

    def batch_of(self, form: str) -> str:
        return self.forms.form(form).batch or ""

    def register_batch(self, form: str, officer: str = "leader") -> int:
        return self.registration.register(self.batch_of(form), officer)

    def registered(self, **said: str) -> Form:
        """One form that became an entry."""
        (form,) = self.matched({**WHOLE, **said})
        assert self.register_batch(form) == 1
        return self.kept(form)

    def kept(self, form: str) -> Form:
        with self.database.reading() as connection:
            found = forms.form(connection, form)
        assert found is not None
        return found

    def entry(self, number: str | None) -> RegistryPerson | None:
        with self.database.reading() as connection:
            return entries.person(connection, number or "")

    def people(self) -> int:
        with self.database.reading() as connection:
            return entries.count(connection)

    def stands(self, form: str) -> tuple[str, ...]:
        found = self.forms.form(form)
        return (found.state, *found.conflicts)

    def settle(self, form: str, by: Any = None, **said: str) -> tuple[str, ...]:
        values = {name: value for name, value in {**WHOLE, **said}.items() if value}
        self.forms.correct(form, FormKeyed(values=values, officer="dung"))
        self.forms.review(form, FormReview(is_right=True, officer="mai", told_apart_by=by))
        return self.stands(form)

    def events(self) -> list[str]:
        with self.database.reading() as connection:
            return [str(tuple(row)) for row in connection.execute(select(EVENTS))]
