"""Synthetic citizens through the whole chain, over HTTP only, then everything that must be refused.

Dossiers are captured, searched, approved by two, made into cards, checked, carried and handed over; a
second application of the same person is found and rejected. A card tapped by its holder is verified. Then
the same counter meets a clone, forgeries, an impostor, a photograph, dead cards and a registry that is down.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from monitoring import staff as posts
from monitoring.capture_kit import CaptureKit
from monitoring.issuing import BLANK_ACCOUNTS, EXCHANGE, SIGNED, IssuingOffice
from monitoring.probe_clients import Bank, Camera, Counter, HttpClient, Json, ProbeFailed, Wallet
from monitoring.staff import Staff
from monitoring.stand.drawn_people import portrait, prints, slaps
from monitoring.stand.scene import Kind, Pose

PURPOSE, HANDOVER = "bank.counter.identify", "card.handover"
PROMISED_SECONDS = 1.0
"""From the holder's report to the last gateway that knows of it."""

LOOK_SECONDS = 0.01
_TOO_SMALL, _TOO_SMALL_CODE = 240, "PORTRAIT_TOO_SMALL"
"""Pixels a side of a portrait that would be more guessed than taken, and the rule that refuses it."""

_HEARD = re.compile(r"^idv_card_events_total (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterPlace:
    """One counter of the stand: its program, the gateway that decides for it, its slot, who runs it."""

    agent_url: str
    gateway_url: str
    slot: int
    partner: str
    partner_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the probe's people work, and what they prove themselves with."""

    admin_url: str
    issuance_url: str
    wallet_url: str
    scene_url: str
    passwords: dict[str, str]
    kit_url: str
    kit_passphrase: str
    bank: CounterPlace
    office: CounterPlace
    people: list[Json]


class CounterDesk:
    """One counter with the drawer of cards beside it and the partner's own server behind it."""

    def __init__(self, place: CounterPlace, wallet_url: str) -> None:
        self.counter = Counter(place.agent_url)
        self.wallet = Wallet(wallet_url, place.slot)
        self.partner = Bank(place.gateway_url, place.partner, place.partner_key)
        self._gateway = HttpClient(place.gateway_url)

    def changes_heard(self) -> float:
        """How many changes of cards this counter's gateway has heard from the issuer."""
        found = _HEARD.search(self._gateway.get("/metrics").decode())
        return float(found[1]) if found else 0.0


class IssuedCard(NamedTuple):
    """A card in a citizen's hands."""

    citizen_number: str
    credential: str
    portrait_seed: int


class Scenario(NamedTuple):
    """One tap at the counter: whether the card is forged, who stands there, and what must come out.

    A forgery is the one that the drawer of cards knows by the scenario's name. ``person`` is
    ``holder``, ``stranger`` or ``photograph`` (of the holder).
    """

    name: str
    is_forged: bool
    person: str
    outcome: str
    code: str | None
    told: str


LOST_CARD, LOST_ELSEWHERE, REGISTRY_DOWN = "lost_card", "lost_card_elsewhere", "registry_down"
REPLACED_CARD = "replaced_card"
SCENARIOS = (
    Scenario("genuine", False, "holder", "verified", None, "the holder with the genuine card"),
    Scenario("cloned_chip", True, "holder", "refused", "CHIP_CLONED", "a copy without the chip's key"),
    Scenario("swapped_dg14", True, "holder", "refused", "CHIP_DATA_ALTERED", "a forger's own key in DG14"),
    Scenario("flipped_dg13", True, "holder", "refused", "CHIP_DATA_ALTERED", "one byte of DG13 altered"),
    Scenario("impostor", False, "stranger", "refused", "FACE_NOT_MATCHED", "somebody else with the card"),
    Scenario("flat_photo", False, "photograph", "refused", "FACE_TURN_NOT_SHOWN", "a photograph turned"),
    Scenario(REPLACED_CARD, False, "holder", "refused", "CARD_REPLACED", "the holder's card before it"),
    Scenario(LOST_CARD, False, "holder", "refused", "CARD_LOST", "a card that was reported lost"),
    Scenario(LOST_ELSEWHERE, False, "holder", "refused", "CARD_LOST", "the same at another gateway"),
    Scenario(REGISTRY_DOWN, False, "holder", "unavailable", "REGISTRY_UNAVAILABLE", "no registry answers"),
)


class Timeline:
    """Prints what happens as it happens, with the time since the start."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line of the timeline."""
        self._write(f"{time.monotonic() - self._began:7.2f} s  {text}")


Capture = Callable[[Json, int], str]
"""Capture a citizen's application with the face of a seed; the dossier."""


class Probe:
    """Drives the chain. ``registry_down`` stops the registry for a while, where the caller is able to."""

    def __init__(
        self,
        places: Places,
        timeline: Timeline,
        *,
        registry_down: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        self._places = places
        self._camera = Camera(places.scene_url)
        self._say = timeline.say
        self._registry_down = registry_down
        self._staff = Staff(places.admin_url, places.issuance_url, places.passwords)
        self._office = IssuingOffice(self._staff)
        self._bank_desk = CounterDesk(places.bank, places.wallet_url)
        self._office_desk = CounterDesk(places.office, places.wallet_url)
        self._stranger_seed = 0
        self.receipt: str | None = None

    def run(self) -> dict[str, Json]:
        """Issue cards and run every scenario; raises ProbeFailed at the first that ends otherwise."""
        holder, loser, stranger, pretender = self._places.people[:4]
        self._stranger_seed = int(stranger["portrait_seed"])
        self._office.require_rules(
            str(holder["citizen_number"]), portrait(self._stranger_seed, _TOO_SMALL), _TOO_SMALL_CODE
        )
        self._say(f"a capture with a picture too small for a chip: refused by the rules ({_TOO_SMALL_CODE})")
        former, lost = self._issue([(holder, self._captured), (loser, self._captured_by_kit)])
        self._reject_duplicate(pretender, former.portrait_seed)
        (card,) = self._issue([(holder, self._exchanged)], old_card="taken")
        self._say("and the holder's former card is good no longer: replaced")
        cards = {LOST_CARD: lost, LOST_ELSEWHERE: lost, REPLACED_CARD: former}
        results = {}
        for scenario in SCENARIOS:
            if scenario.name == LOST_CARD:
                self._report_lost(lost)
            if scenario.name != REGISTRY_DOWN:
                results[scenario.name] = self._tap(scenario, cards.get(scenario.name, card))
            elif self._registry_down:
                results[scenario.name] = self._tap(scenario, card, during=self._registry_down)
        return results

    def figures(self) -> dict[str, int]:
        """What the office's statistics say of all this; raises ProbeFailed where they do not add up."""
        report = self._office.report()
        counted: dict[str, int] = report["total"]["to_date"]
        self._say(f"statistics up to event {report['version']} of the office's record:")
        for name, amount in counted.items():
            self._say(f"  {name:22} {amount:5}")
        for identity in report["identities"]:
            if identity["broken"]:
                raise ProbeFailed(f"statistics: {identity['id']} does not hold")
            self._say(f"  {identity['id']} holds over {identity['checked']} figures")
        books = self._office.blanks()
        told = ", ".join(f"{books[account]} {account}" for account in BLANK_ACCOUNTS)
        self._say(f"  blank cards: {books['received']} received = {told}")
        return counted

    # -- cards

    def _issue(self, applications: list[tuple[Json, Capture]], old_card: str = "") -> list[IssuedCard]:
        citizens = [citizen for citizen, _ in applications]
        dossiers = [
            self._approved(capture(citizen, int(citizen["portrait_seed"])))
            for citizen, capture in applications
        ]
        blanks = self._office.receive_blanks()
        made = self._office.make_cards(dossiers)
        self._say(f"batch of {len(dossiers)} made from a stock of {blanks} blanks, signed, read back")
        for citizen, dossier in zip(citizens, dossiers, strict=True):
            if made[dossier].attempt > 1:
                found = ", ".join(sorted(self._office.findings(str(citizen["citizen_number"]))))
                self._say(f"  a bad print was stopped ({found}) and made again on the next blank")
        judged = self._office.look_over(made)
        if judged != made:
            self._say(f"  {posts.QUALITY_OFFICER} saw a stain on a card that had passed: refused, made again")
        made = judged
        spoiled = self._office.destroy_spoiled()
        if spoiled:
            self._say(
                f"  {spoiled} spoiled blanks destroyed by {posts.QUALITY_OFFICER} and {posts.STOCK_KEEPER}"
            )
        self._office.deliver([made[dossier].card for dossier in dossiers])
        self._say(f"packed by {posts.OPERATOR}, carried by {posts.COURIER}, taken in by {posts.OFFICE_CLERK}")
        issued = [
            IssuedCard(str(citizen["citizen_number"]), made[dossier].card, int(citizen["portrait_seed"]))
            for citizen, dossier in zip(citizens, dossiers, strict=True)
        ]
        for card in issued:
            self._hand_over(card, old_card)
        return issued

    def _approved(self, dossier: str) -> str:
        self._office.require_four_eyes(dossier)
        self._say("  the same officer, who approves others, tried to approve it: refused")
        self._office.approve_locally(dossier)
        found = self._office.searched(dossier)
        if found != "clear":
            raise ProbeFailed(f"the search for duplicates ended with {found}")
        self._office.approve_centrally(dossier)
        by = (posts.APPROVING_OFFICER, posts.CENTRAL_OFFICERS[0])
        self._say(f"  approved by {by[0]}; nobody like it among all enrolled; approved by {by[1]}")
        return dossier

    def _captured(self, citizen: Json, portrait_seed: int) -> str:
        dossier = self._office.capture(str(citizen["citizen_number"]), portrait(portrait_seed))
        self._say(f"dossier captured by {posts.CAPTURE_OFFICER}; the registry filled in the person")
        return dossier

    def _exchanged(self, citizen: Json, portrait_seed: int) -> str:
        dossier = self._office.capture(str(citizen["citizen_number"]), portrait(portrait_seed), EXCHANGE)
        self._say("another card for the holder: the fee is paid, the former card is marked and kept for now")
        return dossier

    def _captured_by_kit(self, citizen: Json, portrait_seed: int) -> str:
        number = str(citizen["citizen_number"])
        person = self._office.registered(number)
        kit = CaptureKit(self._places.kit_url, self._places.kit_passphrase)
        kit.take_extract()
        stopped = kit.declare(number, {**person, "date_of_birth": _a_day_later(person["date_of_birth"])})
        code = stopped["stops"]["date_of_birth"]
        self._say(f"a birth date mistyped at a kit: its own gate stops it, no network is asked ({code})")
        kit.declare(number, person, stopped["id"])
        kit.capture(
            stopped["id"], portrait(portrait_seed), prints(portrait_seed) | slaps(portrait_seed), SIGNED
        )
        chunks = kit.send()
        self._say(
            f"dossier captured by {posts.CAPTURE_OFFICER} with a kit, sealed; chunks brought later: {chunks}"
        )
        return self._office.newest_dossier(number)

    def _reject_duplicate(self, pretender: Json, portrait_seed: int) -> None:
        dossier = self._captured(pretender, portrait_seed)
        self._office.approve_locally(dossier)
        found = self._office.searched(dossier)
        if found != "hit":
            raise ProbeFailed(f"the same face under a second number: the search ended with {found}")
        self._say("  the same face under another number: the search found somebody")
        self._office.examine(dossier)
        self._say("  two examiners, each alone with the pictures: the same person")
        self._office.reject(dossier)
        self._say(f"  rejected by {' and '.join(posts.CENTRAL_OFFICERS)}: no card")

    def _hand_over(self, card: IssuedCard, old_card: str) -> None:
        self._camera.show(card.portrait_seed, Kind.LIVING)
        view = self._visit(self._office_desk, card, HANDOVER)
        verdict = view["verdict"]
        if verdict["outcome"] != "verified":
            raise ProbeFailed(f"at the hand-over: {verdict['outcome']} {verdict['code']}")
        receipt = self._office_desk.partner.receipt(str(view["gateway_session"]))
        self._office.hand_over(card.credential, receipt, old_card)
        seconds = verdict["seconds"]
        self._say(f"handed over against the gateway's receipt: chip proven, face compared, {seconds:.2f} s")

    def _report_lost(self, card: IssuedCard) -> None:
        desks = (self._bank_desk, self._office_desk)
        before = [desk.changes_heard() for desk in desks]
        self._office.report_lost(card.credential)
        began = time.monotonic()
        while any(desk.changes_heard() == heard for desk, heard in zip(desks, before, strict=True)):
            if time.monotonic() - began > PROMISED_SECONDS:
                raise ProbeFailed("a gateway has not heard of a lost card within a second")
            time.sleep(LOOK_SECONDS)
        self._say(f"a card is reported lost; both gateways know it {time.monotonic() - began:.2f} s later")

    # -- taps

    def _tap(
        self,
        scenario: Scenario,
        card: IssuedCard,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Json:
        seed = self._stranger_seed if scenario.person == "stranger" else card.portrait_seed
        self._camera.show(seed, Kind.PHOTOGRAPH if scenario.person == "photograph" else Kind.LIVING)
        is_elsewhere = scenario.name == LOST_ELSEWHERE
        desk, purpose = (self._office_desk, HANDOVER) if is_elsewhere else (self._bank_desk, PURPOSE)
        with during():
            view = self._visit(desk, card, purpose, scenario.name if scenario.is_forged else None)
        verdict = view["verdict"]
        result = {
            "outcome": verdict["outcome"],
            "code": verdict["code"],
            "assurance": verdict["assurance"]["chip"],
            "seconds": verdict["seconds"],
        }
        self._say(_line(scenario, result))
        if (result["outcome"], result["code"]) != (scenario.outcome, scenario.code):
            raise ProbeFailed(f"{scenario.name}: expected {scenario.outcome} {scenario.code}, got {result}")
        if scenario.name == "genuine":
            self._say(_stages(view["timings_ms"]))
            self._require_result_at_bank(view)
        return result

    def _visit(self, desk: CounterDesk, card: IssuedCard, purpose: str, tamper: str | None = None) -> Json:
        desk.wallet.insert(card.credential, tamper)
        try:
            return desk.counter.verify(card.citizen_number, purpose, self._follow_challenge)
        finally:
            desk.wallet.remove()
            desk.counter.wait_until_empty()

    def _follow_challenge(self, view: Json) -> None:
        """The person does what the page asks: turn left, turn right, look straight."""
        direction = (view.get("challenge") or {}).get("direction")
        self._camera.turn(Pose(direction) if direction else Pose.FRONTAL)

    def _require_result_at_bank(self, view: Json) -> None:
        self.receipt = self._bank_desk.partner.receipt(str(view["gateway_session"]))
        if self._bank_desk.partner.outcome(self.receipt) != "verified":
            raise ProbeFailed("the bank's own server was told another outcome than the teller")
        self._say("the bank's server fetched the signed receipt of the same decision")


def _a_day_later(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _line(scenario: Scenario, result: Json) -> str:
    outcome = result["outcome"] + (f" ({result['code']})" if result["code"] else "")
    return f"{scenario.told:34} {outcome:38} {result['assurance']:18} {result['seconds']:.2f} s"


def _stages(timings: Json) -> str:
    return "  of which " + ", ".join(f"{stage} {milliseconds} ms" for stage, milliseconds in timings.items())
