"""Another kind of biometrics is a plug-in and nothing else: no migration, no line of the search changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import inspect

from issuance_backend.biometric_search.calibration import Calibration
from issuance_backend.biometric_search.modality import Modalities, Sample, Score
from issuance_backend.biometric_search.refusals import ModalityUnknown, TemplateRefused
from tests.support.engines import Engine
from tests.support.running import run_pending
from tests.support.search_bed import OFFICE, identify, make_bed, messages, samples_of
from verification.messages.biometric_search import Insert


class DummyIris:
    """An eye is as like another as their template bytes are equal."""

    code = "iris"
    format = "iris/dummy/1"
    calibration = Calibration(
        id="iris-dummy", engine="dummy", basis="none: a dummy", genuine_pairs=300_000, impostor_pairs=300_000,
        points=((0.0, -50.0), (1.0, 50.0)),
    )  # fmt: skip

    def require_sound(self, sample: Sample) -> None:
        if len(sample.content) != 8:
            raise TemplateRefused("no eye")

    def new_index(self) -> DummyIndex:
        return DummyIndex()


class DummyIndex:
    def __init__(self) -> None:
        self.eyes: dict[int, dict[int, bytes]] = {}

    def add(self, rows: Sequence[int], samples: Sequence[Sequence[Sample]]) -> None:
        for row, own in zip(rows, samples, strict=True):
            self.eyes[row] = {each.position: each.content for each in own}

    def remove(self, row: int) -> None:
        self.eyes.pop(row, None)

    def shortlist(self, probe: Sequence[Sample], limit: int, allowed: Iterable[int] | None) -> list[int]:
        within = self.eyes.keys() if allowed is None else self.eyes.keys() & set(allowed)
        return [row for row in within if any(score.value for score in self.scores(probe, [row])[row])][:limit]

    def scores(self, probe: Sequence[Sample], rows: Sequence[int]) -> Mapping[int, tuple[Score, ...]]:
        return {
            row: tuple(
                Score(each.position, float(self.eyes[row][each.position] == each.content))
                for each in probe
                if each.position in self.eyes.get(row, {})
            )
            for row in rows
        }


def eyes(person: int) -> tuple[Sample, ...]:
    return tuple(Sample("iris", side, "iris/dummy/1", person.to_bytes(7) + bytes([side])) for side in (1, 2))


def test_eyes_are_enrolled_searched_and_fused_by_a_plug_in_alone(
    tmp_path: Path, database_engine: Engine
) -> None:
    plain = make_bed(tmp_path / "plain", database_engine)
    bed = make_bed(tmp_path / "eyes", database_engine, DummyIris())
    with plain.database.reading() as one, bed.database.reading() as other:
        assert inspect(one).get_table_names() == inspect(other).get_table_names()
    for person in range(4):
        samples = messages((*samples_of(person), *eyes(person)))
        request = Insert(
            task_id=f"insert-{person}", gallery="national", subject=f"subject-{person}",
            encounter=f"dossier-{person}", legal_basis="Luật 26/2023/QH15", samples=samples,
        )  # fmt: skip
        bed.desk.submit(OFFICE, request)
    # Somebody whose face and fingers are new and whose eyes are known, and the eyes alone.
    mixed = messages((*samples_of(20, touch=2), *eyes(2)))
    bed.desk.submit(OFFICE, identify(20, samples=mixed))
    bed.desk.submit(OFFICE, identify(21, samples=messages(eyes(3))))
    run_pending(bed.worker)
    first = bed.desk.task(OFFICE, "identify-20").candidates[0]
    assert first.subject == "subject-2"
    assert {each.modality for each in first.likenesses} == {"face", "finger", "iris"}
    assert sum(each.decibans for each in first.likenesses) == pytest.approx(first.decibans, abs=0.1)
    alone = bed.desk.task(OFFICE, "identify-21")
    assert (alone.outcome, alone.candidates[0].subject) == ("adjudication", "subject-3")


def test_without_the_plug_in_its_templates_are_refused(tmp_path: Path, database_engine: Engine) -> None:
    bed = make_bed(tmp_path, database_engine)
    with pytest.raises(ModalityUnknown):
        bed.desk.submit(OFFICE, identify(1, samples=messages(eyes(1))))


def test_two_plug_ins_of_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="iris"):
        Modalities((DummyIris(), DummyIris()))


def test_the_search_names_no_modality() -> None:
    """Only the plug-ins and their composition know faces and fingers."""
    folder = Path(__file__).parents[3] / "issuance_backend" / "biometric_search"
    core = {"domain", "service", "worker", "search_room", "gallery_index", "fusion", "repository", "tables"}
    for name in core:
        source = (folder / f"{name}.py").read_text()
        assert "face_modality" not in source
        assert "finger_modality" not in source
        assert '"face"' not in source
        assert '"finger"' not in source
