"""The networks of the fine stage: one draws the bone's outline, one finds where the expert stops.

Both are ours: the published method lacks the stage. Importing this file imports torch.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

NEIGHBOURS = 1  # slices to either side that are seen beside the one that is outlined
DIVISOR_FINE = 16  # edges of the outline's input are multiples: one unshuffling, three halvings
_DILATIONS = (1, 2, 4, 8, 4, 2, 1)  # along z: 5 mm to either side and more


class FineStage(nn.Module):
    """The outline at the scanner's resolution, and the expert's slice range, in one weights file.

    Attributes
    ----------
    outline : OutlineNet
    ends : RangeNet
    """

    def __init__(self):
        super().__init__()
        self.outline = OutlineNet()
        self.ends = RangeNet()

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        """Logits of the outline; see `OutlineNet`."""
        return self.outline(slices)


class OutlineNet(nn.Module):
    """A small U-Net that outlines one slice, seen with its neighbours: 512,260 parameters.

    Two by two pixels become channels at once, and pixels again at the end, so that the full
    resolution costs a quarter.

    Parameters
    ----------
    widths : sequence of int
        Channels of each stage, the first at half the resolution.
    """

    def __init__(self, widths: Sequence[int] = (24, 48, 72, 96)):
        super().__init__()
        before = 4 * (2 * NEIGHBOURS + 1)
        self.down = nn.ModuleList()
        for width in widths:
            self.down.append(_two_convolutions(before, width))
            before = width
        self.up = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.up.append(_two_convolutions(before + width, width))
            before = width
        self.head = nn.Conv2d(before, 4, 1)
        nn.init.constant_(self.head.bias, -1.0)  # most of what is seen is not the bone

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        """Logits, shape (batch, 1, y, x), of the middle slice of (batch, 3, y, x)."""
        features = functional.pixel_unshuffle(slices, 2)
        skips = []
        for stage, block in enumerate(self.down):
            features = block(functional.max_pool2d(features, 2) if stage else features)
            skips.append(features)
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            features = functional.interpolate(features, scale_factor=2, mode="bilinear")
            features = block(torch.cat([features, skip], dim=1))
        return functional.pixel_shuffle(self.head(features), 2)


class RangeNet(nn.Module):
    """Which slices the expert marks: 246,317 parameters.

    Every slice is seen coarsely and summed up in one vector, and the vectors are looked at along z.

    Parameters
    ----------
    widths : sequence of int
        Channels; each halves the resolution in the slice, none along z.
    features : int
        Length of a slice's vector.
    """

    def __init__(self, widths: Sequence[int] = (12, 24, 40, 56), features: int = 64):
        super().__init__()
        before, layers = 1, []
        for width in widths:
            layers += [
                nn.Conv3d(before, width, 3, stride=(1, 2, 2), padding=1, bias=False),
                nn.BatchNorm3d(width),
                nn.ReLU(inplace=True),
            ]
            before = width
        self.features = nn.Sequential(*layers)
        self.enter = nn.Conv1d(2 * before, features, 1)
        self.along = nn.ModuleList(_along_z(features, dilation) for dilation in _DILATIONS)
        self.head = nn.Conv1d(features, 1, 1)

    def forward(self, block: torch.Tensor) -> torch.Tensor:
        """Logits, shape (batch, z), of every slice of (batch, 1, z, y, x); any length along z."""
        features = self.features(block)
        features = torch.cat([features.mean((3, 4)), features.amax((3, 4))], dim=1)
        features = self.enter(features)
        for layer in self.along:
            features = features + layer(features)
        return self.head(features)[:, 0]


def _two_convolutions(before: int, after: int) -> nn.Sequential:
    layers = []
    for width in (before, after):
        layers += [
            nn.Conv2d(width, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _along_z(features: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(
            features,
            features,
            5,
            padding=2 * dilation,
            dilation=dilation,
            padding_mode="replicate",
            bias=False,
        ),
        nn.BatchNorm1d(features),
        nn.ReLU(inplace=True),
    )
