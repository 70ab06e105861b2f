"""Inside of a bone: shell, network of plates and struts, marrow.

The network is the skeleton of random cells (Voronoi): a plate may lie where two cells meet, a
strut where three do. Sources: struts of about 0.2 mm every 0.7 to 1 mm (HR-pQCT of the
metacarpals); densities by eye beside an in vivo scan.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .anatomy import Bone
from .fields import Lattice, layer, random, random_field, random_tile, smooth_step, within

# densities before blur [mg HA/cm3]
CORTEX, PLATE, STRUT, MARROW, ERODED = 950.0, 720.0, 800.0, -35.0, 15.0
STRETCH = 1.9  # cells are longer along the bone
BEND_MM, UNEVEN_MM = 0.11, 0.04  # SD of what bends the struts; their half thickness varies
DENSER = 0.4  # how much thicker struts and plates are below the shell
CORNER = 0.08  # blurred plates and struts add up a little where they meet
TILE_MM = 11.0  # the bends repeat
CHUNK = 400_000  # points looked up at a time


@dataclass(frozen=True)
class Quality:
    """How much bone there is in a hand's bones; drawn by `draw_quality`.

    Parameters
    ----------
    cell_mm : float
        Distance of the struts across the bone.
    strut_mm, plate_mm : float
        Half the thickness of struts and plates.
    plates : float
        Share of the walls between two cells that are plates.
    shell : float
        Thickness of shells, as a part of the bone's own.
    mineral : float
        Density of bone tissue, as a part of the constants above.
    """

    cell_mm: float
    strut_mm: float
    plate_mm: float
    plates: float
    shell: float
    mineral: float


def draw_quality(seed: int) -> Quality:
    """The quality of one hand: D100 of 279 mg HA/cm3 (SD 43) over the seeds (Folle et al. 2021)."""
    rng = random(seed, 3)
    strong = float(np.clip(rng.normal(), -2.0, 2.0))

    def about(middle, step, jitter):
        return float(middle * (1 + step * strong + jitter * rng.normal()))

    return Quality(
        cell_mm=about(0.68, -0.024, 0.025),
        strut_mm=about(0.098, 0.046, 0.025),
        plate_mm=about(0.065, 0.077, 0.03),
        plates=float(np.clip(about(0.53, 0.077, 0.05), 0.2, 0.8)),
        shell=about(1.03, 0.093, 0.05),
        mineral=about(1.0, 0.015, 0.012),
    )


class Texture:
    """The network within one bone, ready to be read at any point.

    Parameters
    ----------
    bone : Bone
    quality : Quality
    seed : int
    """

    def __init__(self, bone: Bone, quality: Quality, seed: int):
        self.bone, self.quality = bone, quality
        rng = random(seed, 4, bone.ray.finger, bone.name == "phalanx")
        lower = np.array(bone.depth.origin_mm)
        upper = lower + bone.depth.pitch_mm * (np.array(bone.depth.values.shape) - 1)
        self.bends = [random_tile(TILE_MM, 0.55, rng) for _ in range(3)]
        self.slow: Lattice = random_field(lower, upper, 3.0, rng)
        cell = quality.cell_mm
        self.scale = np.array([1 / STRETCH, 1, 1])
        counts = np.ceil((upper - lower) * self.scale / cell).astype(int) + 2
        places = np.indices(counts).reshape(3, -1).T - 0.5
        places = places + rng.uniform(-0.45, 0.45, places.shape)
        self.origin = lower
        self.seeds = cell * places
        self.lots = rng.random(len(places))
        self.tree = cKDTree(self.seeds)

    def density(self, points: tuple[np.ndarray, ...], depth, sigma_mm: float) -> np.ndarray:
        """Densities within the bone [mg HA/cm3] at points (l, a, b) that lie `depth` deep [mm]."""
        bone, quality = self.bone, self.quality
        slow = self.slow.at(*points)
        shell_mm = bone.shell.at(*points) * quality.shell * (1 + 0.15 * slow)
        inner = depth - shell_mm
        core = within(inner, sigma_mm)
        network = np.zeros_like(depth)
        thinning = bone.thinning.at(*points)
        near = np.flatnonzero((inner > -4 * sigma_mm) & (thinning < 0.98))
        for start in range(0, near.size, CHUNK):
            some = near[start : start + CHUNK]
            place = tuple(p[some] for p in points)
            more = DENSER * (np.exp(-np.maximum(inner[some], 0) / 1.3) - 0.35) + 0.1 * slow[some]
            network[some] = self._network(place, thinning[some], more, sigma_mm)
        firm = smooth_step((shell_mm - 0.25) / 0.5)
        shell = (PLATE + (CORTEX - PLATE) * firm) * quality.mineral
        marrow = MARROW + 8.0 * slow
        inside = marrow + network * (STRUT * quality.mineral - marrow)
        density = shell + core * (inside - shell)
        return density if bone.hole is None else self._eroded(points, density, sigma_mm)

    def _eroded(self, points, density, sigma_mm: float) -> np.ndarray:
        """Soft tissue in the erosions, with a denser rim in the bone around them."""
        hole = self.bone.hole.at(*points)
        rim = within(hole + 0.35, sigma_mm)
        density = density + 0.35 * rim * np.maximum(PLATE - density, 0)
        return density + within(hole, sigma_mm) * (ERODED - density)

    def _network(self, points, thinning, more, sigma_mm: float) -> np.ndarray:
        """Share of plates and struts at points."""
        bends = [b.at(*points) for b in self.bends]
        place = [
            (p - o) * s + BEND_MM * b
            for p, o, s, b in zip(points, self.origin, self.scale, bends, strict=True)
        ]
        distance, nearest = self.tree.query(np.stack(place, axis=1), k=3, workers=-1)
        squared, cells = np.square(distance, dtype=np.float32), self.seeds[nearest]
        ways = [(cells[:, k] - cells[:, 0]).astype(np.float32) for k in (1, 2)]
        apart = [np.sqrt((way * way).sum(axis=1)) for way in ways]
        to_wall, to_second = ((squared[:, k] - squared[:, 0]) / (2 * apart[k - 1]) for k in (1, 2))
        pairs = [self.lots[nearest[:, [0, k]]].sum(axis=1).astype(np.float32) for k in (1, 2)]
        strut_mm = self.quality.strut_mm * (1 - 0.7 * thinning) * (1 + more)
        strut_mm = np.maximum(strut_mm + UNEVEN_MM * (pairs[0] - 1), 0)
        struts = layer(np.hypot(to_wall, to_second), strut_mm, sigma_mm)
        first, second = (
            layer(way_mm, self._plate_mm(pair, thinning, more), sigma_mm)
            for way_mm, pair in zip((to_wall, to_second), pairs, strict=True)
        )
        # the second wall ends where the third cell's neighbour is no longer this one
        cosine = (ways[0] * ways[1]).sum(axis=1) / (apart[0] * apart[1])
        second *= within(to_wall - to_second * cosine, sigma_mm)
        plates = 1 - (1 - first) * (1 - second)
        low, high = np.minimum(struts, plates), np.maximum(struts, plates)
        return high + CORNER * low * (1 - high)

    def _plate_mm(self, pair, thinning, more) -> np.ndarray:
        """Half the thickness of the plate between two cells, 0 where there is none [mm]."""
        half = self.quality.plate_mm * (1 - 0.9 * thinning) * (1 + more)
        half = half + UNEVEN_MM / 2 * (pair - 1)
        share = (7 * pair) % 1  # the same for all of one wall
        half[share > self.quality.plates * (1 - 0.6 * thinning)] = 0
        return np.maximum(half, 0)
