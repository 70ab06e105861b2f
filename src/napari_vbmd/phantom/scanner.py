"""What a scanner adds: blur, motion, noise, rings, and numbers in native units.

Sources: noise as measured in the soft tissue of an in vivo HR-pQCT scan (SD 72 mg HA/cm3,
correlated over a Gaussian of 0.05 mm, drawn out across the hand); stacks of 110 slices as an
XtremeCT takes them; the rest by eye.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from .fields import random

NATIVE_MM = 0.082  # the scanner's own voxel
STACK_MM = 110 * NATIVE_MM
GRAIN_MM, STREAK_MM = 0.05, 0.22  # SD of the Gaussians that correlate the noise
RING_MM, FIELD_MM = 0.04, 95.0  # pitch and reach of the rings' profile


@dataclass(frozen=True)
class Scanner:
    """The scanner's ways in one scan; drawn by `draw_scanner`.

    Parameters
    ----------
    blur_mm : float
        SD of the Gaussian that an edge is blurred by, its voxel included.
    noise : float
        SD in the hand's middle [mg HA/cm3].
    streaky : float
        Strength of the noise that is drawn out across the hand, beside the grain.
    rings : ndarray of float32, shape (stacks, n)
        Added to every radius about the middle of the field, for each stack [mg HA/cm3].
    stack_start_mm : float
        Where the second stack begins along z.
    jumps_mm : ndarray of float, shape (stacks, 2)
        How far the hand lies off in each stack, along y and x.
    ghost_mm : tuple of float
        How far the hand moved during the scan, along y and x.
    ghost : float
        Share of the views taken after it had moved; 0 where it lay still.
    streaks : ndarray of float32, shape (k, n)
        Random profiles across a few directions [mg HA/cm3], and `angles` [radians] they run at.
    """

    blur_mm: float
    noise: float
    streaky: float
    rings: np.ndarray
    stack_start_mm: float
    jumps_mm: np.ndarray
    ghost_mm: tuple[float, float]
    ghost: float
    streaks: np.ndarray
    angles: np.ndarray
    seed: int
    repeat: int = 0

    @property
    def motion_grade(self) -> int:
        """1: the hand lay still; 2: it moved by less than a native voxel; 3: by more.

        In the manner of Pialat et al., Bone 2012, 50:111-118, who grade 1 to 5 by eye; worse
        motion, and jumps between stacks, which they would grade 4, do not count here.
        """
        if not self.ghost:
            return 1
        return 2 if np.hypot(*self.ghost_mm) < NATIVE_MM else 3

    def stack(self, z_mm) -> np.ndarray:
        """Number of the stack that a slice at z [mm] belongs to."""
        number = np.floor((np.asarray(z_mm) - self.stack_start_mm) / STACK_MM).astype(int) + 1
        return np.clip(number, 0, len(self.jumps_mm) - 1)

    def artefacts(self, stack: int, y_mm, x_mm) -> np.ndarray:
        """Rings and motion streaks of one stack, the same in each of its slices [mg HA/cm3]."""
        y, x = np.asarray(y_mm)[:, None], np.asarray(x_mm)[None]
        at = np.arange(self.rings.shape[1]) * RING_MM
        radius = np.hypot(y, x)
        out = np.interp(radius.ravel(), at, self.rings[stack]).reshape(radius.shape)
        for angle, profile in zip(self.angles, self.streaks, strict=True):
            across = np.cos(angle) * y + np.sin(angle) * x + FIELD_MM / 2
            out += np.interp(across.ravel(), at, profile).reshape(radius.shape)
        return out.astype(np.float32)

    def fade(self, y_mm, x_mm) -> np.ndarray:
        """Noise of a place over the middle's, where every ray has crossed the hand."""
        squared = np.square(y_mm / 45)[:, None] + np.square(x_mm / 32)
        return (0.6 + 0.4 * np.exp(-squared / 2)).astype(np.float32)

    @property
    def _grain(self) -> tuple[int, ...]:
        return (self.seed, 9) if not self.repeat else (self.seed, 9, self.repeat)

    def noise_slice(self, index: int, shape, spacing_mm) -> np.ndarray:
        """Noise of slice `index` of a whole grid (z, y, x), in the hand's middle [mg HA/cm3]."""
        grain = [GRAIN_MM / s for s in spacing_mm]
        reach = round(2.5 * grain[0]) if grain[0] > 0.25 else 0
        weights = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / max(grain[0], 1e-3)))
        weights /= np.sqrt(np.square(weights).sum())
        fine = sum(
            np.float32(weight) * _white(self._grain, index + step, *shape[1:])
            for step, weight in zip(range(-reach, reach + 1), weights, strict=True)
        )
        fine = _correlated(fine, [g if g > 0.25 else 0 for g in grain[1:]])
        noise = fine + self.streaky * _correlated(fine, [STREAK_MM / spacing_mm[1], 0])
        return noise * np.float32(self.noise / noise.std())


