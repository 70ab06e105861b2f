"""What the commands print: the content of ``--json``, and the same for people."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..calibration import UNIT_NAMES
from ..io.processing_log import ProcessingLog
from ..measurement.comparison import Comparison
from ..measurement.tables import OVERLAPS, overlap_rows, rows_for_people
from ..scan import Scan
from .console import Console, aligned
from .parser import UsageError


def show(text: str, console: Console) -> None:
    """Print on stdout, below the progress."""
    console.clear()
    print(text, flush=True)


def info(scan: Scan, identify: bool) -> dict[str, Any]:
    """What a file says about itself; what names the patient only when asked."""
    grid, calibration = scan.grid, scan.calibration
    log = ProcessingLog(scan.log) if identify else ProcessingLog(scan.log).public()
    return {
        "format": scan.format,
        "shape_zyx": grid.shape,
        "spacing_mm": grid.spacing_mm,
        "position_zyx": grid.position,
        "dtype": str(scan.voxels.dtype),
        "unit": scan.unit,
        "calibration": calibration.constants() if calibration else None,
        "side": scan.side,
        "side_reason": scan.side_reason,
        "header": dict(scan.header) if identify else scan.public_header(),
        "log": log.text.rstrip("\0") if scan.log else None,
    }


def info_text(content: dict[str, Any]) -> str:
    """`info` for people."""
    rows = [
        ("format", content["format"]),
        ("voxels (z, y, x)", _listed(content["shape_zyx"])),
        ("voxel size (z, y, x)", f"{_listed(content['spacing_mm'])} mm"),
        ("position (z, y, x)", _listed(content["position_zyx"])),
        ("stored as", f"{content['dtype']}, {UNIT_NAMES[content['unit']]}"),
    ]
    known = {k: v for k, v in (content["calibration"] or {}).items() if v not in (None, "")}
    rows += [(name, _plain(value)) for name, value in known.items()]
    if not known:
        rows.append(("calibration", "none in this file"))
    rows.append(("side", f"{content['side']} ({content['side_reason']})"))
    said = ProcessingLog(content["log"] or "")  # shown whole, so not line by line above it
    shown = {name: value for name, value in content["header"].items() if name not in said}
    rows += [(f"header: {name}", _plain(value)) for name, value in shown.items()]
    rows.append(("processing log", "below" if said else "none in this file"))
    log = "\n".join(line.rstrip() for line in said.text.splitlines())
    return f"{aligned(rows)}\n\n{log}" if said else aligned(rows)


def segment_text(content: dict[str, Any]) -> str:
    """What `segment` did, for people."""
    return (
        f"{content['mask']}: {content['voxels']} voxels by {content['method']} in "
        f"{content['seconds']:.1f} s"
    )


def table(comparison: Comparison) -> str:
    """A measurement as aligned columns with units."""
    compared = comparison.expert is not None
    head = ("", "mask", "expert" if compared else "", "difference" if compared else "", "")
    parts = [aligned([head, *rows_for_people(comparison)], right=(1, 2, 3))]
    if compared:
        parts.append(aligned(overlap_rows(comparison), right=(1,)))
    if comparison.per_label:
        parts.append(_per_label(comparison))
    used = comparison.measurement.calibration
    constants = ", ".join(f"{k} {_plain(v)}" for k, v in used.items() if v not in (None, ""))
    parts.append(f"calibration: {constants}")
    warnings = [f"warning: {text}" for text in comparison.measurement.warnings]
    return "\n\n".join([*parts, "\n".join(warnings)] if warnings else parts)


def _per_label(comparison: Comparison) -> str:
    """The overlap of every label by itself: a column each."""
    labels = [f"label {label}" for label in comparison.per_label]
    rows = [
        (q.name, *(q.text(getattr(one, q.key)) for one in comparison.per_label.values()), q.unit)
        for q in OVERLAPS
    ]
    return aligned([("overlap", *labels, ""), *rows], right=range(1, len(labels) + 1))


def run(result) -> dict[str, Any]:
    """The content of measurement.json, and where everything is."""
    parts = {"compartments": result.compartments.to_dict()} if result.compartments else {}
    return (
        result.comparison.to_dict()
        | parts
        | {
            "method": result.record["method"],
            "seconds": result.record["seconds"],
            "peak_memory_bytes": result.record["peak_memory_bytes"],
            "files": {name: str(path) for name, path in sorted(result.files.items())},
        }
    )


def run_text(result, parts: Sequence[str] = ()) -> str:
    """`run` for people: the numbers and those of parts, seconds, and the most memory held."""
    record = result.record
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in record["seconds"].items())
    peak = record["peak_memory_bytes"]
    held = f"; {peak / 1e9:.2f} GB of memory at the peak" if peak else ""
    numbers = "\n\n".join([table(result.comparison), *parts])
    return f"{numbers}\n\nseconds: {stages}{held}\nreport: {result.report_path}"


def demo(result, paths, seconds: float) -> dict[str, Any]:
    """`run`, with the known answer beside it."""
    answer = json.loads(paths.answer.read_text(encoding="utf-8"))
    return run(result) | {
        "synthetic": True,
        "known_tt_vbmd_mg_cm3": answer["tt_vbmd_mg_cm3"],
        "total_seconds": round(seconds, 3),
    }


def demo_text(content: dict[str, Any]) -> str:
    """`demo` for people."""
    ours, known = content["tt_vbmd_mg_cm3"], content["known_tt_vbmd_mg_cm3"]
    expert = content["expert_tt_vbmd_mg_cm3"]
    density = "mg HA/cm3"
    rows = [
        ("Tt.vBMD", f"{ours:.1f}", density),
        ("within the expert's mask", f"{expert:.1f}", density),
        ("known answer", f"{known:.1f}", f"{density}, before the scanner's blur and noise"),
        (
            "measured minus known",
            f"{ours - known:+.1f}",
            f"{density} ({100 * (ours / known - 1):+.1f} %)",
        ),
        ("Dice with the expert's mask", f"{content['overlap']['dice']:.3f}", ""),
        ("seconds", f"{content['total_seconds']:.1f}", ""),
    ]
    return f"{aligned(rows, right=(1,))}\n\nreport: {content['files']['report.html']}"


def check_screen() -> None:
    """Refuse a viewer where there is no screen: Qt would end the process.

    Raises
    ------
    UsageError
    """
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in screens):
        raise UsageError("--viewer: there is no screen here (DISPLAY is not set)")


def open_viewer(scan: Path, mask: Path, expert: Path) -> None:
    """Open napari on the result; returns when its window is closed.

    Raises
    ------
    UsageError
        When napari has no Qt.
    """
    try:
        from ..plugin.demo import show as show_in_napari

        show_in_napari(scan, mask, expert)
    except ImportError as error:
        raise UsageError(
            f'--viewer: napari cannot open a window ({error}): pip install "napari-vbmd[all]"'
        ) from error


def _listed(values) -> str:
    return " x ".join(map(_plain, values))


def _plain(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
