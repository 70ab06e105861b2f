"""The commands: each reads its arguments, calls the functions that do the work, and prints."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import ParameterError
from ..io.aim import check_is_grey
from ..io.atomic import written_whole
from ..io.files import check_mask_path, read_mask, read_scan, suffix_of, write_mask
from ..measurement.comparison import measure_against
from ..measurement.part_tables import Bone, part_rows
from ..measurement.tables import csv_text
from ..provenance import as_json
from ..scan import Scan
from . import (
    agree,
    batch,
    cohort,
    contour_script,
    deidentify,
    evaluate,
    measured_parts,
    output,
    phantom,
    preference,
    slice_file,
    train,
)
from .choice import chosen_method
from .console import Console


def run(arguments: argparse.Namespace, words: Sequence[str]) -> int | None:
    """Run the command that was asked for; ``words`` are what was typed, for run.json.

    Returns
    -------
    int or None
        The exit status of a command that was done but not with everything; None for all others.
    """
    with Console(arguments.quiet) as console:
        slice_file.resolve(arguments)
        return _COMMANDS[arguments.command](arguments, words, console)


def _info(arguments, words, console) -> None:
    content = output.info(_scan(arguments), arguments.identify)
    output.show(as_json(content) if arguments.json else output.info_text(content), console)


def _segment(arguments, words, console) -> None:
    from ..pipeline import Stages, make_mask, mask_log

    start = time.perf_counter()
    chosen = chosen_method(arguments, console)
    scan, out = _grey(arguments), arguments.out
    check_mask_path(out, scan)
    if suffix_of(out) == ".aim" and not all(isinstance(p, int) for p in scan.grid.position):
        raise ParameterError(
            f"{out}: {scan.name} begins at {scan.grid.position}, not at a whole voxel, which an "
            "AIM cannot say: choose .nii.gz"
        )
    segmentation, changes = make_mask(scan, **chosen, stages=Stages(console.progress))
    write_mask(out, segmentation.mask, scan.grid, mask_log(scan, segmentation), scan)
    for warning in segmentation.warnings:
        console.note(f"note: {warning}")
    content = {
        "mask": str(out),
        "method": segmentation.method,
        "parameters": segmentation.parameters,
        **segmentation.facts,
        "slices": segmentation.slices,
        "post_processing": changes,
        "voxels": int((segmentation.mask.voxels != 0).sum()),
        "warnings": segmentation.warnings,
        "seconds": round(time.perf_counter() - start, 3),
    }
    output.show(as_json(content) if arguments.json else output.segment_text(content), console)


def _measure(arguments, words, console) -> None:
    from ..pipeline import check_report_paths, write_mask_report

    reports = arguments.report or ()
    check_report_paths(reports)
    scan, mask = _grey(arguments), read_mask(arguments.mask)
    expert = read_mask(arguments.expert) if arguments.expert else None
    comparison = measure_against(scan, mask, expert, arguments.label, console.progress)
    parts = measured_parts.measure(scan, mask, arguments, console.progress)
    if arguments.csv:
        names = {"scan": scan.name, "mask": mask.name}
        rows = part_rows(names, comparison, parts, arguments.label)
        with written_whole(arguments.csv) as temporary:
            temporary.write_text(csv_text(rows), encoding="utf-8", errors="replace")
    if reports:
        split = {bone.label: bone.compartments for bone in parts if bone.compartments}
        write_mask_report(reports, scan, mask, comparison, expert, split, words, console.progress)
    _say_notes(comparison, console)
    content = comparison.to_dict() | measured_parts.content(parts, arguments)
    text = "\n\n".join([output.table(comparison), *measured_parts.texts(parts)])
    output.show(as_json(content) if arguments.json else text, console)


def _run(arguments, words, console) -> None:
    from ..pipeline import run_patient

    result = run_patient(
        arguments.scan,
        arguments.out,
        expert=arguments.expert,
        progress=console.progress,
        calibration=_calibration(arguments),
        command=words,
        motion_grade=arguments.motion_grade,
        compartments=arguments.compartments,
        **chosen_method(arguments, console),
    )
    _say_notes(result.comparison, console)
    content = output.run(result)
    split = result.compartments and replace(result.compartments, warnings=[])  # said already
    text = output.run_text(result, measured_parts.texts([Bone(None, compartments=split)]))
    output.show(as_json(content) if arguments.json else text, console)


def _demo(arguments, words, console) -> None:
    from ..phantom.sample import sample_paths
    from ..pipeline import run_patient

    if arguments.viewer:
        output.check_screen()
    from ..segmentation.methods import CONTOUR

    chosen = chosen_method(arguments, console)
    paths = sample_paths(sample="hand")
    console.note(
        "The sample is synthetic: a phantom drawn by formulas, not a person. No network has been "
        "trained on it."
    )
    if chosen["method"] == CONTOUR:
        chosen |= _shown_by_the_expert(paths, chosen["parameters"])
        console.note("The bone and its slices are those that the expert's mask marks.")
    start = time.perf_counter()
    result = run_patient(
        paths.scan,
        arguments.out,
        expert=paths.expert,
        progress=console.progress,
        command=words,
        **chosen,
    )
    content = output.demo(result, paths, time.perf_counter() - start)
    output.show(as_json(content) if arguments.json else output.demo_text(content), console)
    if arguments.viewer:
        output.open_viewer(paths.scan, result.mask_path, paths.expert)


def _shown_by_the_expert(paths, parameters) -> dict[str, Any]:
    """What a person shows the contour: which bone, and its slices; from the expert's mask."""
    from ..grid import place
    from ..morphology import bounding_box

    scan, expert = read_scan(paths.scan), read_mask(paths.expert)
    z, y, x = bounding_box(place(expert.grid, scan.grid).paste(expert.voxels))
    seed = tuple((side.start + side.stop) // 2 for side in (z, y, x))
    return {"slices": (z.start, z.stop - 1), "parameters": replace(parameters, seed_zyx=seed)}


def _say_notes(comparison, console) -> None:
    """What is unlike the published, on stderr; in ``--json`` it is `notes`."""
    for note in comparison.measurement.notes:
        console.note(f"note: {note}")


def _scan(arguments) -> Scan:
    return read_scan(arguments.scan).calibrated(**_calibration(arguments))


def _grey(arguments) -> Scan:
    """The scan, after refusing a mask in its place."""
    scan = _scan(arguments)
    check_is_grey(scan)
    return scan


def _calibration(arguments) -> dict[str, Any]:
    """Keywords of `Scan.calibrated`."""
    return {
        "unit": arguments.unit,
        "mu_scaling": arguments.mu_scaling,
        "mu_water_per_cm": arguments.mu_water,
        "density_slope": arguments.slope,
        "density_intercept": arguments.intercept,
    }


def _phantom(arguments, words, console) -> None:
    content = phantom.draw(arguments, console.progress)
    output.show(as_json(content) if arguments.json else phantom.text(content), console)


def _deidentify(arguments, words, console) -> None:
    content = deidentify.copy(arguments)
    output.show(as_json(content) if arguments.json else deidentify.text(content), console)


def _contour_script(arguments, words, console) -> None:
    content = contour_script.write(arguments)
    output.show(as_json(content) if arguments.json else contour_script.text(content), console)


def _agree(arguments, words, console) -> None:
    content, text = agree.run(arguments, console)
    output.show(as_json(content) if arguments.json else text, console)


def _batch(arguments, words, console) -> int:
    content, text, status = batch.run(arguments, _calibration(arguments), words, console)
    output.show(as_json(content) if arguments.json else text, console)
    return status


def _cohort(arguments, words, console) -> None:
    calibration = _calibration(arguments) if arguments.action == "check" else None
    content, text = cohort.run(arguments, calibration, console)
    output.show(as_json(content) if arguments.json else text, console)


def _evaluate(arguments, words, console) -> None:
    content, text = evaluate.run(arguments, _calibration(arguments), console)
    output.show(as_json(content) if arguments.json else text, console)


def _preference(arguments, words, console) -> None:
    found = preference.summaries(arguments)
    text = as_json(preference.content(found)) if arguments.json else preference.text(found)
    output.show(text, console)


def _train(arguments, words, console) -> None:
    done = train.run(arguments, _calibration(arguments), words, console)
    if done is not None:
        content, text = done
        output.show(as_json(content) if arguments.json else text, console)


_COMMANDS = {
    "info": _info,
    "segment": _segment,
    "measure": _measure,
    "run": _run,
    "demo": _demo,
    "phantom": _phantom,
    "deidentify": _deidentify,
    "contour-script": _contour_script,
    "agree": _agree,
    "batch": _batch,
    "cohort": _cohort,
    "evaluate": _evaluate,
    "preference": _preference,
    "train": _train,
}
