"""The digital hand: a synthetic HR-pQCT scan of four metacarpal heads with a known answer.

Everything is made of formulas and random numbers in millimetres; no scan of a person went into it.
A scan of any grid shows the same hand: each voxel is what the scanner's own voxel (0.082 mm) would
hold at that place, so that every third voxel of a scan at 0.082 mm is the scan at 0.246 mm, but for
the grain of the noise. Trabecular texture is resolved at 0.082 mm; on a coarser grid it is sampled.

A right hand has its palm towards high x and its little finger towards high y; a left hand is its
mirror image along y. Where the fingertips are at high z the slices run the other way, and nothing
else changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from ..calibration import Calibration
from ..errors import ParameterError
from ..grid import Grid
from .anatomy import draw_rays, metacarpal, phalanx
from .fields import within
from .pose import draw_pose
from .scanner import NATIVE_MM, Scanner, draw_scanner
from .texture import Texture, draw_quality
from .tissue import Tissue

Side = Literal["left", "right"]
End = Literal["low", "high"]

SEEDS_FOR_TRAINING = range(100_000)
SEEDS_FOR_TESTS = range(100_000, 200_000)
TRAINING_SPACING_MM, TRAINING_SHAPE = (0.246,) * 3, (80, 512, 512)
CALIBRATION = Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="phantom")
SLAB_VOXELS = 6_000_000


@dataclass(frozen=True)
class Rendering:
    """A hand on some voxels of a grid.

    Parameters
    ----------
    voxels : ndarray of int16, shape (z, y, x)
        Native units.
    label : ndarray of float32, shape (z, y, x)
        Share of each voxel that lies in the expert's mask of the second metacarpal, 0 to 1.
    grid : Grid
        Of `voxels`; its position tells where they lie in the whole grid asked for (for chosen
        slices, where the first of them lies).
    calibration : Calibration
    slices : tuple of int
        First and last slice of the expert's range in the whole grid, inclusive.
    seed : int
    side : {'left', 'right'}
    fingertips : {'low', 'high'}
        The end of z at which they are.
    """

    voxels: np.ndarray
    label: np.ndarray
    grid: Grid
    calibration: Calibration
    slices: tuple[int, int]
    seed: int
    side: Side
    fingertips: End


class Hand:
    """One hand in the scanner, as formulas; use `hand` to get one. Scan coordinates are in mm."""

    def __init__(self, seed: int, freedom: float = 1.0):
        self.seed = seed
        self.scanner: Scanner = draw_scanner(seed)
        rays = draw_rays(seed)
        self.pose = draw_pose(seed, freedom).with_tip(rays[0])
        heads = [metacarpal(ray, seed) for ray in rays]
        bones = heads + [phalanx(head, seed) for head in heads if head.ray.finger > 1]
        quality = draw_quality(seed)
        self.textures = [Texture(bone, quality, seed) for bone in bones]
        self.tissue = Tissue(rays, self.pose, seed)
        self.second = heads[0]
        self.fingertips: End = "high" if seed % 2 else "low"
        self.range_mm = self._expert_range()

    def _expert_range(self) -> tuple[float, float]:
        """From the tip of the second metacarpal's head to the slice of the delta, along z [mm]."""
        ray = self.second.ray
        end = self.pose.scan(*_in_hand(ray, ray.end, 0.0, 0.0))[0]
        across = np.arange(-6, 6.1, 0.1)
        z, y0, x0 = self.pose.scan(ray.p, ray.u, ray.w)
        around = np.ix_(np.arange(z - 3, z + 3, 0.02), across + y0, across + x0)
        depth = self._depth(*np.broadcast_arrays(*around))
        first = np.flatnonzero((depth > 0).any(axis=(1, 2)))[0]
        return float(around[0].flat[first]) + 0.04, float(end)

    def _depth(self, z, y, x) -> np.ndarray:
        own = self.second.ray.own(*self.pose.hand(z, y, x))
        return self.second.depth.at(*own)

    def density(self, z_mm, y_mm, x_mm, sigma_mm: float | None = None) -> np.ndarray:
        """Densities without noise on a grid of one stack [mg HA/cm3]; float32, (z, y, x)."""
        sigma = self.scanner.blur_mm if sigma_mm is None else sigma_mm
        out = self.tissue.on_grid(z_mm, y_mm, x_mm, sigma)
        soft = out.copy()
        copies = [(1.0 - self.scanner.ghost, (0.0, 0.0))]
        if self.scanner.ghost and sigma_mm is None:
            copies.append((self.scanner.ghost, self.scanner.ghost_mm))
        else:
            copies = [(1.0, (0.0, 0.0))]
        for texture in self.textures:
            for weight, (dy, dx) in copies:
                self._draw(texture, (z_mm, y_mm + dy, x_mm + dx), out, soft, weight, sigma)
        return out

    def _draw(self, texture: Texture, axes, out, soft, weight: float, sigma: float) -> None:
        """Add one bone to `out`, in place of the soft tissue."""
        bone = texture.bone
        box = self._box(bone, axes)
        if box is None:
            return
        grid = np.ix_(*(axis[part] for axis, part in zip(axes, box, strict=True)))
        own = bone.ray.own(*self.pose.hand(*grid))
        own = [np.broadcast_to(c, out[box].shape).astype(np.float32).ravel() for c in own]
        depth = bone.depth.at(*own)
        here = np.flatnonzero(depth > -4 * sigma)
        own, depth = tuple(c[here] for c in own), depth[here]
        inside = texture.density(own, depth, sigma)
        part, under = out[box], soft[box].ravel()[here]
        add = weight * within(depth, sigma) * (inside - under)
        part.reshape(-1)[here] += add if part.flags.c_contiguous else 0
        if not part.flags.c_contiguous:
            place = np.unravel_index(here, part.shape)
            part[place] += add

    def _box(self, bone, axes) -> tuple[slice, ...] | None:
        """The part of a grid that may hold a bone."""
        ray, reach = bone.ray, 11.5 * 1.15
        ends = np.array([np.min(axes[0]), np.max(axes[0])])
        along = [ends[0] - ray.w - 2, ends[1] - ray.w + 2]
        places = [self.pose.scan(*_in_hand(ray, far, 0.0, 0.0)) for far in along]
        box = [slice(0, len(axes[0]))]
        for axis in (1, 2):
            middle = [place[axis] for place in places]
            low, high = min(middle) - reach, max(middle) + reach
            inside = np.flatnonzero((axes[axis] > low) & (axes[axis] < high))
            if not inside.size:
                return None
            box.append(slice(inside[0], inside[-1] + 1))
        return tuple(box)

    def label(self, z_mm, y_mm, x_mm, spacing_mm) -> np.ndarray:
        """Share of each voxel in the expert's mask, from as many points as native voxels."""
        out = np.zeros((len(z_mm), len(y_mm), len(x_mm)), np.float32)
        axes = (z_mm, y_mm, x_mm)
        box = self._box(self.second, axes)
        if box is None:
            return out
        axes = [axis[part] for axis, part in zip(axes, box, strict=True)]
        depth = self._depth(*np.broadcast_arrays(*np.ix_(*axes)))
        first, last = self.range_mm
        far = np.linalg.norm(spacing_mm) / 2
        share = (depth > 0).astype(np.float32)
        share *= ((axes[0] >= first) & (axes[0] <= last))[:, None, None]
        edge = np.abs(depth) < far + 0.1
        if spacing_mm[0] > 1.5 * NATIVE_MM:
            for end in (first, last):
                edge |= ((np.abs(axes[0] - end) < spacing_mm[0])[:, None, None]) & (depth > -far)
        if max(spacing_mm) > 1.5 * NATIVE_MM:
            where = np.nonzero(edge)
            share[where] = self._share([a[i] for a, i in zip(axes, where, strict=True)], spacing_mm)
        out[box] = share
        return out

    def _share(self, places, spacing_mm) -> np.ndarray:
        steps = []
        for spacing in spacing_mm:
            count = max(1, round(spacing / NATIVE_MM))
            steps.append((np.arange(count) - (count - 1) / 2) * spacing / count)
        first, last = self.range_mm
        offsets = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
        total = np.zeros(places[0].size, np.float32)
        for dz, dy, dx in offsets:
            z = places[0] + dz
            inside = self._depth(z, places[1] + dy, places[2] + dx) > 0
            total += inside & (z >= first) & (z <= last)
        return total / len(offsets)


