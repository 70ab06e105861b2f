"""One metacarpal head with a known density, as an HR-pQCT scanner would show it.

A head going over into its shaft: a shell, thin under the joint surface and thick in the shaft; a
network of plates and struts, dense near the head; fatty marrow; soft tissue, skin and air. Drawn
without blur and noise, its mean within the mask is the answer; then comes what a scanner adds.

Everything is made of formulas and random numbers; no scan of a person went into it. The bone fills
the shape asked for; thicknesses, struts, blur and noise keep their millimetres.

Sources: size and density of the second metacarpal's head, Folle et al. 2021 (Sci Rep 11:9697);
noise as measured in the soft tissue of an in vivo scan (SD 72 mg HA/cm3, correlated over a
Gaussian of 0.05 mm); calibration as an XtremeCT writes it; the rest by eye.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ..calibration import Calibration
from ..errors import ParameterError
from ..grid import Grid

SPACING_MM = 0.082
SHAPE = (72, 186, 186)
CALIBRATION = Calibration(8192.0, 0.2409, 1603.51904, -391.209015, source="phantom")

# densities before blur [mg HA/cm3]; attenuation 0 is air
CORTEX, PLATE, STRUT, MARROW, TISSUE, SKIN = 950.0, 650.0, 780.0, -30.0, 40.0, 65.0
AIR = CALIBRATION.density_intercept
VARIATION = 8.0  # SD of the slow variation within marrow and soft tissue [mg HA/cm3]
BLUR_MM, NOISE = 0.05, 70.0  # SD of the scanner's Gaussian, and of its noise [mg HA/cm3]

SKIN_MM = 0.5
PLATE_MM, CORTEX_MM = 0.24, 1.0  # shell at the head, and at the end of the shaft
CELL_MM, CELL_STRETCH = 0.72, 2.2  # distance of struts across the bone; longer along it
BEND_MM, UNEVEN_MM = 0.10, 0.03  # SD of what bends the struts, and of their half thickness
STRUT_HALF_MM, PLATE_HALF_MM = 0.10, 0.065
PLATES = 0.55  # share of the walls between two cells that are plates

# in parts of the scan's length: tip of the head, its widest place, first slice without mask
TIP, WIDEST, END = 0.05, 0.44, 0.92


@dataclass(frozen=True)
class BonePhantom:
    """A scan of one bone, the expert's mask of it, and the answer.

    Parameters
    ----------
    voxels : ndarray of int16, shape (z, y, x)
        The scan in native units.
    mask : ndarray of uint8, shape (z, y, x)
        1 in every voxel of slices first to last that the bone's outer surface encloses or touches.
    grid : Grid
        0.082 mm isotropic.
    calibration : Calibration
        All four constants.
    slices : tuple of int
        First (the tip of the head) and last slice of the mask, inclusive; the bone goes on.
    tt_vbmd_mg_cm3 : float
        Mean density within the mask before blur and noise [mg HA/cm3].
    seed : int
    """

    voxels: np.ndarray
    mask: np.ndarray
    grid: Grid
    calibration: Calibration
    slices: tuple[int, int]
    tt_vbmd_mg_cm3: float
    seed: int


def bone_phantom(seed: int = 1, shape: tuple[int, int, int] = SHAPE) -> BonePhantom:
    """A metacarpal head with a known density.

    Parameters
    ----------
    seed : int
        Two bones of one seed and shape are equal voxel by voxel.
    shape : tuple of int
        Voxels of 0.082 mm along z, y, x; at least 24 along each.

    Raises
    ------
    ParameterError
        When the seed is negative or the shape too small.
    """
    density, mask = true_density(seed, shape)
    slices = np.flatnonzero(mask.any(axis=(1, 2)))
    return BonePhantom(
        voxels=_scanned(density, _random(seed, 9)),
        mask=mask.view(np.uint8),
        grid=Grid(shape, (SPACING_MM,) * 3),
        calibration=CALIBRATION,
        slices=(int(slices[0]), int(slices[-1])),
        tt_vbmd_mg_cm3=float(density[mask].mean()),
        seed=seed,
    )


def true_density(seed: int = 1, shape: tuple[int, int, int] = SHAPE) -> tuple[np.ndarray, ...]:
    """The densities before blur and noise, and the mask; see `bone_phantom`.

    Returns
    -------
    density : ndarray of float64, shape (z, y, x)
        mg HA/cm3. A voxel that a surface crosses holds both sides in proportion.
    mask : ndarray of bool, shape (z, y, x)
    """
    if seed < 0 or min(shape) < 24:
        raise ParameterError(f"phantom: seed {seed} and {shape} voxels: use 0 or more, and 24 each")
    depth, along = _depth_below_surface(shape, _random(seed, 0))
    bone = _share_inside(depth)
    density = _soft_tissue(shape, _random(seed, 1))
    density += bone * (_inside_of_bone(depth, along, seed) - density)
    mask = bone > 0
    mask[round(END * shape[0]) :] = False
    return density, mask


def _depth_below_surface(shape, rng) -> tuple[np.ndarray, np.ndarray]:
    """Depth below the bone's outer surface [mm], negative outside; and 0 at the head to 1 in shaft.

    The surface is where q = 1, with q the distance from the axis in radii, joined before the
    widest slice by the distance from that slice: a dome. Depth is (1 - q) over the slope of q.
    """
    nz, ny, nx = shape
    z, y, x = np.ogrid[:nz, :ny, :nx]
    part = z / nz
    along = _smooth_step((part - WIDEST) / (1 - WIDEST))
    radius = 0.47 * min(ny, nx)
    drift = rng.uniform(-0.03, 0.03, 2) * radius
    y = y - (ny - 1) / 2 - drift[0] * (part - 0.5)
    x = x - (nx - 1) / 2 - drift[1] * (part - 0.5) - 0.04 * radius  # the notch leaves room there
    outline = _outline(np.arctan2(y, x), along, part, rng)
    q = np.hypot(y, x) / (radius * outline)
    before = np.maximum(WIDEST - part, 0) / (WIDEST - TIP)
    q = np.hypot(q, before)
    slope = np.sqrt(sum(np.square(g) for g in np.gradient(q)))
    depth = (1 - q) / np.maximum(slope, 0.2 / radius) * SPACING_MM
    return depth, along


def _outline(angle, along, part, rng) -> np.ndarray:
    """Radius in every direction, about 1: two condyles and a notch, then the shaft's delta."""
    palm = rng.uniform(-0.2, 0.2)

    def bump(direction, sharpness):
        return np.exp(sharpness * (np.cos(angle - palm - direction) - 1))

    grown = _smooth_step((part - TIP) / (WIDEST - TIP))
    head = 1 - grown * (0.19 * bump(0, 7) + 0.06 * bump(1.9, 8) + 0.09 * bump(-1.9, 8))
    shaft = 0.86 - 0.05 * np.cos(3 * (angle - palm)) - 0.06 * bump(0, 5)
    uneven = sum(
        rng.normal(0, 0.02 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 4, 5)
    )
    return head * (1 - along) + shaft * along + uneven - 0.02


