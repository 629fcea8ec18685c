"""Supplying models: pinned archives only, no code of theirs run, quick the second time."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from monitoring import model_supply
from monitoring.model_supply import COMPLETE, SupplyFault, main, supply
from verification.face.model_file import ArchivePin, ModelLock, ModelPin, load_engine_models

MEMBER = b"numbers"
MADE = b"made of numbers"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive_of(member: bytes = MEMBER, name: str = "p-1.0/p/models/m.dat") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for entry, content in (("p-1.0/setup.py", b"raise SystemExit('must never run')"), (name, member)):
            header = tarfile.TarInfo(entry)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A lock with one small model, made from one small archive."""
    archive = archive_of()
    pin = ModelPin(
        "e", "r", "m.onnx", len(MADE), digest(MADE), "CC0-1.0", "", "", {}, {},
        "p", "models/m.dat", len(MEMBER), digest(MEMBER), "convert",
    )  # fmt: skip
    lock = ModelLock({"p": ArchivePin("p==1.0", len(archive), digest(archive))}, {"m": pin})
    monkeypatch.setattr(model_supply, "model_lock", lambda: lock)
    monkeypatch.setattr(model_supply, "_CONVERTERS", {"convert": lambda member: b"made of " + member})
    return archive


def test_a_model_is_made_read_only_and_not_twice(pinned: bytes, tmp_path: Path) -> None:
    source = tmp_path / "p-1.0.tar.gz"
    source.write_bytes(pinned)
    target = tmp_path / "models"
    assert supply(target, archive=str(source)) == ["m.onnx"]
    assert (target / "m.onnx").read_bytes() == MADE
    assert (target / "m.onnx").stat().st_mode & 0o777 == 0o444
    assert sorted(path.name for path in target.iterdir()) == [COMPLETE, "m.onnx"]
    source.unlink()
    assert supply(target, archive="/nowhere") == []


def test_the_operators_folder_is_searched_for_the_archive(pinned: bytes, tmp_path: Path) -> None:
    (tmp_path / "p-1.0.tar.gz").write_bytes(pinned)
    assert supply(tmp_path / "models", archive=str(tmp_path)) == ["m.onnx"]


def test_finished_files_need_no_archive(pinned: bytes, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "m.onnx").write_bytes(MADE)
    assert supply(tmp_path / "models", files=stick) == ["m.onnx"]


def test_a_model_that_was_altered_is_made_again(pinned: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"something else")
    source = tmp_path / "archive"
    source.write_bytes(pinned)
    assert supply(tmp_path, archive=str(source)) == ["m.onnx"]


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no archive",
        archive_of(b"numbers") + b"\0",
        archive_of(b"Numbers"),
        archive_of(name="p-1.0/p/models/x"),
    ],
)
def test_an_archive_that_is_not_the_pinned_one_is_not_read(
    pinned: bytes, tmp_path: Path, archive: bytes
) -> None:
    source = tmp_path / "archive"
    source.write_bytes(archive)
    assert archive != pinned
    with pytest.raises(SupplyFault):
        supply(tmp_path / "models", archive=str(source))
    assert not (tmp_path / "models" / COMPLETE).exists()


def test_a_result_that_came_out_differently_is_not_kept(
    pinned: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_supply, "_CONVERTERS", {"convert": lambda _: b"made of NUMBERS"})
    source = tmp_path / "archive"
    source.write_bytes(pinned)
    with pytest.raises(SupplyFault):
        supply(tmp_path / "models", archive=str(source))
    assert not (tmp_path / "models" / "m.onnx").exists()


def test_a_missing_archive_is_said_in_one_line(
    pinned: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dir", str(tmp_path / "models"), "--archive", str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.needs_models
def test_what_set_up_made_is_complete(model_directory: Path) -> None:
    assert load_engine_models(model_directory, "cc0").keys() == {"detector", "landmarks", "recogniser"}
