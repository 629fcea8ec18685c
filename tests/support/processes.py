"""What tests of programs that are watched want to know of them."""

from __future__ import annotations

from monitoring.supervisor import Supervisor


def process_id(supervisor: Supervisor, name: str) -> int:
    """The process id of a running program: the name of its process group too."""
    return supervisor._processes[name].pid
