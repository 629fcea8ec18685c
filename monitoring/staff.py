"""The officers of a demonstration, named by what they do, and their sessions at the pages and at the office.

Nobody takes two parts of one dossier, so there are two wherever two must differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from monitoring.probe_clients import HttpClient, Json

UNIT = "001.02.00013"
"""The commune whose citizens apply in a demonstration."""

FORMS_COMMUNE = "01.00008"
"""The commune of today whose forms DC01 are collected there."""

CAPTURE_OFFICER, APPROVING_OFFICER = "officer-capture", "officer-approve"
CENTRAL_OFFICERS = ("officer-central", "officer-central-2")
EXAMINERS = ("examiner-1", "examiner-2")
OPERATOR, QUALITY_OFFICER, STOCK_KEEPER = "operator", "quality", "stock-keeper"
COURIER, OFFICE_CLERK, SUPERVISOR = "courier", "office-clerk", "supervisor"
COMMUNE_OFFICERS = ("commune-officer", "commune-officer-2")
FORM_CLERKS = ("form-clerk-1", "form-clerk-2", "form-clerk-3")
FORMS_LEADER = "forms-leader"
REGISTRARS = ("registrar-1", "registrar-2", "registrar-3")


CAPTURE, APPROVER = "capture", "approver"
"""The roles of those who capture and who approve: they need certificates."""


class Post(NamedTuple):
    """What somebody may do, and in which unit alone."""

    roles: tuple[str, ...]
    unit: str | None = None


OFFICERS: Mapping[str, Post] = {
    # In a small office the same person captures today and approves tomorrow, but never the same dossier.
    CAPTURE_OFFICER: Post((CAPTURE, APPROVER), UNIT),
    APPROVING_OFFICER: Post((APPROVER,), UNIT),
    **dict.fromkeys(CENTRAL_OFFICERS, Post(("central_approver",))),
    **dict.fromkeys(EXAMINERS, Post(("examiner",))),
    "examiners-lead": Post(("adjudication_lead",)),
    OPERATOR: Post(("production",)),
    QUALITY_OFFICER: Post(("quality",)),
    STOCK_KEEPER: Post(("stock_keeper",)),
    COURIER: Post(("courier",)),
    OFFICE_CLERK: Post(("office",), UNIT),
    SUPERVISOR: Post(("supervisor",)),
    "team-leader": Post(("team_leader",), UNIT),
    **dict.fromkeys(COMMUNE_OFFICERS, Post(("commune_officer",), FORMS_COMMUNE)),
    **dict.fromkeys(FORM_CLERKS, Post(("form_clerk",), FORMS_COMMUNE)),
    FORMS_LEADER: Post(("team_leader",), FORMS_COMMUNE),
    # One proposes what is published, and two others sign.
    **dict.fromkeys(REGISTRARS, Post(("registrar",))),
    "district-chief": Post(("district_chief",)),
    "archive-clerk": Post(("archive_clerk",)),
    "investigator": Post(("investigator",)),
    "auditor": Post(("auditor",)),
}


class Officer:
    """An officer who is signed in at the enrolment pages or at a kit's, as a program sees them."""

    def __init__(self, url: str, name: str, **secret: str) -> None:
        self._client = HttpClient(url)
        self._token = str(self._client.get_json("/login")["csrf_token"])
        opened = self.press("/login", officer=name, **secret)
        # A session from before signing in does not live on.
        self._token = str(opened["csrf_token"])

    def press(self, path: str, **fields: Any) -> Json:
        """Send one of the pages' forms; raises ProbeFailed with the code of a refusal."""
        return self._client.send_form(path, {"csrf_token": self._token, **fields})

    def picture(self, path: str) -> bytes:
        """A picture that a page shows."""
        return self._client.get(path)

    def read(self, path: str) -> Json:
        """A page as the JSON that stands for it."""
        return self._client.get_json(path)


class Staff:
    """Everybody of one office; each signs in once, when first needed."""

    def __init__(self, admin_url: str, office_url: str, passwords: Mapping[str, str]) -> None:
        self._admin_url = admin_url
        self._office_url = office_url
        self._passwords = passwords
        self._at_pages: dict[str, Officer] = {}
        self._at_office: dict[str, HttpClient] = {}

    def at_pages(self, name: str) -> Officer:
        """The officer at the enrolment pages."""
        if name not in self._at_pages:
            self._at_pages[name] = Officer(self._admin_url, name, password=self._passwords[name])
        return self._at_pages[name]

    def at_office(self, name: str) -> HttpClient:
        """The officer's own program at the issuance office, for what the pages show to people only."""
        if name not in self._at_office:
            asked = {"officer": name, "password": self._passwords[name]}
            opened = HttpClient(self._office_url).send_json("POST", "/v1/officer-sessions", asked)
            signed_in = {"Authorization": f"Bearer {opened['token']}"}
            self._at_office[name] = HttpClient(self._office_url, signed_in)
        return self._at_office[name]
