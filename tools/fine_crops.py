"""Synthetic hands around the second metacarpal, for `train_fine_stage.py`: drawn once, then varied.

What is drawn has no noise, no rings and no streaks; every batch gets its own, drawn far beyond the
realistic, as domain randomisation asks for (SynthSeg: Billot et al. 2023,
Med Image Anal 86:102789):
contrast, noise, blur, rings, shading, a field of view that ends, turned and scaled bones.
"""

import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from napari_vbmd.phantom.drawing import Hand

FINE_MM, COARSE_MM = 0.082, 0.246
MEAN, SD = 0.27, 0.15  # of what the networks see [1/cm]
SLOPE, INTERCEPT = 1603.51904, -391.209015  # mg HA/cm3 from 1/cm
VALIDATION = 90_000  # seeds from here on are never trained on
FINE_PIXELS, OUTLINED = 320, 256  # drawn, and seen
COARSE_SHAPE, SEEN = (126, 112, 112), 96
_numbers = np.random.default_rng()


def reseed(seed: int | None = None) -> None:
    """Make what follows repeatable, or not."""
    global _numbers
    random.seed(seed)
    _numbers = np.random.default_rng(seed)


def draw(seed: int, folder: Path, with_fine: bool) -> float:
    """Draw one hand's surroundings of the bone into the cache; returns seconds."""
    target, start = folder / f"{seed:06d}.npz", time.monotonic()
    if target.exists():
        return 0.0
    hand = Hand(seed)
    ray = hand.second.ray
    _, y0, x0 = (float(value) for value in hand.pose.scan(*ray.in_hand(ray.end / 2)))
    axes = [_axis(n, COARSE_MM, at) for n, at in zip(COARSE_SHAPE, (0, y0, x0), strict=True)]
    drawn = {"range_mm": hand.range_mm, "coarse": np.rint(hand.density(*axes)).astype(np.int16)}
    if with_fine:
        across = _axis(FINE_PIXELS, FINE_MM, y0), _axis(FINE_PIXELS, FINE_MM, x0)
        drawn["fine"], drawn["depth"] = _triplets(hand, seed, *across)
    part = target.with_suffix(".part.npz")
    np.savez_compressed(part, **drawn)
    part.replace(target)
    return time.monotonic() - start


def _axis(count: int, spacing_mm: float, middle_mm: float) -> np.ndarray:
    return (np.arange(count) - (count - 1) / 2) * spacing_mm + middle_mm


def _triplets(hand: Hand, seed: int, y, x) -> tuple[np.ndarray, np.ndarray]:
    """Sixteen slices with their neighbours: many at the tip, some beyond the expert's last one."""
    rng, (first, last) = np.random.default_rng([seed, 77]), hand.range_mm
    places = np.concatenate(
        [
            rng.uniform(first - 1.2, first + 1.5, 4),
            rng.uniform(first, last, 8),
            rng.uniform(last - 1, last + 1, 2),
            rng.uniform(last, last + 5, 2),
        ]
    ).clip(-15.5, 15.5)
    density = np.empty((len(places), 3, y.size, x.size), np.int16)
    depth = np.empty((len(places), y.size, x.size), np.int16)
    for k, z in enumerate(places):
        density[k] = np.rint(hand.density(z + np.array([-FINE_MM, 0, FINE_MM]), y, x))
        points = np.broadcast_arrays(*np.ix_([z], y, x))
        depth[k] = (1000 * hand.depth(*points)[0]).clip(-30_000, 30_000)  # um
    return density, depth


