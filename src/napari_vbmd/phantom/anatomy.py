"""The bones of a hand: where they lie and how their surfaces run, drawn from a seed.

Hand coordinates [mm]: p palmar, u towards the little finger, w towards the wrist, for a right
hand. A bone has its own: l along it from the tip of the metacarpal's head (positive towards the
wrist), a towards the little finger, b palmar.

Sources: sizes of the second metacarpal as in Folle et al. 2021 (box 150-280 voxels of 0.082 mm,
slice area 122 mm2, SD 20); proportions of the other bones and the shaft's three sides from
anatomy textbooks (Gray's: "body prismoid, with a palmar ridge"); the rest by eye beside an in vivo
HR-pQCT scan of a metacarpophalangeal joint.
"""

from dataclasses import dataclass, replace

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

PITCH_MM = 0.3
REACH_MM = 16.0  # the hand is drawn over this length to both sides of the scan's middle
HALF_BOX_MM = 13.5  # of a bone's own box, across
ROUGH_MM, UNEVEN = 0.06, 0.28  # SD of the surface, and of the shell's relative thickness

# second to fifth ray: place of the heads across the palm, and of their tips behind the second's
U_MM = (-25.5, -8.0, 8.0, 22.5)
P_MM = (1.5, 0.0, 1.2, 4.2)
TIP_MM = (0.0, -1.6, 3.6, 10.0)
SIZE = (1.0, 0.98, 0.87, 0.84)
FAN = (0.07, 0.0, -0.06, -0.12)  # how the rays draw together towards the wrist
ROLL = (-0.15, 0.0, 0.1, 0.25)  # radians


@dataclass(frozen=True)
class Ray:
    """One metacarpal and the phalanx before it; all in mm and radians.

    Parameters
    ----------
    finger : int
        2 (index) to 5 (little finger); 1 is the thumb, of which only a shaft is seen.
    p, u, w : float
        Where the tip of the metacarpal's head lies in the hand.
    slope_p, slope_u, roll : float
        Course of the bone, and its turn about itself.
    width, height : float
        Half the head's size across the palm, and from back to palm, at its widest.
    widest, end : float
        Distance from the tip to the widest slice, and to the one where the expert stops.
    shaft : float
        Size of the shaft as a part of the head's.
    gap : float
        Width of the joint space.
    flexion : float
        How far the phalanx lies towards the palm.
    erosions, spurs : tuple of tuple
        Place (l, a, b) and radius of each hole in the metacarpal's surface, and of what has grown
        beside its joint surface.
    """

    finger: int
    p: float
    u: float
    w: float
    slope_p: float
    slope_u: float
    roll: float
    width: float
    height: float
    widest: float
    end: float
    shaft: float
    gap: float
    flexion: float
    erosions: tuple[tuple[float, float, float, float], ...] = ()
    spurs: tuple[tuple[float, float, float, float], ...] = ()

    def own(self, p, u, w):
        """From the hand's coordinates to the bone's: l, a, b."""
        along = w - self.w
        u = u - self.u - self.slope_u * along
        p = p - self.p - self.slope_p * along
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return along, cos * u - sin * p, sin * u + cos * p


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


def draw_rays(seed: int) -> tuple[Ray, ...]:
    """The four rays of one hand."""
    rng = random(seed, 0)
    size = float(np.clip(rng.normal(0.98, 0.072), 0.82, 1.15))
    end = float(np.clip(rng.normal(12.4, 2.2) * size, 7.0, 17.5))
    tip = rng.uniform(-9.0, float(np.clip(9.3 - end, -7.5, -2.5)))
    bend = rng.normal(0, 0.05)
    flexion = rng.uniform(0, 3.5)
    eroded = rng.random() < 0.45
    rays = []
    for i, finger in enumerate((2, 3, 4, 5)):
        scale = size * SIZE[i] * rng.normal(1, 0.02)
        width = 7.25 * scale * rng.normal(1, 0.03)
        height = 7.15 * scale * rng.normal(1, 0.04)
        ray = Ray(
            finger,
            p=size * (P_MM[i] + rng.normal(0, 0.7)),
            u=size * (U_MM[i] + rng.normal(0, 0.4)),
            w=tip + size * (TIP_MM[i] + (rng.normal(0, 1.0) if i else 0)),
            slope_p=bend + rng.normal(0, 0.02),
            slope_u=FAN[i] + rng.normal(0, 0.015),
            roll=ROLL[i] + rng.normal(0, 0.12),
            width=width,
            height=height,
            widest=0.5 * end * (1 if i == 0 else SIZE[i]) * rng.normal(1, 0.06),
            end=end * (1 if i == 0 else SIZE[i]),
            shaft=rng.uniform(0.60, 0.70),
            gap=rng.uniform(0.7, 2.1),
            flexion=flexion + rng.normal(0, 0.4),
        )
        erosions = _draw_balls(ray, 1.3 * eroded, (0.7, 2.3), rng)
        spurs = _draw_balls(ray, 0.5 * (1 + eroded), (0.6, 1.3), rng)
        rays.append(replace(ray, erosions=erosions, spurs=spurs))
    if rng.random() < 0.3:
        rays.append(_thumb(rays[0], rng))
    return tuple(rays)


