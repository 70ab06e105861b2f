"""Tables in Markdown, medians, and the machine in words."""

import os
import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime


def median(runs: list[dict], of: Callable[[dict], float | None]) -> float | None:
    """Of what each run gives; None where one does not have it."""
    values = [of(run) for run in runs]
    return None if None in values else statistics.median(values)


def beyond_libraries(run: dict) -> float:
    """Peak memory of a run beyond interpreter and libraries [MB]."""
    return (run["peak"] - run["baseline"]) / 1e6


def table(titles: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a table; every column but the first is aligned to the right."""
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' --: |' * (len(titles) - 1)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def machine() -> str:
    """Cores, memory, processor and system, in words."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{cores} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
