"""An agreement as text: for the screen, beside a figure, and as one flat row of a CSV."""

import math
from typing import Any, NamedTuple

from .agreement import Agreement
from .bland_altman import BlandAltman
from .correlation import Correlation
from .estimate import Estimate
from .precision import Precision

_DECIMALS = {"mg HA/cm3": 1, "mg HA": 1, "mm": 2, "mm2": 2, "mm3": 1, "%": 1}
_RATIO = 3
_PERCENT = 1
MISSING = "–"


class Line(NamedTuple):
    """One number for people: name, value, 95 % interval, unit; and why something is missing."""

    name: str
    value: str
    interval: str
    unit: str
    missing: str = ""


def decimals_of(unit: str, spread: float | None) -> int:
    """Decimals to show of a value: those that its unit has, else three digits of the spread."""
    if unit in _DECIMALS:
        return _DECIMALS[unit]
    if not spread or not math.isfinite(spread):
        return 3
    return max(0, 2 - math.floor(math.log10(abs(spread))))


def number(value: float | None, decimals: int, sign: str = "") -> str:
    """A number with a true minus; a dash where there is none."""
    if value is None:
        return MISSING
    text = f"{value:{sign}.{decimals}f}"
    if not float(text):  # a zero has no sign
        text = text.lstrip("+-")
    return text.replace("-", "−")


def interval(one: Estimate, decimals: int, sign: str = "") -> str:
    """Its 95 % confidence interval; "" where there is none."""
    if one.low is None:
        return ""
    return f"{number(one.low, decimals, sign)} to {number(one.high, decimals, sign)}"


def p_value(p: float | None) -> str:
    """A p with its sign of comparison; "" where there is none."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def agreement_lines(agreement: Agreement, unit: str) -> list[Line]:
    """Every number of an agreement, in the order in which a paper tells them.

    Parameters
    ----------
    agreement : Agreement
    unit : str
        Of the values; "" where it is not known.
    """
    decimals = decimals_of(unit, agreement.ours_sd.value)
    limits: BlandAltman = agreement.bland_altman
    in_unit = [
        ("Mean, ours", agreement.ours_mean, ""),
        ("SD, ours", agreement.ours_sd, ""),
        ("Mean, reference", agreement.reference_mean, ""),
        ("SD, reference", agreement.reference_sd, ""),
        ("Bias (ours minus reference)", limits.bias, "+"),
        ("SD of the differences", limits.sd, ""),
        ("Lower limit of agreement", limits.lower_limit, "+"),
        ("Upper limit of agreement", limits.upper_limit, "+"),
    ]
    lines = [Line("Pairs", str(agreement.n), "", "")]
    lines += [_line(name, one, decimals, unit, sign) for name, one, sign in in_unit]
    percent = _line("Bias, of the reference's mean", limits.bias_percent, _PERCENT, "%", "+")
    lines.insert(6, percent._replace(missing="" if percent.value != MISSING else percent.missing))
    for name, fit in (("least squares", agreement.least_squares), ("Deming", agreement.deming)):
        lines.append(_line(f"Slope, {name}", fit.slope, _RATIO, ""))
        lines.append(_line(f"Intercept, {name}", fit.intercept, decimals, unit))
    lines.append(_correlation("Pearson r", agreement.pearson))
    lines.append(_correlation("Spearman rho", agreement.spearman))
    lines.append(_line("ICC(2,1), absolute agreement", agreement.icc, _RATIO, ""))
    return lines


def precision_lines(precision: Precision, unit: str, name: str = "") -> list[Line]:
    """Every number of a precision error; ``name`` says of whose measurements."""
    of = f", {name}" if name else ""
    decimals = decimals_of(unit, precision.rms_sd.value) + 1  # errors are small
    return [
        _line(f"Precision error{of}, RMS SD", precision.rms_sd, decimals, unit),
        _line(f"Precision error{of}, RMS %CV", precision.rms_cv_percent, _PERCENT + 1, "%"),
        _line(f"Least significant change{of}", precision.lsc, decimals, unit),
        _line(f"Least significant change{of}", precision.lsc_percent, _PERCENT + 1, "%"),
        Line(f"Degrees of freedom{of}", str(precision.degrees_of_freedom), "", ""),
    ]


def flat_row(content: dict[str, Any]) -> dict[str, Any]:
    """A JSON object of estimates as one flat row: ``x``, ``x_low``, ``x_high``.

    Sentences and lists stay in the JSON.
    """
    row: dict[str, Any] = {}
    for key, value in content.items():
        if not isinstance(value, dict):
            if not isinstance(value, list | str):
                row[key] = value
        elif "ci95" in value:
            low, high = value["ci95"] or (None, None)
            row |= {key: value["value"], f"{key}_low": low, f"{key}_high": high}
            if "p" in value:
                row[f"{key}_p"] = value["p"]
        else:
            row |= {f"{key}_{name}": one for name, one in flat_row(value).items()}
    return row


def _line(name: str, one: Estimate, decimals: int, unit: str, sign: str = "") -> Line:
    return Line(
        name,
        number(one.value, decimals, sign),
        interval(one, decimals, sign),
        unit if one.value is not None else "",
        one.missing,
    )


def _correlation(name: str, one: Correlation) -> Line:
    return _line(name, one.r, _RATIO, "")._replace(unit=p_value(one.p))
