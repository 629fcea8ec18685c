"""One name, one meaning: metrics are declared in one place, spelled one way, and never name a person."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from monitoring import metrics

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("verification", "monitoring", "reader_agent", "gateway", "issuance_backend", "enrollment_admin")
KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
NAME = re.compile(r"idv_[a-z][a-z0-9_]*")
PERSONAL_LABELS = {"citizen_number", "name", "can", "mrz", "session", "person", "subject", "path", "card"}


def declared() -> dict[str, MetricWrapperBase]:
    return {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}


def sources() -> list[Path]:
    return [path for program in PROGRAMS for path in (ROOT / program).rglob("*.py")]


def test_names_are_ours_unique_and_carry_their_unit() -> None:
    names = [
        name for metric in declared().values() for name in (described.name for described in metric.describe())
    ]
    assert len(names) == len(set(names)) >= 5
    for metric in declared().values():
        (described,) = metric.describe()
        assert NAME.fullmatch(described.name), described.name
        assert described.documentation, described.name
        if described.type == "histogram":
            assert described.name.endswith(("_seconds", "_bytes")), described.name


def test_no_label_can_name_a_person() -> None:
    for metric in declared().values():
        assert not PERSONAL_LABELS & set(metric._labelnames)


def test_metrics_are_declared_in_one_place_only() -> None:
    for path in sources():
        if path == ROOT / "monitoring" / "metrics.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client"):
                assert not KINDS & {alias.name for alias in node.names}, path


def test_every_metric_that_is_declared_is_counted_somewhere() -> None:
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in sources() if path != ROOT / "monitoring" / "metrics.py"
    )
    assert not [name for name in declared() if f"metrics.{name}" not in text and f" {name}." not in text]
