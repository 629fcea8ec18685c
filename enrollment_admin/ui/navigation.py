"""Which pages an officer finds in the top line: those of their roles, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DOSSIER_ROLES = frozenset(
    {
        "capture",
        "processor",
        "approver",
        "team_leader",
        "district_chief",
        "archive_clerk",
        "central_approver",
        "production",
        "quality",
        "office",
        "supervisor",
        "auditor",
    }
)

CARD_ROLES = frozenset(
    {"capture", "office", "production", "approver", "supervisor", "stock_keeper", "quality", "auditor"}
)


ACCOUNT_ROLES = frozenset({"capture", "central_approver", "supervisor", "office", "auditor"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the top line; ``roles`` is who finds it there, empty for everybody."""

    endpoint: str
    title: str
    blueprints: frozenset[str]
    roles: frozenset[str] = frozenset()

    def is_for(self, roles: frozenset[str]) -> bool:
        """Whether an officer of these roles works here."""
        return not self.roles or not self.roles.isdisjoint(roles)


def _entry(endpoint: str, title: str, *roles: str, also: tuple[str, ...] = ()) -> Entry:
    blueprint = endpoint.partition(".")[0]
    return Entry(endpoint, title, frozenset({blueprint, *also}), frozenset(roles))


ENTRIES = (
    _entry(
        "review.work_list",
        "nav.dossiers",
        *sorted(DOSSIER_ROLES),
        also=("decisions", "lookups", "legal", "approval_lists"),
    ),
    _entry("station.new", "nav.new", "capture"),
    _entry(
        "counter.waiting",
        "nav.counter",
        "capture",
        "supervisor",
        "auditor",
        also=("counter_steps", "counter_prints"),
    ),
    _entry("adjudication.next_case", "nav.adjudication", "examiner"),
    _entry("investigations.new", "nav.investigations", "investigator"),
    _entry("investigations.listed", "nav.investigations", "auditor"),
    _entry("examiners.figures", "nav.examiners", "adjudication_lead"),
    _entry(
        "intake.kits",
        "nav.intake",
        "supervisor",
        "team_leader",
        "district_chief",
        "auditor",
        also=("signers", "certificates"),
    ),
    _entry("production.batches", "nav.production", "production", "quality", "auditor"),
    _entry("stock.stock", "nav.stock", "stock_keeper", "quality", "production", "auditor"),
    _entry(
        "shipping.boxes",
        "nav.shipping",
        "production",
        "stock_keeper",
        "courier",
        "office",
        "supervisor",
        "auditor",
    ),
    _entry("delivery.cards", "nav.cards", *sorted(CARD_ROLES), also=("suspensions",)),
    _entry("accounts.listed", "nav.accounts", *sorted(ACCOUNT_ROLES)),
    _entry("own_record.start", "nav.own_record", "capture", "office"),
    _entry("complaints.listed", "nav.complaints", "supervisor", "district_chief", "auditor"),
    _entry(
        "dc01_forms.desk",
        "nav.dc01",
        *("commune_officer", "form_clerk", "team_leader", "district_chief", "auditor"),
        also=(
            "dc01_people",
            "dc01_scans",
            "dc01_keyings",
            "dc01_differences",
            "dc01_corrections",
            "dc01_batches",
        ),
    ),
    _entry(
        "registry_indices.shown",
        "nav.registry_indices",
        *("commune_officer", "team_leader", "district_chief", "supervisor", "auditor"),
    ),
    _entry("life_events.new", "nav.life_events", "commune_officer"),
    _entry("registry_publications.listed", "nav.publications", "registrar", "auditor"),
    _entry("registry_people.shown", "nav.registry_people", "registrar"),
    _entry("registry_merges.listed", "nav.merges", "registrar", "auditor"),
    _entry("reports.report", "nav.reports", also=("targets",)),
    _entry("planner.new", "nav.plan", "supervisor"),
)


def entries_for(roles: Iterable[str], entries: tuple[Entry, ...] = ENTRIES) -> tuple[Entry, ...]:
    """The pages of these roles, the one to begin with first."""
    held = frozenset(roles)
    return tuple(entry for entry in entries if entry.is_for(held))
