"""The commands: each reads its arguments, calls the functions that do the work, and prints."""

import argparse
import time
from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError
from ..io.atomic import written_whole
from ..io.files import check_mask_path, read_mask, read_scan, suffix_of, write_mask
from ..measurement.comparison import measure_against
from ..measurement.tables import csv_text, row
from ..provenance import as_json
from ..scan import Scan
from . import output
from .console import Console


def run(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Run the command that was asked for; ``words`` are what was typed, for run.json."""
    with Console(arguments.quiet) as console:
        _COMMANDS[arguments.command](arguments, words, console)


def _info(arguments, words, console) -> None:
    content = output.info(_scan(arguments), arguments.identify)
    output.show(as_json(content) if arguments.json else output.info_text(content), console)


def _segment(arguments, words, console) -> None:
    from ..pipeline import Stages, make_mask, mask_log, on_scan_grid

    start = time.perf_counter()
    chosen = _chosen(arguments, console)
    scan, out = _scan(arguments), arguments.out
    check_mask_path(out, scan)
    if suffix_of(out) == ".aim" and not all(isinstance(p, int) for p in scan.grid.position):
        raise ParameterError(
            f"{out}: {scan.name} begins at {scan.grid.position}, not at a whole voxel, which an "
            "AIM cannot say: choose .nii.gz"
        )
    segmentation, changes = make_mask(scan, **chosen, stages=Stages(console.progress))
    whole = on_scan_grid(segmentation.mask, scan)
    write_mask(out, whole, scan.grid, mask_log(scan, segmentation), scan)
    for warning in segmentation.warnings:
        console.note(f"note: {warning}")
    content = {
        "mask": str(out),
        "method": segmentation.method,
        "parameters": segmentation.parameters,
        "slices": segmentation.slices,
        "post_processing": changes,
        "voxels": int((segmentation.mask.voxels != 0).sum()),
        "warnings": segmentation.warnings,
        "seconds": round(time.perf_counter() - start, 3),
    }
    output.show(as_json(content) if arguments.json else output.segment_text(content), console)


def _measure(arguments, words, console) -> None:
    scan, mask = _scan(arguments), read_mask(arguments.mask)
    expert = read_mask(arguments.expert) if arguments.expert else None
    comparison = measure_against(scan, mask, expert, arguments.label, console.progress)
    if arguments.csv:
        names = {"scan": scan.name, "mask": mask.name}
        with written_whole(arguments.csv) as temporary:
            temporary.write_text(
                csv_text([names | row(comparison)]), encoding="utf-8", errors="replace"
            )
    content = comparison.to_dict()
    output.show(as_json(content) if arguments.json else output.table(comparison), console)


def _run(arguments, words, console) -> None:
    from ..pipeline import run_patient

    result = run_patient(
        arguments.scan,
        arguments.out,
        expert=arguments.expert,
        progress=console.progress,
        calibration=_calibration(arguments),
        command=words,
        **_chosen(arguments, console),
    )
    content = output.run(result)
    text = f"{output.table(result.comparison)}\n\nreport: {result.report_path}"
    output.show(as_json(content) if arguments.json else text, console)


def _demo(arguments, words, console) -> None:
    from ..phantom.sample import sample_paths
    from ..pipeline import run_patient

    if arguments.viewer:
        output.check_screen()
    paths = sample_paths()
    slices = _slices_of(paths)
    console.note(
        "The sample is synthetic: a phantom drawn by formulas, not a person.\n"
        f"Slices {slices[0]} to {slices[1]} are used: those that its expert's mask marks."
    )
    start = time.perf_counter()
    result = run_patient(
        paths.scan,
        arguments.out,
        slices=slices,
        expert=paths.expert,
        progress=console.progress,
        command=words,
    )
    content = output.demo(result, paths, time.perf_counter() - start)
    output.show(as_json(content) if arguments.json else output.demo_text(content), console)
    if arguments.viewer:
        output.open_viewer(paths.scan, result.mask_path, paths.expert)


def _slices_of(paths) -> tuple[int, int]:
    """First and last slice of the sample that its expert's mask marks."""
    from ..measurement.densitometry import measure

    marked = measure(read_scan(paths.scan), read_mask(paths.expert)).slices
    return marked["first"], marked["last"]


def _scan(arguments) -> Scan:
    return read_scan(arguments.scan).calibrated(**_calibration(arguments))


def _calibration(arguments) -> dict[str, Any]:
    """Keywords of `Scan.calibrated`."""
    return {
        "unit": arguments.unit,
        "mu_scaling": arguments.mu_scaling,
        "mu_water_per_cm": arguments.mu_water,
        "density_slope": arguments.slope,
        "density_intercept": arguments.intercept,
    }


def _chosen(arguments, console) -> dict[str, Any]:
    """The method with its parameters, slices and post-processing: keywords of `make_mask`."""
    from ..pipeline import PostProcessing
    from ..segmentation.methods import METHODS

    if arguments.method not in METHODS:
        raise ParameterError(
            f"--method {arguments.method}: not known; use one of {', '.join(METHODS)}"
        )
    if arguments.weights:
        raise ParameterError(
            f"--weights {arguments.weights}: the method {arguments.method} has no network; leave "
            "the option out"
        )
    unused = [f"--{name}" for name in ("side", "device") if getattr(arguments, name)]
    if unused:
        console.note(f"note: the method {arguments.method} does not use {' and '.join(unused)}")
    return {
        "method": arguments.method,
        "parameters": METHODS[arguments.method].parameters(**_contour(arguments)),
        "slices": arguments.slices,
        "post_processing": PostProcessing(arguments.keep_largest, arguments.close_holes),
    }


def _contour(arguments) -> dict[str, Any]:
    """Those fields of `ContourParameters` that were given; the others keep their defaults."""
    given = {
        "threshold_mg_cm3": arguments.threshold,
        "seed_zyx": arguments.seed,
        "denoise_mm": arguments.denoise,
        "closing_mm": arguments.closing,
        "opening_mm": arguments.opening,
        "smoothing_mm": arguments.smoothing,
        "slicewise": arguments.slicewise or None,
        "separate": False if arguments.no_separate else None,
    }
    return {name: value for name, value in given.items() if value is not None}


_COMMANDS = {
    "info": _info,
    "segment": _segment,
    "measure": _measure,
    "run": _run,
    "demo": _demo,
}
