"""From the counter where somebody applies to the counter where the card is handed over, over HTTP only.

Each step is its own officer's; programs search for duplicates and make the cards in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from monitoring import staff as posts
from monitoring.approver import Approver
from monitoring.probe_clients import HttpClient, Json, ProbeFailed, require_refusal
from monitoring.staff import UNIT, Officer, Staff
from monitoring.stand.quality_eye import is_stained

SEARCH_SECONDS = 60.0
CARD_SECONDS = 60.0
LOOK_SECONDS = 0.05
BLANKS = 20
BLANK_ACCOUNTS = ("stock", "issued", "spoiled", "destroyed")
BLANK_SERIES = "DM"
SAME_OFFICER = "SAME_OFFICER"
SEEN_STAINED = "surface_damaged"
LEGAL_BASIS = "Luật 26/2023/QH15, Điều 23"
SIGNED = bytes.fromhex("89504e470d0a1a0a")
"""Stands for the picture of a signature: whoever is drawn has no hand."""


class Made(NamedTuple):
    """A card that passed quality control, on which blank of its order, and in which batch."""

    card: str
    attempt: int
    batch: str


FIRST_CARD: Mapping[str, str] = MappingProxyType({"fee_reason": "first", "old_card": "none"})
EXCHANGE: Mapping[str, str] = MappingProxyType(
    {"fee_reason": "exchange", "old_card": "kept", "receipt": "BL-0000001"}
)
"""On what terms a card is asked for: the first one, or another one for which the fee was paid."""


NO_SCANNER = "no_scanner"
"""What the demonstration's counters say of everybody's prints: they have a camera alone."""


class IssuingOffice:
    """The officers of one office at work on dossiers and cards."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._approver = Approver(staff, posts.APPROVING_OFFICER)

    # -- the dossier

    def capture(self, citizen_number: str, portrait: bytes, terms: Mapping[str, str] = FIRST_CARD) -> str:
        """Open a dossier: the registry fills in the person, the officer adds the portrait.

        The citizen signs the form, and a supervisor answers for what the counter does not take.
        """
        picture = ("portrait.jpg", portrait, "image/jpeg")
        capturing = self._staff.at_pages(posts.CAPTURE_OFFICER)
        stated = {"exceptions": NO_SCANNER, **terms}
        begun = capturing.press("/dossiers", citizen_number=citizen_number, portrait=picture, **stated)
        at = f"/counter/{begun['id']}"
        capturing.press(f"{at}/form")
        signature = ("signature.png", SIGNED, "image/png")
        signed = capturing.press(f"{at}/agreement", language="vi", signature=signature)
        if "supervisor" in signed["missing"]:
            self._staff.at_pages(posts.SUPERVISOR).press(f"{at}/answer")
        return str(capturing.press(f"{at}/seal")["id"])

    def registered(self, citizen_number: str) -> Json:
        """The particulars that the registry holds of a number: what its holder says when asked."""
        capturing = self._staff.at_office(posts.CAPTURE_OFFICER)
        return dict(capturing.get_json(f"/v1/prefill/{citizen_number}")["person"])

    def newest_dossier(self, citizen_number: str) -> str:
        """The dossier of a number that is being worked on, however it was captured."""
        capturing = self._staff.at_office(posts.CAPTURE_OFFICER)
        return str(capturing.get_json(f"/v1/prefill/{citizen_number}")["open_dossier"])

    def require_rules(self, citizen_number: str, portrait: bytes, code: str) -> None:
        """A capture whose picture breaks a rule must be refused with the rule's code."""
        require_refusal(code, lambda: self.capture(citizen_number, portrait))

    def require_four_eyes(self, dossier: str) -> None:
        """The officer who captured a dossier, and may approve others, must be refused here."""
        capturing = self._staff.at_pages(posts.CAPTURE_OFFICER)
        require_refusal(SAME_OFFICER, lambda: capturing.press(f"/dossiers/{dossier}/approve"))

    def approve_locally(self, dossier: str) -> None:
        """The unit stands for the dossier, which then goes to the centre."""
        self._approver.approve(dossier)

    def searched(self, dossier: str) -> str:
        """Wait until everybody enrolled was compared: ``clear``, or ``hit`` for the examiners."""

        def is_over(view: Json) -> bool:
            return view["search"] in {"clear", "hit", "no_gallery"} or view["state"] == "returned"

        view = self._awaited(dossier, is_over, SEARCH_SECONDS)
        return str(view["search"] if view["state"] != "returned" else view["state"])

    def examine(self, dossier: str) -> int:
        """Two examiners, neither of whom sees the other's word, find the same person in every case of it."""
        found = sum(_examine_all(self._staff.at_pages(examiner)) for examiner in posts.EXAMINERS)
        self._awaited(dossier, lambda view: bool(view["search"] == "confirmed"), SEARCH_SECONDS)
        return found

    def reject(self, dossier: str) -> None:
        """One officer proposes the rejection of a duplicate, and only another one can confirm it."""
        first, second = (self._staff.at_pages(officer) for officer in posts.CENTRAL_OFFICERS)
        reason = {
            "reason": "duplicate_person",
            "legal_basis": LEGAL_BASIS,
            "comment": "Người này đã được cấp thẻ theo số định danh khác.",
        }
        first.press(f"/dossiers/{dossier}/reject", **reason)
        require_refusal(SAME_OFFICER, lambda: first.press(f"/dossiers/{dossier}/reject/confirm"))
        second.press(f"/dossiers/{dossier}/reject/confirm")

    def approve_centrally(self, dossier: str) -> None:
        """The centre approves, which orders the card."""
        self._staff.at_pages(posts.CENTRAL_OFFICERS[0]).press(f"/dossiers/{dossier}/approve-centrally")

    # -- the card

    def receive_blanks(self, count: int = BLANKS) -> int:
        """Take a delivery of blank cards into the stock; how many lie there then."""
        keeping = self._staff.at_office(posts.STOCK_KEEPER)
        first = int(keeping.get_json("/v1/blank-stock")["received"]) + 1
        serials = {"first": _serial(first), "last": _serial(first + count - 1)}
        self._staff.at_pages(posts.STOCK_KEEPER).press("/stock/deliveries", **serials)
        return int(keeping.get_json("/v1/blank-stock")["stock"])

    def make_cards(self, dossiers: Sequence[str]) -> dict[str, Made]:
        """Put the waiting orders into a batch and wait for the workers; the good card of each dossier."""
        batch = self._staff.at_pages(posts.OPERATOR).press("/production", limit="500")["id"]
        return self._made(str(batch), dossiers)

    def look_over(self, made: Mapping[str, Made]) -> dict[str, Made]:
        """A quality officer looks at the print of every good card; what is stained is refused, made again."""
        looking, again = self._staff.at_pages(posts.QUALITY_OFFICER), dict(made)
        for dossier, each in made.items():
            at = f"/production/cards/{each.card}"
            if is_stained(looking.picture(f"{at}/front.png")):
                looking.press(f"{at}/refuse", fault=SEEN_STAINED)
                again |= self._made(each.batch, [dossier])
        return again

    def _made(self, batch: str, dossiers: Sequence[str]) -> dict[str, Made]:
        operating = self._staff.at_office(posts.OPERATOR)
        until = time.monotonic() + CARD_SECONDS
        while time.monotonic() < until:
            orders = _list(operating, f"/v1/production-batches/{batch}")
            ours = {str(order["dossier"]): order for order in orders if order["dossier"] in dossiers}
            if ours and all(order["card_state"] == "qa_passed" for order in ours.values()):
                return {
                    each: Made(str(order["card"]), int(order["attempt"]), batch)
                    for each, order in ours.items()
                }
            time.sleep(LOOK_SECONDS)
        raise ProbeFailed("the cards were not made in time")

    def destroy_spoiled(self) -> int:
        """A quality officer names the spoiled blanks, a stock keeper destroys them; how many there were."""
        spoiled = _list(self._staff.at_office(posts.QUALITY_OFFICER), "/v1/blank-stock/spoiled")
        for blank in spoiled:
            proposing = self._staff.at_pages(posts.QUALITY_OFFICER)
            proposed = proposing.press("/stock/destructions", serials=blank["serial"])["id"]
            self._staff.at_pages(posts.STOCK_KEEPER).press(f"/stock/destructions/{proposed}/confirmation")
        return len(spoiled)

    def findings(self, citizen_number: str) -> set[str]:
        """What quality control found on cards that were made for a number: codes of faults."""
        asked = f"/v1/credentials?citizen_number={citizen_number}"
        cards = _list(self._staff.at_office(posts.OPERATOR), asked)
        return {finding["code"] for card in cards for finding in card["findings"] if finding["code"]}

    def deliver(self, cards: Sequence[str]) -> None:
        """One officer packs and seals the box, another carries it, a third scans every card at the office."""
        listed = " ".join(cards)
        box = self._staff.at_pages(posts.OPERATOR).press("/boxes", unit=UNIT, cards=listed)["box"]
        at = f"/boxes/{box['id']}"
        self._staff.at_pages(posts.COURIER).press(f"{at}/dispatch", digest=box["digest"])
        self._staff.at_pages(posts.OFFICE_CLERK).press(f"{at}/receipt", cards=listed)

    def hand_over(self, card: str, receipt: str, old_card: str = "") -> None:
        """Give the card to its holder against the gateway's receipt, and take the one that was kept."""
        clerk = self._staff.at_pages(posts.OFFICE_CLERK)
        clerk.press(f"/credentials/{card}/hand-over", receipt=receipt, old_card=old_card)

    def report_lost(self, card: str) -> None:
        """Record the holder's report that the card is lost."""
        self._staff.at_pages(posts.OFFICE_CLERK).press(f"/credentials/{card}/report-lost")

    # -- figures

    def blanks(self) -> dict[str, int]:
        """The books of blank cards; raises ProbeFailed where what was received is not accounted for."""
        books: dict[str, int] = self._staff.at_office(posts.STOCK_KEEPER).get_json("/v1/blank-stock")
        if books["received"] != sum(books[account] for account in BLANK_ACCOUNTS):
            raise ProbeFailed("the books of blank cards do not balance")
        return books

    def report(self) -> Json:
        """The statistics of everything that happened here up to now."""
        return self._staff.at_office(posts.SUPERVISOR).get_json("/v1/statistics/report")

    def _awaited(self, dossier: str, holds: Callable[[Json], bool], seconds: float) -> Json:
        reading = self._staff.at_pages(posts.CENTRAL_OFFICERS[0])
        until = time.monotonic() + seconds
        while not holds(view := reading.read(f"/dossiers/{dossier}")):
            if time.monotonic() > until:
                raise ProbeFailed(f"the dossier is still {view['state']}, its search {view['search']}")
            time.sleep(LOOK_SECONDS)
        return view


def _examine_all(examiner: Officer) -> int:
    count = 0
    while (case := examiner.read("/adjudication")["case"]) is not None:
        examiner.press(f"/adjudication/{case['id']}", decision="same_person", comment="Cùng một người.")
        count += 1
    return count


def _list(client: HttpClient, path: str) -> list[Json]:
    return list(json.loads(client.get(path)))


def _serial(number: int) -> str:
    return f"{BLANK_SERIES}{number:09}"
