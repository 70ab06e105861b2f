"""A CSV as spreadsheets save it, as rows of text that know their line."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import FileFormatError
from ..io.atomic import written_whole

_SEPARATORS = ",;\t"  # a spreadsheet takes that of its country


class Row(NamedTuple):
    """One row: its line in the file, its cells by column, and whether it has more than columns."""

    line: int
    cells: dict[str, str]
    is_too_long: bool


def read_rows(path: str | Path) -> tuple[tuple[str, ...], list[Row]]:
    """Columns and rows of a CSV; empty rows are left out, spaces around cells too.

    Parameters
    ----------
    path : path
        UTF-8, with or without a byte order mark; separated by commas, semicolons or tabs, whichever
        the first line has most of. A row may be shorter than the columns.

    Raises
    ------
    FileFormatError
        When the file cannot be read, is no such text, has no columns, or has one of them twice.
    """
    path = Path(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=head.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            columns = tuple(cell.strip() for cell in next(reader, ()))
            _check(path, columns)
            rows = [_row(reader.line_num, cells, columns) for cells in reader]
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: no such file; check the name") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be opened: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not UTF-8 text; save it as “CSV UTF-8”") from error
    except csv.Error as error:
        raise FileFormatError(f"{path}: line {reader.line_num}: not CSV: {error}") from error
    return columns, [row for row in rows if any(row.cells.values()) or row.is_too_long]


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a CSV, whole or not at all.

    Raises
    ------
    WriteError
    """
    with (
        written_whole(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())  # a crash may be that of the whole machine


def _check(path: Path, columns: tuple[str, ...]) -> None:
    if not any(columns):
        raise FileFormatError(f"{path}: no columns in the first line; is this a CSV?")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        named = ", ".join(name or "(without a name)" for name in twice)
        raise FileFormatError(f"{path}: columns that occur twice: {named}; rename one of them")


def _row(line: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    cells = [cell.strip() for cell in cells]
    padded = cells + [""] * (len(columns) - len(cells))
    surplus = padded[len(columns) :]
    return Row(line, dict(zip(columns, padded, strict=False)), any(surplus))