def _inside_of_bone(depth, along, seed) -> np.ndarray:
    """Density within the outer surface: shell, network and marrow [mg HA/cm3]."""
    slow = _smooth_field(depth.shape, 2.0, _random(seed, 2))
    shell_mm = (PLATE_MM + (CORTEX_MM - PLATE_MM) * along) * (1 + 0.2 * slow)
    shell = _share_inside(shell_mm - depth)
    within = depth > -SPACING_MM
    deep = np.clip(0.3 + 0.5 * (depth - shell_mm), 0, 1)  # the last struts cling to the shell
    network = np.zeros_like(depth)
    network[within] = _network(within, (along * deep)[within], _random(seed, 3))
    hard = np.maximum(shell, network)
    soft = MARROW + VARIATION * slow
    shell_density = PLATE + (CORTEX - PLATE) * along
    return soft + hard * (np.where(shell >= network, shell_density, STRUT) - soft)


def _network(within, thinning, rng) -> np.ndarray:
    """Share of strut in each voxel: edges, and a part of the walls, of random cells.

    A cell belongs to one of scattered seeds (Voronoi): a wall lies where the two nearest seeds are
    equally far, an edge where the three nearest are.
    """
    stretch = np.array([CELL_STRETCH, 1, 1])
    bends = np.stack([_smooth_field(within.shape, 0.7, rng)[within] for _ in stretch], axis=1)
    points = np.argwhere(within) * (SPACING_MM / stretch) + BEND_MM * bends
    points -= points.min(axis=0)
    counts = np.ceil(points.max(axis=0) / CELL_MM).astype(int) + 1
    lattice = np.indices(counts).reshape(3, -1).T
    seeds = CELL_MM * (lattice + rng.uniform(-0.45, 0.45, lattice.shape))
    distance, nearest = cKDTree(seeds).query(points, k=3, workers=-1)
    first, *others = np.moveaxis(seeds[nearest], 1, 0)
    to_wall, to_second_wall = (
        (distance[:, k] ** 2 - distance[:, 0] ** 2) / (2 * np.linalg.norm(other - first, axis=1))
        for k, other in enumerate(others, 1)
    )
    lots = rng.random(len(seeds))[nearest[:, :2]].sum(axis=1) % 1  # one for each pair of cells
    uneven = UNEVEN_MM * bends[:, 0]
    edge = STRUT_HALF_MM * (1 - 1.4 * thinning) + uneven - np.hypot(to_wall, to_second_wall)
    wall = PLATE_HALF_MM * (1 - 1.6 * thinning) - uneven - to_wall
    wall[lots > PLATES] = -1
    return _share_inside(np.maximum(edge, wall))


