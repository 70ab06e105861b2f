"""The published networks' task: find the second metacarpal in a slice, or in the whole joint."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ParameterError
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.preprocessing import NetworkGrid, Normalisation, Preset, prepare
from .augmentation import depths, discoloured, patch_of
from .manifest import Case
from .presets import TRAINING_PRESETS, TrainingPreset
from .sources import PHANTOM_MM, Example, open_example
from .task import Score, Task
from .volumes import Prepared, Volume, normalisation_of, sums_of

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGE, LABEL = "image", "label"
_FULL = 255  # a label of this is bone through and through
_PHANTOM_PAPER_MM = (0.082, 0.246, 0.246)  # the published step takes every third pixel
_PATCHES = {2: (320, 192), 3: (320, 160)}  # y, x: what a hand fills, and less
_STEP = 32  # edges of patches are multiples of this
_WIDER = (0, 0, 1, 2)  # such steps by which a patch grows: more or less air is around the hand
_SLICES_AT_A_TIME = 8


@dataclass
class WholeHand(Task):
    """Training of `unet-2d`, `unet-2d-pretrained` and `unet-3d`.

    Parameters
    ----------
    configuration, preset : str
        Names in `CONFIGURATIONS` and `TRAINING_PRESETS`.
    calibration : mapping
        Constants for scans that carry none; keywords of `Scan.calibrated`.
    label : int or None
        Of the masks, where they hold several.
    """

    configuration: str
    preset: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    label: int | None = None
    normalisation: Normalisation | None = None
    patch: tuple[int, int] = (0, 0)

    @property
    def dims(self) -> int:
        """2: slices; 3: volumes."""
        return CONFIGURATIONS[self.configuration].dims

    @property
    def how(self) -> TrainingPreset:
        """The training preset."""
        return TRAINING_PRESETS[self.preset]

    @property
    def sight(self) -> Preset:
        """Of the training preset."""
        return self.how.sight

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What decides the content of a volume; the same for 2D and 3D networks."""
        return {
            "task": "whole hand",
            "sight": asdict(self.how.sight),
            "only_marked": self.how.only_marked,
            "soft_labels": self.how.soft_labels,
            "calibration": dict(self.calibration),
            "label": self.label,
        }

    def prepare(self, case: Case) -> Prepared:
        """The scan and its label on the network's grid, left hands mirrored."""
        how = self.how
        spacing = _PHANTOM_PAPER_MM if how.only_marked else PHANTOM_MM
        example = open_example(case, spacing, self.calibration, self.label, how.only_marked)
        slices = example.slices if how.only_marked else None
        volume, grid = prepare(
            example.scan, slices, how.sight, None, mirrored=example.side == "left"
        )
        if not np.isfinite(volume).all():
            raise ParameterError(f"{case.scan}: some of its values are not finite numbers")
        label = example.soft_labels(grid) if how.soft_labels else _nearest(example, grid)
        image = volume.astype(np.float16)
        return Prepared({IMAGE: image, LABEL: label}, _facts(image, label))

    def learn_from(self, volumes: Sequence[Volume]) -> None:
        """Mean and SD of all voxels; patches no larger than the largest volume."""
        self.normalisation = normalisation_of(volumes)
        largest = np.max([one.facts["shape"][1:] for one in volumes], axis=0)
        wanted = _PATCHES[self.dims] if self.how.augmented else largest
        self.patch = tuple(
            min(int(n), _STEP * -(-int(most) // _STEP))
            for n, most in zip(wanted, largest, strict=True)
        )

    def network(self) -> "nn.Module":
        """The network with the preset's start."""
        import torch

        network = CONFIGURATIONS[self.configuration].build()
        if self.dims == 2 and self.how.output_bias is not None:
            torch.nn.init.constant_(network.segmentation_head[0].bias, self.how.output_bias)
        if self.dims == 3 and self.how.dropout is not None:
            network.first.dropout.p = self.how.dropout
        layout = torch.channels_last if self.dims == 2 else torch.channels_last_3d
        return network.to(memory_format=layout)

    def batch(self, volumes: Sequence[Volume], draw: np.random.Generator) -> Any:
        """Images and labels: of each volume a slice, or many."""
        import torch

        patch, depth, pairs = self.patch, None, []
        if self.how.augmented:  # instance norms should see more or less air
            patch = tuple(n + _STEP * int(draw.choice(_WIDER)) for n in patch)
        for volume in volumes:
            order = self._slices(volume, depth, draw)
            depth = len(order)
            pairs.append(self._example(volume, order, patch, draw))
        images, labels = (torch.stack(each) for each in zip(*pairs, strict=True))
        images = (images - self.normalisation.mean) / self.normalisation.sd
        layout = torch.channels_last if self.dims == 2 else torch.channels_last_3d
        return images.contiguous(memory_format=layout), labels

    def loss(self, network: "nn.Module", batch: Any) -> "Tensor":
        """Of the logits, in single precision."""
        images, labels = batch
        return self._loss(network(images).float(), labels)

    def score(self, network: "nn.Module", volume: Volume, device: Any) -> Score:
        """Dice over the whole volume, at the threshold that goes with the preset."""
        import torch

        image, label = volume.array(IMAGE), volume.array(LABEL)
        logits = self._logits(network, image, device)
        found = logits > math.log(self.how.sight.threshold / (1 - self.how.sight.threshold))
        truth = torch.from_numpy(np.array(label)).to(device)
        true = truth > _FULL // 2
        both, total = int((found & true).sum()), int(found.sum() + true.sum())
        axes = (None, None) if self.dims == 3 else (slice(None), None)
        loss = self._loss(logits[axes], truth[axes].float() / _FULL)
        return Score(2 * both / max(1, total), float(loss))

    def _logits(self, network: "nn.Module", image: np.ndarray, device: Any) -> "Tensor":
        import torch

        seen = torch.from_numpy(np.asarray(image, np.float32)).to(device)
        seen = (seen - self.normalisation.mean) / self.normalisation.sd
        if self.dims == 2:
            parts = seen[:, None].split(_SLICES_AT_A_TIME)
            return torch.cat([network(part)[:, 0].float() for part in parts])
        divisor = CONFIGURATIONS[self.configuration].divisor
        order = np.pad(np.arange(len(image)), (0, -len(image) % divisor), mode="edge")
        return network(seen[order][None, None])[0, 0, : len(image)].float()

    def _loss(self, logits: "Tensor", labels: "Tensor") -> "Tensor":
        from monai.losses import DiceCELoss, DiceLoss

        kind = DiceLoss if self.how.loss == "Dice" else DiceCELoss
        return kind(sigmoid=True, batch=True)(logits, labels)

    def _slices(self, volume: Volume, depth: int | None, draw: np.random.Generator) -> np.ndarray:
        count, inside = volume.facts["shape"][0], volume.facts["inside"]
        if self.dims == 2:
            through = inside and draw.random() < self.how.through_bone
            return np.array([draw.choice(inside) if through else draw.integers(count)])
        divisor = CONFIGURATIONS[self.configuration].divisor
        if self.how.augmented:
            return depths(count, depth, divisor, draw)
        depth = depth or divisor * -(-count // divisor)
        return np.minimum(np.arange(depth), count - 1)

    def _example(self, volume: Volume, order: np.ndarray, patch, draw: np.random.Generator):
        """Image and label as tensors, (1, y, x) or (1, z, y, x)."""
        import torch

        image = np.asarray(volume.array(IMAGE)[order], np.float32)
        label = np.asarray(volume.array(LABEL)[order])
        if self.how.augmented:
            seen, truth = patch_of(image, label, patch, draw)
            image, share = discoloured(seen.numpy(), truth.numpy(), draw)
        else:
            share = label / np.float32(_FULL)
        pair = torch.from_numpy(image), torch.from_numpy(share)
        return pair if self.dims == 2 else tuple(each[None] for each in pair)


def _nearest(example: Example, grid: NetworkGrid) -> np.ndarray:
    """The label of one voxel for each of the network's, as published: the first that it covers."""
    mask = example.mask()
    start = (example.start[0] - grid.first_slice, *example.start[1:])
    places, known = [], []
    for axis, first, count in zip(grid.axes, start, mask.shape, strict=True):
        place = axis.to_scan() + 0.5 - axis.ratio / 2  # where the network's voxel begins
        index = np.floor(place + 1e-6).astype(int) - first
        known.append((index >= 0) & (index < count) & ~axis.padding())
        places.append(np.clip(index, 0, count - 1))
    label = mask[np.ix_(*places)] & known[0][:, None, None]
    return _FULL * (label & known[1][:, None] & known[2]).astype(np.uint8)


def _facts(image: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    """What is asked of a volume before its arrays are."""
    return {
        "shape": list(image.shape),
        **sums_of(image),
        "inside": np.flatnonzero((label > _FULL // 2).any(axis=(1, 2))).tolist(),
    }
