"""The four rays of a hand: sizes and places of their bones, drawn from a seed.

Hand coordinates [mm]: p palmar, u towards the little finger, w towards the wrist, for a right
hand. A ray has its own: l along it from the tip of the metacarpal's head (positive towards the
wrist), a towards the little finger, b palmar.

Sources: sizes of the second metacarpal as in Folle et al. 2021 (box 150-280 voxels of 0.082 mm,
slice area 122 mm2, SD 20); proportions of the other bones by eye.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from .fields import random

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
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return along, cos * u - sin * p, sin * u + cos * p

    def in_hand(self, along: float) -> tuple[float, float, float]:
        """Where the bone's axis lies in the hand at a distance from the tip: p, u, w."""
        return self.p + self.slope_p * along, self.u + self.slope_u * along, self.w + along


def draw_rays(seed: int) -> tuple[Ray, ...]:
    """The four rays of one hand."""
    rng = random(seed, 0)
    size = float(np.clip(rng.normal(0.96, 0.072), 0.80, 1.13))
    end = float(np.clip(rng.normal(12.6, 2.5) * size, 7.0, 18.2))
    tip = rng.uniform(-9.0, float(np.clip(9.3 - end, -8.6, -2.5)))
    if rng.random() < 0.06:
        tip = rng.uniform(2.0, 5.5)  # the scan ends before the delta
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
