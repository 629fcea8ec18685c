"""FNIR and FPIR: counted as a search counts, published whole, and the same again from the same captures."""

from __future__ import annotations

import csv
import io
import re
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import pytest

from issuance_backend import accuracy_command, search_commands
from issuance_backend.biometric_search import accuracy_report
from issuance_backend.biometric_search.accuracy import TARGETS, Accuracy, Capture, measure
from issuance_backend.biometric_search.adjudication import wilson
from issuance_backend.biometric_search.calibration import Calibration, shipped
from issuance_backend.biometric_search.gallery_index import Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample, Score
from monitoring.environment import ConfigurationFault
from tests.support.synthetic_fingers import fingers, records, second_impressions

PUBLISHED = Path(str(resources.files("issuance_backend"))) / "biometric_search" / "published_accuracy"
LABELS = "person,capture,modality,position,file"


class Heights:
    """People told apart by their height, which is not much: both kinds of errors are made at once."""

    code, format = "height", "height/1"
    calibration = Calibration(
        id="height", engine="rule", basis="invented", genuine_pairs=1_000, impostor_pairs=1_000,
        points=((-40.0, -20.0), (-10.0, 0.0), (-4.0, 12.0), (-1.0, 20.0), (0.0, 26.0)),
    )  # fmt: skip

    def require_sound(self, sample: Sample) -> None: ...

    def new_index(self) -> HeightIndex:
        return HeightIndex()


class HeightIndex:
    def __init__(self) -> None:
        self.heights: dict[int, float] = {}

    def add(self, rows: Sequence[int], samples: Sequence[Sequence[Sample]]) -> None:
        self.heights.update({row: float(own[0].content) for row, own in zip(rows, samples, strict=True)})

    def remove(self, row: int) -> None:
        del self.heights[row]

    def shortlist(self, probe: Sequence[Sample], limit: int, allowed: Iterable[int] | None) -> list[int]:
        asked = float(probe[0].content)
        return sorted(self.heights, key=lambda row: abs(self.heights[row] - asked))[:limit]

    def scores(self, probe: Sequence[Sample], rows: Sequence[int]) -> Mapping[int, tuple[Score, ...]]:
        asked = float(probe[0].content)
        return {row: (Score(0, -abs(self.heights[row] - asked)),) for row in rows}


def people(count: int, seen_again: int) -> list[Capture]:
    chance = np.random.default_rng(4)
    heights = chance.normal(1_640, 60, count)
    again = chance.choice(count, seen_again)
    captures = [(person, heights[person]) for person in range(count)]
    captures += [(person, heights[person] + chance.normal(0, 4)) for person in again]
    return [
        Capture(str(person), (Sample("height", 0, "height/1", str(height).encode()),))
        for person, height in captures
    ]


def test_the_rates_are_those_of_searches_at_each_threshold() -> None:
    """Every search made once more at every threshold, and asked of each candidate whether it is a hit."""
    persons, searches = 40, 60
    captures, modalities = people(persons, searches), Modalities((Heights(),))
    index = GalleryIndex(modalities)
    enrolments = [Enrolment(reference=each.person, samples=each.samples) for each in captures[:persons]]
    index.add(list(enumerate(enrolments)))
    measured = measure(modalities, captures, "invented", "1")
    assert (measured.gallery, measured.searches) == (persons, searches)
    assert [each.target_fpir_decibans for each in measured.points] == list(TARGETS)
    for point in measured.points:
        missed = strangers = 0
        for probe in captures[persons:]:
            question = Question(
                samples=probe.samples, max_candidates=100, target_fpir_decibans=point.target_fpir_decibans
            )
            hits = {each.number for each in index.identify(question) if each.is_hit}
            missed += int(probe.person) not in hits
            strangers += bool(hits - {int(probe.person)})
        assert (point.fnir.count, point.fpir.count) == (missed, strangers)
        assert (point.fnir.of, point.fpir.of) == (searches, searches)
        for rate in (point.fnir, point.fpir):
            assert (rate.share, rate.low, rate.high) == pytest.approx(wilson(rate.count, rate.of), abs=1e-6)
    # A strict threshold misses more and finds fewer strangers: the curve shows both ends.
    first, last = measured.points[0], measured.points[-1]
    assert first.fpir.count > last.fpir.count
    assert first.fnir.count < last.fnir.count


def test_where_nobody_was_captured_twice_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="twice"):
        measure(Modalities((Heights(),)), people(5, 0), "invented", "1")


