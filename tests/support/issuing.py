"""What tests of a running stand want of its office in one go."""

from __future__ import annotations

from monitoring import staff as posts
from monitoring.issuing import IssuingOffice
from monitoring.staff import Staff


def approve_all(office: IssuingOffice, dossier: str) -> None:
    """Both approvals with the search between them, which finds nobody."""
    office.approve_locally(dossier)
    assert office.searched(dossier) == "clear"
    office.approve_centrally(dossier)


def hand_over_on_a_word(staff: Staff, card: str) -> None:
    """Give the card to its holder whom a supervisor has seen, where no reader can prove it."""
    seen = {"reason": "gateway_unavailable"}
    staff.at_pages(posts.SUPERVISOR).press(f"/credentials/{card}/confirm-holder", **seen)
    staff.at_pages(posts.OFFICE_CLERK).press(f"/credentials/{card}/hand-over")
