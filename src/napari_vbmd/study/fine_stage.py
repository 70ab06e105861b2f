"""The fine stage's task: outline the bone at the scanner's resolution, and find its slice range."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scan import Scan
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.field import AIR
from ..segmentation.preprocessing import FINE, IMPROVED, NetworkGrid, Normalisation, covering_grid
from ..segmentation.sampling import resampled
from ..segmentation.slice_range import RANGE_FIELD, crossings
from .augmentation import depths, discoloured, patch_of
from .manifest import Case
from .sources import Example, open_example
from .task import Score, Task
from .volumes import Prepared, Volume, normalisation_of, sums_of

if TYPE_CHECKING:
    from torch import Tensor, nn

PLANES, LABELS, BLOCK = "planes", "labels", "block"
_KEPT, _PATCH = 320, 256  # pixels of 0.082 mm across: kept, and shown
_BLOCK_FIELD = RANGE_FIELD + 16  # voxels of 0.246 mm across that are kept
_INSIDE, _BEYOND = 24, 4  # slices kept of a case: of the expert's, and beyond the tip
_BEYOND_MM = 1.2
_TAPERED = 0.25  # of the largest area: an end with less is the tip of the head
_FULL = 255  # a label of this is bone through and through
_DEPTHS = 8  # slices shown to the range's network are multiples of this
_AT_A_TIME = 4


@dataclass
class FineStageTask(Task):
    """Training of `unet-2d-fine`: both of its networks at once, each on its own sight of a case.

    The outline is learnt from slices that the expert marked, and from empty ones beyond the tip of
    the head; beyond the other end the bone goes on and nobody has drawn it. Parameters as
    `WholeHand`.
    """

    configuration: str
    preset: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    label: int | None = None
    normalisation: Normalisation | None = None

    sight = FINE

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What decides the content of a volume."""
        return {
            "task": "fine stage",
            "sights": [asdict(FINE), asdict(IMPROVED)],
            "kept": [_KEPT, _BLOCK_FIELD, _INSIDE, _BEYOND, _BEYOND_MM],
            "calibration": dict(self.calibration),
            "label": self.label,
        }

    def prepare(self, case: Case) -> Prepared:
        """Slices with their neighbours at 0.082 mm, and what lies around the bone at 0.246 mm."""
        example = open_example(case, FINE.spacing_mm, self.calibration, self.label)
        fine, coarse = _grid(example, FINE, _KEPT), _grid(example, IMPROVED, _BLOCK_FIELD)
        middles = _chosen(example, fine)
        around = (middles[:, None] + [-1, 0, 1]).ravel()  # a slice with its neighbours
        planes = _mu(example.scan, fine, around).reshape(-1, 3, *fine.shape[1:])
        deep = fine.axes[0]
        labels = np.concatenate(
            [
                example.soft_labels(NetworkGrid(fine.scan, 0, (deep.window(z, 1), *fine.axes[1:])))
                for z in middles
            ]
        )
        block = _mu(example.scan, coarse, np.arange(coarse.shape[0]))
        first, last = example.slices
        ends = coarse.axes[0].from_scan(np.array([first - 0.5, last + 0.5]))
        return Prepared(
            {
                PLANES: planes.astype(np.float16),
                LABELS: labels,
                BLOCK: block.astype(np.float16),
            },
            {"ends": ends.tolist()} | sums_of(planes),
        )

    def learn_from(self, volumes: Sequence[Volume]) -> None:
        """Mean and SD of the outline's slices; the range's network is shown the same unit."""
        self.normalisation = normalisation_of(volumes)

    def network(self) -> "nn.Module":
        """Both networks, from random numbers."""
        import torch

        network = CONFIGURATIONS[self.configuration].build()
        network.outline.to(memory_format=torch.channels_last)
        return network

    def batch(self, volumes: Sequence[Volume], draw: np.random.Generator) -> Any:
        """Of each volume a slice with its bone, and a block with its slice range."""
        import torch

        outlines, blocks, depth = [], [], None
        for volume in volumes:
            outlines.append(_slice_of(volume, draw))
            block, shares = _block_of(volume, depth, draw)
            depth = len(shares)
            blocks.append((block, shares))
        images, labels = (torch.stack(each) for each in zip(*outlines, strict=True))
        images = self._normalised(images).contiguous(memory_format=torch.channels_last)
        seen, inside = (torch.stack(each) for each in zip(*blocks, strict=True))
        return {"outline": (images, labels), "range": (self._normalised(seen), inside)}

    def loss(self, network: "nn.Module", batch: Any) -> "Tensor":
        """Dice plus cross-entropy of the outline, plus cross-entropy of the range."""
        images, labels = batch["outline"]
        blocks, inside = batch["range"]
        outline = _outline_loss(network.outline(images).float(), labels)
        return outline + _range_loss(network.ends(blocks).float(), inside)

    def score(self, network: "nn.Module", volume: Volume, device: Any) -> Score:
        """Dice over the kept slices, times the Dice of the two ranges along z.

        Over a bone that changes little from slice to slice the product is the Dice of the whole.
        """
        import torch

        planes = torch.from_numpy(np.asarray(volume.array(PLANES), np.float32)).to(device)
        truth = torch.from_numpy(np.array(volume.array(LABELS))).to(device)[:, None]
        parts = self._normalised(planes).split(_AT_A_TIME)
        logits = torch.cat([network.outline(part).float() for part in parts])
        found, true = logits > 0, truth > _FULL // 2
        across = 2 * int((found & true).sum()) / max(1, int(found.sum() + true.sum()))
        block = torch.from_numpy(_middle(volume.array(BLOCK))).to(device)
        inside = network.ends(self._normalised(block)[None, None]).float()
        low, high = crossings(inside[0].sigmoid().cpu().numpy())
        first, last = volume.facts["ends"]
        both = max(0.0, min(high, last) - max(low, first))
        along = 2 * both / max(1e-6, high - low + last - first)
        shares = _shares(len(block), first, last)[None]
        loss = _outline_loss(logits, truth.float() / _FULL)
        loss = loss + _range_loss(inside, torch.from_numpy(shares).to(device))
        return Score(across * along, float(loss))

    def _normalised(self, values: "Tensor") -> "Tensor":
        return (values - self.normalisation.mean) / self.normalisation.sd


