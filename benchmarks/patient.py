"""One patient, file to file, beside a straight port of the published pipeline: time and memory.

Every run is a process of its own, and the ways take turns. Seconds run from file names to files,
with the libraries already imported (given apart); memory is the peak beyond interpreter and
libraries, mapped pages of the scan included. The files are in the system's cache.

    python benchmarks/patient.py --scan HAND.ISQ --mask HAND_SEG.AIM [--rounds 3]
    python benchmarks/patient.py --growth --scan HAND.ISQ    more slices, finer voxels
    python benchmarks/patient.py --patients    `napari-vbmd batch` over 1 to 8 small hands

Each with ``--quick`` on the sample hand, ``--data OUT.json`` for `patient_plots.py`, and
``--markdown OUT.md``.
"""

import argparse
import json
import tempfile
from pathlib import Path

import patient_compare
import patient_growth
from patient_tables import machine

SAMPLE = Path(__file__).parent.parent / "sample_data"
SIZE, SMALL = (80, 512, 512), (16, 128, 128)  # what the port's network sees; of the sample hand


def compare(given: argparse.Namespace, folder: Path) -> tuple[dict, list[str]]:
    port = {"size": SMALL if given.quick else SIZE, "holes": given.holes}
    found = patient_compare.compared(
        given.scan, given.mask, given.method, given.rounds, port, folder
    )
    return found, patient_compare.lines_of(found)


def grow(given: argparse.Namespace, folder: Path) -> tuple[dict, list[str]]:
    slices = patient_growth.SLICES_QUICK if given.quick else patient_growth.SLICES
    widths = patient_growth.WIDTHS_QUICK if given.quick else patient_growth.WIDTHS
    sizes = {
        "slices": slices if given.slices is None else given.slices,
        "widths": widths if given.widths is None else given.widths,
    }
    points = patient_growth.grown(given.scan, given.method, given.rounds, sizes, folder)
    return {"points": points}, patient_growth.grown_lines(points)


def batch(given: argparse.Namespace, folder: Path) -> tuple[dict, list[str]]:
    points = patient_growth.patients(given.scan, given.method[0], given.rounds, folder)
    return {"points": points}, patient_growth.patients_lines(points)


PARTS = {"compare": compare, "growth": grow, "patients": batch}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    part = parser.add_mutually_exclusive_group()
    for name, what in (
        ("growth", "only ours, on more and finer slices"),
        ("patients", "only ours, on more and more patients"),
    ):
        part.add_argument(
            f"--{name}", dest="part", action="store_const", const=name, default="compare", help=what
        )
    parser.add_argument("--scan", type=Path, help="an ISQ of a hand")
    parser.add_argument("--mask", type=Path, help="the expert's, for the port's later steps")
    parser.add_argument("--quick", action="store_true", help="the small sample hand instead")
    parser.add_argument("--method", nargs="+", default=["unet-2d-fine", "unet-3d"])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way (default 3)")
    parser.add_argument(
        "--holes", choices=("box", "none"), default="box", help="of the port (default: box)"
    )
    for name in ("slices", "widths"):
        parser.add_argument(f"--{name}", type=int, nargs="*", help="of --growth, instead of ours")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="write the tables there too")
    parser.add_argument("--data", type=Path, metavar="OUT", help="write every run there, as JSON")
    parser.add_argument("--folder", type=Path, help="where files go meanwhile")
    given = parser.parse_args()
    if given.quick or (given.part == "patients" and not given.scan):
        given.scan = SAMPLE / "phantom_hand.isq"
        given.mask = SAMPLE / "phantom_hand_expert.aim"
    if not given.scan or (given.part == "compare" and not given.mask):
        parser.error("give --scan and --mask, or --quick")
    return given


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        found, lines = PARTS[given.part](given, Path(name))
    where = f"{machine()}; medians of {given.rounds}"
    text = "\n".join([f"{where}.", "", *lines])
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n", encoding="utf-8")
    if given.data:
        content = {"part": given.part, "where": where, **found}
        given.data.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
