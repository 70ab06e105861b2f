"""A hand on a grid of voxels: which way it lies, slab by slab, in native units."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from ..calibration import Calibration
from ..errors import ParameterError
from ..grid import Grid
from .drawing import Hand, hand

Side = Literal["left", "right"]
End = Literal["low", "high"]

CALIBRATION = Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="phantom")
SLAB_VOXELS = 6_000_000  # drawn at a time


class View:
    """A hand and the voxels that are asked for, as indices of a right hand with low fingertips."""

    def __init__(
        self,
        seed,
        spacing_mm,
        shape,
        side,
        fingertips,
        freedom,
        slices=None,
        box=None,
        repeat=0,
    ):
        self.drawn: Hand = hand(seed, float(freedom), repeat)
        self.fingertips: End = self.drawn.fingertips if fingertips is None else fingertips
        if side not in ("left", "right") or self.fingertips not in ("low", "high"):
            raise ParameterError(f"phantom: side {side!r}, fingertips {fingertips!r}: not known")
        self.whole = Grid(shape, spacing_mm)
        nz, ny, nx = self.whole.shape
        z = np.arange(nz) if slices is None else np.arange(nz)[np.asarray(slices)]
        rows, columns = (slice(None), slice(None)) if box is None else box
        y, x = np.arange(ny)[rows], np.arange(nx)[columns]
        position = tuple(int(index[0]) for index in (z, y, x))
        self.grid = Grid((z.size, y.size, x.size), self.whole.spacing_mm, position)
        self.z = z if self.fingertips == "low" else nz - 1 - z
        self.y = y if side == "right" else ny - 1 - y
        self.x = x

    def _mm(self, index, axis: int) -> np.ndarray:
        return (index - (self.whole.shape[axis] - 1) / 2) * self.whole.spacing_mm[axis]

    def slices(self) -> tuple[int, int]:
        """First and last slice of the whole grid in the expert's range."""
        count = self.whole.shape[0]
        z_mm = self._mm(np.arange(count), 0)
        low, high = self.drawn.range_mm
        inside = np.flatnonzero((z_mm >= low) & (z_mm <= high))
        if self.fingertips == "high":
            inside = count - 1 - inside[::-1]
        return (int(inside[0]), int(inside[-1])) if inside.size else (0, -1)

    def slabs(self, noise: bool = True) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Some slices at a time, each of one stack: which, native units, share of the mask."""
        scanner, spacing_mm = self.drawn.scanner, self.whole.spacing_mm
        z_mm, y_mm, x_mm = self._mm(self.z, 0), self._mm(self.y, 1), self._mm(self.x, 2)
        to_native = CALIBRATION.linear("density", "native")
        for some, stack in self._sections():
            jump_y, jump_x = scanner.jumps_mm[stack]
            axes = (z_mm[some], y_mm + jump_y, x_mm + jump_x)
            density = self.drawn.density(*axes)
            if noise:
                density += scanner.artefacts(stack, y_mm, x_mm)
                fade = scanner.fade(y_mm, x_mm)
                for plane, index in zip(density, self.z[some], strict=True):
                    grain = scanner.noise_slice(int(index), self.whole.shape, spacing_mm)
                    plane += fade * grain[self.y[:, None], self.x]
            yield some, np.rint(to_native(density)), self.drawn.label(*axes, spacing_mm)

    def _sections(self) -> Iterator[tuple[slice, int]]:
        stacks = self.drawn.scanner.stack(self._mm(self.z, 0))
        step = max(1, SLAB_VOXELS // (self.y.size * self.x.size))
        start = 0
        while start < stacks.size:
            same = stacks[start : start + step] == stacks[start]
            stop = start + (int(np.argmin(same)) if not same.all() else same.size)
            yield slice(start, stop), int(stacks[start])
            start = stop

    def true_density(self, some: slice, mask) -> np.ndarray:
        """Densities without blur, motion and noise in the voxels of a mask [mg HA/cm3]."""
        z, y, x = np.nonzero(mask)
        z_mm = self._mm(self.z[some][z], 0)
        jump = self.drawn.scanner.jumps_mm[self.drawn.scanner.stack(z_mm)]
        y_mm, x_mm = self._mm(self.y[y], 1) + jump[:, 0], self._mm(self.x[x], 2) + jump[:, 1]
        return self.drawn.true_density(z_mm, y_mm, x_mm)