def _thumb(second: Ray, rng) -> Ray:
    """The thumb beside the hand, cut across a shaft."""
    return replace(
        second,
        finger=1,
        p=second.p + rng.uniform(12, 22),
        u=second.u - rng.uniform(20, 25),
        w=-40.0,
        slope_p=0.0,
        slope_u=0.0,
        roll=rng.uniform(-1.5, 0.0),
        erosions=(),
        spurs=(),
    )


def _draw_balls(ray: Ray, mean: float, radii, rng) -> tuple:
    """Balls on the sides of the head, beside the joint surface; most often at fingers 2 and 3."""
    balls = []
    for _ in range(rng.poisson(mean if ray.finger < 4 else 0.3 * mean)):
        angle = rng.choice([-1, 1]) * rng.normal(1.65, 0.35)  # from palmar
        along = ray.widest * rng.uniform(0.35, 1.1)
        out = 1.0 - 0.4 * max(0.0, 1 - along / ray.widest)
        a, b = out * ray.width * np.sin(angle), out * ray.height * np.cos(angle)
        balls.append((float(along), float(a), float(b), float(rng.uniform(*radii))))
    return tuple(balls)


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
        hole = lattice(_below_balls(ray.erosions, along, a, b), axes, PITCH_MM)
    thinning = np.maximum(0.9 * grown, beyond)
    return _bone(ray, "metacarpal", axes, depth, shell, thinning, rng, hole)


def _bone(ray, name, axes, depth, shell, thinning, rng, hole=None) -> Bone:
    """A bone with a slightly rough surface and a shell of uneven thickness."""
    ends = [[axis.flat[i] for axis in axes] for i in (0, -1)]
    flat = [axis.ravel() for axis in axes]
    depth = depth + ROUGH_MM * random_field(*ends, 1.2, rng).on_grid(*flat)
    uneven = random_field(*ends, 1.6, rng).on_grid(*flat)
    shell = shell * np.maximum(1 + UNEVEN * uneven, 0.3)
    deep = np.clip(0.25 + 0.5 * (depth - shell), 0, 1)  # the last struts cling to the shell
    values = (depth, shell, thinning * deep)
    return Bone(ray, name, *(lattice(v, axes, PITCH_MM) for v in values), hole)


def phalanx(head: Bone, seed: int) -> Bone:
    """The base of the phalanx: a cup before the metacarpal's head, going over into its shaft."""
    ray = head.ray
    rng = random(seed, 2, ray.finger)
    axes = _axes(ray)
    along, a, b = axes
    before = smooth_step((1.0 - along) / rng.uniform(11, 15))
    b = b - ray.flexion - 0.06 * ray.flexion * np.minimum(along, 0)
    angle = np.arctan2(a, b)
    base = np.hypot(ray.width * 1.08 * np.sin(angle), ray.height * 0.93 * np.cos(angle))
    base = base * _squareness(angle, 2.5) * (1 - 0.10 * _bump(angle, 0, 6))
    shaft = ray.width * 0.66 * (1 - 0.14 * _bump(angle, 0, 2.5)) * (1 + 0.03 * np.cos(2 * angle))
    outline = (base * (1 - before) + shaft * before) * _uneven(angle, along, rng)
    side = _depth(np.hypot(a, b) / outline + 0 * along)
    rim = rng.uniform(1.2, 3.0) - along
    cup = -head.depth.values - ray.gap
    depth = smooth_min(smooth_min(side, cup, 0.9), rim, 1.2)
    plate, cortex = rng.uniform(0.17, 0.28), rng.uniform(0.7, 1.1)
    shell = plate + (cortex - plate) * before**1.3
    shell = shell + rng.uniform(0.05, 0.28) * smooth_step((side - cup + 0.3) / 0.6)
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
    notch = rng.uniform(0.08, 0.24) * _bump(angle, rng.normal(0, 0.12), rng.uniform(5, 10))
    pits = rng.uniform(0.04, 0.13) * _bump(angle, rng.normal(1.85, 0.1), 8)
    pits = pits + rng.uniform(0.04, 0.13) * _bump(angle, rng.normal(-1.85, 0.1), 8)
    return radius * (1.07 - grown * (notch + pits))


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
