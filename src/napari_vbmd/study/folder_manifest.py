"""A manifest from a folder: every ISQ in it, with the AIM that goes by its name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileFormatError, VbmdError
from ..io.files import read_scan, suffix_of
from ..scan import SIDES
from .cohort import write_rows

_COLUMNS = ("scan", "mask", "side", "patient", "age", "sex", "motion_grade")


@dataclass(frozen=True)
class Found:
    """What a folder gave.

    Attributes
    ----------
    scans, with_mask, with_side : int
    notes : tuple of str
        Scans whose mask or side must be given by hand.
    """

    scans: int
    with_mask: int
    with_side: int
    notes: tuple[str, ...]


def write_folder_manifest(folder: str | Path, path: str | Path) -> Found:
    """Write a manifest of the ISQ files in a folder and the folders in it.

    The mask of ``HAND.ISQ`` is the one AIM in the same folder that is called ``HAND`` or begins
    with ``HAND_``. The side is what the scan's header says. What cannot be told stays empty, and
    so do patient, age, sex and motion grade, which are for a person to fill in.

    Raises
    ------
    FileFormatError
        When the folder is not there, or holds no ISQ.
    WriteError
    """
    folder, path = Path(folder), Path(path).absolute()
    scans = sorted(file for file in folder.rglob("*") if suffix_of(file) == ".isq")
    if not scans:
        what = "no ISQ file in it" if folder.is_dir() else "no such folder"
        raise FileFormatError(f"{folder}: {what}; check the name")
    rows, notes = [], []
    for scan in scans:
        masks = _masks_of(scan)
        side = _side_of(scan)
        if len(masks) != 1:
            notes.append(f"{scan}: {len(masks) or 'no'} masks go by its name")
        if not side:
            notes.append(f"{scan}: its header does not say the side")
        rows.append({
            "scan": _relative(scan, path.parent),
            "mask": _relative(masks[0], path.parent) if len(masks) == 1 else "",
            "side": side,
        })  # fmt: skip
    write_rows(path, _COLUMNS, rows)
    counts = (sum(bool(row[name]) for row in rows) for name in ("scan", "mask", "side"))
    return Found(*counts, tuple(notes))


def _masks_of(scan: Path) -> list[Path]:
    stem = _stem(scan)
    return sorted(
        file
        for file in scan.parent.iterdir()
        if suffix_of(file) == ".aim" and re.match(rf"{re.escape(stem)}(_|$)", _stem(file))
    )


def _stem(path: Path) -> str:
    """The name in lower case, without ending and version."""
    return path.name.lower().partition(suffix_of(path))[0]


def _side_of(scan: Path) -> str:
    try:
        side = read_scan(scan).side
    except VbmdError:  # `cohort check` says what is wrong with it
        return ""
    return side if side in SIDES else ""


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
