"""A table of results, as `measure`, `run` and spreadsheets write them: a row for each patient.

A spreadsheet of a country that writes 279,3 separates its cells by semicolons; there, and only
there, a comma is read as the decimal point. Rows of single slices, which the CSV of the dock
Measure has below those of whole masks (slice "all"), are no patients and are not read.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import FileFormatError, ParameterError
from ..measurement.tables import DENSITIES, OVERLAPS
from .csv_rows import Row, read_rows

MISSING = frozenset(("", "na", "n/a", "nan", "none", "null", "-", "–"))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_SLICE, _WHOLE = "slice", "all"
_NAMES = {quantity.key: quantity.name for quantity in (*DENSITIES, *OVERLAPS)}
_UNITS = {
    "_mg_cm3": "mg HA/cm3",
    "_mm3": "mm3",
    "_mm2": "mm2",
    "_mm": "mm",
    "_um": "um",
    "_mg": "mg HA",
    "_percent": "%",
}
EXPERT = "expert_"


@dataclass(frozen=True)
class ResultTable:
    """Rows of text that are read as numbers when a column is asked for.

    Attributes
    ----------
    path : Path
    columns : tuple of str
    rows : tuple of Row
        Each knows its line in the file.
    decimal_comma : bool
        Whether 279,3 is a number here.
    slice_rows : int
        How many rows of single slices were not read.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimal_comma: bool = False
    slice_rows: int = 0
    _read: dict = field(default_factory=dict, repr=False, compare=False)

    def numbers(self, column: str) -> list[float | None]:
        """A column as numbers; None where a cell is empty, or says that there is none.

        Raises
        ------
        ParameterError
            When there is no such column.
        FileFormatError
            When a cell holds something else; the message names line and column.
        """
        self.require(column)
        if column not in self._read:
            self._read[column] = [self._number(row, column) for row in self.rows]
        return self._read[column]

    def texts(self, column: str) -> list[str | None]:
        """A column as text; None where a cell is empty."""
        self.require(column)
        return [row.cells[column] or None for row in self.rows]

    def require(self, column: str) -> None:
        """Refuse a column that is not there."""
        if column not in self.columns:
            known = ", ".join(filter(None, self.columns))
            raise ParameterError(f"{self.path}: no column “{column}”; there are {known}")

    def is_numeric(self, column: str) -> bool:
        """Whether a column means numbers: it holds one, and at most as many other words."""
        texts = [row.cells[column] for row in self.rows]
        known = [self._parsed(text) for text in texts if text.lower() not in MISSING]
        return bool(known) and 2 * sum(number is not None for number in known) >= len(known)

    def _parsed(self, text: str) -> float | None:
        plain = text.replace("−", "-")  # the minus of print
        if self.decimal_comma and _DECIMAL_COMMA.fullmatch(plain):
            plain = plain.replace(",", ".")
        if _NUMBER.fullmatch(plain):
            return float(plain)
        return math.inf if _INFINITE.fullmatch(text) else None

    def _number(self, row: Row, column: str) -> float | None:
        text = row.cells[column]
        if text.lower() in MISSING:
            return None
        number = self._parsed(text)
        if number is not None:
            return number
        cure = "write decimals with a point" if "," in text else "correct it, or leave it empty"
        raise FileFormatError(
            f"{self.path}: line {row.line}, column “{column}”: “{text}” is not a number; {cure}"
        )


def read_table(path: str | Path) -> ResultTable:
    """Read a table of results.

    Parameters
    ----------
    path : path
        As `read_rows` takes it.

    Raises
    ------
    FileFormatError
        When it cannot be read, has no rows or only those of single slices, or a row has more cells
        than there are columns.
    """
    path = Path(path)
    columns, rows = read_rows(path)
    for row in rows:
        if row.is_too_long:
            raise FileFormatError(
                f"{path}: line {row.line}: more cells than columns; put quotes around text that "
                "holds the separator, and write decimals with a point"
            )
    if not rows:
        raise FileFormatError(f"{path}: no rows under the columns; one row a patient is needed")
    whole = tuple(row for row in rows if row.cells.get(_SLICE, _WHOLE).lower() in (_WHOLE, ""))
    if not whole:
        raise FileFormatError(f"{path}: holds slices, not patients; give the table of whole masks")
    return ResultTable(path, columns, whole, _has_decimal_commas(path), len(rows) - len(whole))


def unit_of(column: str) -> str:
    """The unit that a column's name ends in; "" when it ends in none."""
    return next((unit for ending, unit in _UNITS.items() if column.endswith(ending)), "")


def name_of(column: str) -> str:
    """What a column measures, for people: of ``expert_tt_vbmd_mg_cm3`` Tt.vBMD."""
    column = column.removeprefix(EXPERT)
    if column in _NAMES:
        return _NAMES[column]
    ending = next((ending for ending in _UNITS if column.endswith(ending)), "")
    return column.removesuffix(ending).replace("_", " ")


def _has_decimal_commas(path: Path) -> bool:
    with open(path, encoding="utf-8-sig") as file:
        head = file.readline()
    return head.count(";") > max(head.count(","), head.count("\t"))
