"""The tools of an annotator by name: each turns one label of a slice, or of a mask, into another.

A new tool is an entry in `TOOLS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import morphology
from .between_slices import fill_between
from .snap import snap

Progress = Callable[[float, str], None]
Density = Callable[[int, tuple[slice, slice]], np.ndarray]


@dataclass(frozen=True)
class Setting:
    """What a tool works with beside the mask.

    Parameters
    ----------
    spacing_mm : tuple of float
        Along z, y, x.
    by_mm : float
        Distance to grow, shrink and smooth by.
    reach_mm : float
        How far an outline may move to an edge.
    density : callable or None
        Of the scan, as `snap` wants it; None where there is no calibrated scan.
    first : int
        Slice of the whole mask at which the part given to a tool begins.
    corner : tuple of int
        Row and column at which it begins.
    """

    spacing_mm: tuple[float, float, float]
    by_mm: float = 0.1
    reach_mm: float = 0.4
    density: Density | None = None
    first: int = 0
    corner: tuple[int, int] = (0, 0)

    def within(self, box: tuple[slice, slice, slice]) -> "Setting":
        """The same for a part of the mask."""
        return replace(self, first=box[0].start, corner=(box[1].start, box[2].start))

    def density_in(self, z: int, part: tuple[slice, slice]) -> np.ndarray:
        """Densities under a part of a slice, by the indices of the part given to a tool."""
        rows, columns = (
            slice(side.start + at, side.stop + at)
            for side, at in zip(part, self.corner, strict=True)
        )
        return self.density(z + self.first, (rows, columns))


@dataclass(frozen=True)
class Tool:
    """One tool.

    Parameters
    ----------
    name : str
    summary : str
        What it does, for a tooltip; distances in mm.
    run : callable
        ``run(mask, setting, slicewise, progress)``; the mask, shape (z, y, x), holds one label. It
        is not changed; what comes back has its shape.
    key : str
        Pressed with a mask selected; for the slice in view.
    in_slice, in_all : bool
        Whether it makes sense on one slice, and on the whole mask.
    needs_scan : bool
    """

    name: str
    summary: str
    run: Callable[[np.ndarray, Setting, bool, Progress | None], np.ndarray]
    key: str = ""
    in_slice: bool = True
    in_all: bool = True
    needs_scan: bool = False


TOOLS = (
    Tool(
        "Fill holes",
        "Fill what the outline encloses",
        lambda mask, setting, slicewise, tell: morphology.fill_holes(mask, slicewise),
        "Shift-F",
    ),
    Tool(
        "Keep largest",
        "Keep the largest piece, remove the others",
        lambda mask, setting, slicewise, tell: morphology.keep_largest(mask),
        "Shift-K",
    ),
    Tool(
        "Smooth",
        "Round the outline: a Gaussian with this SD, cut at half",
        lambda mask, setting, slicewise, tell: morphology.smooth(
            mask, setting.by_mm, setting.spacing_mm, slicewise
        ),
        "Shift-S",
    ),
    Tool(
        "Grow",
        "Move the outline outwards by this distance",
        lambda mask, setting, slicewise, tell: morphology.dilate(
            mask, setting.by_mm, setting.spacing_mm, slicewise
        ),
        "Shift-G",
    ),
    Tool(
        "Shrink",
        "Move the outline inwards by this distance",
        lambda mask, setting, slicewise, tell: morphology.erode(
            mask, setting.by_mm, setting.spacing_mm, slicewise
        ),
        "Shift-H",
    ),
    Tool(
        "Snap to edge",
        "Move the outline onto the nearest strong edge of the scan",
        lambda mask, setting, slicewise, tell: snap(
            mask, setting.density_in, setting.spacing_mm, setting.reach_mm, tell
        ),
        "Shift-E",
        needs_scan=True,
    ),
    Tool(
        "Fill between slices",
        "Fill the empty slices between painted ones; what is painted stays",
        lambda mask, setting, slicewise, tell: fill_between(mask, setting.spacing_mm, tell),
        "Shift-I",
        in_slice=False,
    ),
)


def clip(mask: np.ndarray, first: int, last: int) -> np.ndarray:
    """The mask with nothing outside a range of slices, inclusive."""
    kept = np.zeros_like(mask)
    kept[first : last + 1] = mask[first : last + 1]
    return kept