def test_a_publication_says_the_same_in_all_its_files() -> None:
    measured = measure(Modalities((Heights(),)), people(40, 30), "invented & <few>", "1")
    files = accuracy_report.files(measured)
    assert files == accuracy_report.files(measured)
    assert msgspec.json.decode(files["accuracy.json"], type=Accuracy) == measured
    rows = list(csv.DictReader(io.StringIO(files["accuracy.csv"].decode())))
    assert [(int(row["fnir_count"]), float(row["fpir_high"])) for row in rows] == [
        (point.fnir.count, point.fpir.high) for point in measured.points
    ]
    drawn = files["accuracy.svg"].decode()
    curves = re.findall(r'<polyline points="([^"]+)"', drawn)
    assert [len(curve.split()) for curve in curves] == [len(TARGETS)] * 2
    assert "invented &amp; &lt;few&gt;" in drawn


def labelled(folder: Path, persons: int) -> Path:
    """Minutiae of invented index fingers, each touched twice, and who they are."""
    made = fingers(persons, 5)
    touches = (records(made), records(second_impressions(made, 6)))
    lines = [LABELS]
    for capture, templates in enumerate(touches):
        for person, template in enumerate(templates):
            (folder / f"{person}-{capture}.fmr").write_bytes(template)
            lines.append(f"p{person},{capture},finger,2,{person}-{capture}.fmr")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def asked(captures: Path, out: Path) -> Namespace:
    return Namespace(action="accuracy", captures=captures, whose="invented people", out=out)


def test_the_command_publishes_a_labelled_folder(tmp_path: Path) -> None:
    told = search_commands.run(asked(labelled(tmp_path, 12), tmp_path / "out"), {}, None)  # type: ignore[arg-type]
    assert told.startswith("12 searches among 12 persons")
    measured = msgspec.json.decode((tmp_path / "out" / "accuracy.json").read_bytes(), type=Accuracy)
    (engine,) = measured.engines
    assert (engine.modality, engine.calibration) == ("finger", "finger-nbis-py-0.1.3")
    assert (measured.captures, measured.software) == ("invented people", accuracy_command.software())
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(accuracy_report.files(measured))


@pytest.mark.parametrize(
    "line",
    [
        "p1,0,finger,2,not-there.fmr",
        "p1,0,finger,left,0-0.fmr",
        "p1,0,face,0,0-0.fmr",
        "p1,0,finger,2",
        "p1,0,finger,2,0-0.fmr,more",
    ],
)
def test_a_list_that_is_wrong_is_refused(tmp_path: Path, line: str) -> None:
    labelled(tmp_path, 1)
    (tmp_path / "labels.csv").write_text(f"{LABELS}\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationFault):
        accuracy_command.run(asked(tmp_path, tmp_path / "out"), {})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"person,file\np1,0-0.fmr\n", b"\xff\xfe\x00"])
def test_a_folder_without_a_list_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationFault):
        accuracy_command.run(asked(tmp_path, tmp_path / "out"), {})
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(ConfigurationFault):
        accuracy_command.run(asked(tmp_path, tmp_path / "out"), {})


@pytest.mark.parametrize("folder", sorted(path.name for path in PUBLISHED.iterdir()))
def test_what_is_published_is_whole_and_of_the_engines_that_are_shipped(folder: str) -> None:
    found = {path.name: path.read_bytes() for path in (PUBLISHED / folder).iterdir()}
    measured = msgspec.json.decode(found["accuracy.json"], type=Accuracy)
    assert found == accuracy_report.files(measured)
    for engine in measured.engines:
        assert shipped(engine.calibration).basis == engine.basis
    assert measured.software == accuracy_command.software()


@pytest.mark.shared_data
def test_the_published_rates_of_faces_are_measured_again(
    shared: Path, model_directory: Path, tmp_path: Path
) -> None:
    pictures = sorted((shared / "data" / "faces" / "london").glob("*.jpg"))
    lines = [f"{path.stem[:3]},{path.stem[4:]},face,0,{path}" for path in pictures]
    (tmp_path / "labels.csv").write_text("\n".join([LABELS, *lines]), encoding="utf-8")
    accuracy_command.run(asked(tmp_path, tmp_path), {"ISSUANCE_MODEL_DIR": str(model_directory)})
    again = msgspec.json.decode((tmp_path / "accuracy.json").read_bytes(), type=Accuracy)
    published = msgspec.json.decode(
        (PUBLISHED / "london_faces" / "accuracy.json").read_bytes(), type=Accuracy
    )
    assert (again.gallery, again.searches, again.engines) == (
        published.gallery,
        published.searches,
        published.engines,
    )
    assert again.points == published.points
