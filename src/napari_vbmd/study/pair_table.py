"""The table of a comparison: two masks of each scan, by two sources."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileFormatError
from .csv_rows import Row, read_rows
from .manifest import within

_NEEDED = ("scan", "mask_1", "mask_2")
_OPTIONAL = {"name_1": "mask_1", "name_2": "mask_2", "patient": ""}


@dataclass(frozen=True)
class Pair:
    """Two masks of one scan.

    Attributes
    ----------
    scan, mask_1, mask_2 : Path
    name_1, name_2 : str
        The masks' sources, such as network and expert.
    patient : str
        Empty where the table does not say.
    said : str
        The scan as the table names it.
    line : int
        In the table's file.
    """

    scan: Path
    mask_1: Path
    mask_2: Path
    name_1: str
    name_2: str
    patient: str
    said: str
    line: int = 0


@dataclass(frozen=True)
class PairTable:
    """A whole table.

    Attributes
    ----------
    path : Path
        Of the table.
    rows : tuple of Pair
    key : str
        A hash of all that the table says: another table has another key.
    """

    path: Path
    rows: tuple[Pair, ...]
    key: str

    @property
    def sources(self) -> tuple[str, str]:
        """The two sources, in alphabetical order."""
        first, second = sorted((self.rows[0].name_1, self.rows[0].name_2))
        return first, second


def read_pairs(path: str | Path) -> PairTable:
    """Read a table of pairs, and see that all of its files are there.

    Parameters
    ----------
    path : path
        CSV with the columns ``scan``, ``mask_1``, ``mask_2`` and, if wanted, ``name_1``,
        ``name_2`` (the masks' sources; the same two in every row, in either column) and
        ``patient``. Paths count from the table's folder.

    Raises
    ------
    FileFormatError
        When it cannot be read, lacks a column, or has rows that cannot be used; all of these are
        named, with their lines, in one message.
    """
    path = Path(path)
    columns, rows = read_rows(path)
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise FileFormatError(
            f"{path}: no column {', '.join(missing)}; name the columns in the first line, out of "
            f"{', '.join((*_NEEDED, *_OPTIONAL))}"
        )
    if not rows:
        raise FileFormatError(f"{path}: no rows under the columns; name one pair a row")
    said = [{c: row.cells.get(c, _OPTIONAL.get(c)) for c in (*_NEEDED, *_OPTIONAL)} for row in rows]
    pairs = [_pair(path.parent, cells, row) for cells, row in zip(said, rows, strict=True)]
    problems = [f"line {row.line}: too many cells" for row in rows if row.is_too_long]
    problems += _problems(said, pairs)
    if problems:
        raise FileFormatError(f"{path}: {'; '.join(problems)}")
    key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    return PairTable(path, tuple(pairs), key)


def _pair(folder: Path, cells: dict[str, str], row: Row) -> Pair:
    paths = (within(folder, cells[column]) for column in _NEEDED)
    names = (cells[column] for column in (*_OPTIONAL, "scan"))
    return Pair(*paths, *names, row.line)


def _problems(said: Sequence[dict[str, str]], pairs: Sequence[Pair]) -> Iterator[str]:
    """What is wrong, a phrase for each bad row."""
    first_names, seen = None, {}
    for cells, pair in zip(said, pairs, strict=True):
        found = list(_in_row(cells, pair))
        names = {pair.name_1, pair.name_2}
        if not found:
            first_names = first_names or names
            if names != first_names:
                found.append(
                    f"the sources {_and(names)} are not those of the lines before, "
                    f"{_and(first_names)}"
                )
            files = pair.scan, frozenset((pair.mask_1, pair.mask_2))
            if files in seen:
                found.append(f"the same pair as in line {seen[files]}")
            seen.setdefault(files, pair.line)
        if found:
            yield f"line {pair.line}: {', '.join(found)}"


def _in_row(cells: dict[str, str], pair: Pair) -> Iterator[str]:
    for column in _NEEDED:
        if not cells[column]:
            yield f"{column} is empty"
        elif not getattr(pair, column).exists():
            yield f"{column} {cells[column]} does not exist"
    if not pair.name_1 or not pair.name_2:
        yield "a source has no name"
    elif pair.name_1 == pair.name_2:
        yield f"both masks are by {pair.name_1}"
    files = [getattr(pair, column) for column in _NEEDED if cells[column]]
    if len(set(files)) < len(files):
        yield "the same file twice"


def _and(names: set[str]) -> str:
    return " and ".join(sorted(names))
