"""Kits and their sealed packets: what came, what is on its way, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.intake import kits_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, shown_outcome, typed
from verification.messages.national_time import VIETNAM
from verification.messages.packet_intake import GapClosing, PacketRelease, SignerRevocation


def intake_blueprint(backend: BackendClient) -> Blueprint:
    """/kits."""
    blueprint = Blueprint("intake", __name__, url_prefix="/kits")

    @blueprint.get("")
    def kits() -> ResponseReturnValue:
        found = kits_client.kits(officers_backend(backend))
        return page("kits.html", kits=found, is_supervisor="supervisor" in session["officer"]["roles"])

    @blueprint.get("/<kit>")
    def numbers(kit: str) -> ResponseReturnValue:
        return _kit_page(backend, kit)

    @blueprint.post("/<kit>/gaps")
    def close_gap(kit: str) -> ResponseReturnValue:
        closing = GapClosing(case_id=typed("case_id"))
        return outcome_of(
            lambda: kits_client.close_gap(officers_backend(backend), kit, typed("sequence"), closing),
            target=url_for("intake.numbers", kit=kit),
            done="done.gap_closed",
            again=lambda faults: _kit_page(backend, kit, faults),
        )

    @blueprint.post("/<kit>/packets/<packet>")
    def decide(kit: str, packet: str) -> ResponseReturnValue:
        release = PacketRelease(case_id=typed("case_id"), is_accepted=typed("decision") == "accept")
        return outcome_of(
            lambda: kits_client.decide(officers_backend(backend), packet, release),
            target=url_for("intake.numbers", kit=kit),
            done="done.packet_decided",
            again=lambda faults: _kit_page(backend, kit, faults),
        )

    @blueprint.post("/<kit>/revoke")
    def revoke(kit: str) -> ResponseReturnValue:
        back = url_for("intake.numbers", kit=kit)
        return revocation_page(backend, "kit", kit, back, lambda faults: _kit_page(backend, kit, faults))

    return blueprint


def revocation_page(
    backend: BackendClient,
    kind: str,
    owner: str,
    back: str,
    again: Callable[[dict[str, str]], ResponseReturnValue],
) -> ResponseReturnValue:
    """Revoke the keys of a kit or an officer, and show the dossiers that the case has to look at."""
    since = _local_moment(typed("revoked_at"))
    if since is None:
        return again({"revoked_at": "FIELD_DATE"})
    said = SignerRevocation(
        kind=kind,
        owner=owner,
        revoked_at=since,
        case_id=typed("case_id"),
        cursor=typed("cursor") or None,
    )
    return shown_outcome(
        lambda: kits_client.revoke(officers_backend(backend), said),
        target=back,
        again=again,
        shown=lambda found: page("revoked.html", found=found, said=said, back=back),
    )


def _local_moment(text: str) -> str | None:
    """What a field for a local day and time carries, with the zone that officers live in."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).isoformat()
    except ValueError:
        return None


def _kit_page(backend: BackendClient, kit: str, faults: dict[str, str] | None = None) -> ResponseReturnValue:
    found = kits_client.numbers(officers_backend(backend), kit, request.args.get("cursor"))
    return page(
        "kit.html",
        422 if faults else 200,
        kit=found,
        following=found.cursor and url_for("intake.numbers", kit=kit, cursor=found.cursor),
        is_supervisor="supervisor" in session["officer"]["roles"],
        step=request.endpoint,
        faults=faults or {},
        typed=request.form,
    )
