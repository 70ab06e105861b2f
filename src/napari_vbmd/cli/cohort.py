"""The command `cohort`: write a manifest, of a folder or of synthetic hands; check and split it."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .console import Console, aligned

SUMMARY = "the manifest of a study: write, check and split it"
_Add = Callable[..., argparse.ArgumentParser]


def add_options(command: argparse.ArgumentParser, sub: _Add, add_calibration: Callable) -> None:
    """What may be typed after ``cohort``."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = sub(actions, "folder", "write a manifest of the ISQ files in a folder and their masks")
    listed.add_argument("folder", type=Path, metavar="FOLDER")
    listed.add_argument("out", type=_new_csv, metavar="OUT.csv")
    check = sub(actions, "check", "look at every file of a manifest, and print the cohort's table")
    _manifest(check)
    check.add_argument(
        "--measure", action="store_true", help="measure the masks, too: Tt.vBMD and slice area"
    )
    check.add_argument("--label", type=int, metavar="N", help="of the masks, where they have many")
    add_choices(check)
    add_calibration(check)
    split = sub(actions, "split", "write the manifest again, with who trains, validates, tests")
    _manifest(split)
    split.add_argument("out", type=_new_csv, metavar="OUT.csv")
    add_choices(split)
    phantoms = sub(actions, "phantoms", "write a manifest of synthetic hands, shared as published")
    phantoms.add_argument("out", type=_new_csv, metavar="OUT.csv")
    phantoms.add_argument("--count", type=int, required=True, metavar="N", help="of hands")
    phantoms.add_argument(
        "--first-seed",
        type=int,
        default=0,
        metavar="S",
        help="hands are taken from here on; the test part from S + 100000 on (default: 0)",
    )


def run(
    arguments: argparse.Namespace, calibration: dict[str, Any] | None, console: Console
) -> tuple[dict[str, Any], str]:
    """The content of ``--json``, and the same for people."""
    if arguments.action == "phantoms":
        return _phantoms(arguments)
    if arguments.action == "folder":
        return _folder(arguments)
    from ..study.cohort import cohort_of, write_cohort
    from ..study.manifest import read_manifest

    manifest = read_manifest(arguments.manifest)
    cohort = cohort_of(manifest, arguments.split_seed, arguments.most_motion)
    if arguments.action == "check":
        return _check(arguments, cohort, calibration, console)
    write_cohort(cohort, arguments.out)
    content = _about(arguments, cohort) | {"cohort": str(arguments.out)}
    return content, "\n".join([f"{arguments.out}: {_shares(cohort)}", *cohort.notes])


def _manifest(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "manifest", type=Path, metavar="MANIFEST.csv", help="a row a scan; see docs/training.md"
    )


def add_choices(command: argparse.ArgumentParser) -> None:
    """Which rows of a manifest are used, and how they are split."""
    command.add_argument(
        "--split-seed",
        type=int,
        default=0,
        metavar="N",
        help="another split of the patients (default: 0); not used with a column “split”",
    )
    command.add_argument(
        "--most-motion",
        type=int,
        choices=range(1, 6),
        default=3,
        metavar="GRADE",
        help="leave out scans of a higher motion grade (default: 3)",
    )


def _check(arguments, cohort, calibration, console) -> tuple[dict[str, Any], str]:
    from ..study.cohort_check import check_files
    from ..study.cohort_table import describe, table_rows
    from ..study.phantoms import is_phantom
    from ..study.sources import truth_of

    seen = check_files(cohort, calibration, arguments.label, arguments.measure, console.progress)
    table = describe(cohort, seen)
    with_mask = sum(is_phantom(case) or truth_of(case) is not None for case in cohort.cases)
    content = _about(arguments, cohort) | {"with_mask": with_mask, "table": table}
    rows = table_rows(table)
    masks = f"{with_mask} of {len(cohort.cases)} scans have a mask"
    text = aligned(rows, right=range(1, len(rows[0])))
    return content, "\n".join([f"{arguments.manifest}: {masks}", *cohort.notes, "", text])


def _folder(arguments) -> tuple[dict[str, Any], str]:
    from ..study.folder_manifest import write_folder_manifest

    found = write_folder_manifest(arguments.folder, arguments.out)
    counts = f"{found.scans} scans, {found.with_mask} with a mask, {found.with_side} with a side"
    lines = [
        f"{arguments.out}: {counts}",
        *found.notes,
        "Fill in patient (a pseudonym), age, sex and motion_grade; then: cohort check",
    ]
    return {"cohort": str(arguments.out), **asdict(found)}, "\n".join(lines)


def _phantoms(arguments) -> tuple[dict[str, Any], str]:
    from ..study.phantom_cohort import write_phantom_cohort

    parts = write_phantom_cohort(arguments.out, arguments.count, arguments.first_seed)
    content = {"cohort": str(arguments.out), "synthetic": True, "split": parts}
    shares = ", ".join(f"{count} {name}" for name, count in parts.items())
    return content, f"{arguments.out}: {shares}; synthetic hands, not persons"


def _about(arguments, cohort) -> dict[str, Any]:
    return {
        "manifest": str(arguments.manifest),
        "left_out": [case.key for case in cohort.left_out],
        "notes": list(cohort.notes),
        "split": {name: [case.key for case in cohort.part(name)] for name in _parts()},
    }


def _new_csv(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".csv":
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .csv")
    if path.exists():
        raise argparse.ArgumentTypeError(f"{text!r} is already there; choose another name")
    return path


def _shares(cohort) -> str:
    return ", ".join(f"{len(cohort.part(name))} {name}" for name in _parts())


def _parts() -> tuple[str, ...]:
    from ..study.cohort import SPLITS

    return SPLITS
