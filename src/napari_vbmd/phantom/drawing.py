"""One hand in the scanner, as formulas that can be read at any place.

Scan coordinates [mm]: z towards the wrist, y and x across, 0 in the middle of the scan; the hand
is a right one. See `hand` for what is made of it.
"""

from functools import lru_cache

import numpy as np

from ..errors import ParameterError
from .anatomy import Bone, metacarpal, phalanx
from .fields import within
from .pose import draw_pose, z_offset_mm
from .rays import draw_rays
from .scanner import NATIVE_MM, draw_scanner
from .texture import Texture, draw_quality
from .tissue import Tissue

SEEDS_FOR_TRAINING = range(100_000)
SEEDS_FOR_TESTS = range(100_000, 200_000)
AROUND_MM = 13.5  # a bone lies within this distance of its axis, along y and x


@lru_cache(maxsize=2)
def hand(seed: int, freedom: float = 1.0, repeat: int = 0) -> "Hand":
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
    return Hand(int(seed), freedom, int(repeat))


class Hand:
    """The bones, the soft tissue and the scanner of one seed; use `hand` to get one.

    Parameters
    ----------
    seed : int
    freedom : float
        How far its pose may be off: 0 is straight and in the middle.
    repeat : int
        0 for the first scan; others are of the same hand, taken out and put back.
    """

    def __init__(self, seed: int, freedom: float = 1.0, repeat: int = 0):
        rays = draw_rays(seed)
        self.seed = seed
        self.fingertips = "high" if seed % 2 else "low"
        self.scanner = draw_scanner(seed, repeat)
        moved = z_offset_mm(seed, repeat, freedom)
        self.pose = draw_pose(seed, freedom, repeat).with_tip(rays[0], moved)
        heads = [metacarpal(ray, seed) for ray in rays]
        bones = heads + [phalanx(head, seed) for head in heads if head.ray.finger > 1]
        quality = draw_quality(seed)
        self.textures = [Texture(bone, quality, seed) for bone in bones]
        self.tissue = Tissue(rays, self.pose, seed)
        self.second = heads[0]
        self.range_mm = self._expert_range()

    def _expert_range(self) -> tuple[float, float]:
        """From the tip of the second metacarpal's head to the slice of the delta, along z [mm]."""
        ray = self.second.ray
        end = self.pose.scan(*ray.in_hand(ray.end))[0]
        across = np.arange(-6, 6.1, 0.1)
        z, y, x = self.pose.scan(*ray.in_hand(0.0))
        z = np.arange(z - 2, z + 2, 0.02)
        depth = self.depth(*np.broadcast_arrays(*np.ix_(z, across + y, across + x)))
        first = np.flatnonzero((depth > 0).any(axis=(1, 2)))[0]
        return float(z[first]) + 0.04, float(end)

    def depth(self, z, y, x) -> np.ndarray:
        """Depth below the surface of the second metacarpal at points [mm]; negative outside."""
        return self.second.depth.at(*self.second.ray.own(*self.pose.hand(z, y, x)))

    def density(self, z_mm, y_mm, x_mm) -> np.ndarray:
        """Densities without noise on a grid [mg HA/cm3]; float32, shape (z, y, x)."""
        scanner = self.scanner
        out = self.tissue.on_grid(z_mm, y_mm, x_mm, scanner.blur_mm)
        soft = out.copy()
        copies = [(1.0 - scanner.ghost, (0.0, 0.0))]
        if scanner.ghost:
            copies.append((scanner.ghost, scanner.ghost_mm))
        for texture in self.textures:
            for weight, (dy, dx) in copies:
                self._add(texture, (z_mm, y_mm + dy, x_mm + dx), out, soft, weight)
        return out

    def _add(self, texture: Texture, axes, out, soft, weight: float) -> None:
        """Draw one bone in place of the soft tissue."""
        bone, sigma = texture.bone, self.scanner.blur_mm
        box = self._box(bone, axes)
        if box is None:
            return
        axes = [axis[part].astype(np.float32) for axis, part in zip(axes, box, strict=True)]
        own = bone.ray.own(*self.pose.hand(*np.ix_(*axes)))
        own = np.broadcast_arrays(*own)
        depth = bone.depth.at(*own)
        here = np.nonzero(depth > -4 * sigma)
        depth = depth[here]
        inside = texture.density(tuple(c[here] for c in own), depth, sigma)
        out[box][here] += weight * within(depth, sigma) * (inside - soft[box][here])

    def _box(self, bone: Bone, axes) -> tuple[slice, ...] | None:
        """The part of a grid that may hold a bone."""
        ends = (np.min(axes[0]) - bone.ray.w - 2, np.max(axes[0]) - bone.ray.w + 2)
        places = [self.pose.scan(*bone.ray.in_hand(end)) for end in ends]
        box = [slice(0, len(axes[0]))]
        for axis in (1, 2):
            middle = [place[axis] for place in places]
            low, high = min(middle) - AROUND_MM, max(middle) + AROUND_MM
            inside = np.flatnonzero((axes[axis] > low) & (axes[axis] < high))
            if not inside.size:
                return None
            box.append(slice(inside[0], inside[-1] + 1))
        return tuple(box)

    def true_density(self, z, y, x) -> np.ndarray:
        """Densities at points in the second metacarpal, without blur [mg HA/cm3]."""
        own = self.second.ray.own(*self.pose.hand(z, y, x))
        return self.textures[0].density(own, self.second.depth.at(*own), 0.0)

    def label(self, z_mm, y_mm, x_mm, spacing_mm) -> np.ndarray:
        """Share of each voxel of a grid in the expert's mask; float32, shape (z, y, x).

        From as many points in a voxel as there are native voxels in it.
        """
        out = np.zeros((len(z_mm), len(y_mm), len(x_mm)), np.float32)
        axes = (z_mm, y_mm, x_mm)
        box = self._box(self.second, axes)
        if box is None:
            return out
        axes = [axis[part] for axis, part in zip(axes, box, strict=True)]
        depth = self.depth(*np.broadcast_arrays(*np.ix_(*axes)))
        first, last = self.range_mm
        z = axes[0][:, None, None]
        share = ((depth > 0) & (z >= first) & (z <= last)).astype(np.float32)
        if max(spacing_mm) > 1.5 * NATIVE_MM:
            reach = np.linalg.norm(spacing_mm) / 2 + 0.1
            ends = (np.abs(z - first) < spacing_mm[0]) | (np.abs(z - last) < spacing_mm[0])
            edge = np.nonzero((np.abs(depth) < reach) | (ends & (depth > 0)))
            places = [axis[index] for axis, index in zip(axes, edge, strict=True)]
            share[edge] = self._share(places, spacing_mm)
        out[box] = share
        return out

    def _share(self, places, spacing_mm) -> np.ndarray:
        """Share of the expert's mask in voxels around these places."""
        first, last = self.range_mm
        counts = [max(1, round(spacing / NATIVE_MM)) for spacing in spacing_mm]
        total = np.zeros(places[0].size, np.float32)
        for step in np.ndindex(*counts):
            z, y, x = (
                place + ((k + 0.5) / n - 0.5) * spacing
                for place, k, n, spacing in zip(places, step, counts, spacing_mm, strict=True)
            )
            total += (self.depth(z, y, x) > 0) & (z >= first) & (z <= last)
        return total / np.prod(counts)
