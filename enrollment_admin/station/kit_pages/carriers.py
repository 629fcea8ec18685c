"""How packets leave a kit and receipts come back: over the network, or on a stick that somebody carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from flask import Blueprint, Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.certified import keep_officers, take_officers
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_pages.sending import Sending
from enrollment_admin.station.outbox import NETWORK, STICK, Outbox
from enrollment_admin.station.refusals import CentreUnavailable, ReturnsInvalid, StickMissing
from enrollment_admin.station.refused_packets import RefusedPackets
from enrollment_admin.station.returns import Returns
from enrollment_admin.ui.pages import answer, page, typed, wants_json


@dataclass(frozen=True, slots=True)
class Carriers:
    """What packets can leave by; sticks appear as folders in ``sticks``."""

    kit: Kit
    outbox: Outbox
    returns: Returns
    refused: RefusedPackets
    sending: Sending
    centre: CentreClient | None
    sticks: Path

    def present(self) -> list[str]:
        """The sticks that are plugged in, by name."""
        return sorted(each.name for each in self.sticks.glob("*") if each.is_dir())

    def reached(self) -> CentreClient:
        """The centre over the network; raises CentreUnavailable where this kit was told of none."""
        if self.centre is None:
            raise CentreUnavailable("this kit was not told where the centre is")
        return self.centre

    def returned(self) -> int:
        """How many dossiers are to be captured again, as far as the list that is here can be read."""
        try:
            return len(self.returns.standing())
        except ReturnsInvalid:
            return 0

    def stick(self, name: str) -> Path:
        """One of them; raises StickMissing."""
        if name not in self.present():
            raise StickMissing("no such stick")
        return self.sticks / name


class OutboxView(msgspec.Struct, frozen=True):
    """Where a kit's packets are, as a program sees it; what the last round of sending came to."""

    waiting: tuple[int, ...]
    is_sending: bool
    receipted: tuple[int, ...]
    refused: dict[int, str]
    stopped: str | None
    chunks: int


def carriers_blueprint(carriers: Carriers) -> Blueprint:
    """/outbox."""
    blueprint = Blueprint("carriers", __name__)

    @blueprint.get("/outbox")
    def outbox() -> ResponseReturnValue:
        return _as_json(carriers) if wants_json() else _outbox_page(carriers)

    @blueprint.post("/outbox/sending")
    def send() -> ResponseReturnValue:
        carriers.sending.start()
        return _as_json(carriers) if wants_json() else redirect(url_for("carriers.outbox"), 303)

    _add_fetching(blueprint, carriers)
    _add_sticks(blueprint, carriers)
    return blueprint


def _add_fetching(blueprint: Blueprint, carriers: Carriers) -> None:
    """What the centre has for this kit, over the network."""

    @blueprint.post("/outbox/extract")
    def fetch_extract() -> ResponseReturnValue:
        sealed = carriers.reached().commune_extract(carriers.kit.extract_request())
        carriers.kit.keep_extract(sealed.extract)
        keep_officers(carriers.kit, sealed.officers)
        return answer(None, url_for("station.drafts"), "kit.done.extract")

    @blueprint.post("/outbox/returns")
    def fetch_returns() -> ResponseReturnValue:
        carriers.returns.fetch(carriers.reached())
        return answer(None, url_for("station.drafts"), "kit.done.returns")


def _add_sticks(blueprint: Blueprint, carriers: Carriers) -> None:
    """What somebody carries there and back."""

    @blueprint.post("/outbox/export")
    def export() -> ResponseReturnValue:
        stick = carriers.stick(typed("stick"))
        carriers.outbox.export(stick)
        carriers.kit.leave_request(stick)
        return answer(None, url_for("carriers.outbox"), "kit.done.exported")

    @blueprint.post("/outbox/import")
    def take_in() -> ResponseReturnValue:
        stick = carriers.stick(typed("stick"))
        has_officers = take_officers(carriers.kit, stick)
        has_extract = carriers.kit.take_extract(stick)
        has_returns = carriers.returns.take(stick)
        has_refusals = carriers.refused.take(stick)
        report = carriers.outbox.take_receipts(stick)
        for _, code in report.refused:
            flash(code, "fault")
        is_new = report.receipted or has_officers or has_extract or has_returns or has_refusals
        done = "kit.done.imported" if is_new else "kit.done.nothing_new"
        return answer(None, url_for("carriers.outbox"), done)


def _outbox_page(carriers: Carriers) -> ResponseReturnValue:
    # Asked first: a round that ends meanwhile is shown once more, not half.
    is_sending = carriers.sending.is_running
    waiting = carriers.outbox.waiting()
    return page(
        "kit/outbox.html",
        waiting=waiting,
        kilobytes=sum(each.size for each in waiting) // 1024,
        is_sending=is_sending,
        progress=carriers.sending.progress,
        report=None if is_sending else carriers.sending.report,
        returned=carriers.returned(),
        refused=len(carriers.refused.standing()),
        can_send=carriers.centre is not None,
        sticks=carriers.present(),
        by={NETWORK: "kit.outbox.network", STICK: "kit.outbox.stick"},
    )


def _as_json(carriers: Carriers) -> ResponseReturnValue:
    is_sending, report = carriers.sending.is_running, carriers.sending.report
    view = OutboxView(
        waiting=tuple(each.sequence for each in carriers.outbox.waiting()),
        is_sending=is_sending,
        receipted=report.receipted if report else (),
        refused=dict(report.refused) if report else {},
        stopped=report.stopped if report else None,
        chunks=report.chunks if report else 0,
    )
    return Response(msgspec.json.encode(view), content_type="application/json")
