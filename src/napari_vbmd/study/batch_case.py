"""One patient of a batch: skipped when its results are there, else run; never an exception."""

import contextlib
import json
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .. import provenance
from ..errors import VbmdError
from ..io.files import read_scan
from ..pipeline import RESULTS, PostProcessing, run_patient
from ..scan import Scan
from ..segmentation.methods import METHODS, recorded_parameters

Progress = Callable[[float, str], None]
DONE, SKIPPED, FAILED = "done", "skipped", "failed"
_SCANNER = (  # header entries that tell one scanner and its setting from another
    "Manufacturer",
    "ManufacturerModelName",
    "Scanner type",
    "Scanner ID",
    "Energy [V]",
    "KVP",
    "Intensity [uA]",
)
CONSTANTS = ("mu_scaling", "mu_water_per_cm", "density_slope", "density_intercept")


@dataclass(frozen=True)
class BatchSettings:
    """What is the same for every patient of a batch.

    Attributes
    ----------
    method : str
    parameters : object
        Of the method's kind.
    post_processing : PostProcessing
    slices : tuple of int or None
        For rows that give no range of their own.
    calibration : mapping
        Keywords of `Scan.calibrated`.
    weights_sha256 : str or None
        Of the network's weights file.
    command : tuple of str
        As typed, for run.json.
    threads : int or None
        Of the libraries within one worker; None leaves it to them.
    compartments : bool
        Whether cortical and trabecular numbers are wanted.
    """

    method: str
    parameters: Any
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    slices: tuple[int, int] | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str | None = None
    command: tuple[str, ...] = ()
    threads: int | None = None
    compartments: bool = False


@dataclass(frozen=True)
class BatchCase:
    """One patient, ready to be sent to a worker: absolute paths and plain data.

    Attributes
    ----------
    name : str
        Of the folder, for people to read.
    scan : Path
    expert : Path or None
    folder : Path
        For the results.
    side : {"left", "right"} or None
    slices : tuple of int or None
    settings : BatchSettings
    """

    name: str
    scan: Path
    expert: Path | None
    folder: Path
    side: str | None
    slices: tuple[int, int] | None
    settings: BatchSettings


@dataclass(frozen=True)
class Outcome:
    """What became of one patient; plain data.

    Attributes
    ----------
    status : {"done", "skipped", "failed"}
        Skipped: the results of the same files, method and settings were there.
    reason : str
        Why it failed, on one line; "" otherwise.
    facts : dict
        What the scan's header says: see `scan_facts`; empty when it could not be read.
    measurement, record : dict
        The content of measurement.json and run.json; empty when it failed.
    seconds : float
        In the worker, this time.
    """

    status: str
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    measurement: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def run_case(case: BatchCase, progress: Progress | None = None) -> Outcome:
    """Run one patient through `run_patient`, unless its results are there already.

    Parameters
    ----------
    case : BatchCase
    progress : callable, optional
        Called with a fraction and a message; what it raises ends the run and is passed on, unless
        it is an ordinary error.

    Returns
    -------
    Outcome
        Of a failure, too: whatever is wrong with one patient is a row, and stops no other.
    """
    start, facts = time.perf_counter(), {}
    try:
        settings = with_side(case)
        scan = read_scan(case.scan).calibrated(**settings.calibration)
        facts = scan_facts(scan)
        _clear_half_written(case.folder)
        status = SKIPPED
        if not is_done(case, settings, scan, progress):
            status = DONE
            run_patient(
                scan,
                case.folder,
                settings.method,
                settings.parameters,
                case.slices,
                case.expert,
                settings.post_processing,
                progress,
                command=settings.command or None,
                compartments=settings.compartments,
            )
        found = [_read(case.folder / name) for name in ("measurement.json", "run.json")]
        return Outcome(status, "", facts, *found, time.perf_counter() - start)
    except Exception as error:
        return Outcome(FAILED, _reason(error), facts, seconds=time.perf_counter() - start)


