"""One patient, files in and files out: scan -> mask -> measurement -> report."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import provenance
from .errors import ParameterError, WriteError
from .grid import place
from .io.files import read_mask, read_scan, write_mask
from .io.results import check_folder, written_together
from .measurement import tables
from .measurement.comparison import Comparison, measure_against
from .report import figure_png, overlay_figure, profile_figure, report_html
from .scan import Mask, Scan
from .segmentation.methods import Segmentation, segment
from .segmentation.postprocessing import CLOSING_MM, close_holes, keep_largest

Progress = Callable[[float, str], None]

RESULTS = (
    "mask.aim",
    "mask.nii.gz",
    "measurement.json",
    "measurement.csv",
    "measurement_slices.csv",
    "overlay.png",
    "report.html",
    "run.json",
)
# Where each stage begins and ends in the whole, for one bar of progress
_SHARES = {
    "read": (0.0, 0.02),
    "segment": (0.02, 0.7),
    "post-process": (0.7, 0.75),
    "measure": (0.75, 0.85),
    "checksum": (0.85, 0.9),
    "mask file": (0.9, 0.95),
    "figures": (0.95, 1.0),
}


@dataclass(frozen=True)
class PostProcessing:
    """What is done to a mask after a method made it.

    Parameters
    ----------
    keep_largest : bool
        Keep the piece with the most voxels.
    close_holes : bool
        Close gaps and fill what is then enclosed.
    closing_mm : float
        Radius of the closing ball [mm].
    """

    keep_largest: bool = True
    close_holes: bool = True
    closing_mm: float = CLOSING_MM


@dataclass(frozen=True)
class PatientRun:
    """What one run gave.

    Attributes
    ----------
    folder : Path
    files : dict of str to Path
        Every result by its name.
    mask_path, report_path : Path
    comparison : Comparison
        Its warnings are those of the whole run.
    record : dict
        The content of run.json.
    """

    folder: Path
    files: dict[str, Path]
    comparison: Comparison
    record: dict[str, Any]

    @property
    def mask_path(self) -> Path:
        """The mask's file: an AIM where an AIM can hold it."""
        return self.files.get("mask.aim") or self.files["mask.nii.gz"]

    @property
    def report_path(self) -> Path:
        """The HTML page."""
        return self.files["report.html"]


@dataclass
class Stages:
    """Seconds of each stage, and one progress for all of them."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time a stage; gives the progress to hand on."""
        first, last = _SHARES[name]

        def within(fraction: float, message: str = "") -> None:
            if self.progress:
                text = f"{name}: {message}" if message else name
                self.progress(first + fraction * (last - first), text)

        within(0.0)
        start = time.perf_counter()
        yield within
        self.seconds[name] = time.perf_counter() - start


def run_patient(
    scan: Scan | str | Path,
    out_dir: str | Path,
    method: str = "contour",
    parameters: Any = None,
    slices: tuple[int, int] | None = None,
    expert: Mask | str | Path | None = None,
    post_processing: PostProcessing | None = None,
    progress: Progress | None = None,
    *,
    calibration: dict[str, Any] | None = None,
    command: Sequence[str] | None = None,
) -> PatientRun:
    """Segment, post-process, measure and report one patient.

    Parameters
    ----------
    scan : Scan or path
    out_dir : path
        Folder for the results; made when missing. All of `RESULTS` arrive there together at the
        end: after a failure or a cancel it is as it was.
    method : str
        A name in `METHODS`.
    parameters : optional
        Of the method's kind; its defaults when None.
    slices : tuple of int, optional
        First and last slice to look at, inclusive.
    expert : Mask or path, optional
        To compare with.
    post_processing : PostProcessing, optional
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.
    calibration : dict, optional
        Keywords of `Scan.calibrated`: the user's unit and constants.
    command : sequence of str, optional
        The words typed, for run.json.

    Returns
    -------
    PatientRun

    Raises
    ------
    VbmdError
        As reading, the method, placing, measuring and writing find.
    """
    out_dir, steps = Path(out_dir), post_processing or PostProcessing()
    check_folder(out_dir)
    _check_replaceable(out_dir)
    stages = Stages(progress)
    with stages.stage("read"):
        scan, expert = _read(scan, expert, calibration)
        _check_not_an_input(out_dir, scan, expert)
    segmentation, changes = make_mask(scan, method, parameters, slices, steps, stages)
    with stages.stage("measure") as within:
        comparison = measure_against(scan, segmentation.mask, expert, progress=within)
    comparison = _with_warnings(comparison, segmentation.warnings)
    with stages.stage("checksum") as within:
        inputs = {
            "scan": provenance.describe_file(scan, within),
            "expert": provenance.describe_file(expert) if expert else None,
        }

    def record() -> dict:
        return provenance.run_record(
            **inputs,
            method=method,
            parameters=segmentation.parameters,
            slices=slices,
            post_processing=changes,
            seconds=stages.seconds,
            warnings=comparison.measurement.warnings,
            synthetic=provenance.is_synthetic(scan),
            command=command,
        )

    with written_together(out_dir, RESULTS) as staging:
        comparison = _write_mask(staging, scan, segmentation, comparison, stages)
        with stages.stage("figures"):
            overlay = figure_png(overlay_figure(scan, segmentation.mask, expert))
            profile = figure_png(profile_figure(comparison))
        page = report_html(scan, comparison, overlay, profile, record())
        (staging / "overlay.png").write_bytes(overlay)
        _write_text(staging / "report.html", page)
        _write_numbers(staging, comparison)
        final = record() | {"outputs": _hashes(staging)}
        _write_text(staging / "run.json", provenance.as_json(final))
        names = [file.name for file in staging.iterdir()]
    return PatientRun(out_dir, {name: out_dir / name for name in names}, comparison, final)


