"""``python -m monitoring up | demo | probe | status``: the programs of one machine.

``demo`` starts everything in a folder of its own, runs every scenario and ends; the last line of its
standard output is one JSON object with the outcome of each. ``up`` keeps everything running, ``probe``
runs the scenarios against it, and ``status`` says which of its programs answer.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.capture_kit import KitPlace, make_kit
from monitoring.environment import ConfigurationFault
from monitoring.form_campaign import lay_out_forms
from monitoring.preparation import run
from monitoring.probe import CounterPlace, Places, Probe, Timeline
from monitoring.probe_clients import HttpClient, Json, ProbeFailed, Wallet
from monitoring.site import BANK_COUNTER, OFFICE_COUNTER, OFFICE_PARTNER, PARTNER, Addresses, Counter, Site
from monitoring.stack import READY_PATHS, WORKERS, Stack
from monitoring.staff import OFFICERS, Staff
from monitoring.stand.drawn_people import draw, portrait
from monitoring.stand.page import Stand
from monitoring.stand.scene import Artist, Scene
from monitoring.supervisor import ProgramFailed, answers, supervised
from monitoring.virtual_reader import VirtualReader

RUN = Path(".run")
SCENE_PORT = 8708


def main() -> int:
    """Run one command; 0 when it did what it should."""
    parser = argparse.ArgumentParser(
        prog="python -m monitoring", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "demo", "probe", "status"))
    parser.add_argument("--folder", type=Path, help="where keys, databases and logs lie (.run/demo, .run/up)")
    parser.add_argument("--models", type=Path, default=RUN / "models", help="the face models' folder")
    parser.add_argument("--transport", choices=("auto", "pcscd", "socket"), default="auto")
    options = parser.parse_args()
    options.folder = options.folder or RUN / ("demo" if options.command == "demo" else "up")
    commands = {"up": _up, "demo": _demo, "probe": _probe, "status": _status}
    try:
        return commands[options.command](options)
    except (ProgramFailed, ProbeFailed, ConfigurationFault) as fault:
        print(f"failed: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _demo(options: argparse.Namespace) -> int:
    # Every demo begins with a fresh ceremony and empty databases: it shows the whole chain.
    shutil.rmtree(options.folder, ignore_errors=True)
    timeline = Timeline(_print)
    with _running(options, Addresses.free(), 0, timeline) as (stack, scene):

        @contextmanager
        def registry_down() -> Iterator[None]:
            stack.stop_program("registry")
            try:
                yield
            finally:
                stack.resume_program("registry")

        probe = Probe(
            _places(stack.folder, stack.addresses, scene.url), timeline, registry_down=registry_down
        )
        results = probe.run()
        timeline.say(_check_receipt(stack.folder, probe.receipt))
        figures = probe.figures()
        issuance = stack.settings.issuance()
        run("issuance_backend", "housekeeping", "--once", settings=issuance)
        timeline.say(f"  {run('issuance_backend', 'verify-events', settings=issuance)}")
    print(json.dumps({"scenarios": results, "figures": figures}), flush=True)
    return 0


def _up(options: argparse.Namespace) -> int:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    timeline = Timeline(_print)
    with _running(options, Addresses.usual(), SCENE_PORT, timeline) as (stack, scene):
        scene.lay_card = Wallet(stack.addresses.url("wallet")).lay
        if lay_out_forms(_staff(stack), _people(stack.folder)):
            timeline.say("forms DC01 of a commune are laid out: some wait for every step up to the keying")
        _announce(stack, scene)
        stopping.wait()
    return 0


def _probe(options: argparse.Namespace) -> int:
    places = _places(options.folder, Addresses.usual(), f"http://127.0.0.1:{SCENE_PORT}")
    probe = Probe(places, Timeline(_print))
    results = probe.run()
    print(json.dumps({"scenarios": results, "figures": probe.figures()}), flush=True)
    return 0


def _status(options: argparse.Namespace) -> int:
    addresses = Addresses.usual()
    states = {name: answers(addresses.url(name) + path) for name, path in READY_PATHS.items()}
    print(json.dumps({"folder": str(options.folder), "answers": states}))
    return 0 if all(states.values()) else 1


@contextmanager
def _running(
    options: argparse.Namespace, addresses: Addresses, scene_port: int, timeline: Timeline
) -> Iterator[tuple[Stack, Scene]]:
    """The whole stack with somebody before its camera; everything is stopped on the way out."""
    scene = Scene(Artist(draw, portrait), Stand(options.folder), scene_port)
    try:
        with supervised(options.folder / "logs") as supervisor:
            site = Site(
                folder=options.folder,
                models=options.models,
                addresses=addresses,
                camera=f"{scene.url}/frame.jpg",
                reader=_reader(options, timeline),
                has_bad_print=True,
            )
            stack = Stack(site, supervisor, timeline.say)
            try:
                stack.start()
                _open_kit(stack)
                timeline.say(f"all programs answer; cards are read over {stack.transport}")
                yield stack, scene
            finally:
                stack.stop()
    finally:
        scene.close()


def _open_kit(stack: Stack) -> None:
    """The kit of an officer in the country; it is made when the office answers for the first time."""
    keys, addresses = stack.folder / "keys", stack.addresses
    place = KitPlace(stack.folder / "kit", keys / "kit_store_key", keys / "kit.passphrase")
    staff = _staff(stack)
    token = (keys / "kits.token").read_text()
    centre = HttpClient(addresses.url("issuance"), {"Authorization": f"Bearer {token}"})
    make_kit(place, staff, centre, f"{addresses.url('admin')}/status")
    stack.open_kit(place.folder, place.store_key)


def _staff(stack: Stack) -> Staff:
    addresses = stack.addresses
    return Staff(addresses.url("admin"), addresses.url("issuance"), _passwords(stack.folder))


def _people(folder: Path) -> list[Json]:
    return list(json.loads((folder / "people.json").read_text(encoding="utf-8")))


def _passwords(folder: Path) -> dict[str, str]:
    return {name: (folder / "keys" / f"{name}.password").read_text() for name in OFFICERS}


def _reader(options: argparse.Namespace, timeline: Timeline) -> VirtualReader | None:
    """The virtual reader behind pcscd where it can run; None means cards over the vpcd socket."""
    if options.transport == "socket":
        return None
    reason = VirtualReader.available()
    if reason is None:
        return VirtualReader((options.folder / "reader").resolve())
    if options.transport == "pcscd":
        raise ProgramFailed(f"pcscd cannot run here: {reason}")
    timeline.say(f"cards over the vpcd socket, because {reason}")
    return None


def _places(folder: Path, addresses: Addresses, scene_url: str) -> Places:
    return Places(
        admin_url=addresses.url("admin"),
        issuance_url=addresses.url("issuance"),
        wallet_url=addresses.url("wallet"),
        scene_url=scene_url,
        passwords=_passwords(folder),
        kit_url=addresses.url("kit"),
        kit_passphrase=(folder / "keys" / "kit.passphrase").read_text(),
        bank=_counter_place(BANK_COUNTER, addresses, PARTNER, folder / "keys" / "partner.pem"),
        office=_counter_place(OFFICE_COUNTER, addresses, OFFICE_PARTNER, folder / "keys" / "office.pem"),
        people=_people(folder),
    )


def _counter_place(counter: Counter, addresses: Addresses, partner: str, key: Path) -> CounterPlace:
    return CounterPlace(
        agent_url=addresses.url(counter.program),
        gateway_url=addresses.url(counter.gateway),
        slot=counter.slot,
        partner=partner,
        partner_key=key.read_bytes(),
    )


def _check_receipt(folder: Path, receipt: str | None) -> str:
    """Check the receipt as a court would: offline, with the log's public key only."""
    if receipt is None:
        raise ProbeFailed("the genuine tap left no receipt")
    path = folder / "receipt.jws"
    path.write_text(receipt, encoding="utf-8")
    trust = folder / "log_trust"
    command = [sys.executable, "-m", "gateway", "verify-receipt", str(path), "--trust", str(trust)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ProbeFailed(f"the receipt does not verify offline: {done.stdout.strip()[:200]}")
    told = json.loads(done.stdout)
    return f"the receipt verifies offline: entry {told['sequence']} of the evidence log, {told['outcome']}"


def _announce(stack: Stack, scene: Scene) -> None:
    addresses = stack.addresses
    print(
        f"""
  teller's page        {addresses.url("agent")}/
  hand-over counter    {addresses.url("office_agent")}/   (its receipt goes into the hand-over form)
  enrolment admin      {addresses.url("admin")}/
  kit in the country   {addresses.url("kit")}/   (passphrase: {stack.folder}/keys/kit.passphrase)
  gateway's figures    {addresses.url("gateway")}/operator/figures
                       (password: {stack.folder}/keys/gateway_operator.token)
  gateways             {addresses.url("gateway")}/openapi.yaml, {addresses.url("office_gateway")}/openapi.yaml
  population registry  {addresses.url("registry")}/healthz
  issuance backend     {addresses.url("issuance")}/healthz
  e-ID activation      {addresses.url("issuance")}/v1/account-activations/...
                       (by whoever signs citizens in: {stack.folder}/keys/citizen_sign_in.token)
  card drawer          {addresses.url("wallet")}/slots
  demonstration stand  {scene.url}/   (who stands before the camera, which card is on the reader)

  working unseen       {"; ".join(" ".join(words) for words in WORKERS.values())}; registry housekeeping
  on purpose           the first card of a new stack is printed badly: quality control stops it;
                       the second has a stain, which a quality officer sees on its picture

  officers and their passwords: {stack.folder}/keys/*.password
  all scenarios against this stack: python -m monitoring probe
  stop with Ctrl-C; logs in {stack.folder}/logs
""",
        flush=True,
    )


def _print(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
