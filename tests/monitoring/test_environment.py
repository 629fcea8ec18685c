from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from monitoring.environment import ConfigurationFault, read_secret, read_settings


@dataclass(frozen=True, kw_only=True)
class Example:
    folder: Path
    seconds: int = 5
    strict: bool = True
    cache_url: str | None = field(default=None, metadata={"env": "CACHE_URL"})


def test_values_take_the_types_of_their_fields() -> None:
    environ = {
        "X_FOLDER": "/srv/a",
        "X_SECONDS": "9",
        "X_STRICT": "false",
        "CACHE_URL": "redis://",
        "HOME": "/",
    }
    settings = read_settings(Example, "X_", environ)
    assert settings == Example(folder=Path("/srv/a"), seconds=9, strict=False, cache_url="redis://")


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(ConfigurationFault) as refusal:
        read_settings(Example, "X_", {"X_SECONDS": "soon", "X_STRICT": "maybe", "X_FOLDRE": "/srv"})
    lines = str(refusal.value).splitlines()
    assert lines == [
        "X_FOLDER is not set",
        "X_SECONDS: must be a number (int)",
        "X_STRICT: must be true or false",
        "X_FOLDRE is not a setting",
    ]


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_missing_or_empty_secret_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationFault):
        read_secret(path)


def test_a_secret_is_trimmed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    assert read_secret(tmp_path / "secret") == "s3cret"
