"""Moving an outline onto the nearest strong edge of the scan, slice by slice.

A morphological geodesic active contour (Marquez-Neila et al. 2014, IEEE Trans Pattern Anal Mach
Intell 36:2, in scikit-image) in a band about the outline: what a person drew roughly lies on the
bone's edge afterwards, and nothing moves further than the band is wide.
"""

from collections.abc import Callable

import numpy as np
from skimage.segmentation import inverse_gaussian_gradient, morphological_geodesic_active_contour

from .. import morphology
from ..errors import ParameterError

Progress = Callable[[float, str], None]

REACH_MM = 0.4  # half the width of the band
_BLUR_MM = 0.08  # SD of the Gaussian before the gradient: below the thickness of a thin shell
_STEEPNESS = 0.025  # cm3/mg: how fast a slope of the density slows the contour down
_STOPS = 0.7  # speed below which it stands still


def snap(
    mask: np.ndarray,
    density: Callable[[int, tuple[slice, slice]], np.ndarray],
    spacing_mm: tuple[float, float, float],
    reach_mm: float = REACH_MM,
    progress: Progress | None = None,
) -> np.ndarray:
    """Snap the outline of every slice that holds any mask.

    Parameters
    ----------
    mask : ndarray, shape (z, y, x)
        One label.
    density : callable
        ``density(z, (rows, columns))`` gives the densities of a part of a slice [mg HA/cm3].
    spacing_mm : tuple of float
        Along z, y, x.
    reach_mm : float
        How far an outline may move [mm].
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ParameterError
        When the reach is not positive.
    """
    if not reach_mm > 0:
        raise ParameterError(f"reach {reach_mm} mm: give a distance above zero")
    snapped = (mask != 0).astype(np.uint8)
    slices = np.flatnonzero(mask.any(axis=(1, 2)))
    margin = 3 + int(np.ceil(reach_mm / min(spacing_mm[1:])))
    for done, z in enumerate(slices.tolist()):
        if progress:
            progress(done / len(slices), f"slice {z}")
        section = mask[z : z + 1] != 0
        box = morphology.bounding_box(section, (0, margin, margin))
        values = np.asarray(density(z, box[1:]), np.float32)
        snapped[z][box[1:]] = _snapped(section[box], values, spacing_mm, reach_mm)
    return snapped


def _snapped(section, density, spacing_mm, reach_mm: float) -> np.ndarray:
    """One slice, shape (1, y, x)."""
    outer = morphology.dilate(section, reach_mm, spacing_mm, slicewise=True)[0]
    inner = morphology.erode(section, reach_mm, spacing_mm, slicewise=True)[0]
    sigma = [_BLUR_MM / s for s in spacing_mm[1:]]
    stop = inverse_gaussian_gradient(density, alpha=_STEEPNESS, sigma=sigma)
    stop[~outer] = 1.0
    steps = int(np.ceil(2 * reach_mm / min(spacing_mm[1:])))
    # from outside: the outer edge of the shell stops it before the inner one is met
    found = morphological_geodesic_active_contour(
        stop, steps, outer.astype(np.int8), smoothing=1, threshold=_STOPS, balloon=-1
    )
    return (found != 0) & outer | inner
