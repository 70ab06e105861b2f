"""One volume as it was stored, with its geometry, calibration and header."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .calibration import UNIT_NAMES, UNITS, Calibration, Linear, Unit
from .errors import MissingCalibrationError, ParameterError
from .grid import Grid
from .privacy import is_identifying, is_synthetic, public_entries

__all__ = ["SIDES", "Mask", "Scan", "is_identifying"]

SIDES = ("left", "right")
_SERIES = "DICOM series"  # a folder's name is often the patient's


@dataclass(frozen=True)
class Scan:
    """A volume with all that is needed to turn it into densities.

    Parameters
    ----------
    voxels : array-like, shape (z, y, x)
        The values as stored: a read-only memory map where the file allows it.
    unit : {"native", "mu", "hu", "density"}
        What the stored values are.
    grid : Grid
        Where they lie.
    calibration : Calibration or None
        The scanner's constants, as far as they are known.
    header : dict
        What else the file says; may hold the patient's name (see `public_header`).
    path : Path or None
        The file or folder it came from.
    side : {"left", "right", "unknown"}
        Side of the hand, from the header only; never guessed.
    side_reason : str
        What that rests on.
    log : str
        The scanner's processing log, every character of it; may hold the patient's name.

    Raises
    ------
    ParameterError
        When voxels and grid differ in shape, or the unit is not known.
    """

    voxels: np.ndarray
    unit: Unit
    grid: Grid
    calibration: Calibration | None = None
    header: dict = field(default_factory=dict)
    path: Path | None = None
    format: str = ""
    side: str = "unknown"
    side_reason: str = "the header does not say"
    log: str = ""

    def __post_init__(self):
        if tuple(self.voxels.shape) != self.grid.shape:
            raise ParameterError(f"voxels {self.voxels.shape} and grid {self.grid.shape} differ")
        if self.unit not in UNITS:
            raise ParameterError(f"unit {self.unit!r} is not known: use one of {', '.join(UNITS)}")

    @property
    def name(self) -> str:
        """The file's name without folder, for people to read; no name of a DICOM folder."""
        if self.format == "DICOM":
            return _SERIES
        return self.path.absolute().name if self.path else "scan"

    def density_transform(self) -> Linear:
        """Gain and offset from stored values to mg HA/cm3.

        Raises
        ------
        MissingCalibrationError
            When the file carries no calibration and the user gave none.
        """
        return self.transform("density")

    def transform(self, target: Unit) -> Linear:
        """Gain and offset from stored values to another unit; raises as `density_transform`."""
        try:
            return (self.calibration or Calibration()).linear(self.unit, target)
        except MissingCalibrationError as error:
            hint = (
                "; say with --unit if the values are HU or densities" if self._unit_unsaid else ""
            )
            raise MissingCalibrationError(f"{self.name}: {error}{hint}") from None

    @property
    def _unit_unsaid(self) -> bool:
        """Whether native is only what is assumed of a file that does not say."""
        return self.unit == "native" and (self.calibration or Calibration()).mu_scaling is None

    @property
    def is_calibrated(self) -> bool:
        """Whether densities can be computed."""
        try:
            self.density_transform()
        except MissingCalibrationError:
            return False
        return True

    def calibrated(self, unit: Unit | None = None, **constants) -> "Scan":
        """A copy in which the user's unit and constants replace the file's; None leaves one be.

        Parameters
        ----------
        unit : {"native", "mu", "hu", "density"}, optional
        **constants
            Fields of `Calibration`.
        """
        calibration = (self.calibration or Calibration()).updated(**constants)
        return replace(self, unit=unit or self.unit, calibration=calibration)

    @property
    def is_synthetic(self) -> bool:
        """Whether the header says in words that this is a phantom, not a person."""
        return any(is_synthetic(str(value)) for value in self.header.values())

    def public_header(self) -> dict:
        """The header without anything that names or describes a person, folders included."""
        return public_entries(self.header)

    def size_text(self) -> str:
        """Voxels and voxel size along x, y, z; one size when all are alike to 0.1 %."""
        voxels = " × ".join(str(n) for n in reversed(self.grid.shape))
        spacing = self.grid.spacing_mm[::-1]
        alike = max(spacing) - min(spacing) < 1e-3 * min(spacing)
        shown = spacing[:1] if alike else spacing
        return f"{voxels} voxels of {' × '.join(f'{s:.4g}' for s in shown)} mm"

    def describe(self) -> str:
        """One line for a status bar: size, voxel size, unit and calibration, side."""
        calibrated = "calibrated" if self.is_calibrated else "no density calibration"
        return f"{self.size_text()}, {UNIT_NAMES[self.unit]}, {calibrated}, side {self.side}"


@dataclass(frozen=True)
class Mask:
    """A mask with its geometry.

    Parameters
    ----------
    voxels : ndarray of uint8, shape (z, y, x)
        Zero outside; the label inside. A scanner's 127 is read as 1.
    grid : Grid
        Where it lies: often a box smaller than the scan.
    """

    voxels: np.ndarray
    grid: Grid
    header: dict = field(default_factory=dict)
    path: Path | None = None
    format: str = ""
    log: str = ""

    def __post_init__(self):
        if tuple(self.voxels.shape) != self.grid.shape:
            raise ParameterError(f"mask {self.voxels.shape} and grid {self.grid.shape} differ")

    @property
    def name(self) -> str:
        """The file's name without folder, for people to read; no name of a DICOM folder."""
        if self.format == "DICOM":
            return _SERIES
        return self.path.name if self.path else "mask"
