"""The command `batch`: every scan of a manifest, into one table."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .choice import chosen_method
from .console import Console, aligned

SUMMARY = "run every scan of a manifest, into one table; goes on where it was stopped"
SOME_FAILED = 1
_MOST_GROUPS = 20


def add_options(
    command: argparse.ArgumentParser, add_method: Callable, add_calibration: Callable
) -> None:
    """What may be typed after ``batch``."""
    command.description += (
        " Patients whose results are there, made from the same files in the same way, are skipped."
        " Exit status: 0 every patient is done, 1 some failed and their rows say why, 2 wrong use"
        " or bad input, 130 interrupted."
    )
    command.add_argument(
        "manifest", type=Path, metavar="MANIFEST.csv", help="a row a scan; see docs/training.md"
    )
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="for a folder a patient, and batch.csv",
    )
    command.add_argument(
        "--compartments",
        action="store_true",
        help="cortical and trabecular numbers, too (docs/measurements.md)",
    )
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="patients at a time on this machine; fewer where the memory does not suffice "
        "(default: 1)",
    )
    place.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of an existing dask cluster that sees the same files, such as tcp://10.0.0.1:8786",
    )
    add_method(command)
    add_calibration(command)


def run(
    arguments: argparse.Namespace,
    calibration: dict[str, Any] | None,
    words: Sequence[str],
    console: Console,
) -> tuple[dict[str, Any], str, int]:
    """The content of ``--json``, the same for people, and the exit status."""
    from ..study.batch import run_batch
    from ..study.batch_case import BatchSettings
    from ..study.batch_table import differing
    from ..study.manifest import read_manifest

    manifest = read_manifest(arguments.manifest)
    chosen = chosen_method(arguments, console)
    settings = BatchSettings(
        calibration=calibration or {},
        command=tuple(words),
        compartments=arguments.compartments,
        **chosen,
    )
    batch = run_batch(
        manifest,
        arguments.out,
        settings,
        arguments.workers,
        arguments.scheduler,
        console.progress,
        console.note,
    )
    differ = differing(batch.groups)
    content = {
        "table": str(arguments.out / batch.table.name),
        "patients": batch.patients,
        **batch.counts,
        "failures": batch.failed,
        "groups": [{"scans": one.scans, **one.values} for one in batch.groups],
        "groups_differ_in": differ,
    }
    return content, _text(content, batch, differ), SOME_FAILED if batch.failed else 0


def _text(content: dict[str, Any], batch, differ: list[str]) -> str:
    """The summary for people."""
    rows = [(name, str(content[name])) for name in ("patients", "done", "skipped", "failed")]
    parts = [aligned([*rows, ("table", content["table"])])]
    parts += [f"failed: {scan}: {reason}" for scan, reason in batch.failed.items()]
    if differ:
        parts.append(f"not to be pooled unseen: the scans differ in {' and '.join(differ)}")
        parts += [f"  {group.text(differ)}" for group in batch.groups[:_MOST_GROUPS]]
        if len(batch.groups) > _MOST_GROUPS:
            parts.append(f"  and {len(batch.groups) - _MOST_GROUPS} more groups: column “group”")
    return "\n".join(parts)
