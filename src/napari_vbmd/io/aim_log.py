"""The processing log of an AIM: what the scanner and its software say about the data."""

import math
import re

from ..calibration import Calibration
from .isq import DENSITY_UNITS

_KEY_WIDTH = 30  # the key's column; at least two blanks set it apart from the value


def parse_log(text: str) -> dict[str, str]:
    """The log's entries in order; of a repeated key the last one counts.

    Parameters
    ----------
    text : str
        Lines of a key, padded to 30 columns, and its value; lines that begin with ``!`` are rules.

    Returns
    -------
    dict of str to str
    """
    entries = {}
    for line in text.replace("\0", "\n").splitlines():
        if not line.strip() or line.lstrip().startswith("!"):
            continue
        match = re.match(r"(\S.*?)(?:\s{2,}|\t)(.*)$", line)
        key, value = match.groups() if match else (line[:_KEY_WIDTH], line[_KEY_WIDTH:])
        entries[key.strip()] = value.strip()
    return entries


def format_log(entries: dict[str, object]) -> str:
    """A processing log in the scanner's layout."""
    rule = "!" + "-" * 79
    lines = ["!", "! Processing Log", "!", rule]
    lines += [
        f"{key:<{_KEY_WIDTH - 2}}  {' '.join(str(value).splitlines()):<50}"
        for key, value in entries.items()
    ]
    return "\n".join([*lines, rule, ""])


def calibration_of(entries: dict[str, str]) -> Calibration:
    """The constants that a log carries; what it lacks stays unknown."""
    known = {
        "mu_scaling": _positive(entries.get("Mu_Scaling")),
        "mu_water_per_cm": _positive(entries.get("HU: mu water")),
    }
    unit = entries.get("Density: unit", "")
    slope = _positive(entries.get("Density: slope"))
    intercept = _number(entries.get("Density: intercept"))
    if slope is None or intercept is None:
        return Calibration(
            **known, source="AIM log", problem="the log carries no density constants"
        )
    if unit not in DENSITY_UNITS:
        problem = f"the file's density unit is {unit!r}, not mg HA/ccm"
        return Calibration(**known, source="AIM log", problem=problem)
    return Calibration(**known, density_slope=slope, density_intercept=intercept, source="AIM log")


def calibration_entries(calibration: Calibration) -> dict[str, str]:
    """The log's entries for the constants that are known."""
    entries = {}
    if calibration.mu_scaling is not None:
        entries["Mu_Scaling"] = f"{calibration.mu_scaling:.9g}"
    if calibration.mu_water_per_cm is not None:
        entries["HU: mu water"] = f"{calibration.mu_water_per_cm:.8f}"
    if calibration.density_slope is not None and calibration.density_intercept is not None:
        entries["Density: unit"] = "mg HA/ccm"
        entries["Density: slope"] = f"{calibration.density_slope:.8e}"
        entries["Density: intercept"] = f"{calibration.density_intercept:.8e}"
    return entries


def _number(text: str | None) -> float | None:
    try:
        value = float(text.split()[0]) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _positive(text: str | None) -> float | None:
    value = _number(text)
    return value if value is not None and value > 0 else None
