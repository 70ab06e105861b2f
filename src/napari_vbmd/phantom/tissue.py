"""Everything around the bones: skin, fat, muscle, tendons, the hand rest, air.

Worked out once on a lattice in scan coordinates; edges are sharpened when it is read.
"""

import numpy as np

from .anatomy import REACH_MM
from .fields import lattice, lattice_axes, random, random_field, smooth_max, smooth_step, within
from .pose import Pose
from .rays import Ray

# densities before blur [mg HA/cm3]; attenuation 0 is air
AIR = -391.209015
FAT, MUSCLE, CAPSULE, TENDON, SKIN, REST, FOAM = -45.0, 12.0, 18.0, 42.0, 38.0, -70.0, -355.0
PITCH_MM = 0.9
HALF_FIELD_MM = 63.0
VARIATION = 7.0  # SD of the slow variation of soft tissue [mg HA/cm3]


class Tissue:
    """The soft tissue of one hand, and what the hand lies on.

    Parameters
    ----------
    rays : tuple of Ray
    pose : Pose
    seed : int
    """

    def __init__(self, rays: tuple[Ray, ...], pose: Pose, seed: int):
        rng = random(seed, 5)
        half = np.array([REACH_MM, HALF_FIELD_MM, HALF_FIELD_MM])
        axes = lattice_axes(-half, half, PITCH_MM)
        p, u, w = pose.hand(*axes)
        own = [ray.own(p, u, w) for ray in rays]
        skin = _below_skin(rays, own, rng)
        varied = random_field(-half, half, 2.5, rng).on_grid(*(a.ravel() for a in axes))
        density = _inner(rays, own, skin, varied, rng)
        self.skin_mm = rng.uniform(0.6, 1.1)
        self.skin = lattice(skin, axes, PITCH_MM)
        self.inner = lattice(density, axes, PITCH_MM)
        self.rest = lattice(_below_rest(p, u, skin, rng), axes, PITCH_MM)
        self.rest_density = REST + rng.normal(0, 25)
        self.foam = rng.random() < 0.5
        self.foam_mm = rng.uniform(3, 7)

    def on_grid(self, z_mm, y_mm, x_mm, sigma_mm: float) -> np.ndarray:
        """Densities [mg HA/cm3] on a grid in scan coordinates [mm]; float32."""
        shape = (len(z_mm), len(y_mm), len(x_mm))
        density = np.full(shape, AIR, np.float32)
        rest = self.rest.on_grid(z_mm, y_mm, x_mm)
        if self.foam:
            density += (FOAM - AIR) * within(rest + self.foam_mm, sigma_mm)
        density += within(rest, sigma_mm) * (self.rest_density - density)
        del rest
        skin = self.skin.on_grid(z_mm, y_mm, x_mm)
        near = [np.flatnonzero((skin > -0.5).any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
        if not all(n.size for n in near):
            return density
        box = tuple(slice(n[0], n[-1] + 1) for n in near)
        axes = [a[s] for a, s in zip((z_mm, y_mm, x_mm), box, strict=True)]
        skin, tissue = skin[box], self.inner.on_grid(*axes)
        tissue += within(self.skin_mm - skin, 0.15) * (SKIN - tissue)
        density[box] += within(skin, sigma_mm) * (tissue - density[box])
        return density


def _below_skin(rays, own, rng) -> np.ndarray:
    """Depth below the skin [mm]: one round for each ray, grown together by the webs."""
    back, palm, side = rng.uniform(3.0, 5.0), rng.uniform(8.0, 11.0), rng.uniform(3.2, 4.6)
    skin = None
    for ray, (along, a, b) in zip(rays, own, strict=True):
        slim = 1 - 0.16 * smooth_step((-along - 4) / 12)
        middle = (palm - back) / 2
        up, across = (ray.height + (palm + back) / 2) * slim, (ray.width + side) * slim
        depth = (1 - np.hypot(a / across, (b - middle) / up)) * np.minimum(up, across)
        skin = depth if skin is None else smooth_max(skin, depth, 9.0)
    return skin


def _inner(rays, own, skin, varied, rng) -> np.ndarray:
    """Density of fat, muscle, tendons and joint capsules, without the skin [mg HA/cm3]."""
    fat_mm = rng.uniform(1.5, 3.5)
    lean = smooth_step((skin - fat_mm + 0.8 * varied) / 1.4)
    density = FAT + lean * (MUSCLE - FAT)
    for ray, (_, a, b) in zip(rays, own, strict=True):
        around = np.hypot(a / (ray.width + 2.2), b / (ray.height + 1.8))
        density += smooth_step((1.08 - around) / 0.16) * (CAPSULE - density)
        deep, wide = ray.height + rng.uniform(3.6, 4.8), rng.uniform(3.0, 4.2)
        flexor = np.hypot(a / wide, (b - deep) / 2.6)
        density += smooth_step((1.15 - flexor) / 0.35) * (TENDON - density)
        extensor = np.hypot(a / 4.5, (b + ray.height + 1.5) / 1.0)
        density += smooth_step((1.3 - extensor) / 0.6) * (TENDON - density)
    return density + VARIATION * varied


def _below_rest(p, u, skin, rng) -> np.ndarray:
    """Depth below the surface of the shell that the hand lies on [mm]."""
    lowest = float((p * (skin > 0)).max())
    middle = lowest + rng.uniform(1.0, 7.0) + rng.uniform(-0.04, 0.04) * u
    middle = middle - rng.uniform(0.0, 0.004) * u * u
    return rng.uniform(1.0, 1.8) - np.abs(p - middle)
