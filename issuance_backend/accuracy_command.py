"""``python -m issuance_backend search accuracy``: FNIR and FPIR of the engines here over labelled captures.

The folder holds ``labels.csv`` with the columns person, capture, modality, position and file: the first
capture of a person is enrolled, the others are searched. A finger is a picture, or minutiae that are
written already (ISO/IEC 19794-2, ``.fmr``); faces need the models in ``ISSUANCE_MODEL_DIR``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from issuance_backend.biometric_search import accuracy_report
from issuance_backend.biometric_search.accuracy import Capture, measure
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.face_modality import FACE, FaceModality
from issuance_backend.biometric_search.finger_modality import FINGER, FingerModality
from issuance_backend.biometric_search.modality import Sample
from issuance_backend.dossiers.national_gallery import FaceMaker, FingerMaker
from issuance_backend.personalization.finger_pictures import read_finger
from issuance_backend.personalization.portrait_judge import installed_engine
from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from monitoring.environment import ConfigurationFault
from verification.fingerprint.nbis_engine import NbisEngine

LABELS = "labels.csv"
COLUMNS = ("person", "capture", "modality", "position", "file")

Maker = Callable[[Path, int], Sample]


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """Measure and publish; raises ConfigurationFault, ValueError and VerificationError."""
    labels, models = _labels(options.captures), environ.get("ISSUANCE_MODEL_DIR")
    engine = installed_engine(Path(models)) if models else None
    modalities = installed_modalities(engine.id if engine else None)
    finger = modalities.named(FINGER)
    makers: dict[str, Maker] = {}
    if isinstance(finger, FingerModality):
        makers[FINGER] = _finger_maker(finger)
    face = modalities.named(FACE) if FACE in modalities.codes else None
    if engine is not None and isinstance(face, FaceModality):
        portraits = FaceMaker(engine, face, lambda content: bgr(card_picture(content)))
        makers[FACE] = lambda path, _: portraits.sample(path.read_bytes())
    captures = _captures(options.captures, labels, makers)
    measured = measure(modalities, captures, options.whose, software())
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in accuracy_report.files(measured).items():
        (options.out / name).write_bytes(content)
    return f"{measured.searches} searches among {measured.gallery} persons: {options.out}"


def _finger_maker(modality: FingerModality) -> Maker:
    prints = FingerMaker(NbisEngine(), modality, read_finger)

    def make(path: Path, position: int) -> Sample:
        content = path.read_bytes()
        return modality.sample(content) if path.suffix == ".fmr" else prints.sample(content, position)

    return make


def _labels(folder: Path) -> list[dict[str, str]]:
    """The lines of the list; raises ConfigurationFault for a list that is none."""
    try:
        with (folder / LABELS).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error):
        raise ConfigurationFault(f"{folder / LABELS} cannot be read") from None
    whole = all(row.keys() == set(COLUMNS) and (row["position"] or "").isdecimal() for row in rows)
    if columns != COLUMNS or not whole or any(None in row.values() for row in rows):
        raise ConfigurationFault(f"{LABELS}: {', '.join(COLUMNS)} in every line")
    return rows


def _captures(
    folder: Path, labels: Sequence[Mapping[str, str]], makers: Mapping[str, Maker]
) -> Iterator[Capture]:
    """The captures in the order of the list."""
    for (person, _), rows in groupby(labels, key=lambda row: (row["person"], row["capture"])):
        yield Capture(person, tuple(_sample(folder, row, makers) for row in rows))


def _sample(folder: Path, row: Mapping[str, str], makers: Mapping[str, Maker]) -> Sample:
    make = makers.get(row["modality"])
    if make is None:
        raise ConfigurationFault(f"{LABELS}: no engine for {row['modality']}")
    try:
        return make(folder / row["file"], int(row["position"]))
    except OSError:
        raise ConfigurationFault(f"{row['file']} cannot be read") from None


def software() -> str:
    """The version of this program, installed or run from its sources."""
    try:
        return version("chip-card-verification")
    except PackageNotFoundError:
        sources = ConfigParser()
        sources.read(Path(__file__).parents[1] / "setup.cfg", encoding="utf-8")
        return sources.get("metadata", "version", fallback="unknown")
