"""The report of a mask that there is already: the page of a run, without the run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import provenance
from ..errors import ParameterError, WriteError
from ..io.atomic import written_whole
from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..report import figure_png, overlay_figure, profile_figure, report_html, report_pdf
from ..scan import Mask, Scan
from .folder import write_text
from .numbers import compartment_warnings, with_warnings
from .stages import Progress

FORMATS = (".html", ".pdf")
_LOGGED = ("Created by", "Method", "Weights", "Slices")  # what we write into the log of a mask


def check_report_paths(paths: Iterable[Path]) -> None:
    """Refuse what cannot be written, before any work.

    Raises
    ------
    ParameterError
        When a name does not end in .html or .pdf.
    WriteError
        When its folder is missing.
    """
    for path in paths:
        if path.suffix.lower() not in FORMATS:
            raise ParameterError(f"{path}: a report is a .html or a .pdf; choose one of the two")
        if not path.absolute().parent.is_dir():
            raise WriteError(f"{path}: the folder {path.parent} does not exist; make it first")


def write_mask_report(
    paths: Iterable[Path],
    scan: Scan,
    mask: Mask,
    comparison: Comparison,
    expert: Mask | None = None,
    compartments: Mapping[int | None, Compartments] | None = None,
    command: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the one-page report of a mask as HTML, PDF or both.

    Parameters
    ----------
    paths : iterable of Path
        Each ends in .html or .pdf.
    scan, mask : Scan, Mask
    comparison : Comparison
        Of this mask, or of one of its labels; then only that one is drawn.
    expert : Mask, optional
    compartments : mapping of int to Compartments, optional
        By label; the one key None stands for all of the mask.
    command : sequence of str, optional
        The words typed.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    ParameterError, WriteError
        As `check_report_paths`, and when the disk is full.
    """
    paths, compartments = [Path(path) for path in paths], compartments or {}
    check_report_paths(paths)
    comparison = with_warnings(comparison, last=compartment_warnings(compartments))
    record = _record(scan, mask, expert, comparison, command, progress)
    label = comparison.measurement.label
    drawn = mask if label is None else _only(mask, label)
    overlay = figure_png(overlay_figure(scan, drawn, expert))
    content = scan, comparison, overlay, figure_png(profile_figure(comparison)), record
    for path in paths:
        with written_whole(path) as temporary:
            if path.suffix.lower() == ".pdf":
                temporary.write_bytes(report_pdf(*content, compartments))
            else:
                write_text(temporary, report_html(*content, compartments))


def _record(scan, mask, expert, comparison, command, progress) -> dict:
    """`provenance.mask_record` of these files."""
    log = {key: mask.header[key] for key in _LOGGED if key in mask.header}
    ours = str(log.get("Created by", "")).startswith("napari-vbmd ")
    return provenance.mask_record(
        scan=provenance.describe_file(scan, progress),
        mask=provenance.describe_file(mask) | {"log": log if ours else {}},
        expert=provenance.describe_file(expert) if expert else None,
        warnings=comparison.measurement.warnings,
        synthetic=scan.is_synthetic,
        command=command,
        series=provenance.series_names(scan, mask, expert),
    )


def _only(mask: Mask, label: int) -> Mask:
    """One label of a mask, slice by slice, as a mask of its own."""
    voxels = np.zeros(mask.voxels.shape, np.uint8)
    for into, plane in zip(voxels, mask.voxels, strict=True):
        np.equal(plane, label, out=into.view(bool))
    return replace(mask, voxels=voxels)
