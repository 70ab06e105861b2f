"""The surfaces of the bones: heads, shafts, joint surfaces.

Sources: the shaft's three sides and the ridge in the palm's side from anatomy textbooks (Gray's:
"body prismoid"); the rest by eye beside an in vivo HR-pQCT scan of a metacarpophalangeal joint.
"""

from dataclasses import dataclass

import numpy as np

from .fields import (
    Lattice,
    lattice,
    lattice_axes,
    random,
    random_field,
    smooth_max,
    smooth_min,
    smooth_step,
)
from .rays import Ray

PITCH_MM = 0.4
REACH_MM = 16.0  # the hand is drawn over this length to both sides of the scan's middle
HALF_BOX_MM = 13.5  # of a bone's own box, across
ROUGH_MM, UNEVEN = 0.06, 0.3  # SD of the surface, and of a thin shell's relative thickness


@dataclass(frozen=True)
class Bone:
    """The surface of one bone, in its ray's coordinates.

    Parameters
    ----------
    ray : Ray
    name : str
        ``metacarpal`` or ``phalanx``.
    depth : Lattice
        Depth below the outer surface [mm], negative outside; erosions not taken out.
    shell : Lattice
        Thickness of the shell [mm].
    thinning : Lattice
        0 where the network is whole, 1 where none is left.
    hole : Lattice or None
        Depth below the surface of the erosions [mm].
    """

    ray: Ray
    name: str
    depth: Lattice
    shell: Lattice
    thinning: Lattice
    hole: Lattice | None = None


def _below_balls(balls, along, a, b) -> np.ndarray:
    """Depth below the surface of balls that have grown together [mm]."""
    depth = -np.inf
    for l0, a0, b0, radius in balls:
        one = radius - np.sqrt((along - l0) ** 2 + (a - a0) ** 2 + (b - b0) ** 2)
        depth = one if np.ndim(depth) == 0 else smooth_max(depth, one, 0.5)
    return depth


def metacarpal(ray: Ray, seed: int) -> Bone:
    """The head of a metacarpal and its shaft."""
    rng = random(seed, 1, ray.finger)
    axes = _axes(ray)
    along, a, b = axes
    grown = smooth_step((along - ray.widest) / (ray.end - ray.widest))
    beyond = smooth_step((along - ray.end) / 8)
    angle = np.arctan2(a, b)
    outline = _head(ray, along, angle, rng) * (1 - grown)
    outline = outline + ray.width * (ray.shaft + 0.1 * (1 - beyond)) * _delta(angle, rng) * grown
    outline = outline * _uneven(angle, along, rng)
    before = np.maximum(ray.widest - along, 0) / ray.widest
    power = rng.uniform(1.9, 2.3)
    q = ((np.hypot(a, b) / outline) ** power + before**power) ** (1 / power)
    depth = _depth(q)
    if ray.spurs:
        depth = smooth_max(depth, _below_balls(ray.spurs, along, a, b), 1.0)
    plate, cortex = rng.uniform(0.17, 0.28), rng.uniform(0.5, 0.9)
    shell = plate + (cortex - plate) * grown**1.5 + 0.35 * beyond
    hole = None
    if ray.erosions:
        wavy = _field(axes, 1.0, rng)
        hole = lattice(_below_balls(ray.erosions, along, a, b) + 0.2 * wavy, axes, PITCH_MM)
    thinning = np.maximum(0.9 * grown, beyond)
    return _bone(ray, "metacarpal", axes, depth, shell, thinning, rng, hole)


def _bone(ray, name, axes, depth, shell, thinning, rng, hole=None) -> Bone:
    """A bone with a slightly rough surface and a shell of uneven thickness."""
    depth = depth + ROUGH_MM * _field(axes, 1.2, rng)
    thin = np.minimum(shell, 0.4)
    shell = shell - thin + thin * np.maximum(1 + UNEVEN * _field(axes, 1.6, rng), 0.3)
    deep = np.clip(0.25 + 0.5 * (depth - shell), 0, 1)  # the last struts cling to the shell
    values = (depth, shell, thinning * deep)
    return Bone(ray, name, *(lattice(v, axes, PITCH_MM) for v in values), hole)


