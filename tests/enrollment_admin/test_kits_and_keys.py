"""Kits on the pages: registered with their keys, gaps closed, doubtful packets decided, keys revoked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from enrollment_admin.intake import kits_client
from tests.support.busy_office import KIT, bring, registered_kit
from tests.support.cheap_prints import cheap_prints
from tests.support.issuance_office import Office, citizens, picture
from tests.support.office_pages import Browser, sign_in, text
from verification.messages.fault_catalogue import fault
from verification.messages.signing_key import b64url, public_jwk, public_key_of, thumbprint

KIT_PAGE, KEYS_PAGE = f"/kits/{KIT}", "/packet-signers"
CASE = {"case_id": "VA-2026/3"}


def jwk() -> dict[str, Any]:
    return dict(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))


@pytest.fixture
def supervisor(app: Flask) -> Browser:
    return sign_in(app, "son.supervisor")


def runs(shown: str, title: str) -> list[str]:
    """The numbers that stand under a title of the kit's page."""
    found = re.search(rf"<dt>{title}</dt><dd>(.*?)</dd>", shown)
    assert found
    return re.findall(r'class="number run">([^<]+)<', found.group(1))


def test_a_kit_registered_on_the_pages_sends_packets(app: Flask, office: Office, supervisor: Browser) -> None:
    kit = registered_kit(app, office)
    bring(office, kit.seal(citizens()[0]))
    shown = text(supervisor.get(KIT_PAGE))
    assert 'class="verdict-what">Đủ<' in shown
    assert "001.02.00013" in text(supervisor.get("/kits"))
    assert citizens()[0].full_name in text(sign_in(app, "minh.approve").get("/dossiers"))


def test_the_fingerprint_of_what_was_registered_is_shown_to_be_compared(
    app: Flask, supervisor: Browser
) -> None:
    for path, said in ((f"{KEYS_PAGE}/kits", {"owner": KIT}), (KEYS_PAGE, {"kind": "kit", "owner": KIT})):
        key = jwk()
        shown = supervisor.done(path, {**said, "jwk": json.dumps(key), "unit": "001.02"}, page=KEYS_PAGE)
        assert f'<code class="seal">{thumbprint(public_key_of(key))}</code>' in shown
    assert "code class=" not in text(supervisor.get("/kits"))
    refused = supervisor.post(KEYS_PAGE, {"kind": "kit", "owner": KIT, "jwk": "{}"}, page=KEYS_PAGE)
    assert (refused.status_code, 'class="seal"' in text(refused)) == (422, False)


def test_a_missing_number_is_given_up_in_a_case_and_what_waited_is_opened(
    app: Flask, office: Office, supervisor: Browser
) -> None:
    kit = registered_kit(app, office)
    first, _lost, third = (kit.seal(citizens()[number]) for number in range(3))
    bring(office, first)
    bring(office, third)
    shown = text(supervisor.get(KIT_PAGE))
    assert (runs(shown, "Thiếu"), runs(shown, "Đã nhận, chờ số trước")) == (["2"], ["3"])
    nameless = supervisor.post(f"{KIT_PAGE}/gaps", {"sequence": "2", "case_id": "?"}, page=KIT_PAGE)
    assert (nameless.status_code, 'id="case_id-fault"' in text(nameless)) == (422, True)
    supervisor.post(f"{KIT_PAGE}/gaps", {"sequence": "1", **CASE}, page=KIT_PAGE)
    assert fault("STATE_NOT_ALLOWED").vi.what in text(supervisor.get(KIT_PAGE))
    assert runs(text(supervisor.get(KIT_PAGE)), "Thiếu") == ["2"]
    shown = supervisor.done(f"{KIT_PAGE}/gaps", {"sequence": "2", **CASE}, page=KIT_PAGE)
    assert (runs(shown, "Thiếu"), runs(shown, "Đã nhận, chờ số trước")) == ([], [])
    assert citizens()[2].full_name in text(sign_in(app, "minh.approve").get("/dossiers"))


@pytest.mark.parametrize("decision", ["accept", "refuse"])
def test_a_doubtful_packet_is_decided_in_a_case(
    app: Flask, office: Office, supervisor: Browser, decision: str
) -> None:
    kit = registered_kit(app, office)
    first, late, third = (kit.seal(citizens()[number]) for number in range(3))
    bring(office, first)
    bring(office, third)
    supervisor.done(f"{KIT_PAGE}/gaps", {"sequence": "2", **CASE}, page=KIT_PAGE)
    bring(office, late)
    shown = text(supervisor.get(KIT_PAGE))
    assert fault("PACKET_GAP_CLOSED").vi.what in shown
    path = f"{KIT_PAGE}/packets/{late.packet_hash}"
    assert f'action="{path}"' in shown
    without = supervisor.post(path, {"decision": decision, "case_id": ""}, page=KIT_PAGE)
    assert (without.status_code, 'id="case_id-fault"' in text(without)) == (422, True)
    shown = supervisor.done(path, {"decision": decision, **CASE}, page=KIT_PAGE)
    assert f'action="{path}"' not in shown
    listed = text(sign_in(app, "minh.approve").get("/dossiers"))
    assert (citizens()[1].full_name in listed) == (decision == "accept")


