"""Where voxels lie: spacing, position, and placing one grid on another."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .errors import GridMismatchError, ParameterError

SPACING_TOLERANCE = 1e-3  # relative
OFFSET_TOLERANCE = 0.1  # voxels: of the offset from the lattice, and of the drift over the volume
AXES = ("z", "y", "x")


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels along z, y, x.

    Parameters
    ----------
    shape : tuple of int
        Voxels along z, y, x.
    spacing_mm : tuple of float
        Distance between voxel centres along z, y, x [mm].
    position : tuple of float
        Index of the first voxel in the original scan, along z, y, x. It may be negative, and is
        whole for scanner files; a NIfTI origin need not lie on a lattice.

    Raises
    ------
    ParameterError
        When the shape is empty or a spacing is not a positive number.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    position: tuple[float, float, float] = (0, 0, 0)

    def __post_init__(self):
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing_mm", tuple(float(s) for s in self.spacing_mm))
        object.__setattr__(self, "position", tuple(_whole_if_whole(p) for p in self.position))
        if not len(self.shape) == len(self.spacing_mm) == len(self.position) == 3:
            raise ParameterError("a grid has three axes: z, y, x")
        if any(n < 1 for n in self.shape):
            raise ParameterError(f"a grid of {self.shape} voxels (z, y, x) is empty")
        if not all(math.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise ParameterError(f"spacing {self.spacing_mm} mm (z, y, x) must be above zero")
        if not all(math.isfinite(p) for p in self.position):
            raise ParameterError(f"position {self.position} (z, y, x) must be finite")

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Centre of the first voxel, in mm from the first voxel of the original scan."""
        return tuple(float(p * s) for p, s in zip(self.position, self.spacing_mm, strict=True))

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Edge lengths of the whole grid [mm]."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing_mm, strict=True))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel [mm3]."""
        return math.prod(self.spacing_mm)

    @property
    def pixel_area_mm2(self) -> float:
        """Area of one voxel within a slice [mm2]."""
        return self.spacing_mm[1] * self.spacing_mm[2]

    def box(self, box: tuple[slice, slice, slice]) -> "Grid":
        """The grid of a box cut out of this one; the slices have a start and a stop."""
        return Grid(
            tuple(s.stop - s.start for s in box),
            self.spacing_mm,
            tuple(p + s.start for p, s in zip(self.position, box, strict=True)),
        )

    def same_as(self, other: "Grid") -> bool:
        """Whether voxels of equal index lie at one place in both grids."""
        if self.shape != other.shape:
            return False
        try:
            offset = _offset(self, other)
        except GridMismatchError:
            return False
        return offset == (0, 0, 0)


class Placement(NamedTuple):
    """How a source grid lies on a target grid: equal boxes in both, and what falls outside.

    ``clipped`` counts, for each axis, the source's voxels before and after the target.
    """

    source_box: tuple[slice, slice, slice]
    target_box: tuple[slice, slice, slice]
    source_shape: tuple[int, int, int]
    target_shape: tuple[int, int, int]
    clipped: tuple[tuple[int, int], ...]

    @property
    def covers_target(self) -> bool:
        """Whether source and target are the same box, so that nothing need be moved."""
        return self.source_shape == self.target_shape and not self.is_clipped

    @property
    def is_clipped(self) -> bool:
        """Whether a part of the source lies outside the target."""
        return any(n for sides in self.clipped for n in sides)

    def paste(self, source: np.ndarray) -> np.ndarray:
        """The source on the target's grid; zero where the source does not reach.

        Parameters
        ----------
        source : ndarray
            Array of the source's shape.

        Returns
        -------
        ndarray
            The source itself when the grids are the same, else a new array of the target's shape.
        """
        if self.covers_target:
            return source
        target = np.zeros(self.target_shape, dtype=source.dtype)
        target[self.target_box] = source[self.source_box]
        return target

    def describe_clipping(self) -> str:
        """One line on what was cut off, empty when nothing was."""
        parts = [
            f"{n} voxels {side} the {axis} range"
            for axis, sides in zip(AXES, self.clipped, strict=True)
            for n, side in zip(sides, ("before", "after"), strict=True)
            if n
        ]
        return f"the mask's grid reaches beyond the scan: {', '.join(parts)}" if parts else ""


def place(source: Grid, target: Grid) -> Placement:
    """Place one grid on another by geometry.

    Parameters
    ----------
    source, target : Grid
        Grids of equal spacing (within 0.1 %) whose voxels coincide (within 0.1 voxel, over the
        whole volume).

    Returns
    -------
    Placement

    Raises
    ------
    GridMismatchError
        When the spacings differ, when the voxels lie between each other, or when the two do not
        overlap anywhere.
    """
    offset = _offset(source, target)
    source_box, target_box, clipped = [], [], []
    for axis, shift, n_source, n_target in zip(
        AXES, offset, source.shape, target.shape, strict=True
    ):
        first, last = max(0, shift), min(n_target, shift + n_source)
        if first >= last:
            raise GridMismatchError(
                f"the mask does not overlap the scan along {axis}: it covers voxels {shift} to "
                f"{shift + n_source - 1}, the scan 0 to {n_target - 1}; is it a mask of this scan?"
            )
        target_box.append(slice(first, last))
        source_box.append(slice(first - shift, last - shift))
        clipped.append((first - shift, n_source - (last - shift)))
    return Placement(
        tuple(source_box), tuple(target_box), source.shape, target.shape, tuple(clipped)
    )


def _offset(source: Grid, target: Grid) -> tuple[int, int, int]:
    """Index in the target of the source's first voxel; raises when the voxels do not coincide.

    Whole positions are indices in the original scan: far from it, a rounded spacing would move mm.
    """
    offset = []
    for axis, n, s_source, s_target, p_source, p_target in zip(
        AXES,
        source.shape,
        source.spacing_mm,
        target.spacing_mm,
        source.position,
        target.position,
        strict=True,
    ):
        difference = abs(s_source / s_target - 1)
        if difference > SPACING_TOLERANCE or difference * n > OFFSET_TOLERANCE:
            raise GridMismatchError(
                f"voxel sizes differ along {axis}: mask {s_source:.6g} mm, scan {s_target:.6g} mm; "
                "resample the mask to the scan's voxel size first"
            )
        shift = p_source - p_target
        if not isinstance(shift, int):
            shift = p_source * (s_source / s_target) - p_target
        if abs(shift - round(shift)) > OFFSET_TOLERANCE:
            raise GridMismatchError(
                f"the mask's voxels lie between the scan's along {axis}: its first voxel is at "
                f"{shift:.2f}; resample the mask to the scan's grid first"
            )
        offset.append(round(shift))
    return tuple(offset)


def _whole_if_whole(value: float) -> float:
    """An int where the value is one, so that scanner positions stay whole numbers."""
    value = float(value)
    return int(value) if value.is_integer() else value
