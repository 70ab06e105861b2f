"""An agreement in the words of its dock."""

from ..measurement.agreement_tables import Line, decimals_of, number
from ..study.agreement import Quantity
from ..study.agreement_columns import PATIENT
from ..study.csv_rows import Row

_SIGNS = {"mg HA/cm3": "mg HA/cm³", "mm2": "mm²", "mm3": "mm³"}
_SHORT = {
    "Bias (ours minus reference)": "Bias",
    "Bias, of the reference's mean": "Bias, %",
    "SD of the differences": "SD of differences",
    "Lower limit of agreement": "Lower limit",
    "Upper limit of agreement": "Upper limit",
    "Slope, least squares": "Slope",
    "Intercept, least squares": "Intercept",
    "ICC(2,1), absolute agreement": "ICC(2,1)",
}
_SHORTER = (
    ("Precision error, ours, ", ""),
    ("Precision error, reference, ", "Ref. "),
    ("Least significant change, ours", "LSC"),
    ("Least significant change, reference", "Ref. LSC"),
    ("Degrees of freedom, ours", "Degrees of freedom"),
    ("Degrees of freedom, reference", "Ref. degrees of freedom"),
)
_NAMES_OF_PATIENTS = (PATIENT, "case", "scan")


def title(row: Row) -> str:
    """What to call a row: its patient, case or scan, else its line."""
    name = next((row.cells[c] for c in _NAMES_OF_PATIENTS if row.cells.get(c)), "")
    return f"{name} (line {row.line})" if name else f"line {row.line}"


def point(quantity: Quantity, pair: int, row: Row) -> str:
    """A point in words: both values, and their difference with its sign."""
    agreement = quantity.agreement
    decimals = decimals_of(quantity.unit, agreement.ours_sd.value)
    ours, reference = agreement.pairs.ours[pair], agreement.pairs.reference[pair]
    unit = _SIGNS.get(quantity.unit, quantity.unit)
    return (
        f"{title(row)}: {number(ours, decimals)} against {number(reference, decimals)}, "
        f"difference {number(ours - reference, decimals, '+')} {unit}".rstrip()
    )


def rows(lines: list[Line]) -> list[tuple[str, str, str]]:
    """Numbers as rows of a narrow table: name, value, interval; the unit stands above it."""
    found = []
    for line in lines:
        found.append((_short(line), line.value, line.interval))
        if line.unit.startswith("p "):
            found.append(("   p", line.unit.removeprefix("p ").removeprefix("= "), ""))
    return found


def heading(unit: str) -> str:
    """What the rows of the table are in."""
    sign = _SIGNS.get(unit, unit)
    return f"{sign + ', with' if sign else 'With'} 95 % confidence intervals"


def missing(lines: list[Line]) -> str:
    """Why numbers are missing, each reason once with the names."""
    names: dict[str, list[str]] = {}
    for line in lines:
        if line.missing:
            names.setdefault(line.missing, []).append(_short(line))
    return "\n".join(f"Missing: {', '.join(of)}: {why}." for why, of in names.items())


def left_out(quantity: Quantity) -> str:
    """Which lines of the table were not used, and why."""
    return "\n".join(
        f"Left out: {why}: line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:8]))}"
        f"{' …' if len(lines) > 8 else ''}"
        for why, lines in quantity.lines_by_reason().items()
    )


def _short(line: Line) -> str:
    """A name that fits into the dock."""
    name = _SHORT.get(line.name, line.name)
    for long, short in _SHORTER:
        name = name.replace(long, short)
    return f"{name}, %" if line.unit == "%" and "%" not in name else name
