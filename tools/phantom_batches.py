"""Phantoms for `train_first_weights.py`: rendered once, kept in a cache, drawn as batches."""

import math
import random
import time
from pathlib import Path

import numpy as np

from napari_vbmd.grid import Grid
from napari_vbmd.scan import Scan
from napari_vbmd.segmentation.preprocessing import IMPROVED, prepare
from napari_vbmd.segmentation.sampling import area_averaged

VALIDATION = 90_000  # seeds from here on are never trained on
PADDING = 16  # a 3D network halves four times


def stand_in(seed: int) -> tuple[Scan, np.ndarray]:
    """Two bones of which the first is wanted: to try this script, not to train on."""
    from napari_vbmd.phantom.bone import bone_phantom

    wanted, other = (bone_phantom(2 * seed + k, (60, 132, 132)) for k in (0, 1))
    air = ((0, 0), (60, 60), (60, 60))
    voxels = np.pad(np.concatenate([wanted.voxels, other.voxels], axis=2), air)
    label = np.pad(np.concatenate([wanted.mask, 0 * other.mask], axis=2), air)
    grid = Grid(voxels.shape, wanted.grid.spacing_mm)
    side = "left" if seed % 2 else "right"
    return Scan(voxels, "native", grid, wanted.calibration, side=side), label


def digital_hand(seed: int) -> tuple[Scan, np.ndarray]:
    """A whole hand at the network's spacing, and the share of each voxel in the expert's mask."""
    from napari_vbmd.phantom.hand import render

    hand = render(seed)
    scan = Scan(hand.voxels, "native", hand.grid, hand.calibration, side=hand.side)
    return scan, hand.label


SOURCES = {"hand": digital_hand, "stand-in": stand_in}


def cache_one(source: str, seed: int, folder: Path) -> float:
    """Render one phantom, bring it to the network's grid, and keep that; returns seconds."""
    target, start = folder / f"{seed:06d}.npz", time.monotonic()
    if target.exists():
        return 0.0
    scan, label = SOURCES[source](seed)
    volume, grid = prepare(scan, None, IMPROVED, None, mirrored=scan.side == "left")
    part = target.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        volume=volume.astype(np.float16),
        label=np.rint(255 * area_averaged(label, grid.axes)).astype(np.uint8),
    )
    part.replace(target)
    return time.monotonic() - start


class Cache:
    """The cached volumes of one part, kept in memory; takes up new ones as they appear."""

    def __init__(self, folder: Path, validation: bool, limit: int | None = None):
        self.folder, self.validation, self.limit = folder, validation, limit
        self.volumes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what is new."""
        for file in sorted(self.folder.glob("[0-9]*[0-9].npz")):
            seed = int(file.stem)
            full = self.limit is not None and len(self.volumes) >= self.limit
            if (seed >= VALIDATION) == self.validation and seed not in self.volumes and not full:
                with np.load(file) as stored:
                    self.volumes[seed] = stored["volume"], stored["label"]

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """A volume (float16, 1/cm) and its label (uint8, 255 is bone) at random."""
        return random.choice(list(self.volumes.values()))

    def mean_and_sd(self) -> tuple[float, float]:
        """Of all voxels in the crop."""
        sums = [
            (v.size, v.sum(dtype=np.float64), np.square(v, dtype=np.float32).sum(dtype=np.float64))
            for v, _ in self.volumes.values()
        ]
        count, total, squares = np.sum(sums, axis=0)
        mean = total / count
        return float(mean), float(math.sqrt(squares / count - mean**2))


def draw_2d(cache: Cache, size: int, patch: tuple[int, int]):
    """A batch of slices from as many volumes, two thirds of them through the bone."""
    pairs = []
    for _ in range(size):
        volume, label = cache.draw()
        inside = np.flatnonzero(label.any(axis=(1, 2)))
        through = inside.size and random.random() < 0.67
        k = random.choice(inside.tolist()) if through else random.randrange(len(volume))
        pairs.append(augmented(volume[k : k + 1], label[k : k + 1], patch))
    return _stacked(pairs)


def draw_3d(cache: Cache, size: int, patch: tuple[int, int]):
    """A batch of whole volumes, often some slices short, half of them upside down."""
    pairs = []
    for _ in range(size):
        volume, label = cache.draw()
        count = len(volume)
        kept = count if random.random() < 0.5 else random.randint(max(1, count // 2), count)
        first = random.randint(0, count - kept)
        order = np.arange(first, first + kept)[:: random.choice((1, -1))]
        order = np.pad(order, (0, -kept % PADDING), mode="edge")
        image, truth = augmented(volume[order], label[order], patch)
        pairs.append((image[None], truth[None]))
    return _stacked(pairs)


def _stacked(pairs):
    import torch

    images, labels = zip(*pairs, strict=True)
    return torch.stack(images), torch.stack(labels)


def augmented(volume: np.ndarray, label: np.ndarray, patch: tuple[int, int]):
    """Slices turned, scaled, moved, brighter, noisier: tensors (z, y, x) of the patch's size.

    Never flipped in the plane: after mirroring, every hand is a right one.
    """
    import torch
    from torch.nn import functional

    both = torch.from_numpy(np.concatenate([volume.astype(np.float32), label / np.float32(255)]))
    turn, scale = 0.0, 1.0
    if random.random() < 0.5:  # else voxels stay what they are
        turn, scale = math.radians(random.uniform(-12, 12)), math.exp(random.uniform(-0.1, 0.1))
    high, wide = volume.shape[1:]
    dy, dx = (
        _shift(n, size, axis, label)
        for n, size, axis in ((high, patch[0], (0, 2)), (wide, patch[1], (0, 1)))
    )
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    matrix = torch.tensor([
        [cos * patch[1] / wide, -sin * patch[0] / wide, 2 * dx / wide],
        [sin * patch[1] / high, cos * patch[0] / high, 2 * dy / high],
    ])  # fmt: skip
    where = functional.affine_grid(matrix[None], [1, 1, *patch], align_corners=False)
    moved = functional.grid_sample(both[None], where, align_corners=False)[0]
    image, truth = moved[: len(volume)], moved[len(volume) :]
    image = image * random.uniform(0.92, 1.08) + random.uniform(-0.01, 0.01)
    if random.random() < 0.5:
        image = image + random.uniform(0, 0.04) * torch.randn_like(image)
    return image, truth.clamp(0, 1)


def _shift(length: int, size: int, axes, label: np.ndarray) -> int:
    """Whole voxels from the volume's middle to the patch's: mostly so that it holds the bone."""
    reach = abs(length - size) // 2 + 8
    bone = np.flatnonzero(label.any(axis=axes))
    if size < length and bone.size and random.random() < 0.75:
        middle = int(bone[0] + bone[-1]) // 2 - length // 2
        return max(-reach, min(reach, middle + random.randint(-size // 4, size // 4)))
    return random.randint(-reach, reach)