def _soft_tissue(shape, rng) -> np.ndarray:
    """Soft tissue within a rounded skin, and air around [mg HA/cm3]."""
    half = [(n - 1) / 2 for n in shape[1:]]
    y, x = np.ogrid[-half[0] : half[0] + 1, -half[1] : half[1] + 1]
    q = ((np.abs(y) / half[0]) ** 3 + (np.abs(x) / half[1]) ** 3) ** (1 / 3)
    below_skin = (0.98 - q) * min(half) * SPACING_MM
    tissue = TISSUE + VARIATION * _smooth_field(shape, 0.8, rng)
    tissue += _share_inside(SKIN_MM - below_skin) * (SKIN - tissue)
    return AIR + _share_inside(below_skin) * (tissue - AIR)


def _scanned(density, rng) -> np.ndarray:
    """What the scanner makes of it: blur, correlated noise, native int16."""
    sigma = BLUR_MM / SPACING_MM
    noise = ndimage.gaussian_filter(rng.standard_normal(density.shape), sigma)
    blurred = ndimage.gaussian_filter(density, sigma, mode="nearest")
    blurred += noise * (NOISE / noise.std())
    return np.rint(CALIBRATION.linear("density", "native")(blurred)).astype(np.int16)


def _smooth_field(shape, scale_mm, rng) -> np.ndarray:
    """Random field of mean 0 and SD 1 that varies over `scale_mm`."""
    pitch = scale_mm / SPACING_MM
    knots = [np.arange(-1, n / pitch + 2) for n in shape]
    field = rng.standard_normal([k.size for k in knots])
    for n, at in zip(shape, knots, strict=True):  # each turn spreads the first axis, to the end
        weights = np.exp(-np.square(np.arange(n)[:, None] / pitch - at) / (2 * 0.6**2))
        field = np.einsum("abc,na->bcn", field, weights)  # not BLAS, whose sums vary with threads
    return (field - field.mean()) / field.std()


def _share_inside(depth_mm) -> np.ndarray:
    """Share of a voxel below a surface, from the depth of its centre: 0 to 1 over one voxel."""
    return np.clip(0.5 + depth_mm / SPACING_MM, 0, 1)


def _smooth_step(t) -> np.ndarray:
    """0 below 0, 1 above 1, and smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _random(seed: int, part: int) -> np.random.Generator:
    """Random numbers of one part of the phantom, so that parts can change independently."""
    return np.random.default_rng([seed, part])
