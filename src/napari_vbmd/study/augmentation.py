"""What a network is shown in training: turned, scaled, moved, discoloured, noisier than real.

Appearance is drawn beyond what scanners give, so that a network does not rely on it (domain
randomisation, after Billot et al. 2023, Med Image Anal 86:102789). Values are linear attenuation,
mu [1/cm]: air 0, soft tissue about 0.27, bone above. Nothing is ever flipped in the plane: after
mirroring, every hand is a right one.

All chance comes from the generator that is passed in.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..segmentation.field import AIR

if TYPE_CHECKING:
    from torch import Tensor

Patch = tuple[int, int]  # voxels along y, x

_TURN_DEGREES, _LOG_SCALE = 15.0, 0.13
_STAYS = 0.3  # share of patches that are moved by whole voxels only
_HOLDS_BONE = 0.75  # share of patches that are laid so that they hold the bone
_GAIN, _OFFSET = 0.08, 0.015
_KNEE, _CONTRAST = (0.30, 0.40), (0.65, 1.4)  # above the knee is bone
_NOISE = 0.07  # the digital hand's own is 0.045, SD
_FIELD_ENDS = 0.1  # share of patches in which the scanner's field does


def patch_of(
    volume: np.ndarray, label: np.ndarray, patch: Patch, draw: np.random.Generator
) -> tuple["Tensor", "Tensor"]:
    """A part of some slices, turned, scaled and moved alike.

    Parameters
    ----------
    volume : ndarray of float, shape (z, y, x)
    label : ndarray of uint8, shape (z, y, x)
        255 is bone.
    patch : tuple of int
        Voxels of the result along y and x; beyond the volume there is air.
    draw : Generator

    Returns
    -------
    image, truth : Tensor of float32, shape (z, *patch)
        The truth is a share, 0 to 1.
    """
    import torch
    from torch.nn import functional

    both = np.concatenate([volume.astype(np.float32) - AIR, label / np.float32(255)])
    high, wide = volume.shape[1:]
    turn, scales = 0.0, (1.0, 1.0)
    if draw.random() >= _STAYS:
        turn = math.radians(draw.uniform(-_TURN_DEGREES, _TURN_DEGREES))
        scale = draw.uniform(-_LOG_SCALE, _LOG_SCALE)
        scales = tuple(math.exp(scale + draw.uniform(-0.04, 0.04)) for _ in range(2))
    dy = _shift(high, patch[0], (0, 2), label, draw)
    dx = _shift(wide, patch[1], (0, 1), label, draw)
    cos, sin = math.cos(turn), math.sin(turn)
    (sy, sx), (py, px) = scales, patch
    matrix = torch.tensor([
        [sx * cos * px / wide, -sy * sin * py / wide, 2 * dx / wide],
        [sx * sin * px / high, sy * cos * py / high, 2 * dy / high],
    ], dtype=torch.float32)  # fmt: skip
    where = functional.affine_grid(matrix[None], [1, 1, *patch], align_corners=False)
    moved = functional.grid_sample(torch.from_numpy(both)[None], where, align_corners=False)[0]
    image, truth = moved[: len(volume)] + AIR, moved[len(volume) :]
    return image, truth.clamp(0, 1)


def discoloured(
    image: np.ndarray, truth: np.ndarray, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Slices as another scanner, another person or a worse day would show them.

    Parameters
    ----------
    image : ndarray of float32, shape (z, y, x)
    truth : ndarray of float32, shape (z, y, x)
    draw : Generator

    Returns
    -------
    image, truth : ndarray of float32
        The truth differs only where the scanner's field ends within the patch.
    """
    if draw.random() < 0.3:
        sigma = draw.uniform(0.2, 0.9)
        image = ndimage.gaussian_filter(image, (0, sigma, sigma))
    knee, contrast = draw.uniform(*_KNEE), draw.uniform(*_CONTRAST)
    image = np.where(image > knee, knee + (image - knee) * contrast, image)
    image = image * draw.uniform(1 - _GAIN, 1 + _GAIN) + draw.uniform(-_OFFSET, _OFFSET)
    if draw.random() < 0.4:
        image = image + draw.uniform(0, 0.02) * _smooth_field(image.shape[1:], draw)
    if draw.random() < 0.3:
        image = image + draw.uniform(0, 0.02) * _rings(image.shape[1:], draw)
    if draw.random() < 0.6:
        image = image + draw.uniform(0, _NOISE) * _noise(image.shape, draw)
    if draw.random() < _FIELD_ENDS:
        image, truth = _cut(image, truth, draw)
    return image.astype(np.float32), truth