def _in_hand(ray, along, a, b) -> tuple[float, float, float]:
    """From a ray's own coordinates to the hand's p, u, w."""
    cos, sin = np.cos(ray.roll), np.sin(ray.roll)
    u, p = cos * a + sin * b, -sin * a + cos * b
    return ray.p + p + ray.slope_p * along, ray.u + u + ray.slope_u * along, ray.w + along


@lru_cache(maxsize=2)
def hand(seed: int, freedom: float = 1.0) -> Hand:
    """The hand of a seed; the last two are kept.

    Raises
    ------
    ParameterError
        When the seed is nobody's.
    """
    if seed not in SEEDS_FOR_TRAINING and seed not in SEEDS_FOR_TESTS:
        raise ParameterError(
            f"phantom: seed {seed}: use 0 to 99999 (training) or 100000 to 199999 (tests)"
        )
    return Hand(int(seed), freedom)


def render(
    seed: int,
    spacing_mm: tuple[float, float, float] = TRAINING_SPACING_MM,
    shape: tuple[int, int, int] = TRAINING_SHAPE,
    *,
    side: Side = "right",
    fingertips: End | None = None,
    slices: Sequence[int] | None = None,
    box: tuple[slice, slice] | None = None,
    noise: bool = True,
    freedom: float = 1.0,
) -> Rendering:
    """A hand on a grid that lies about the middle of the scanner's field, or on a part of it.

    A part is equal, voxel by voxel, to the same part of the whole.

    Parameters
    ----------
    seed : int
        0 to 99,999 for training and validation, 100,000 to 199,999 for tests.
    spacing_mm : tuple of float
        Distance of the voxels along z, y, x [mm].
    shape : tuple of int
        Voxels of the whole grid along z, y, x. The hand is drawn over 32 mm along z.
    side : {'right', 'left'}
    fingertips : {'low', 'high'}, optional
        The end of z at which they are; by default even seeds have them at low z.
    slices : sequence of int, optional
        Only these slices; all by default.
    box : pair of slice, optional
        Only these rows and columns (y, x).
    noise : bool
        False leaves out noise, rings and streaks, not blur and motion.
    freedom : float
        How far the hand's pose may be off: 0 is straight and in the middle.

    Raises
    ------
    ParameterError
        When the seed is nobody's, or the side or end unknown.
    """
    drawn = hand(seed, freedom)
    fingertips = drawn.fingertips if fingertips is None else fingertips
    if side not in ("left", "right") or fingertips not in ("low", "high"):
        raise ParameterError(f"phantom: side {side!r}, fingertips at {fingertips!r}: not known")
    whole = Grid(shape, spacing_mm)
    nz, ny, nx = whole.shape
    z = np.arange(nz) if slices is None else np.asarray(slices, int)
    rows, columns = (slice(None), slice(None)) if box is None else box
    y, x = np.arange(ny)[rows], np.arange(nx)[columns]
    position = (int(z[0]), int(y[0]), int(x[0]))
    part = Grid((z.size, y.size, x.size), whole.spacing_mm, position)
    # from here on a right hand with its fingertips at low z
    z = z if fingertips == "low" else nz - 1 - z
    y = y if side == "right" else ny - 1 - y
    voxels = np.empty(part.shape, np.int16)
    label = np.empty(part.shape, np.float32)
    step = max(1, SLAB_VOXELS // (y.size * x.size))
    for start in range(0, z.size, step):
        some = slice(start, start + step)
        voxels[some], label[some] = _slab(drawn, whole, z[some], y, x, noise)
    return Rendering(
        voxels, label, part, CALIBRATION, _slices(drawn, whole, fingertips), seed, side, fingertips
    )


def _slices(drawn: Hand, grid: Grid, fingertips: End) -> tuple[int, int]:
    """First and last slice of the expert's range."""
    z_mm = _centred(np.arange(grid.shape[0]), grid, 0)
    low, high = drawn.range_mm
    inside = np.flatnonzero((z_mm >= low) & (z_mm <= high))
    if fingertips == "high":
        inside = grid.shape[0] - 1 - inside[::-1]
    return (int(inside[0]), int(inside[-1])) if inside.size else (0, -1)


def _centred(index, grid: Grid, axis: int) -> np.ndarray:
    return (index - (grid.shape[axis] - 1) / 2) * grid.spacing_mm[axis]


def _slab(drawn: Hand, whole: Grid, z, y, x, noise: bool) -> tuple[np.ndarray, np.ndarray]:
    """Native units and label of some slices, rows and columns of a right hand."""
    z_mm, y_mm, x_mm = (_centred(i, whole, axis) for axis, i in enumerate((z, y, x)))
    voxels = np.empty((z.size, y.size, x.size), np.int16)
    label = np.empty(voxels.shape, np.float32)
    scanner = drawn.scanner
    stacks = scanner.stack(z_mm)
    to_native = CALIBRATION.linear("density", "native")
    for stack in np.unique(stacks):
        here = np.flatnonzero(stacks == stack)
        dy, dx = scanner.jumps_mm[stack]
        axes = (z_mm[here], y_mm + dy, x_mm + dx)
        density = drawn.density(*axes)
        label[here] = drawn.label(*axes, whole.spacing_mm)
        if noise:
            density += scanner.artefacts(stack, y_mm, x_mm)
            fade = _fade(y_mm, x_mm)
            for plane, index in zip(density, z[here], strict=True):
                grain = scanner.noise_slice(int(index), whole.shape, whole.spacing_mm)
                plane += fade * grain[y[:, None], x]
        voxels[here] = np.rint(to_native(density))
    return voxels, label


def _fade(y_mm, x_mm) -> np.ndarray:
    """Noise is strongest in the middle, where every ray has crossed the hand."""
    squared = np.square(y_mm / 45)[:, None] + np.square(x_mm / 32)
    return (0.6 + 0.4 * np.exp(-squared / 2)).astype(np.float32)