class Cache:
    """What is drawn, of one part of the seeds; takes up new hands as they appear."""

    def __init__(self, folder: Path, validation: bool, kind: str, limit: int = 10**6):
        self.folder, self.validation, self.kind, self.limit = folder, validation, kind, limit
        self.hands: dict[int, tuple] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what is new."""
        wanted = ("fine", "depth") if self.kind == "outline" else ("coarse", "range_mm")
        for file in sorted(self.folder.glob("[0-9]*[0-9].npz")):
            seed = int(file.stem)
            mine = (seed >= VALIDATION) == self.validation
            if mine and seed not in self.hands and len(self.hands) < self.limit:
                with np.load(file) as stored:
                    if all(name in stored for name in wanted):
                        self.hands[seed] = tuple(stored[name] for name in wanted)

    def any(self) -> tuple:
        """One hand at random."""
        return random.choice(list(self.hands.values()))


def seen(density: np.ndarray) -> torch.Tensor:
    """As a network sees it: mu, normalised; from mg HA/cm3."""
    return torch.from_numpy((((density - INTERCEPT) / SLOPE - MEAN) / SD).astype(np.float32))


def outline_sample(hand: tuple) -> tuple[torch.Tensor, torch.Tensor]:
    """Three slices (3, y, x), and the share of the middle one's pixels in the bone (1, y, x)."""
    fine, depth = hand
    k = random.randrange(len(depth))
    image = fine[k].astype(np.float32)
    image = image[::-1].copy() if random.random() < 0.5 else image
    both = torch.from_numpy(np.concatenate([image, depth[k : k + 1] / np.float32(1000)]))
    moved, scale = _turned(both)
    share = (0.5 + moved[3] / scale / FINE_MM).clamp(0, 1)
    image = _other_contrast(moved[:3].numpy())
    image = image + random.uniform(15, 130) * noise(image.shape)
    if random.random() < 0.08:
        _end_the_field(image, share)
    mu_scale = random.uniform(0.94, 1.06)
    return seen((image - INTERCEPT) * mu_scale + INTERCEPT), share[None]