def depths(count: int, depth: int | None, multiple: int, draw: np.random.Generator) -> np.ndarray:
    """Which slices a 3D network is shown: often some short, half of them upside down.

    Parameters
    ----------
    count : int
        Slices of the volume.
    depth : int or None
        How many to show; None: as many as are drawn, up to a multiple.
    multiple : int
        The network takes multiples of this.
    draw : Generator

    Returns
    -------
    ndarray of int
        Indices; an end slice again and again where there are too few.
    """
    kept = count if draw.random() < 0.5 else int(draw.integers(max(1, count // 2), count + 1))
    depth = multiple * -(-kept // multiple) if depth is None else depth
    kept = min(kept, depth)
    first = int(draw.integers(0, count - kept + 1))
    order = np.arange(first, first + kept)
    if draw.random() < 0.5:
        order = order[::-1]
    return np.pad(order, (0, depth - kept), mode="edge")


def _shift(length: int, size: int, axes, label: np.ndarray, draw: np.random.Generator) -> int:
    """Whole voxels from the volume's middle to the patch's: mostly so that it holds the bone."""
    reach = abs(length - size) // 2 + 8
    bone = np.flatnonzero(label.any(axis=axes))
    if size < length and bone.size and draw.random() < _HOLDS_BONE:
        middle = int(bone[0] + bone[-1]) // 2 - length // 2
        middle += int(draw.integers(-size // 4, size // 4 + 1))
        return max(-reach, min(reach, middle))
    return int(draw.integers(-reach, reach + 1))


def _smooth_field(shape: Patch, draw: np.random.Generator) -> np.ndarray:
    """A field that varies over the whole patch, SD about 1."""
    coarse = draw.standard_normal((4, 4))
    return ndimage.zoom(coarse, [n / 4 for n in shape], order=3, mode="nearest", grid_mode=True)


def _rings(shape: Patch, draw: np.random.Generator) -> np.ndarray:
    """Rings about a point that may lie outside, SD about 1."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    middle = draw.uniform(-0.5, 1.5, 2) * shape
    radius = np.hypot(y - middle[0], x - middle[1])
    count = int(radius.max()) + 2
    profile = draw.standard_normal(count) * (draw.random(count) < 0.25)
    profile = ndimage.gaussian_filter1d(profile, 0.8)
    return profile[radius.astype(int)] / max(float(profile.std()), 1e-6)


def _noise(shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """White noise, sometimes with some that is drawn out along y or x; SD about 1."""
    noise = draw.standard_normal(shape, dtype=np.float32)
    if draw.random() < 0.5:
        sigma, axis = draw.uniform(0.7, 2.0), int(draw.integers(1, 3))
        streaks = ndimage.gaussian_filter1d(noise, sigma, axis=axis, mode="wrap")
        noise = noise + draw.uniform(0.2, 0.8) * streaks / max(float(streaks.std()), 1e-6)
    return noise / max(float(noise.std()), 1e-6)


def _cut(image, truth, draw: np.random.Generator):
    """Air from one side on, as where a joint was cropped."""
    axis = int(draw.integers(1, 3))
    count = image.shape[axis]
    width = int(draw.integers(1, max(2, count // 3)))
    part = slice(0, width) if draw.random() < 0.5 else slice(count - width, count)
    where = [slice(None)] * 3
    where[axis] = part
    image, truth = image.copy(), truth.copy()
    image[tuple(where)], truth[tuple(where)] = AIR, 0
    return image, truth
