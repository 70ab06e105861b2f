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

from .fields import Lattice, lattice, lattice_axes, random, smooth_max, smooth_step

PITCH_MM = 0.3
REACH_MM = 16.0  # the hand is drawn over this length to both sides of the scan's middle
HALF_BOX_MM = 13.5  # of a bone's own box, across

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
        2 (index) to 5 (little finger).
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
    erosions : tuple of tuple
        Place (l, a, b) and radius of each hole in the metacarpal's surface.
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
    size = float(np.clip(rng.normal(1.0, 0.072), 0.84, 1.17))
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
            gap=rng.uniform(1.0, 2.2),
            flexion=flexion + rng.normal(0, 0.4),
        )
        rays.append(replace(ray, erosions=_draw_erosions(ray, eroded, rng)))
    return tuple(rays)


def _draw_erosions(ray: Ray, eroded: bool, rng) -> tuple:
    """Holes beside the joint surface, where the bone is bare; most often at fingers 2 and 3."""
    count = rng.poisson(1.3 if ray.finger < 4 else 0.4) if eroded else 0
    holes = []
    for _ in range(count):
        angle = rng.choice([-1, 1]) * rng.normal(1.65, 0.35)  # from palmar: the two sides
        radius = rng.uniform(0.7, 2.3)
        along = ray.widest * rng.uniform(0.35, 1.1)
        out = 1.0 - 0.4 * max(0.0, 1 - along / ray.widest)
        a, b = out * ray.width * np.sin(angle), out * ray.height * np.cos(angle)
        holes.append((float(along), float(a), float(b), float(radius)))
    return tuple(holes)


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
    plate, cortex = rng.uniform(0.22, 0.34), rng.uniform(0.55, 0.95)
    shell = plate + (cortex - plate) * grown**1.5 + 0.35 * beyond
    deep = np.clip(0.25 + 0.5 * (depth - shell), 0, 1)  # the last struts cling to the shell
    hole = None
    if ray.erosions:
        balls = [
            r - np.sqrt((along - l0) ** 2 + (a - a0) ** 2 + (b - b0) ** 2)
            for l0, a0, b0, r in ray.erosions
        ]
        ball = balls[0]
        for other in balls[1:]:
            ball = smooth_max(ball, other, 0.5)
        hole = lattice(ball, axes, PITCH_MM)
    values = (depth, shell, np.maximum(0.9 * grown, beyond) * deep)
    return Bone(ray, "metacarpal", *(lattice(v, axes, PITCH_MM) for v in values), hole)


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
    rim = rng.uniform(1.5, 3.2) - along
    cup = -head.depth.values - ray.gap
    depth = -smooth_max(-smooth_max_pair(side, cup), -rim, 1.2)
    plate, cortex = rng.uniform(0.25, 0.35), rng.uniform(0.8, 1.2)
    shell = plate + (cortex - plate) * before**1.3
    shell = shell + rng.uniform(0.15, 0.45) * smooth_step((side - cup + 0.3) / 0.6)
    deep = np.clip(0.25 + 0.5 * (depth - shell), 0, 1)
    values = (depth, shell, before * deep)
    return Bone(ray, "phalanx", *(lattice(v, axes, PITCH_MM) for v in values))


def smooth_max_pair(side, cup):
    """The smaller of two depths, rounded at the edge where they meet."""
    return -smooth_max(-side, -cup, 0.9)


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
    radius = np.hypot(sin, cos) * _squareness(angle, rng.uniform(2.1, 2.6))
    grown = smooth_step((along - 0.15 * ray.widest) / ray.widest)
    notch = rng.uniform(0.08, 0.2) * _bump(angle, rng.normal(0, 0.1), 7)
    pits = rng.uniform(0.03, 0.10) * _bump(angle, 1.9, 8)
    pits = pits + rng.uniform(0.03, 0.10) * _bump(angle, -1.9, 8)
    return radius * (1.04 - grown * (notch + pits))


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