def with_side(case: BatchCase) -> BatchSettings:
    """The settings, with the manifest's side where the method takes one and none was typed."""
    settings = case.settings
    kind = METHODS[settings.method].parameters
    takes = any(each.name == "side" for each in fields(kind))
    if not takes or not case.side or settings.parameters.side != "auto":
        return settings
    return replace(settings, parameters=replace(settings.parameters, side=case.side))


def is_done(
    case: BatchCase, settings: BatchSettings, scan: Scan, progress: Progress | None = None
) -> bool:
    """Whether the folder holds the results of the same content, made in the same way.

    That is: the bytes of scan and expert's mask, method, parameters, weights, slices,
    post-processing and calibration are those that the results were made from, and every result is
    as it was written. Names and dates do not count.
    """
    try:
        record, measured = _read(case.folder / "run.json"), _read(case.folder / "measurement.json")
        before, outputs = record["scan"]["sha256"], record["outputs"]
        if _recipe_of(record, measured) != _recipe(case, settings, scan):
            return False
        theirs = record["expert"]["sha256"] if record["expert"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    there = {name for name in RESULTS if (case.folder / name).is_file()} - {"run.json"}
    if there != set(outputs):
        return False
    if any(provenance.file_hash(case.folder / name) != outputs[name] for name in there):
        return False
    ours = provenance.file_hash(case.expert) if case.expert else None
    return ours == theirs and provenance.file_hash(scan.path, progress) == before


def scan_facts(scan: Scan) -> dict[str, Any]:
    """What tells scans apart that must not be pooled in silence: scanner, voxels, calibration."""
    header = scan.public_header()
    constants = scan.calibration.constants() if scan.calibration else {}
    return {
        "scanner": ", ".join(f"{key} {header[key]}" for key in _SCANNER if header.get(key)),
        "side": scan.side,
        "spacing_mm": list(scan.grid.spacing_mm),
        "unit_stored": scan.unit,
        **{name: constants.get(name) for name in CONSTANTS},
    }


def _recipe(case: BatchCase, settings: BatchSettings, scan: Scan) -> dict[str, Any]:
    """All that decides the numbers beside the files, as `run_record` would write it."""
    slices = case.slices and {"first": case.slices[0], "last": case.slices[1]}
    facts = scan_facts(scan)
    return _as_written(
        {
            "method": settings.method,
            "parameters": _lasting(recorded_parameters(settings.parameters)),
            "weights": settings.weights_sha256,
            "slices": slices,
            "post_processing": asdict(settings.post_processing),
            "compartments": settings.compartments,
            "calibration": [facts["unit_stored"], *(facts[name] for name in CONSTANTS)],
        }
    )


def _recipe_of(record: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    steps = [each.name for each in fields(PostProcessing)]
    used = measured["calibration"]
    return {
        "method": record["method"],
        "parameters": _lasting(record["parameters"]),
        "weights": record["weights"] and record["weights"]["sha256"],
        "slices": record["slices"],
        "post_processing": {name: record["post_processing"][name] for name in steps},
        "compartments": "compartments" in measured,
        "calibration": [used["unit"], *(used[name] for name in CONSTANTS)],
    }


def _lasting(parameters: dict[str, Any]) -> dict[str, Any]:
    """Without what only rounds otherwise."""
    return {name: value for name, value in parameters.items() if name != "runtime"}


def _as_written(content: dict[str, Any]) -> dict[str, Any]:
    return json.loads(provenance.as_json(content))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _clear_half_written(folder: Path) -> None:
    """Remove what a killed worker left: temporary folders, but none that hold older results."""
    if not folder.is_dir():
        return
    for left in folder.glob(".vbmd-*"):
        older = left / "older"
        if left.is_dir() and not (older.is_dir() and any(older.iterdir())):
            with contextlib.suppress(OSError):
                shutil.rmtree(left)


def _reason(error: Exception) -> str:
    """An error on one line; one that nobody foresaw says where it came from."""
    text = " ".join(str(error).split())
    if isinstance(error, VbmdError):
        return text
    if isinstance(error, MemoryError):
        return "not enough memory; use fewer workers, or close other programs"
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__}: {text} ({Path(where.filename).name}:{where.lineno})"