def make_mask(
    scan: Scan,
    method: str = "contour",
    parameters: Any = None,
    slices: tuple[int, int] | None = None,
    post_processing: PostProcessing | None = None,
    stages: Stages | None = None,
) -> tuple[Segmentation, dict[str, Any]]:
    """Segment and post-process.

    Returns
    -------
    segmentation : Segmentation
        Its mask lies on a box of the scan's grid.
    changes : dict
        The steps taken, and the voxels that they added and removed.
    """
    steps, stages = post_processing or PostProcessing(), stages or Stages()
    with stages.stage("segment") as within:
        segmentation = segment(scan, method, parameters, slices, within)
    with stages.stage("post-process"):
        before = _with_room(segmentation.mask, scan, slices)
        voxels = before.voxels
        if steps.keep_largest:
            voxels = keep_largest(voxels)
        if steps.close_holes:
            voxels = close_holes(voxels, scan.grid.spacing_mm, steps.closing_mm)
        changes = asdict(steps) | {
            "voxels_added": int(np.count_nonzero((voxels != 0) & (before.voxels == 0))),
            "voxels_removed": int(np.count_nonzero((voxels == 0) & (before.voxels != 0))),
        }
    return replace(segmentation, mask=replace(before, voxels=voxels)), changes


def on_scan_grid(mask: Mask, scan: Scan) -> np.ndarray:
    """The mask's voxels on the whole of the scan's grid."""
    return place(mask.grid, scan.grid).paste(mask.voxels)


def mask_log(scan: Scan, segmentation: Segmentation) -> dict[str, str]:
    """Entries for the processing log of a mask's AIM."""
    first_last = segmentation.slices
    return {
        "Original file": scan.name,
        "Created by": f"napari-vbmd {provenance.software_versions()['napari-vbmd']}",
        "Method": segmentation.method,
        "Parameters": json.dumps(segmentation.parameters),
        "Slices": f"{first_last[0]} {first_last[1]}" if first_last else "whole scan",
    }


def _read(scan, expert, calibration) -> tuple[Scan, Mask | None]:
    """Open both, and find now rather than after long work what is wrong with them."""
    scan = scan if isinstance(scan, Scan) else read_scan(scan)
    scan = scan.calibrated(**(calibration or {}))
    scan.density_transform()
    if expert is not None:
        expert = expert if isinstance(expert, Mask) else read_mask(expert)
        place(expert.grid, scan.grid)
    return scan, expert


def _with_room(mask: Mask, scan: Scan, slices: tuple[int, int] | None) -> Mask:
    """The mask with an empty slice at each end where it ends within the slices looked at.

    Where it reaches the last of them the bone goes on, and closing treats it so.
    """
    z, y, x = place(mask.grid, scan.grid).target_box
    first, last = slices or (0, scan.grid.shape[0] - 1)
    z = slice(max(first, z.start - 1), min(last, z.stop) + 1)
    grid = scan.grid.box((z, y, x))
    return replace(mask, voxels=place(mask.grid, grid).paste(mask.voxels), grid=grid)


def _with_warnings(comparison: Comparison, warnings: Sequence[str]) -> Comparison:
    measurement = comparison.measurement
    every = [*warnings, *measurement.warnings]
    return replace(comparison, measurement=replace(measurement, warnings=every))


def _write_mask(staging, scan, segmentation, comparison, stages) -> Comparison:
    """Write mask.aim, or mask.nii.gz where an AIM cannot hold it, which becomes a warning."""
    log = mask_log(scan, segmentation)
    with stages.stage("mask file"):
        whole = on_scan_grid(segmentation.mask, scan)
        try:
            write_mask(staging / "mask.aim", whole, scan.grid, log)
        except ParameterError:
            write_mask(staging / "mask.nii.gz", whole, scan.grid)
            warning = "the scan's first voxel is not at a whole index, which an AIM cannot say: "
            return _with_warnings(comparison, [f"{warning}the mask is mask.nii.gz"])
    return comparison


def _write_numbers(staging: Path, comparison: Comparison) -> None:
    _write_text(staging / "measurement.json", provenance.as_json(comparison.to_dict()))
    _write_text(staging / "measurement.csv", tables.csv_text([tables.row(comparison)]))
    _write_text(
        staging / "measurement_slices.csv", tables.csv_text(tables.slice_rows(comparison))
    )


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return {file.name: provenance.file_hash(file) for file in files}


def _check_replaceable(out_dir: Path) -> None:
    """Refuse to replace what is not an older result, or was edited since: a corrected mask."""
    try:
        written = json.loads((out_dir / "run.json").read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        written = {}
    for name in RESULTS:
        file = out_dir / name
        if not file.exists() or (name == "run.json" and written):
            continue
        if not file.is_file() or provenance.file_hash(file) != written.get(name):
            raise WriteError(
                f"{file}: not from an earlier run, or changed since, so it is not replaced; move "
                "it away or choose another folder"
            )


def _check_not_an_input(out_dir: Path, scan: Scan, expert: Mask | None) -> None:
    for source in (scan, expert):
        if source and source.path and source.path.exists():
            for file in (out_dir / name for name in RESULTS):
                if file.exists() and file.samefile(source.path):
                    raise WriteError(f"{file}: this is an input; choose another folder")
