"""Another kind of biometrics is a plug-in and nothing else: no migration, no line of the search changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import inspect
from urllib3 import BaseHTTPResponse, Retry, request

from issuance_backend.biometric_search.composition import compared_modalities
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities, Sample
from issuance_backend.biometric_search.refusals import ModalityUnknown
from monitoring.environment import ConfigurationFault
from tests.support.dummy_iris import DECLARED, DummyIris, eyes, installed_in
from tests.support.engines import Engine
from tests.support.issuance_office import STATUS_TOKEN, make_office
from tests.support.office_program import office_program
from tests.support.running import run_pending
from tests.support.search_bed import OFFICE, found_inside, identify, make_bed, messages, samples_of
from verification.messages.biometric_search import Insert

ROOT = Path(__file__).parents[3]


def enrolment(person: int, samples: Sequence[Sample]) -> Insert:
    return Insert(
        task_id=f"insert-{person}", gallery="national", subject=f"subject-{person}",
        encounter=f"dossier-{person}", legal_basis="Luật 26/2023/QH15", samples=messages(samples),
    )  # fmt: skip


def test_eyes_are_enrolled_searched_and_fused_by_a_plug_in_alone(
    tmp_path: Path, database_engine: Engine
) -> None:
    plain = make_bed(tmp_path / "plain", database_engine)
    bed = make_bed(tmp_path / "eyes", database_engine, DummyIris())
    with plain.database.reading() as one, bed.database.reading() as other:
        assert inspect(one).get_table_names() == inspect(other).get_table_names()
    for person in range(4):
        samples = (*samples_of(person), *eyes(person))
        bed.desk.submit(OFFICE, enrolment(person, samples))
    # Somebody whose face and fingers are new and whose eyes are known, and the eyes alone.
    mixed = messages((*samples_of(20, touch=2), *eyes(2)))
    bed.desk.submit(OFFICE, identify(20, samples=mixed))
    bed.desk.submit(OFFICE, identify(21, samples=messages(eyes(3))))
    run_pending(bed.worker)
    first = bed.desk.task(OFFICE, "identify-20").candidates[0]
    assert bed.found("identify-20")[0] == "subject-2"
    assert {each.modality for each in first.likenesses} == {"face", "finger", "iris"}
    assert sum(each.decibans for each in first.likenesses) == pytest.approx(first.decibans, abs=0.1)
    alone = bed.desk.task(OFFICE, "identify-21")
    assert (alone.outcome, bed.found("identify-21")[0]) == ("adjudication", "subject-3")


def test_without_the_plug_in_its_templates_are_refused(tmp_path: Path, database_engine: Engine) -> None:
    bed = make_bed(tmp_path, database_engine)
    with pytest.raises(ModalityUnknown):
        bed.desk.submit(OFFICE, identify(1, samples=messages(eyes(1))))


def test_two_plug_ins_of_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="iris"):
        Modalities((DummyIris(), DummyIris()))


def test_the_search_names_no_modality() -> None:
    """Only the plug-ins and their composition know faces and fingers."""
    folder = ROOT / "issuance_backend" / "biometric_search"
    core = {"domain", "service", "worker", "search_room", "gallery_index", "fusion", "repository", "tables"}
    for name in core:
        source = (folder / f"{name}.py").read_text()
        assert "face_modality" not in source
        assert "finger_modality" not in source
        assert '"face"' not in source
        assert '"finger"' not in source


# -- as an operator adds it: a package beside this one, and its name in the settings


def _command(environ: Mapping[str, str], *arguments: str) -> str:
    """What a command of the office says in a process of its own."""
    command = [sys.executable, "-m", "issuance_backend", *arguments]
    ended = subprocess.run(
        command, env=dict(environ), capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _ask(url: str, method: str, path: str, body: object = None) -> BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {STATUS_TOKEN}", "Content-Type": "application/json"}
    content = None if body is None else msgspec.json.encode(body)
    # gunicorn listens a moment after it was started.
    patience = Retry(total=None, connect=60, backoff_factor=0.1, backoff_max=1)
    return request(method, url + path, body=content, headers=headers, timeout=30, retries=patience)


def test_a_package_that_is_installed_and_named_is_searched_by_the_real_programs(
    tmp_path: Path, office_pki: Path, database_engine: Engine
) -> None:
    office = make_office(tmp_path, office_pki, database_engine, with_search=True)
    place = os.pathsep.join((installed_in(tmp_path / "site"), str(ROOT)))
    environ = {**os.environ, **office.environ, "PYTHONPATH": place, "ISSUANCE_MODALITIES": "iris"}
    _command(environ, "search", "open-gallery", "--code", "national", "--kind", "national")
    with office_program(environ, workers=1) as (url, _):
        for person in range(4):
            assert _ask(url, "POST", "/v1/search-tasks", enrolment(person, eyes(person))).status == 202
        asked = identify(9, samples=messages(eyes(3)))
        assert _ask(url, "POST", "/v1/search-tasks", asked).status == 202
        done = _command(environ, "search", "work", "--until-idle", "--shares", "2")
        assert "5 tasks done" in done
        task = _ask(url, "GET", "/v1/search-tasks/identify-9").json()
    assert task["outcome"] == "adjudication"
    keys = KeyRoom(Path(environ["ISSUANCE_SEARCH_KEY_DIR"]))
    (candidate,) = task["candidates"]
    assert found_inside(office.database, keys, "identify-9") == ["subject-3"]
    assert {each["modality"] for each in candidate["likenesses"]} == {"iris"}


@pytest.mark.parametrize(
    ("entry_point", "asked", "profile", "said"),
    [
        (DECLARED, "iris,iris", "demo", "each kind once"),
        (DECLARED, "face", "demo", "each kind once"),
        (DECLARED, "voice", "demo", "0 installed packages bring 'voice'"),
        (DECLARED, "iris,", "demo", "0 installed packages bring ''"),
        (DECLARED.replace("iris =", "voice ="), "voice", "demo", "a plug-in of another code"),
        ("iris = tests.support.no_such_module:plug_in", "iris", "demo", "iris: ModuleNotFoundError"),
        ("iris = tests.support.dummy_iris:no_such_name", "iris", "demo", "iris: AttributeError"),
        (DECLARED, "iris", "production", "a dummy is no iris engine"),
        (DECLARED, "iris", "prod", "ISSUANCE_PROFILE"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_said_at_the_start(
    entry_point: str, asked: str, profile: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed_in(tmp_path, entry_point))
    with pytest.raises(ConfigurationFault, match=said):
        compared_modalities(asked, profile)


def test_an_installed_package_that_nobody_named_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed_in(tmp_path / "first"))
    assert set(compared_modalities().codes) == {"face", "finger"}
    assert set(compared_modalities("iris").codes) == {"face", "finger", "iris"}
    monkeypatch.syspath_prepend(installed_in(tmp_path / "second"))
    with pytest.raises(ConfigurationFault, match="2 installed packages"):
        compared_modalities("iris")
