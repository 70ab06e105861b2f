"""The folder of one patient's results: what lies in it, and when it may be replaced."""

import json
from pathlib import Path

from .. import provenance
from ..errors import WriteError
from ..measurement import tables
from ..measurement.comparison import Comparison
from ..measurement.compartments import Compartments
from ..measurement.part_tables import compartment_cells
from ..scan import Mask, Scan

RESULTS = (
    "mask.aim",
    "mask.nii.gz",
    "measurement.json",
    "measurement.csv",
    "measurement_slices.csv",
    "overlay.png",
    "curves.png",
    "curves.svg",
    "report.html",
    "report.pdf",
    "run.json",
)


def check_replaceable(out_dir: Path) -> None:
    """Refuse to replace what is not an older result, or was edited since: a corrected mask."""
    try:
        written = json.loads((out_dir / "run.json").read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        written = {}
    written = written if isinstance(written, dict) else {}
    for name in RESULTS:
        file = out_dir / name
        if not file.exists() or (name == "run.json" and written):
            continue
        if not file.is_file() or provenance.file_hash(file) != written.get(name):
            raise WriteError(
                f"{file}: not from an earlier run, or changed since, so it is not replaced; move "
                "it away or choose another folder"
            )


def check_not_an_input(out_dir: Path, scan: Scan, expert: Mask | None) -> None:
    """Refuse a folder in which a result would replace the scan or the expert's mask."""
    for source in (scan, expert):
        if source and source.path and source.path.exists():
            for file in (out_dir / name for name in RESULTS):
                if file.exists() and file.samefile(source.path):
                    raise WriteError(f"{file}: this is an input; choose another folder")


def write_numbers(
    folder: Path,
    scan_name: str,
    method: str,
    comparison: Comparison,
    compartments: Compartments | None = None,
) -> None:
    """Write measurement.json, and both tables as CSV."""
    content = comparison.to_dict()
    row = {"scan": scan_name, "method": method, **tables.row(comparison)}
    if compartments:
        content["compartments"] = compartments.to_dict()
        row |= compartment_cells(compartments)
    slices = tables.slice_rows(comparison)
    write_text(folder / "measurement.json", provenance.as_json(content))
    write_text(folder / "measurement.csv", tables.csv_text([row]))
    write_text(folder / "measurement_slices.csv", tables.csv_text(slices))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with plain line ends, alike on every system."""
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in the folder."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return {file.name: provenance.file_hash(file) for file in files}
