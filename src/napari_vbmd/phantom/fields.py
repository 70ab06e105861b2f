"""Smooth things on coarse lattices: distances to surfaces, random fields, blurred edges.

The phantom is a set of formulas over millimetres. What is smooth is worked out once on a coarse
lattice and read off between its points, so that a scan of any grid shows the same hand.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.special import ndtr


@dataclass(frozen=True)
class Lattice:
    """Values at regular points, read linearly between them; held constant outside, or repeated.

    Parameters
    ----------
    values : ndarray of float32, shape (n0, n1, n2)
    origin_mm : tuple of float
        Where the first point lies.
    pitch_mm : float
        Distance of the points, equal along the three axes.
    repeats : bool
        Whether `at` repeats the lattice outside.
    """

    values: np.ndarray
    origin_mm: tuple[float, float, float]
    pitch_mm: float
    repeats: bool = False

    def at(self, *points_mm: np.ndarray) -> np.ndarray:
        """Values at scattered points: three arrays of one length [mm]; float32."""
        index = [(p - o) / self.pitch_mm for p, o in zip(points_mm, self.origin_mm, strict=True)]
        out = np.empty(np.shape(points_mm[0]), np.float32)
        mode = "grid-wrap" if self.repeats else "nearest"
        return ndimage.map_coordinates(self.values, index, out, order=1, mode=mode)

    def on_grid(self, *axes_mm: np.ndarray) -> np.ndarray:
        """Values on the grid that three coordinate axes span [mm]; float32."""
        out = self.values
        for axis, (along, origin) in enumerate(zip(axes_mm, self.origin_mm, strict=True)):
            index = np.clip((along - origin) / self.pitch_mm, 0, out.shape[axis] - 1)
            low = np.minimum(index.astype(int), max(out.shape[axis] - 2, 0))
            part = (index - low).astype(np.float32)
            part = part.reshape([-1 if i == axis else 1 for i in range(3)])
            high = np.minimum(low + 1, out.shape[axis] - 1)
            first = out.take(low, axis)
            out = first + part * (out.take(high, axis) - first)
        return out


def lattice_axes(lower_mm, upper_mm, pitch_mm: float) -> list[np.ndarray]:
    """Open coordinate axes (as of `numpy.ogrid`) that cover a box [mm]; float32."""
    axes = []
    for low, up in zip(lower_mm, upper_mm, strict=True):
        count = int(np.ceil((up - low) / pitch_mm)) + 1
        axes.append((low + pitch_mm * np.arange(count)).astype(np.float32))
    return list(np.ix_(*axes))


def lattice(values: np.ndarray, axes: list[np.ndarray], pitch_mm: float) -> Lattice:
    """The lattice of values that were worked out on `lattice_axes`."""
    full = np.broadcast_to(values, [a.size for a in axes])
    return Lattice(full.astype(np.float32), tuple(float(a.flat[0]) for a in axes), pitch_mm)


def random_field(lower_mm, upper_mm, scale_mm: float, rng: np.random.Generator) -> Lattice:
    """Random field of mean 0 and SD 1 that varies over `scale_mm`, within a box."""
    pitch = scale_mm / 2
    axes = lattice_axes(lower_mm, upper_mm, pitch)
    noise = rng.standard_normal([a.size for a in axes], dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, 1.3, mode="wrap")
    return lattice((smooth - smooth.mean()) / smooth.std(), axes, pitch)


def random_tile(size_mm: float, scale_mm: float, rng: np.random.Generator) -> Lattice:
    """Random field as of `random_field` that repeats every `size_mm` (about)."""
    return replace(random_field((0, 0, 0), (size_mm,) * 3, scale_mm, rng), repeats=True)


def within(depth_mm, sigma_mm: float) -> np.ndarray:
    """Share of the inner side at a depth below a blurred surface; 0 or 1 where sigma is 0."""
    if sigma_mm == 0:
        return (np.asarray(depth_mm) > 0).astype(np.float32)
    return ndtr(np.asarray(depth_mm, np.float32) / np.float32(sigma_mm))


def layer(distance_mm, half_mm, sigma_mm: float) -> np.ndarray:
    """Share of a layer, `half_mm` to both sides of its middle, at a distance from the middle."""
    return within(half_mm - distance_mm, sigma_mm) - within(-half_mm - distance_mm, sigma_mm)


def smooth_step(t) -> np.ndarray:
    """0 below 0, 1 above 1, and smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def smooth_max(a, b, reach: float) -> np.ndarray:
    """The larger of two, rounded where they differ by less than `reach`."""
    blend = np.maximum(reach - np.abs(a - b), 0) / reach
    return np.maximum(a, b) + blend * blend * reach / 4


def smooth_min(a, b, reach: float) -> np.ndarray:
    """The smaller of two, rounded where they differ by less than `reach`."""
    return -smooth_max(-a, -b, reach)


def random(seed: int, part: int, *more: int) -> np.random.Generator:
    """Random numbers of one part of the phantom, so that parts can change independently."""
    return np.random.default_rng([seed, part, *more])
