"""A kind of biometrics in a package of its own, for a test: eyes, of which nothing is real."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from issuance_backend.biometric_search.calibration import Calibration
from issuance_backend.biometric_search.modality import Sample, Score
from issuance_backend.biometric_search.refusals import TemplateRefused
from issuance_backend.store_profile import PRODUCTION
from monitoring.environment import ConfigurationFault

DECLARED = "iris = tests.support.dummy_iris:plug_in"


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


def plug_in(profile: str) -> DummyIris:
    """What the package's entry point names; a stand-in refuses to serve a production."""
    if profile == PRODUCTION:
        raise ConfigurationFault("a dummy is no iris engine")
    return DummyIris()


def eyes(person: int) -> tuple[Sample, ...]:
    return tuple(Sample("iris", side, "iris/dummy/1", person.to_bytes(7) + bytes([side])) for side in (1, 2))


def installed_in(folder: Path, entry_point: str = DECLARED) -> str:
    """What an installer leaves of such a package; the path that a program finds it by."""
    declared = folder / f"{folder.name}-1.0.dist-info"
    declared.mkdir(parents=True)
    (declared / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 1.0\n")
    (declared / "entry_points.txt").write_text(f"[issuance_backend.modalities]\n{entry_point}\n")
    return str(folder)