def test_more_doubtful_packets_than_a_page_holds_are_on_the_next(
    app: Flask, office: Office, supervisor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kits_client, "PAGE_SIZE", 1)
    kit = registered_kit(app, office)
    packets = [kit.seal(citizens()[number]) for number in range(3)]
    bring(office, packets[2])
    for number in ("1", "2"):
        supervisor.done(f"{KIT_PAGE}/gaps", {"sequence": number, **CASE}, page=KIT_PAGE)
    for late in packets[:2]:
        bring(office, late)
    shown = text(supervisor.get(KIT_PAGE))
    held = [each.packet_hash in shown for each in packets[:2]]
    following = re.search(r'rel="next" href="([^"]+)"', shown)
    assert (held, following is not None) == ([True, False], True)
    assert following
    last = text(supervisor.get(following.group(1)))
    assert [each.packet_hash in last for each in packets[:2]] == [False, True]
    assert ('rel="next"' in last, f'href="{KIT_PAGE}">Trang đầu' in last) == (False, True)
    action = re.search(rf'action="({KIT_PAGE}/packets/[^"]+)"', last)
    assert action
    refused = supervisor.post(action.group(1), {"decision": "refuse", "case_id": ""}, page=KIT_PAGE)
    shown = text(refused)
    assert (refused.status_code, packets[1].packet_hash in shown) == (422, True)
    assert f'href="{KIT_PAGE}">Trang đầu' in shown
    cursor = following.group(1).rpartition("=")[2]
    shown = supervisor.done(action.group(1), {"decision": "refuse", **CASE}, page=KIT_PAGE)
    assert packets[0].packet_hash in shown
    beyond = text(supervisor.get(f"{KIT_PAGE}?cursor={cursor}"))
    assert 'class="verdict-what">Đủ<' not in beyond, "an empty page says nothing of those before it"


def test_a_leader_sees_what_is_missing_and_decides_nothing(
    app: Flask, office: Office, supervisor: Browser
) -> None:
    registered_kit(app, office)
    capture = sign_in(app, "lan.capture")
    for path in ("/kits", KIT_PAGE, KEYS_PAGE):
        assert capture.get(path).status_code == 403
    said = {"sequence": "1", **CASE}
    refused = capture.post(f"{KIT_PAGE}/gaps", said, page="/dossiers", Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"owner": "?"}, "owner"),
        ({"jwk": ""}, "jwk"),
        ({"jwk": "{}"}, "jwk"),
        ({"jwk": "[" * 1000}, "jwk"),
        ({"valid_until": "31/31"}, "valid_until"),
    ],
)
def test_a_kit_that_cannot_be_registered_is_said_beside_the_field(
    supervisor: Browser, said: dict[str, str], field: str
) -> None:
    form = {"owner": "kit-7", "jwk": json.dumps(jwk()), "unit": "", **said}
    answer = supervisor.post(f"{KEYS_PAGE}/kits", form, page=KEYS_PAGE)
    shown = text(answer)
    assert (answer.status_code, f'id="register_kit-{field}-fault"' in shown) == (422, True)
    assert "register_signer-" + field + '-fault"' not in shown
    assert ('value="kit-7"' in shown) == (field != "owner")
    assert 'href="/kits/kit-7"' not in text(supervisor.get("/kits"))


def test_a_private_key_is_refused_and_not_shown_again(supervisor: Browser) -> None:
    key = jwk() | {"d": b64url(b"\x01" * 32)}
    answer = supervisor.post(f"{KEYS_PAGE}/kits", {"owner": "kit-7", "jwk": json.dumps(key)}, page=KEYS_PAGE)
    assert answer.status_code == 422
    assert key["d"] not in text(answer)
    assert "kit-7" in text(answer)


def test_a_key_is_for_an_officer_who_signs(supervisor: Browser) -> None:
    form = {"kind": "officer", "owner": "thu.central", "jwk": json.dumps(jwk())}
    answer = supervisor.post(KEYS_PAGE, form, page=KEYS_PAGE)
    assert (answer.status_code, 'id="register_signer-owner-fault"' in text(answer)) == (422, True)
    assert supervisor.post(KEYS_PAGE, {**form, "kind": "door"}, page=KEYS_PAGE).status_code == 422


def test_revoking_an_officers_keys_names_the_dossiers_to_look_at(
    app: Flask, office: Office, supervisor: Browser
) -> None:
    kit = registered_kit(app, office)
    bring(office, kit.seal(citizens()[0]))
    form = {"owner": kit.officer, "revoked_at": "2026-11-20T08:00", **CASE}
    undated = supervisor.post(f"{KEYS_PAGE}/revocation", {**form, "revoked_at": ""}, page=KEYS_PAGE)
    assert (undated.status_code, 'id="revoke-revoked_at-fault"' in text(undated)) == (422, True)
    shown = text(supervisor.post(f"{KEYS_PAGE}/revocation", form, page=KEYS_PAGE))
    dossier = re.search(r'href="/dossiers/([0-9a-f]+)"', shown)
    assert dossier
    assert citizens()[0].full_name in text(supervisor.get(f"/dossiers/{dossier.group(1)}"))
    program = supervisor.post(
        f"{KEYS_PAGE}/revocation", form, page=KEYS_PAGE, Accept="application/json"
    ).get_json()
    assert program["dossiers"] == [dossier.group(1)]


def test_what_a_packet_lacks_is_told_finger_by_finger_in_words(app: Flask, office: Office) -> None:
    kit = registered_kit(app, office)
    eight = {
        item: content for item, content in cheap_prints().items() if item not in {"finger_09", "finger_10"}
    }
    bring(office, kit.seal(blobs={"portrait": picture(), **eight}))
    listed = office.sign_in("minh.approve").get("/v1/dossiers?state=returned").get_json()
    page = text(sign_in(app, "minh.approve").get(f"/dossiers/{listed[0]['id']}"))
    for finger in ("Ngón nhẫn trái", "Ngón út trái"):
        assert f"{finger}: {fault('PRINT_MISSING').vi.what}" in page
    assert "PRINT_MISSING" not in page