@lru_cache(maxsize=6)
def _white(grain: tuple[int, ...], index: int, ny: int, nx: int) -> np.ndarray:
    """White noise of one slice; kept, because its neighbours need it again."""
    noise = random(*grain, index + 1000).standard_normal((ny, nx), dtype=np.float32)
    noise.flags.writeable = False
    return noise


def _correlated(noise, sigma) -> np.ndarray:
    """Gaussian blur that keeps the SD at 1."""
    for axis, s in enumerate(sigma):
        if s <= 0:
            continue
        weights = np.exp(-0.5 * np.square(np.arange(-int(3 * s + 1), int(3 * s + 1) + 1) / s))
        weights /= np.sqrt(np.square(weights).sum())
        noise = ndimage.correlate1d(noise, weights.astype(np.float32), axis, mode="wrap")
    return noise


def _level(profiles) -> np.ndarray:
    """Profiles without what varies over more than a millimetre: no artefact lifts a whole bone."""
    return profiles - ndimage.gaussian_filter1d(profiles, 1.0 / RING_MM, axis=1)


def draw_scanner(seed: int, repeat: int = 0) -> Scanner:
    """The scanner's ways in the scan of one hand: better and worse scans.

    A repeated scan has its own motion, noise, rings and stacks; the blur is the scanner's.
    """
    rng = random(seed, 7, repeat) if repeat else random(seed, 7)
    moved = rng.random() < 0.45
    stacks = 4
    jumps = rng.normal(0, 0.08, (stacks, 2)) * (rng.random() < 0.5)
    at = int(FIELD_MM / RING_MM)
    strength = rng.uniform(0, 14)
    spikes = rng.standard_t(3, (stacks, at)) * (rng.random((stacks, at)) < 0.2)
    rings = _level(ndimage.gaussian_filter1d(spikes, 1.3, axis=1))
    rings *= strength / rings.std() / np.sqrt(1 + np.arange(at) * RING_MM / 10)
    rings = np.clip(rings, -90, 90)
    count = 3 if moved else 1
    streaks = rng.standard_normal((count, at))
    streaks = _level(ndimage.gaussian_filter1d(streaks, rng.uniform(4, 12), axis=1))
    streaks *= rng.uniform(4, 16 if moved else 6) / streaks.std()
    blur_mm = rng.uniform(0.055, 0.09)
    return Scanner(
        blur_mm=draw_scanner(seed).blur_mm if repeat else blur_mm,
        noise=float(np.clip(rng.normal(72, 18), 35, 130)),
        streaky=rng.uniform(0.1, 0.6),
        rings=rings.astype(np.float32),
        stack_start_mm=rng.uniform(-9, 0),
        jumps_mm=np.clip(jumps, -0.25, 0.25),
        ghost_mm=tuple(rng.normal(0, 0.11, 2).tolist()),
        ghost=rng.uniform(0.15, 0.45) if moved else 0.0,
        streaks=streaks.astype(np.float32),
        angles=rng.uniform(0, np.pi, count),
        seed=seed,
        repeat=repeat,
    )
