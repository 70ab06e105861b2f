"""A mask seen in three dimensions: its surface, lit, as a picture of greys.

Drawn from a map of depths (orthographic rays, Lambert's law), so it needs no graphics card and no
window. Only the mask's box is looked at, thinned to what a printed picture can show.
"""

import math

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter

AZIMUTH, ELEVATION = 30.0, 15.0  # where the eye stands, beside and above the bone [degrees]
_RAYS = 200  # along the longest side of the picture
_STRIDE = 2  # pixels from look to look along a ray; with 3, ripples are seen
_COARSE = 160  # voxels along the longest side of the box
_SMOOTH = 1.8  # of the steps between voxels [voxels]
_LIGHT = np.array([-0.7, -0.5, -0.51])  # towards eye, up, left: along (away, down, right)
_AMBIENT = 0.2


def solid_view(inside: np.ndarray, spacing_mm: tuple[float, float, float]) -> tuple:
    """A lit view of a mask's surface.

    Parameters
    ----------
    inside : ndarray, shape (z, y, x)
        The mask within its bounding box; other than zero is bone.
    spacing_mm : tuple of float
        Along z, y, x [mm].

    Returns
    -------
    light : ndarray of float32, shape (rows, columns)
        0 (dark) to 1 (lit), z pointing down; NaN where there is no bone.
    pixel_mm : float
        Side of a pixel [mm].
    """
    thin = [max(1, math.ceil(n / _COARSE)) for n in inside.shape]
    coarse = inside[tuple(slice(None, None, step) for step in thin)] != 0
    coarse = gaussian_filter(np.pad(coarse.astype(np.float32), 4), _SMOOTH)
    spacing = np.array(spacing_mm) * thin
    depth, pixel_mm = _depths(coarse, spacing)
    return _lit(depth, pixel_mm), pixel_mm


def _depths(solid: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, float]:
    """How far every ray goes until it meets the surface [mm], NaN where it meets none."""
    size = (np.array(solid.shape) - 1) * spacing
    axes = _eye()
    reach = np.abs(axes) @ size  # of the box along the ray, down and right
    pixel = float(reach[1:].max() / _RAYS)
    pitch = np.array([_STRIDE, 1, 1]) * pixel
    shape = np.maximum(2, np.ceil(reach / pitch).astype(int) + 1)
    matrix = (axes.T * pitch) / spacing[:, None]
    offset = (np.array(solid.shape) - 1) / 2 - matrix @ ((shape - 1) / 2)
    seen = affine_transform(solid, matrix, offset, tuple(shape), order=1)
    level = 0.5 * float(solid.max())  # smoothing takes a thin mask below one half
    bone = seen > level
    first = bone.argmax(axis=0)
    before = np.take_along_axis(seen, np.maximum(first - 1, 0)[None], 0)[0]
    here = np.take_along_axis(seen, first[None], 0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(here > before, (here - level) / (here - before), 0.0)
    return np.where(bone.any(axis=0), (first - part) * pitch[0], np.nan), pixel


def _eye() -> np.ndarray:
    """Unit vectors of the picture in (z, y, x): away from the eye, down, to the right."""
    azimuth, elevation = np.radians([AZIMUTH, ELEVATION])
    away = np.array([0.0, np.cos(azimuth), np.sin(azimuth)])
    right = np.array([0.0, -np.sin(azimuth), np.cos(azimuth)])
    down = np.array([1.0, 0.0, 0.0])
    along = np.cos(elevation) * away + np.sin(elevation) * down
    return np.array([along, np.cos(elevation) * down - np.sin(elevation) * away, right])


def _lit(depth: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Lambert's law on the surface that the depths describe; NaN where there is none."""
    behind = np.max(depth, initial=0.0, where=~np.isnan(depth)) + 2 * pixel_mm
    beyond = np.nan_to_num(depth, nan=float(behind))
    down, right = np.gradient(beyond, pixel_mm)
    cosine = np.tensordot(_LIGHT, np.stack([-np.ones_like(down), down, right]), 1)
    cosine /= np.sqrt(1 + down**2 + right**2)
    light = _AMBIENT + (1 - _AMBIENT) * np.clip(cosine, 0, 1)
    return np.where(np.isnan(depth), np.nan, light).astype(np.float32)
