"""One synthetic citizen through the whole chain, over HTTP only, then everything that must be refused.

A card is captured, approved, made, checked and handed over; tapped by its holder it is verified. Then the
same counter meets a clone, forgeries, an impostor, a photograph, a lost card and a registry that is down.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from monitoring.probe_clients import Bank, Camera, Counter, Json, Officer, ProbeFailed, Wallet
from monitoring.stand.drawn_people import portrait
from monitoring.stand.scene import Kind, Pose

PURPOSE = "bank.counter.identify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the probe's people work, and what they prove themselves with."""

    admin_url: str
    agent_url: str
    gateway_url: str
    wallet_url: str
    scene_url: str
    passwords: dict[str, str]
    capture_officer: str
    approving_officer: str
    partner: str
    partner_key: bytes
    people: list[Json]


class IssuedCard(NamedTuple):
    """A card in a citizen's hands."""

    citizen_number: str
    dossier: str
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


LOST_CARD, REGISTRY_DOWN = "lost_card", "registry_down"
SCENARIOS = (
    Scenario("genuine", False, "holder", "verified", None, "the holder with the genuine card"),
    Scenario("cloned_chip", True, "holder", "refused", "CHIP_CLONED", "a copy without the chip's key"),
    Scenario("swapped_dg14", True, "holder", "refused", "CHIP_DATA_ALTERED", "a forger's own key in DG14"),
    Scenario("flipped_dg13", True, "holder", "refused", "CHIP_DATA_ALTERED", "one byte of DG13 altered"),
    Scenario("impostor", False, "stranger", "refused", "FACE_NOT_MATCHED", "somebody else with the card"),
    Scenario("flat_photo", False, "photograph", "refused", "FACE_TURN_NOT_SHOWN", "a photograph turned"),
    Scenario(LOST_CARD, False, "holder", "refused", "CARD_LOST", "a card that was reported lost"),
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
        self._timeline = timeline
        self._registry_down = registry_down
        self._counter = Counter(places.agent_url)
        self._wallet = Wallet(places.wallet_url)
        self._bank = Bank(places.gateway_url, places.partner, places.partner_key)
        self._stranger_seed = 0
        self.receipt: str | None = None

    def run(self) -> dict[str, Json]:
        """Issue two cards and run every scenario; raises ProbeFailed at the first that ends otherwise."""
        holder, loser, stranger = self._places.people[:3]
        card, lost = self._issue(holder), self._issue(loser)
        self._report_lost(lost)
        self._stranger_seed = int(stranger["portrait_seed"])
        results = {}
        for scenario in SCENARIOS:
            if scenario.name != REGISTRY_DOWN:
                results[scenario.name] = self._tap(scenario, lost if scenario.name == LOST_CARD else card)
            elif self._registry_down:
                results[scenario.name] = self._tap(scenario, card, during=self._registry_down)
        return results

    def _issue(self, citizen: Json) -> IssuedCard:
        number, seed = str(citizen["citizen_number"]), int(citizen["portrait_seed"])
        officer = self._places.capture_officer
        capturing = Officer(self._places.admin_url, officer, self._places.passwords[officer])
        dossier = str(capturing.capture(number, portrait(seed))["id"])
        self._timeline.say(f"dossier captured by {officer}; the registry filled in the person")
        self._require_four_eyes(capturing, dossier)
        officer = self._places.approving_officer
        approving = Officer(self._places.admin_url, officer, self._places.passwords[officer])
        credential = str(approving.approve(dossier)["credential"])
        self._timeline.say(f"approved by {officer}; card made, signed, read back by quality control")
        capturing.hand_over(dossier, credential)
        self._timeline.say("card handed over to its holder: active")
        return IssuedCard(number, dossier, credential, seed)

    def _require_four_eyes(self, officer: Officer, dossier: str) -> None:
        try:
            officer.approve(dossier)
        except ProbeFailed:
            self._timeline.say("the same officer tried to approve it: refused")
        else:
            raise ProbeFailed("an officer approved the dossier that the same officer captured")

    def _report_lost(self, card: IssuedCard) -> None:
        officer = self._places.capture_officer
        at_desk = Officer(self._places.admin_url, officer, self._places.passwords[officer])
        at_desk.report_lost(card.dossier, card.credential)
        self._timeline.say("the second card is reported lost by its holder")

    def _tap(
        self,
        scenario: Scenario,
        card: IssuedCard,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Json:
        seed = self._stranger_seed if scenario.person == "stranger" else card.portrait_seed
        self._camera.show(seed, Kind.PHOTOGRAPH if scenario.person == "photograph" else Kind.LIVING)
        self._wallet.insert(card.credential, scenario.name if scenario.is_forged else None)
        try:
            with during():
                view = self._counter.verify(card.citizen_number, PURPOSE, self._follow_challenge)
        finally:
            self._wallet.remove()
            self._counter.wait_until_empty()
        verdict = view["verdict"]
        result = {
            "outcome": verdict["outcome"],
            "code": verdict["code"],
            "assurance": verdict["assurance"]["chip"],
            "seconds": verdict["seconds"],
        }
        self._timeline.say(_line(scenario, result))
        if (result["outcome"], result["code"]) != (scenario.outcome, scenario.code):
            raise ProbeFailed(f"{scenario.name}: expected {scenario.outcome} {scenario.code}, got {result}")
        if scenario.name == "genuine":
            self._timeline.say(_stages(view["timings_ms"]))
            self._require_result_at_bank(view)
        return result

    def _follow_challenge(self, view: Json) -> None:
        """The person does what the page asks: turn left, turn right, look straight."""
        direction = (view.get("challenge") or {}).get("direction")
        self._camera.turn(Pose(direction) if direction else Pose.FRONTAL)

    def _require_result_at_bank(self, view: Json) -> None:
        self.receipt = self._bank.receipt(str(view["gateway_session"]))
        if self._bank.outcome(self.receipt) != "verified":
            raise ProbeFailed("the bank's own server was told another outcome than the teller")
        self._timeline.say("the bank's server fetched the signed receipt of the same decision")


def _line(scenario: Scenario, result: Json) -> str:
    outcome = result["outcome"] + (f" ({result['code']})" if result["code"] else "")
    return f"{scenario.told:34} {outcome:38} {result['assurance']:18} {result['seconds']:.2f} s"


def _stages(timings: Json) -> str:
    return "  of which " + ", ".join(f"{stage} {milliseconds} ms" for stage, milliseconds in timings.items())
