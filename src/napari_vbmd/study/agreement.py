"""Agreement over a study: from columns of a table to numbers that know the lines they came from."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import FileFormatError, ParameterError
from ..measurement.agreement import Agreement, agree
from ..measurement.pairs import LeftOut, why_unusable
from ..measurement.precision import Precision, precision_error
from .agreement_columns import Columns
from .csv_rows import Row
from .result_table import ResultTable, name_of, unit_of

_FURTHER = "a further measurement of a patient: for the precision only"
_POOLED = (  # what rows of one study should have in common
    "scanner",
    "spacing_mm",
    "unit_stored",
    "mu_scaling",
    "mu_water_per_cm",
    "density_slope",
    "density_intercept",
    "method",
)


@dataclass(frozen=True)
class Quantity:
    """Agreement and precision of one quantity over the rows of a table.

    Attributes
    ----------
    table : ResultTable
    columns : Columns
    name, unit : str
        Of the quantity; the unit is "" when the column's name does not end in one.
    agreement : Agreement or None
        One pair for each row of ``kept``; None without a reference.
    kept : tuple of int
        The table's rows that were compared; with repeats one for each patient.
    precision : dict of str to Precision
        By column; empty without repeats.
    left_out : tuple of LeftOut
        The table's rows that the agreement does not use, and why.
    warnings : list of str
    """

    table: ResultTable
    columns: Columns
    name: str
    unit: str
    agreement: Agreement | None
    kept: tuple[int, ...]
    precision: dict[str, Precision]
    left_out: tuple[LeftOut, ...]
    warnings: list[str]

    def row_of(self, pair: int) -> Row:
        """The table's row that a pair of the agreement came from."""
        return self.table.rows[self.kept[self.agreement.pairs.rows[pair]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; rows are named by their lines in the table."""
        agreement = self.agreement and self.agreement.to_dict()
        if agreement:
            agreement |= {"left_out": self._lines(self.left_out)}
            del agreement["warnings"]
        precision = {
            column: found.to_dict() | {"left_out": self._lines(found.left_out)}
            for column, found in self.precision.items()
        }
        return {
            "quantity": self.name,
            "unit": self.unit or None,
            **vars(self.columns),
            "agreement": agreement,
            "precision": precision or None,
            "warnings": self.warnings,
        }

    def lines_by_reason(self) -> dict[str, list[int]]:
        """The lines of the table that were not used, by why."""
        found: dict[str, list[int]] = {}
        for row, why in self.left_out:
            found.setdefault(why, []).append(self.table.rows[row].line)
        return found

    def _lines(self, left_out: Iterable[LeftOut]) -> list[dict[str, Any]]:
        return [{"line": self.table.rows[row].line, "reason": why} for row, why in left_out]


def agree_on(table: ResultTable, columns: Columns) -> Quantity:
    """Agreement and, with repeats, precision of one quantity.

    With repeats each patient counts once in the agreement, by the first row that has both numbers:
    intervals and p hold for independent pairs.

    Raises
    ------
    ParameterError
        When the columns are the same or of different units, or no row has a number in each.
    FileFormatError
        When a cell is no number, or a patient has one repeat twice.
    """
    units = {
        unit for column in (columns.ours, columns.reference) if (unit := unit_of(column or ""))
    }
    if columns.ours == columns.reference:
        raise ParameterError(f"{table.path}: “{columns.ours}” is compared with itself")
    if len(units) > 1:
        raise ParameterError(
            f"{table.path}: “{columns.ours}” and “{columns.reference}” have different units: "
            f"{' and '.join(sorted(units))}"
        )
    if columns.repeat and not columns.patient:
        raise ParameterError(f"{table.path}: repeats need a column of patients; name it, too")
    ours = table.numbers(columns.ours)
    reference = table.numbers(columns.reference) if columns.reference else [None] * len(ours)
    patients = table.texts(columns.patient) if columns.patient else [None] * len(ours)
    kept, further = range(len(ours)), ()
    if columns.repeat:
        _check_repeats(table, patients, columns)
        kept, further = _one_each(patients, ours, reference)
    agreement, left_out = None, []
    if columns.reference:
        agreement = agree([ours[i] for i in kept], [reference[i] for i in kept])
        left_out = [*(LeftOut(kept[row], why) for row, why in agreement.left_out), *further]
        _check_any(table, columns, agreement.n, left_out)
    precision = {
        column: precision_error(table.numbers(column), patients)
        for column in (columns.ours, columns.reference)
        if columns.repeat and column
    }
    return Quantity(
        table,
        columns,
        name_of(columns.ours),
        unit_of(columns.ours) or unit_of(columns.reference or ""),
        agreement,
        tuple(kept),
        precision,
        tuple(sorted(left_out)),
        _warnings(table, columns, agreement, kept, patients, precision),
    )


def _one_each(
    patients: Sequence[str | None], ours: Sequence, reference: Sequence
) -> tuple[list[int], list[LeftOut]]:
    """One row for each patient, and the further ones with the reason."""
    rows: dict[str, list[int]] = {}
    left_out = []
    for i, patient in enumerate(patients):
        if patient is None:
            left_out.append(LeftOut(i, "no patient"))
        else:
            rows.setdefault(patient, []).append(i)
    kept = []
    for of in rows.values():
        complete = [i for i in of if _is_usable(ours[i]) and _is_usable(reference[i])]
        first = (complete or of)[0]
        kept.append(first)
        left_out += [LeftOut(i, _FURTHER) for i in of if i != first]
    return sorted(kept), left_out


def _is_usable(value: float | None) -> bool:
    return value is not None and not why_unusable(value)


def _check_repeats(table: ResultTable, patients, columns: Columns) -> None:
    seen: dict[tuple, int] = {}
    for row, patient, repeat in zip(table.rows, patients, table.texts(columns.repeat), strict=True):
        first = seen.setdefault((patient, repeat), row.line)
        if patient is not None and first != row.line:
            raise FileFormatError(
                f"{table.path}: lines {first} and {row.line}: the same “{columns.repeat}” of one "
                "patient; number the repeats"
            )


def _check_any(
    table: ResultTable, columns: Columns, count: int, left_out: Iterable[LeftOut]
) -> None:
    if count:
        return
    reasons = Counter(why for _, why in left_out)
    names = {"ours": f"“{columns.ours}”", "the reference": f"“{columns.reference}”"}
    said = []
    for reason, count in reasons.most_common():
        for plain, column in names.items():
            reason = reason.replace(plain, column)
        said.append(f"in {count} {'row' if count == 1 else 'rows'} {reason}")
    raise ParameterError(f"{table.path}: no row has both numbers: {', '.join(said)}")


def _warnings(table, columns, agreement, kept, patients, precision) -> list[str]:
    found = list(agreement.warnings) if agreement else []
    for column, one in precision.items():
        found += [f"“{column}”: {text}" for text in one.warnings]
    used = [kept[i] for i in agreement.pairs.rows] if agreement else list(kept)
    lines: dict[str, list[int]] = {}
    for i in used:
        if patients[i] is not None:
            lines.setdefault(patients[i], []).append(table.rows[i].line)
    several = [of for of in lines.values() if len(of) > 1]
    if several and not columns.repeat:
        found.append(
            f"{len(several)} {'patient has' if len(several) == 1 else 'patients have'} several "
            f"rows, such as lines {several[0][0]} and {several[0][1]}: intervals and p count them "
            "as independent; name the column of the repeats, or keep one row a patient"
        )
    if not unit_of(columns.ours) and not unit_of(columns.reference or ""):
        found.append("the unit is not known: the columns' names do not end in one")
    return found + [text for name in _POOLED if (text := _pooled(table, name, used))]


def _pooled(table: ResultTable, name: str, used: Iterable[int]) -> str:
    """What the rows used should have in common, and have not."""
    if name not in table.columns:
        return ""
    counts = Counter(table.rows[i].cells[name] for i in used)
    if len(counts) < 2:
        return ""
    said = [f"{value or 'none'} in {count}" for value, count in counts.most_common(3)]
    more = ", …" if len(counts) > 3 else ""
    return f"rows of different “{name}” are pooled: {', '.join(said)}{more}"
