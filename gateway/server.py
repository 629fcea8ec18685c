"""gunicorn with its settings in code: threads for slow callers, loopback because HAProxy stands before it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from prometheus_client import multiprocess

from gateway.wsgi import application


class GatewayServer(BaseApplication):
    """The gateway under gunicorn; ``run()`` returns when it is told to stop."""

    def __init__(self, listen: str, workers: int, threads: int) -> None:
        self._options = options(listen, workers, threads)
        super().__init__()

    def load_config(self) -> None:
        """Hand the options to gunicorn."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called in each worker, after the fork: connections and threads are never shared."""
        return application()


def options(listen: str, workers: int, threads: int) -> dict[str, Any]:
    """gunicorn's options.

    ``gthread`` keeps answering while some callers are slow; a thousand of them are HAProxy's task.
    Workers are renewed rarely, with jitter, so that leaks cannot add up unseen.
    """
    return {
        "bind": listen,
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "timeout": 30,
        "graceful_timeout": 10,
        "keepalive": 30,
        "max_requests": 50_000,
        "max_requests_jitter": 5_000,
        "limit_request_line": 2_048,
        "limit_request_fields": 40,
        "limit_request_field_size": 4_096,
        "forwarded_allow_ips": "",
        "proc_name": "gateway",
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "control_socket_disable": True,
        "child_exit": forget_worker,
    }


def prepare_metrics() -> None:
    """Empty the folder in which the workers of this run add up their metrics, if they share one."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for left_over in Path(folder).glob("*.db"):
            left_over.unlink()


def forget_worker(_server: Any, worker: Any) -> None:
    """A worker that ended no longer counts in the gauges that all workers share."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
