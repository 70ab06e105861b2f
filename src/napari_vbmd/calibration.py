"""From the numbers that a scanner stores to density, and back.

Every conversion here is linear, so it is a gain and an offset: sums can be taken over the stored
integers, exactly, and converted once at the end.

Source: Scanco Medical's processing log and Laib et al. 1998 (Technol Health Care 6:329):

- mu [1/cm] = native / mu_scaling
- density [mg HA/cm3] = mu * slope + intercept
- HU = 1000 * mu / mu_water - 1000
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal, NamedTuple, get_args

from .errors import MissingCalibrationError, ParameterError

Unit = Literal["native", "mu", "hu", "density"]
UNITS: tuple[str, ...] = get_args(Unit)
UNIT_NAMES = {"native": "native", "mu": "1/cm", "hu": "HU", "density": "mg HA/cm3"}

_USER = "given by the user"
# How a person who lacks a constant can give it: the option of the command line.
_OPTIONS = {
    "mu_scaling": "--mu-scaling",
    "mu_water_per_cm": "--mu-water",
    "density_slope": "--slope",
    "density_intercept": "--intercept",
}


class Linear(NamedTuple):
    """``target = gain * source + offset``."""

    gain: float
    offset: float

    def __call__(self, values):
        """Convert a number or an array; the result is floating point."""
        return self.gain * values + self.offset

    def inverse(self) -> "Linear":
        """The conversion back."""
        return Linear(1.0 / self.gain, -self.offset / self.gain)

    def then(self, following: "Linear") -> "Linear":
        """This conversion and then the following one, as one."""
        return Linear(following.gain * self.gain, following.gain * self.offset + following.offset)


@dataclass(frozen=True)
class Calibration:
    """The scanner's constants. What is not known is None, never a default.

    Parameters
    ----------
    mu_scaling : float, optional
        Native units per 1/cm of linear attenuation.
    mu_water_per_cm : float, optional
        Linear attenuation of water [1/cm].
    density_slope : float, optional
        mg HA/cm3 per 1/cm.
    density_intercept : float, optional
        Density at zero attenuation [mg HA/cm3].
    source : str
        Where the constants come from, for people to read.
    problem : str
        Why constants that the file does carry were not taken; empty when there is nothing to say.

    Raises
    ------
    ParameterError
        When a constant is not finite, or one that divides is not positive.
    """

    mu_scaling: float | None = None
    mu_water_per_cm: float | None = None
    density_slope: float | None = None
    density_intercept: float | None = None
    source: str = ""
    problem: str = ""

    def __post_init__(self):
        for name, option in _OPTIONS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not math.isfinite(value):
                raise ParameterError(f"{option} is {value}: a finite number is needed")
            if name != "density_intercept" and value <= 0:
                raise ParameterError(f"{option} is {value:g}: it must be greater than zero")

    def linear(self, source: Unit, target: Unit) -> Linear:
        """The gain and offset that lead from one unit to another.

        Raises
        ------
        MissingCalibrationError
            When a constant that this conversion needs is not known.
        """
        for unit in (source, target):
            if unit not in UNITS:
                raise ParameterError(f"unit {unit!r} is not known: use one of {', '.join(UNITS)}")
        if source == target:
            return Linear(1.0, 0.0)
        self._require(source, target)
        return self._to_mu(source).then(self._to_mu(target).inverse())

    def updated(self, **constants) -> "Calibration":
        """A copy in which the constants that are not None replace those of the file."""
        given = {name: value for name, value in constants.items() if value is not None}
        if not given:
            return self
        kept = any(getattr(self, name) is not None for name in _OPTIONS if name not in given)
        if not kept or not self.source:
            source = _USER
        elif _USER in self.source:  # constants given one after the other
            source = self.source
        else:
            source = f"{self.source}, in part {_USER}"
        answered = {"density_slope", "density_intercept"} <= set(given)
        return replace(self, **given, source=source, problem="" if answered else self.problem)

    def constants(self) -> dict:
        """The four constants and their source, ready for JSON."""
        known = asdict(self)
        if not known["problem"]:
            del known["problem"]
        return known

    def _needs(self, unit: Unit) -> tuple[str, ...]:
        return {
            "native": ("mu_scaling",),
            "mu": (),
            "hu": ("mu_water_per_cm",),
            "density": ("density_slope", "density_intercept"),
        }[unit]

    def _require(self, source: Unit, target: Unit) -> None:
        needed = self._needs(source) + self._needs(target)
        missing = [_OPTIONS[name] for name in needed if getattr(self, name) is None]
        if missing:
            why = f" ({self.problem})" if self.problem else ""
            raise MissingCalibrationError(
                f"no calibration from {UNIT_NAMES[source]} to {UNIT_NAMES[target]}{why}: "
                f"give {', '.join(missing)} from the scanner's calibration report"
            )

    def _to_mu(self, unit: Unit) -> Linear:
        if unit == "native":
            return Linear(1.0 / self.mu_scaling, 0.0)
        if unit == "hu":
            return Linear(self.mu_water_per_cm / 1000.0, self.mu_water_per_cm)
        if unit == "density":
            return Linear(self.density_slope, self.density_intercept).inverse()
        return Linear(1.0, 0.0)
