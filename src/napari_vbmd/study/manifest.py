"""The manifest: a CSV that names the scans of a study, and what is known of each.

| column | what it is |
| --- | --- |
| scan | the scan's file, or its folder (DICOM); needed |
| mask | a mask of it, as made by anything |
| expert | the expert's mask |
| side | left or right hand |
| patient | who, as a pseudonym; several scans may be of one |
| age, sex | of the patient, years; any word |
| motion_grade | 1 (none) to 5 (severe), after Pialat et al., Bone 2012, 50:111-118 |
| first_slice, last_slice | the range to look at, from 0 along z, both inclusive |

Paths are relative to the manifest's folder. Other columns are kept as they are.
"""

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import FileFormatError
from ..scan import SIDES
from .csv_rows import Row, read_rows

COLUMNS = (
    "scan",
    "mask",
    "expert",
    "side",
    "patient",
    "age",
    "sex",
    "motion_grade",
    "first_slice",
    "last_slice",
)
_GRADES = range(1, 6)
_OLDEST = 130  # years


@dataclass(frozen=True)
class Case:
    """One row of a manifest; what the row does not say is None.

    Parameters
    ----------
    key : str
        The scan as the manifest writes it, with forward slashes: what a case is known by, wherever
        its row stands.
    scan : Path
    mask, expert : Path or None
    side : {"left", "right"} or None
    patient, sex : str or None
    age : float or None
        Years.
    motion_grade : int or None
        1 to 5.
    slices : tuple of int, or None
        First and last, inclusive.
    line : int
        Of the row, in the manifest's file.
    other : mapping
        The cells of all other columns.
    """

    key: str
    scan: Path
    mask: Path | None = None
    expert: Path | None = None
    side: str | None = None
    patient: str | None = None
    age: float | None = None
    sex: str | None = None
    motion_grade: int | None = None
    slices: tuple[int, int] | None = None
    line: int = 0
    other: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The scan's file name, for people to read."""
        return posixpath.basename(self.key)


@dataclass(frozen=True)
class Manifest:
    """The cases of a study, in the order of the file.

    Parameters
    ----------
    path : Path
        Of the manifest; absolute.
    cases : tuple of Case
    """

    path: Path
    cases: tuple[Case, ...]

    @property
    def folder(self) -> Path:
        """What its paths are relative to."""
        return self.path.parent


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest; whether the files that it names are there is not looked at.

    Raises
    ------
    FileFormatError
        When it cannot be read, has no column ``scan`` or no row, or has rows that cannot be used:
        all of them are named, with their lines, in one message.
    """
    path = Path(path).absolute()
    columns, rows = read_rows(path)
    if "scan" not in columns:
        raise FileFormatError(
            f"{path}: no column “scan”; name the columns in the first line, out of "
            f"{', '.join(COLUMNS)}"
        )
    cases, problems = [], []
    for row in rows:
        wrong: list[str] = []
        cases.append(_case(row, path.parent, wrong))
        problems += [f"line {row.line}: {text}" for text in wrong]
    problems += _named_twice(cases)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise FileFormatError(f"{path}: {count}: {'; '.join(problems)}")
    if not cases:
        raise FileFormatError(f"{path}: no rows under the columns; name one scan a row")
    return Manifest(path, tuple(cases))


def key_of(text: str) -> str:
    """A path as a manifest writes it, so that the same one always reads the same."""
    return posixpath.normpath(text.replace("\\", "/")) if text else ""


def within(folder: Path, text: str) -> Path:
    """The file that a manifest's path means: relative to the manifest's folder, or absolute."""
    return Path(os.path.normpath(folder / key_of(text)))


def relative_to(path: Path | None, folder: Path) -> str:
    """A path as a table in the folder writes it; "" for None. The way back is `within`."""
    if path is None:
        return ""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _case(row: Row, folder: Path, wrong: list[str]) -> Case:
    """One row as a case; what is wrong with it is added to the list."""
    cells = row.cells
    if row.is_too_long:
        wrong.append("more cells than columns; put quotes around text that holds the separator")
    if not cells["scan"]:
        wrong.append("no scan")
    return Case(
        key=key_of(cells["scan"]),
        scan=within(folder, cells["scan"]),
        mask=_path(cells, "mask", folder),
        expert=_path(cells, "expert", folder),
        side=_side(cells, wrong),
        patient=cells.get("patient") or None,
        age=_age(cells, wrong),
        sex=cells.get("sex") or None,
        motion_grade=_grade(cells, wrong),
        slices=_slices(cells, wrong),
        line=row.line,
        other={name: cell for name, cell in cells.items() if name not in COLUMNS},
    )


def _path(cells: dict[str, str], name: str, folder: Path) -> Path | None:
    return within(folder, cells[name]) if cells.get(name) else None


def _side(cells: dict[str, str], wrong: list[str]) -> str | None:
    side = cells.get("side", "").lower()
    if side and side not in SIDES:
        wrong.append(f"side “{cells['side']}” is not {' or '.join(SIDES)}")
    return side or None


def _age(cells: dict[str, str], wrong: list[str]) -> float | None:
    text = cells.get("age", "")
    try:
        age = float(text) if text else None
        if age is None or 0 <= age <= _OLDEST:
            return age
    except ValueError:
        pass
    wrong.append(f"age “{text}” is not a number of years")
    return None


def _grade(cells: dict[str, str], wrong: list[str]) -> int | None:
    text = cells.get("motion_grade", "")
    grade = _whole(text)
    if text and grade not in _GRADES:
        wrong.append(f"motion grade “{text}” is not 1 to 5")
    return grade


def _slices(cells: dict[str, str], wrong: list[str]) -> tuple[int, int] | None:
    names = ("first_slice", "last_slice")
    texts = [cells.get(name, "") for name in names]
    if not any(texts):
        return None
    first, last = (_whole(text) for text in texts)
    for name, text, value in zip(names, texts, (first, last), strict=True):
        if not text:
            wrong.append(f"{name} is missing beside the other one")
        elif value is None:
            wrong.append(f"{name} “{text}” is not a whole number from 0 on")
    if first is None or last is None:
        return None
    if first > last:
        wrong.append(f"first_slice {first} comes after last_slice {last}")
    return first, last


def _whole(text: str) -> int | None:
    """A whole number from 0 on; a table library writes one as 2.0 where others are missing."""
    return int(text.partition(".")[0]) if re.fullmatch(r"[0-9]+(\.0*)?", text) else None


def _named_twice(cases: list[Case]) -> list[str]:
    """Scans that more than one row names."""
    lines: dict[str, list[Case]] = {}
    for case in cases:
        if case.key:
            lines.setdefault(os.path.normcase(case.scan), []).append(case)
    return [
        f"lines {', '.join(str(case.line) for case in same)}: the same scan “{same[0].key}”"
        for same in lines.values()
        if len(same) > 1
    ]
