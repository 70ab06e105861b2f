"""One patient, files in and files out: scan -> mask -> measurement -> report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import provenance
from ..errors import ParameterError
from ..grid import place
from ..io.aim import check_is_grey
from ..io.files import read_mask, read_scan, write_mask
from ..io.results import check_folder, written_together
from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..report import (
    curve_files,
    figure_png,
    overlay_figure,
    profile_figure,
    report_html,
    report_pdf,
)
from ..scan import Mask, Scan
from .checksum import described_beside
from .folder import (
    RESULTS,
    check_not_an_input,
    check_replaceable,
    hashes,
    write_numbers,
    write_text,
)
from .mask import PostProcessing, make_mask, mask_log
from .numbers import measure_run, with_warnings
from .stages import Progress, Stages


@dataclass(frozen=True)
class PatientRun:
    """What one run gave.

    Attributes
    ----------
    folder : Path
    comparison : Comparison
        Its warnings are those of the whole run.
    record : dict
        The content of run.json.
    compartments : Compartments or None
        Where they were asked for.
    """

    folder: Path
    comparison: Comparison
    record: dict[str, Any]
    compartments: Compartments | None = None

    @property
    def files(self) -> dict[str, Path]:
        """Every result by its name."""
        return {name: self.folder / name for name in (*self.record["outputs"], "run.json")}

    @property
    def mask_path(self) -> Path:
        """The mask's file: an AIM where an AIM can hold it."""
        return self.files.get("mask.aim") or self.files["mask.nii.gz"]

    @property
    def report_path(self) -> Path:
        """The HTML page."""
        return self.files["report.html"]


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
    motion_grade: int | None = None,
    compartments: bool = False,
) -> PatientRun:
    """Segment, post-process, measure and report one patient.

    Parameters
    ----------
    scan : Scan or path
    out_dir : path
        Folder for the results; made when missing. Those of `RESULTS` that there are arrive
        together at the end: after a failure or a cancel it is as it was.
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
    motion_grade : int, optional
        1 (none) to 5 (severe), as a person graded it, for the report.
    compartments : bool
        Whether cortical and trabecular numbers are wanted, split by two thresholds.

    Returns
    -------
    PatientRun

    Raises
    ------
    VbmdError
        As reading, the method, placing, measuring and writing find.
    """
    out_dir = Path(out_dir)
    check_folder(out_dir)
    check_replaceable(out_dir)
    stages = Stages(progress)
    with stages.stage("read"):
        scan, expert = _read(scan, expert, calibration)
        check_not_an_input(out_dir, scan, expert)
    with described_beside(scan) as described:
        segmentation, changes = make_mask(scan, method, parameters, slices, post_processing, stages)
        comparison, parts = measure_run(scan, segmentation, expert, compartments, stages)
        with stages.stage("checksum") as within:  # what is left of it
            files = {
                "scan": described(within),
                "expert": provenance.describe_file(expert) if expert else None,
            }
    facts = files | {
        "method": method,
        "parameters": segmentation.parameters,
        "method_facts": segmentation.facts,
        "slices": slices,
        "post_processing": changes,
        "synthetic": scan.is_synthetic,
        "command": command,
        "motion_grade": motion_grade,
        "series": provenance.series_names(scan, expert),
    }
    with written_together(out_dir, RESULTS) as staging:
        comparison = _write_mask(staging, scan, segmentation, comparison, stages)
        masks = segmentation.mask, expert
        record = _write_report(staging, scan, masks, comparison, parts, facts, stages)
    return PatientRun(out_dir, comparison, record, parts)


def _read(scan, expert, calibration) -> tuple[Scan, Mask | None]:
    """Open both, and find now rather than after long work what is wrong with them."""
    scan = scan if isinstance(scan, Scan) else read_scan(scan)
    check_is_grey(scan)
    scan = scan.calibrated(**(calibration or {}))
    scan.density_transform()
    if expert is not None:
        expert = expert if isinstance(expert, Mask) else read_mask(expert)
        place(expert.grid, scan.grid)
    return scan, expert


def _write_mask(staging, scan, segmentation, comparison, stages) -> Comparison:
    """Write mask.aim, or mask.nii.gz where an AIM cannot hold it, which becomes a warning."""
    log = mask_log(scan, segmentation)
    with stages.stage("mask file"):
        mask = segmentation.mask
        try:
            write_mask(staging / "mask.aim", mask, scan.grid, log, scan)
        except ParameterError:
            write_mask(staging / "mask.nii.gz", mask, scan.grid)
            warning = "the scan's first voxel is not at a whole index, which an AIM cannot say: "
            return with_warnings(comparison, [f"{warning}the mask is mask.nii.gz"])
    return comparison


def _write_report(staging, scan, masks, comparison, parts, facts, stages) -> dict[str, Any]:
    """Write everything but the mask; gives the content of run.json."""
    with stages.stage("figures"):
        overlay = figure_png(overlay_figure(scan, *masks))
        profile = figure_png(profile_figure(comparison))
        others = curve_files(facts["method"], comparison.curves) if comparison.curves else {}
    for name, data in {"overlay.png": overlay, **others}.items():
        (staging / name).write_bytes(data)
    record = provenance.run_record(
        **facts, seconds=stages.seconds, warnings=comparison.measurement.warnings
    )
    content = scan, comparison, overlay, profile, record, {None: parts} if parts else {}
    write_text(staging / "report.html", report_html(*content))
    (staging / "report.pdf").write_bytes(report_pdf(*content))
    write_numbers(staging, scan.name, facts["method"], comparison, parts)
    record["outputs"] = hashes(staging)
    write_text(staging / "run.json", provenance.as_json(record))
    return record
