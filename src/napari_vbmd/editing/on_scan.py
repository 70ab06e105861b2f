"""The scan under a mask, asked for by the mask's own indices."""

import numpy as np

from ..grid import Grid, place
from ..scan import Scan
from .tools import Density


def density_under(scan: Scan, grid: Grid) -> Density:
    """Densities of the scan for parts of slices of a mask's grid [mg HA/cm3].

    What lies beyond the scan gets the lowest density of the part.

    Raises
    ------
    MissingCalibrationError, GridMismatchError
        As measuring: the scan has no calibration, or the mask does not lie on it.
    """
    gain, offset = scan.density_transform()
    placement = place(grid, scan.grid)
    dz, dy, dx = (
        target.start - source.start
        for source, target in zip(placement.source_box, placement.target_box, strict=True)
    )
    count, high, wide = scan.grid.shape

    def density(z: int, part: tuple[slice, slice]) -> np.ndarray:
        rows = np.arange(part[0].start, part[0].stop) + dy
        columns = np.arange(part[1].start, part[1].stop) + dx
        y = rows[(rows >= 0) & (rows < high)]
        x = columns[(columns >= 0) & (columns < wide)]
        found = np.zeros((rows.size, columns.size), np.float32)
        if not (0 <= z + dz < count and y.size and x.size):
            return found
        values = scan.voxels[z + dz, y[0] : y[-1] + 1, x[0] : x[-1] + 1]
        inside = gain * np.asarray(values, np.float32) + offset
        found[:] = inside.min()
        top, left = y[0] - rows[0], x[0] - columns[0]
        found[top : top + y.size, left : left + x.size] = inside
        return found

    return density
