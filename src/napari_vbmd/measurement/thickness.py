"""Thickness in three dimensions: the largest ball that fits in and holds a voxel.

After Hildebrand and Rüegsegger 1997 (J Microsc 185:67), who define the thickness at a point as the
diameter of that ball. Its mean over a structure needs no map of it: the voxels whose thickness is
2r or more are the opening of the structure by a ball of radius r, so the mean is an integral over
r.
"""

from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK as sitk

Progress = Callable[[float, str], None]

_STEPS_PER_VOXEL = 2  # of the radius


def mean_thickness(
    mask: np.ndarray,
    spacing_mm: Sequence[float],
    is_cut: tuple[bool, bool] = (True, True),
    progress: Progress | None = None,
) -> float:
    """Mean of the local thickness over the voxels of a structure [mm].

    The distance to the outside is taken between the voxels' centres. On average a ball is half a
    voxel smaller than that says, since its centre and its surface lie on the lattice: a half voxel
    is taken off. Plates and tubes come out right within 0.6 of a voxel.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        The structure, with at least one voxel; all that lies beyond the sides is outside.
    spacing_mm : sequence of float
        Voxel size (z, y, x) [mm].
    is_cut : pair of bool
        Whether the structure goes on beyond the first and beyond the last slice. Where it does not,
        the end is a surface.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    float
        In mm.
    """
    voxel = min(spacing_mm)
    ends = tuple(0 if cut else 1 for cut in is_cut)
    distance = _distance(~np.pad(mask, (ends, (1, 1), (1, 1))), spacing_mm)
    counted = slice(ends[0], ends[0] + len(mask))
    # where it goes on, so do the balls: those beyond an end reach into it
    beyond = int(np.ceil(distance.max() / spacing_mm[0]))
    widths = tuple(beyond if cut else 0 for cut in is_cut)
    distance = np.pad(distance, (widths, (0, 0), (0, 0)), mode="edge")
    counted = slice(counted.start + widths[0], counted.stop + widths[0])

    largest = float(distance.max())
    radii = [*np.arange(voxel, largest, voxel / _STEPS_PER_VOXEL), largest]
    whole, shares = np.count_nonzero(mask), []
    for i, radius in enumerate(radii):
        if progress:
            progress(i / len(radii), f"thickness, balls of {2 * radius:.2f} mm")
        opened = _distance(distance >= radius, spacing_mm) < radius
        shares.append(np.count_nonzero(opened[counted]) / whole)
    return float(2 * np.trapezoid([1.0, *shares], [0.0, *radii]) - voxel / 2)


def _distance(target: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Distance of every voxel's centre from the nearest one of the target [mm], as float32."""
    image = sitk.GetImageFromArray(target.astype(np.uint8))
    image.SetSpacing([float(mm) for mm in spacing_mm[::-1]])
    found = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    # the filter measures from the target's own border voxels: inside it is below zero
    return np.maximum(sitk.GetArrayFromImage(found), 0)
