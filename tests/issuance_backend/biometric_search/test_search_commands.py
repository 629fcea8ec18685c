"""The commands of the search: a worker compares whatever lies in galleries, with no engine of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from issuance_backend import search_commands
from tests.support.search_bed import OFFICE, SearchBed, identify, messages, samples_of


def test_a_worker_compares_faces_without_the_models_of_faces(bed: SearchBed, tmp_path: Path) -> None:
    bed.enrol(3)
    face, *_ = samples_of(3, touch=2)
    bed.desk.submit(OFFICE, identify(3, samples=messages((face,))))
    parser = argparse.ArgumentParser()
    search_commands.add_commands(parser)
    options = parser.parse_args(["work", "--until-idle"])
    environ = {"ISSUANCE_SEARCH_KEY_DIR": str(tmp_path / "gallery-keys")}
    assert search_commands.run(options, environ, bed.database) == "2 tasks done"
    task = bed.desk.task(OFFICE, "identify-3")
    assert task.outcome == "adjudication"
    assert [each.modality for each in task.candidates[0].likenesses] == ["face"]


def test_a_worker_holds_no_model_library() -> None:
    asked = (
        "import sys, issuance_backend.search_commands;"
        "print(sorted({'onnxruntime', 'cv2'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