def _turned(both: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Turned by up to 25 degrees, scaled by up to 20 %, moved by up to 3.3 mm."""
    turn, scale = math.radians(random.uniform(-25, 25)), math.exp(random.uniform(-0.18, 0.18))
    sy, sx = (scale * math.exp(random.uniform(-0.06, 0.06)) for _ in range(2))
    dy, dx = (2 * random.uniform(-40, 40) / FINE_PIXELS for _ in range(2))
    cos, sin, part = math.cos(turn), math.sin(turn), OUTLINED / FINE_PIXELS
    matrix = torch.tensor(
        [[cos * sx * part, -sin * sy * part, dx], [sin * sx * part, cos * sy * part, dy]]
    )
    where = functional.affine_grid(matrix[None], [1, 1, OUTLINED, OUTLINED], align_corners=False)
    moved = functional.grid_sample(both[None], where, align_corners=False, padding_mode="border")[0]
    return moved, scale


def _other_contrast(image: np.ndarray) -> np.ndarray:
    if random.random() < 0.3:
        sigma = [random.uniform(0, 0.5), *[random.uniform(0.2, 1.0)] * 2]
        image = ndimage.gaussian_filter(image, sigma)
    knee = random.uniform(100, 250)  # denser is bone
    image = np.where(image > knee, knee + (image - knee) * random.uniform(0.65, 1.4), image)
    soft = 40 * random.uniform(-0.4, 0.5)
    image = np.where((image > -100) & (image < knee), image + soft, image)
    size = image.shape[-1]
    if random.random() < 0.5:
        shade = functional.interpolate(torch.randn(1, 1, 3, 3), size=(size, size), mode="bicubic")
        image = image + random.uniform(0, 25) * shade[0].numpy()
    return image + rings(size) if random.random() < 0.6 else image


def _end_the_field(image: np.ndarray, share: torch.Tensor) -> None:
    """Beyond one edge there is nothing but air, or zero."""
    edge, side = random.randrange(1, OUTLINED // 3), random.randrange(4)
    part = slice(0, edge) if side % 2 else slice(-edge, None)
    where = (slice(None), part) if side < 2 else (slice(None), slice(None), part)
    image[where] = random.choice((INTERCEPT, 0.0))
    share[where[1:]] = 0


def noise(shape) -> np.ndarray:
    """Grain, often drawn out along one axis; SD 1."""
    white = _numbers.standard_normal(shape).astype(np.float32)
    grain = ndimage.gaussian_filter(white, [0.5, *[random.uniform(0.35, 0.9)] * 2], mode="wrap")
    grain /= grain.std()
    if random.random() < 0.7:
        axis, length = random.choice((1, 2)), random.uniform(1.5, 3.5)
        streaks = ndimage.gaussian_filter1d(grain, length, axis=axis, mode="wrap")
        grain = grain + random.uniform(0.1, 0.6) * streaks / streaks.std()
    return grain / grain.std()


def rings(size: int) -> np.ndarray:
    """Rings about a far middle [mg HA/cm3]."""
    middle_y, middle_x = (random.uniform(-600, 600) for _ in range(2))
    y, x = np.ogrid[:size, :size]
    radius = np.hypot(y - middle_y, x - middle_x).clip(0, 1799).astype(int)
    spikes = _numbers.standard_t(3, 1800) * (_numbers.random(1800) < 0.2)
    profile = ndimage.gaussian_filter1d(spikes, 1.0)
    profile *= random.uniform(0, 25) / max(profile.std(), 1e-6)
    return profile.clip(-90, 90)[radius].astype(np.float32)


def range_sample(hand: tuple, slices: int, vary: bool = True, rng=random):
    """A block (1, z, y, x), the share of each slice in the expert's range, and the two ends.

    The ends are where the share crosses one half, in slices of the block.
    """
    coarse, (first_mm, last_mm) = hand
    count = len(coarse)
    start = rng.randint(0, count - slices)
    turn = math.radians(rng.uniform(-25, 25)) * vary
    tall, wide = (math.exp(rng.uniform(-0.12, 0.12) * vary) for _ in range(2))
    dy, dx = (2 * rng.uniform(-10, 10) * vary / COARSE_SHAPE[1] for _ in range(2))
    off = start + (slices - 1) / 2 - (count - 1) / 2
    cos, sin, part = math.cos(turn), math.sin(turn), SEEN / COARSE_SHAPE[1] * wide
    matrix = torch.tensor(
        [
            [cos * part, -sin * part, 0, dx],
            [sin * part, cos * part, 0, dy],
            [0, 0, slices * tall / count, 2 * off / count],
        ]
    )
    where = functional.affine_grid(
        matrix[None].float(), [1, 1, slices, SEEN, SEEN], align_corners=False
    )
    image = functional.grid_sample(
        torch.from_numpy(coarse.astype(np.float32))[None, None],
        where,
        align_corners=False,
        padding_mode="border",
    )[0, 0].numpy()
    first, last = ((mm / COARSE_MM - off) / tall + (slices - 1) / 2 for mm in (first_mm, last_mm))
    image = _noisy_block(image, vary, rng)
    z = np.arange(slices)
    share = np.clip(z + 0.5 - first, 0, 1) * np.clip(last - z + 0.5, 0, 1)
    if vary and rng.random() < 0.5:  # either end of the scan may hold the fingertips
        image, share = image[::-1].copy(), share[::-1].copy()
        first, last = slices - 1 - last, slices - 1 - first
    return seen(image)[None], torch.from_numpy(share.astype(np.float32)), (first, last)


def _noisy_block(image: np.ndarray, vary: bool, rng) -> np.ndarray:
    strength, scale = 72.0, 1.0
    if vary:
        knee = rng.uniform(100, 250)
        image = np.where(image > knee, knee + (image - knee) * rng.uniform(0.65, 1.4), image)
        image = image + rng.uniform(-25, 25)
        strength, scale = rng.uniform(10, 120), rng.uniform(0.94, 1.06)
    grain = _numbers.standard_normal(image.shape).astype(np.float32)
    return (image + strength * grain - INTERCEPT) * scale + INTERCEPT
