"""Every metric name of the four programs, in one place. Labels are bounded and never name a person."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

HTTP_REQUESTS = Counter(
    "idv_http_requests_total", "Answered HTTP requests", ["service", "route", "method", "status"]
)
HTTP_SECONDS = Histogram(
    "idv_http_request_duration_seconds",
    "Time to answer an HTTP request",
    ["service", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DECISIONS = Counter("idv_decisions_total", "Decisions of the gateway", ["purpose", "outcome", "code"])
CHIP_CHECKS = Counter("idv_chip_checks_total", "Outcomes of inspection checks", ["check", "outcome"])
SIGNATURE_FAILURES = Counter("idv_signature_failures_total", "Requests with a refused signature", ["code"])
REGISTRY_REQUESTS = Counter("idv_registry_requests_total", "Questions to registries", ["registry", "result"])
CARD_EVENTS = Counter("idv_card_events_total", "Changes of card states heard from the issuer")
CARD_EVENTS_HEARD = Gauge(
    "idv_card_events_heard_timestamp_seconds",
    "When the issuer of cards was last heard",
    multiprocess_mode="max",
)
CARDS_PRODUCED = Counter("idv_cards_produced_total", "Cards through quality control", ["result"])
CERTIFICATES_ENDING = Gauge(
    "idv_officer_certificates_ending",
    "Officers' certificates that end within 30 days and that no later one follows",
    ["level"],
    multiprocess_mode="mostrecent",
)
FIGURES_DIFFERING = Gauge(
    "idv_figures_differing",
    "Figures of units that differed from the recorded events at the last check",
    multiprocess_mode="mostrecent",
)
FIGURES_CHECKED = Gauge(
    "idv_figures_checked_timestamp_seconds",
    "When the figures were last checked against the recorded events",
    multiprocess_mode="max",
)
CONTENT_SCANS = Counter(
    "idv_content_scans_total", "Captured contents that a scanner was asked about", ["result"]
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition() -> bytes:
    """The metrics of this program in Prometheus text format, over all its workers."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return generate_latest(DEFAULT_REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