def _grid(example: Example, sight, across: int) -> NetworkGrid:
    """All slices, and a square about the middle of the bone; wider where the bone is."""
    whole = covering_grid(example.scan.grid, None, sight, example.side == "left")
    box = [slice(0, whole.shape[0])]
    for axis, start, count in zip(
        whole.axes[1:], example.start[1:], example.share.shape[1:], strict=True
    ):
        middle = float(axis.from_scan(np.array(start + (count - 1) / 2)))
        first = round(middle - (across - 1) / 2)
        box.append(slice(first, first + across))
    return whole.window(tuple(box))


def _chosen(example: Example, grid: NetworkGrid) -> np.ndarray:
    """Slices of the grid to be kept: evenly the expert's, and some beyond the tip of the head."""
    deep = grid.axes[0]
    first, last = deep.from_scan(np.array(example.slices))
    inside = np.unique(np.rint(np.linspace(first, last, _INSIDE)).astype(int))
    areas = np.count_nonzero(example.mask(), axis=(1, 2))
    beyond = np.rint(np.linspace(1, _BEYOND_MM / FINE.spacing_mm[0], _BEYOND)).astype(int)
    before, after = deep.from_scan(np.add(example.slices, (-0.5, 0.5)))
    tips = [
        place
        for area, place in ((areas[0], before - beyond), (areas[-1], after + beyond))
        if area < _TAPERED * areas.max()
    ]
    chosen = np.unique(np.concatenate([inside, *np.rint(tips).astype(int).reshape(-1, _BEYOND)]))
    return chosen[(chosen >= 0) & (chosen < deep.count)]


def _mu(scan: Scan, grid: NetworkGrid, slices: np.ndarray) -> np.ndarray:
    """Linear attenuation [1/cm] in some slices of a grid; air beyond the scan's sides."""
    gain, offset = scan.transform("mu")
    deep, high, wide = grid.axes
    places = [deep.to_scan()[np.clip(slices, 0, deep.count - 1)], high.to_scan(), wide.to_scan()]
    volume = resampled(scan.voxels, places)
    volume *= np.float32(gain)
    volume += np.float32(offset)
    volume[:, high.padding()] = AIR
    volume[:, :, wide.padding()] = AIR
    return volume


def _slice_of(volume: Volume, draw: np.random.Generator) -> tuple["Tensor", "Tensor"]:
    """A slice with its neighbours (3, y, x), and the share of bone in it (1, y, x); varied."""
    import torch

    k = int(draw.integers(len(volume.array(LABELS))))
    image = np.asarray(volume.array(PLANES)[k], np.float32)
    if draw.random() < 0.5:
        image = image[::-1].copy()  # either end of the scan may hold the fingertips
    label = np.asarray(volume.array(LABELS)[k : k + 1])
    seen, truth = patch_of(image, label, (_PATCH, _PATCH), draw)
    image, share = discoloured(seen.numpy(), truth.numpy(), draw)
    return torch.from_numpy(image), torch.from_numpy(share)


def _block_of(
    volume: Volume, depth: int | None, draw: np.random.Generator
) -> tuple["Tensor", "Tensor"]:
    """The bone's surroundings (1, z, y, x), and the share of each slice in the range (z,)."""
    import torch

    kept = volume.array(BLOCK)
    order = depths(len(kept), depth, _DEPTHS, draw)
    nothing = np.zeros((1, *kept.shape[1:]), np.uint8)
    image = np.asarray(kept[order], np.float32)
    seen, truth = patch_of(image, nothing, (RANGE_FIELD, RANGE_FIELD), draw)
    image, _ = discoloured(seen.numpy(), truth.numpy(), draw)
    shares = _shares(len(kept), *volume.facts["ends"])[order]
    return torch.from_numpy(image)[None], torch.from_numpy(shares)


def _middle(block: np.ndarray) -> np.ndarray:
    """What the method itself shows of a block: its middle."""
    edge = (_BLOCK_FIELD - RANGE_FIELD) // 2
    return np.asarray(block[:, edge:-edge, edge:-edge], np.float32)


def _shares(count: int, first: float, last: float) -> np.ndarray:
    """How much of each slice lies between two ends."""
    z = np.arange(count)
    return (np.clip(z + 0.5 - first, 0, 1) * np.clip(last - z + 0.5, 0, 1)).astype(np.float32)


def _outline_loss(logits: "Tensor", labels: "Tensor") -> "Tensor":
    from monai.losses import DiceCELoss

    return DiceCELoss(sigmoid=True, batch=True)(logits, labels)


def _range_loss(logits: "Tensor", inside: "Tensor") -> "Tensor":
    from torch.nn import functional

    return functional.binary_cross_entropy_with_logits(logits, inside)
