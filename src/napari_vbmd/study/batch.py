"""A whole cohort: every row of a manifest through `run_patient`, and one table as they come.

A patient that fails is a row with the reason. Patients whose results are there, made from the same
content in the same way, are skipped, so the same call goes on after any interruption.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .. import provenance
from ..errors import ParameterError
from ..io.results import check_folder
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.methods import check_method_name
from ..segmentation.weights import find_weights
from .batch_case import DONE, FAILED, SKIPPED, BatchCase, BatchSettings, Outcome
from .batch_memory import affordable_workers, largest, memory_text
from .batch_names import folder_names
from .batch_table import TABLE, Group, check_table, row_of, write_table
from .cluster_workers import run_on_cluster
from .local_workers import run_locally
from .manifest import Manifest
from .phantoms import is_phantom
from .sources import truth_of
from .stopper import STOP, forget_stop, stop_is_asked

Progress = Callable[[float, str], None]
LOCK, LOG = ".batch.lock", "batch.log"


@dataclass
class Batch:
    """What a batch has given so far.

    Attributes
    ----------
    table : Path
    patients : int
        Rows of the manifest.
    rows : dict of int to dict
        Rows of the table, by their place in the manifest.
    groups : list of Group
        Scans that may be pooled; more than one needs a decision.
    """

    table: Path
    patients: int
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many are done, skipped and failed."""
        found = Counter(row["status"] for row in self.rows.values())
        return {status: found[status] for status in (DONE, SKIPPED, FAILED)}

    @property
    def failed(self) -> dict[str, str]:
        """Why, by the scan as the table names it."""
        rows = (self.rows[i] for i in sorted(self.rows))
        return {row["scan"]: row["reason"] for row in rows if row["status"] == FAILED}

    def add(self, index: int, row: dict[str, Any]) -> None:
        """Take a patient's row, and write the whole table."""
        self.rows[index] = row
        self.groups = write_table([self.rows[i] for i in sorted(self.rows)], self.table)


def run_batch(
    manifest: Manifest,
    out: str | Path,
    settings: BatchSettings,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Batch:
    """Run a cohort.

    Parameters
    ----------
    manifest : Manifest
        The expert's mask of a row, else its mask, is what the result is compared with.
    out : path
        Gets a folder for each row (see `folder_names`), and ``batch.csv``, which is written whole
        after each patient.
    settings : BatchSettings
        Its ``threads`` and ``weights_sha256`` are found here.
    workers : int
        Processes on this machine; fewer where the memory does not suffice.
    scheduler : str, optional
        Address of a dask scheduler, whose workers do the work instead.
    progress : callable, optional
        Called with a fraction and a message; may raise to stop. A file ``stop`` in the folder
        stops it, too.
    note : callable, optional
        Called with lines for people.

    Raises
    ------
    ParameterError
        When something is wrong with the settings, or another batch works in the folder.
    WriteError
        When the folder cannot be written, or its ``batch.csv`` is something else.
    KeyboardInterrupt
        As it came, with a message of how far the work was; the table is whole.
    """
    if workers < 1:
        raise ParameterError(f"{workers} workers: give a number above zero")
    out = Path(out).absolute()
    settings = replace(settings, weights_sha256=_weights_hash(settings))
    check_folder(out)
    _check_manifest(manifest, out)
    batch = Batch(out / TABLE, len(manifest.cases))
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            check_table(batch.table)
            forget_stop(out)
            progress = _stoppable(progress, out)
            jobs = plan(manifest, out, settings)
            outcomes = _outcomes(jobs, workers, scheduler, progress, note or (lambda _: None))
            _collect(batch, manifest, jobs, outcomes)
    except Timeout:
        raise ParameterError(f"{out}: another batch is at work in this folder") from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: {len(batch.rows)} of {batch.patients} patients are in {batch.table}; "
            "the same command goes on"
        ) from None
    return batch


def plan(manifest: Manifest, out: Path, settings: BatchSettings) -> list[BatchCase]:
    """Every row as a job, in the manifest's order."""
    names = folder_names(manifest.cases, (TABLE, LOCK, STOP, LOG))
    return [
        BatchCase(
            name,
            case.scan,
            truth_of(case),
            out / name,
            case.side,
            case.slices or settings.slices,
            settings,
        )
        for case, name in zip(manifest.cases, names, strict=True)
    ]


def _stoppable(progress: Progress | None, out: Path) -> Progress:
    """The progress, which stops the batch when another program asked for it by a file."""

    def tell(fraction: float, message: str) -> None:
        if stop_is_asked(out):
            forget_stop(out)
            raise KeyboardInterrupt
        if progress:
            progress(fraction, message)

    return tell


def _collect(
    batch: Batch,
    manifest: Manifest,
    jobs: list[BatchCase],
    outcomes: Iterator[tuple[int, Outcome]],
) -> None:
    with closing(outcomes):  # whatever happens here, no worker goes on alone
        for index, outcome in outcomes:
            row = row_of(manifest.cases[index], jobs[index], outcome, batch.table.parent)
            batch.add(index, row)


def _outcomes(jobs, workers, scheduler, progress, note) -> Iterator[tuple[int, Outcome]]:
    """Choose who does the work, and say what memory it takes before it begins."""
    needed, whose = largest(jobs)
    if scheduler:
        note(f"memory: up to about {needed / 1e9:.1f} GB a worker ({whose})")
        return run_on_cluster(jobs, scheduler, progress)
    wanted = min(workers, len(jobs))
    workers = affordable_workers(wanted, needed)
    note(memory_text(needed, whose, wanted, workers))
    threads = max(1, (provenance.machine()["cores"] or 1) // workers)
    settings = replace(jobs[0].settings, threads=threads)
    return run_locally([replace(job, settings=settings) for job in jobs], workers, progress)


def _weights_hash(settings: BatchSettings) -> str | None:
    """The hash of the network's weights; what is wrong with method and weights is said here."""
    check_method_name(settings.method)
    network = CONFIGURATIONS.get(settings.method)
    if network is None:
        return None
    path = find_weights(network, settings.parameters.weights)
    if not path.is_file():
        raise ParameterError(f"{path}: no such weights file; check the name")
    return provenance.file_hash(path)


def _check_manifest(manifest: Manifest, out: Path) -> None:
    if manifest.path == out / TABLE:
        raise ParameterError(f"{manifest.path}: the results' table would replace it; rename it")
    drawn = [case for case in manifest.cases if is_phantom(case)]
    if drawn:
        raise ParameterError(
            f"{manifest.path}: line {drawn[0].line}: “{drawn[0].key}” is drawn, not read from a "
            "file; write it with `napari-vbmd phantom`, and name the file"
        )