def _field(axes, scale_mm: float, rng) -> np.ndarray:
    ends = [[axis.flat[i] for axis in axes] for i in (0, -1)]
    return random_field(*ends, scale_mm, rng).on_grid(*(axis.ravel() for axis in axes))


def phalanx(head: Bone, seed: int) -> Bone:
    """The base of the phalanx: a cup before the metacarpal's head, going over into its shaft."""
    ray = head.ray
    rng = random(seed, 2, ray.finger)
    axes = _axes(ray)
    along, a, b = axes
    before = smooth_step((1.0 - along) / rng.uniform(11, 15))
    b = b - ray.flexion - 0.06 * ray.flexion * np.minimum(along, 0)
    angle = np.arctan2(a, b)
    base = np.hypot(ray.width * 1.08 * np.sin(angle), ray.height * 0.88 * np.cos(angle))
    base = base * _squareness(angle, 2.5) * (1 - rng.uniform(0.06, 0.2) * _bump(angle, 0, 6))
    shaft = ray.width * 0.66 * (1 - 0.14 * _bump(angle, 0, 2.5)) * (1 + 0.03 * np.cos(2 * angle))
    outline = (base * (1 - before) + shaft * before) * _uneven(angle, along, rng)
    side = _depth(np.hypot(a, b) / outline + 0 * along)
    rim = rng.uniform(1.2, 3.0) - along
    cup = -head.depth.values - ray.gap
    depth = smooth_min(smooth_min(side, cup, 0.9), rim, 1.2)
    plate, cortex = rng.uniform(0.15, 0.25), rng.uniform(0.7, 1.1)
    shell = plate + (cortex - plate) * before**1.3
    shell = shell + rng.uniform(0.0, 0.22) * smooth_step((side - cup + 0.3) / 0.6)
    return _bone(ray, "phalanx", axes, depth, shell, before, rng)


def _axes(ray: Ray) -> list[np.ndarray]:
    lower = (-REACH_MM - ray.w, -HALF_BOX_MM, -HALF_BOX_MM)
    upper = (REACH_MM - ray.w, HALF_BOX_MM, HALF_BOX_MM)
    return lattice_axes(lower, upper, PITCH_MM)


def _depth(q) -> np.ndarray:
    """Depth below the surface q = 1 [mm], from how fast q grows."""
    slope = np.sqrt(sum(np.square(g) for g in np.gradient(q, PITCH_MM)))
    return (1 - q) / np.maximum(slope, 0.04)


def _head(ray: Ray, along, angle, rng) -> np.ndarray:
    """Radius of the head in every direction [mm]: two condyles and a notch in the palm's side."""
    sin, cos = ray.width * np.sin(angle), ray.height * np.cos(angle)
    radius = np.hypot(sin, cos) * _squareness(angle, rng.uniform(2.0, 2.4))
    radius = radius * (1 - rng.uniform(0.0, 0.06) * _bump(angle, np.pi, 1.5))  # narrow at the back
    grown = smooth_step((along - 0.2 * ray.widest) / ray.widest)
    notch = rng.uniform(0.08, 0.30) * _bump(angle, rng.normal(0, 0.12), rng.uniform(5, 10))
    pits = rng.uniform(0.04, 0.17) * _bump(angle, rng.normal(1.85, 0.1), 8)
    pits = pits + rng.uniform(0.04, 0.17) * _bump(angle, rng.normal(-1.85, 0.1), 8)
    return radius * (1.09 - grown * (notch + pits))


def _delta(angle, rng) -> np.ndarray:
    """Radius of the shaft, about 1: flat on the back, a ridge in the palm's side."""
    depth = rng.uniform(0.06, 0.11)
    return 1 + depth * np.cos(3 * angle) + 0.02 * np.cos(6 * angle)


def _squareness(angle, power: float) -> np.ndarray:
    """From a circle to a square with rounded corners as the power grows."""
    return (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)


def _bump(angle, direction: float, sharpness: float) -> np.ndarray:
    return np.exp(sharpness * (np.cos(angle - direction) - 1))


def _uneven(angle, along, rng) -> np.ndarray:
    """Small waves of the surface, about 1, that turn slowly along the bone."""
    waves = 1.0
    for k in (2, 3, 4, 5, 7):
        turn = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.12) * along
        waves = waves + rng.normal(0, 0.022 / k) * np.cos(k * angle + turn)
    return waves
