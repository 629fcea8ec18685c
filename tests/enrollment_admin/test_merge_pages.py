"""Registrars' pages of merges: one proposes, another sees both entries side by side and decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from enrollment_admin.registry_merges import routes
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.population_registry.merges import domain
from issuance_backend.population_registry.service import RegistryDesk
from tests.support.engines import Sqlite
from tests.support.form_room import REGISTRARS, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.office_pages import Browser, pages_of, sign_in, text
from verification.messages.fault_catalogue import fault

MERGES, KEPT, MERGED = "/registry/merges", "001190012345", "001190054321"
WANTED = {"kept": KEPT, "merged": MERGED, "why": "merge.registered_twice"}
FIRST, SECOND, _ = REGISTRARS


@pytest.fixture
def room(office: Office, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, Sqlite(tmp_path), tmp_path) as made:
        made.dc01.register(KEPT)
        made.dc01.register(MERGED, mother="Trần Thị Bưởi")
        yield made


@pytest.fixture
def pages(room: FormRoom, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(room.office, tmp_path) as app:
        yield app


def proposed(pages: Flask, first: Browser) -> str:
    """A proposal, and the address of its page."""
    first.done(MERGES, WANTED, page=MERGES)
    (path,) = set(re.findall(rf'href="({MERGES}/[0-9a-f]{{16}})"', text(first.get(MERGES))))
    return path


def digest(shown: str) -> str:
    found = re.search(r'name="entries_digest" value="([0-9a-f]{64})"', shown)
    assert found
    return found.group(1)


def test_one_proposes_and_another_compares_and_signs(room: FormRoom, pages: Flask) -> None:
    first, second = (sign_in(pages, name) for name in (FIRST, SECOND))
    path = proposed(pages, first)
    own = text(first.get(path))
    assert "Trần Thị Bình" not in own, "whoever proposed it does not decide, and reads nothing"
    assert 'name="approves"' not in own
    assert "không lập đề nghị này" in own
    shown = text(second.get(path))
    assert "Trần Thị Bình" in shown
    assert "Trần Thị Bưởi" in shown
    assert shown.count("tag-returned") == 1, "one attribute differs"
    assert shown.index("Trần Thị Bưởi") < shown.index("Nguyễn Thị Lan"), "what differs stands first"
    signed = {"entries_digest": digest(shown), "approves": "yes"}
    done = second.done(f"{path}/decision", signed, page=path)
    assert "Đã ký và thực hiện" in done
    assert "Trần Thị Bình" not in done
    assert RegistryDesk(room.dc01.database).extract(MERGED).citizen_number == KEPT
    # Back again: the page of the merge leads to the form, with its numbers in it.
    (back,) = re.findall(r'href="(/registry/merges\?kept=[^"]+)"', text(first.get(path)))
    filled = text(first.get(back.replace("&amp;", "&")))
    assert f'value="{MERGED}"' in filled
    apart = first.post(
        MERGES, {**WANTED, "why": "separate.two_people"}, page=MERGES, Accept="application/json"
    )
    path = f"{MERGES}/{apart.get_json()['id']}"
    shown = text(second.get(path))
    assert "Ký tách hai số" in shown
    second.done(f"{path}/decision", {"entries_digest": digest(shown), "approves": "yes"}, page=path)
    assert RegistryDesk(room.dc01.database).extract(MERGED).citizen_number == MERGED


def test_a_refusal_is_asked_for_its_reason_and_told(pages: Flask) -> None:
    first, second = (sign_in(pages, name) for name in (FIRST, SECOND))
    path = proposed(pages, first)
    refused = second.post(f"{path}/decision", {"approves": "no", "refusal": ""}, page=path)
    assert refused.status_code == 422
    assert 'id="refusal-fault"' in text(refused)
    said = {"approves": "no", "refusal": "not_proven"}
    assert "Chưa đủ căn cứ" in second.done(f"{path}/decision", said, page=path)
    assert "Chưa đủ căn cứ" in text(first.get(f"{MERGES}?state=refused"))
    again = first.post(f"{path}/decision", said, page=MERGES, Accept="application/json")
    assert (again.status_code, again.get_json()["code"]) == (403, "SAME_OFFICER")


def test_what_changed_since_it_was_shown_is_shown_again(pages: Flask) -> None:
    first, second = (sign_in(pages, name) for name in (FIRST, SECOND))
    path = proposed(pages, first)
    answer = second.post(f"{path}/decision", {"entries_digest": "0" * 64, "approves": "yes"}, page=path)
    assert answer.status_code == 422
    assert fault("FIELD_NOT_AS_REGISTERED").vi.what in text(answer)
    assert digest(text(answer)) != "0" * 64


def test_what_cannot_be_proposed_is_said_beside_its_field_and_stays(pages: Flask) -> None:
    first = sign_in(pages, FIRST)
    for changed, field, code in (
        ({"merged": "001190099999"}, "merged", "REGISTRY_PERSON_UNKNOWN"),
        ({"merged": KEPT}, "merged", "MERGE_NOT_POSSIBLE"),
        ({"why": "separate.two_people"}, "merged", "MERGE_NOT_STANDING"),
        ({"why": "merge.two_people"}, "why", "FIELD_CHARACTERS"),
        ({"why": ""}, "why", "FIELD_MISSING"),
    ):
        answer = first.post(MERGES, {**WANTED, **changed}, page=MERGES)
        shown = text(answer)
        assert answer.status_code == 422, changed
        assert f'id="{field}-fault"' in shown, changed
        assert fault(code).vi.what in shown, changed
        assert f'value="{KEPT}"' in shown, changed
    proposed(pages, first)
    twice = text(first.post(MERGES, WANTED, page=MERGES))
    assert fault("MERGE_PROPOSED").vi.what in twice
    assert 'value="merge.registered_twice" selected' in twice


def test_an_auditor_finds_no_act_and_no_entry(pages: Flask) -> None:
    path = proposed(pages, sign_in(pages, FIRST))
    auditor = sign_in(pages, "thanh.tra", "en")
    for each in (MERGES, path):
        shown = text(auditor.get(each))
        assert f'action="{MERGES}' not in shown
        assert "Trần Thị Bình" not in shown
        assert "Waits for a decision" in shown


def test_the_pages_know_every_word_of_the_registry() -> None:
    assert {each.value: domain.REASONS[each] for each in domain.MergeAct} == routes.REASONS
    assert domain.REFUSALS == routes.REFUSALS
    assert set(routes.STATES) == {each.value for each in domain.ProposalState}
    reasons = {f"merge.reason.{each}" for group in routes.REASONS.values() for each in group}
    for language in LANGUAGES:
        words = sentences(language).keys()
        assert reasons <= words
        assert {f"merge.refusal.{each}" for each in routes.REFUSALS} <= words
