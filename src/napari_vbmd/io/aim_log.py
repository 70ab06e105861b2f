"""The scanner's constants as lines of an AIM's processing log, both ways."""

import math
from collections.abc import Mapping

from ..calibration import Calibration
from .isq_header import DENSITY_UNITS


def calibration_of(entries: Mapping[str, str]) -> Calibration:
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
