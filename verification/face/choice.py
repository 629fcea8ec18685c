"""Which engine this machine can use: the best one whose files are complete, unaltered and answer right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from verification.errors import FaceModelMissing, Unavailable
from verification.face.cc0 import Cc0Engine
from verification.face.engine import FaceEngine
from verification.face.model_file import load_engine_models
from verification.face.self_test import self_test
from verification.face.yunet_sface import YunetSfaceEngine

Maker = Callable[[Mapping[str, bytes]], FaceEngine]

ENGINES: tuple[tuple[str, Maker], ...] = (("yunet_sface", YunetSfaceEngine), ("cc0", Cc0Engine))
"""In the order of preference."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine, or None: then the teller compares by eye, and never a made-up score.

    ``refused`` holds the fault code of every engine that was preferred and could not be used.
    """

    engine: FaceEngine | None
    refused: Mapping[str, str]


def examine_engines(model_dir: Path) -> EngineChoice:
    """Load and test engines until one holds; see ``alarms`` for those that were refused."""
    refused: dict[str, str] = {}
    for name, make in ENGINES:
        try:
            engine = make(load_engine_models(model_dir, name))
            self_test(engine)
        except Unavailable as fault:
            refused[name] = fault.code
        else:
            return EngineChoice(engine, refused)
    return EngineChoice(None, refused)


def choose_engine(model_dir: Path) -> FaceEngine | None:
    """The engine to use, None for comparison by eye."""
    return examine_engines(model_dir).engine


def alarms(choice: EngineChoice) -> dict[str, str]:
    """Engines refused for another reason than that their files were never supplied."""
    return {name: code for name, code in choice.refused.items() if code != FaceModelMissing.code}
