"""The published networks. Importing this file imports torch; MONAI only when a 2D network is made.

Input is a float tensor, shape (batch, channel, y, x) or (batch, channel, z, y, x), that
`preprocessing` made; output are logits of the same shape, one channel for each class.

Sources: Folle et al. 2021 (Sci Rep 11:9697); the 2D network is a U-Net whose encoder is a
ResNet34 (He et al. 2016), the 3D network that of Isensee et al. 2017 (arXiv:1802.10508) with fewer
filters. Where paper and published code differ in the 3D network (dropout in the first stage only,
or in all five) this follows the paper.
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

DIVISOR_2D = 32  # edges of the input are multiples of these: five and four halvings
DIVISOR_3D = 16
DECODER_CHANNELS = (256, 128, 64, 32, 16)
BATCH_NORM_EPS = 1e-5
LEAKY_SLOPE = 0.01
_ENCODER = "vbmd-resnet34"


def unet_2d(in_channels: int = 1, classes: int = 1) -> nn.Module:
    """The 2D U-Net with a ResNet34 encoder: 24,430,097 parameters for one channel and class.

    MONAI's own resnet34 encoder has other shortcuts and its decoder another convolution; this
    uses projections without bias and none. The encoder's keys are torchvision's.
    """
    from monai.networks.nets import FlexibleUNet

    return FlexibleUNet(
        in_channels,
        classes,
        backbone=_registered_encoder(),
        decoder_channels=DECODER_CHANNELS,
        spatial_dims=2,
        norm=("batch", {"eps": BATCH_NORM_EPS, "momentum": 0.1}),
        pre_conv=None,
    )


def load_imagenet_encoder(network: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> None:
    """Put a torchvision-format resnet34 into the encoder of `unet_2d`, in place.

    Parameters
    ----------
    network : Module
        Made by `unet_2d`, with one input channel.
    state_dict : mapping
        torchvision's keys; ``fc.*`` is left out, and ``conv1.weight`` (64, 3, 7, 7) is summed over
        its three input channels, which gives a grey image the response it had in all three.

    Raises
    ------
    ValueError
        When a key is missing or too many, or a shape differs.
    """
    weights = {key: value for key, value in state_dict.items() if not key.startswith("fc.")}
    if "conv1.weight" in weights:
        weights["conv1.weight"] = weights["conv1.weight"].sum(dim=1, keepdim=True)
    try:
        network.encoder.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"no torchvision resnet34: {reason}") from error


@cache
def _registered_encoder() -> str:
    """Tell MONAI of the encoder, and return the name it has there."""
    from monai.networks.nets.flexible_unet import FLEXUNET_BACKBONE
    from monai.networks.nets.resnet import ResNet, ResNetBlock, ResNetEncoder

    class Encoder(ResNetEncoder):
        """ResNet34 with projections (type B, no bias) in its shortcuts, as torchvision's."""

        def __init__(self, model_name, pretrained, spatial_dims, in_channels):
            ResNet.__init__(
                self,
                ResNetBlock,
                layers=[3, 4, 6, 3],
                block_inplanes=[64, 128, 256, 512],
                spatial_dims=spatial_dims,
                n_input_channels=in_channels,
                conv1_t_stride=2,
                shortcut_type="B",
                bias_downsample=False,
                feed_forward=False,
            )

        @classmethod
        def get_encoder_parameters(cls):
            defaults = {"pretrained": False, "spatial_dims": 2, "in_channels": 1}
            return [{"model_name": _ENCODER, **defaults}]

        @classmethod
        def num_channels_per_output(cls):
            return [(64, 64, 128, 256, 512)]

        @classmethod
        def num_outputs(cls):
            return [5]

        @classmethod
        def get_encoder_names(cls):
            return [_ENCODER]

    FLEXUNET_BACKBONE.register_class(Encoder)
    return _ENCODER


class UNet3D(nn.Module):
    """The 3D U-Net: 111,386 parameters for one channel, one class and two base filters.

    Five stages, filters doubling from one to the next. A stage of the way down adds what came in to
    what its convolutions made of it; the way up joins each stage's features to its own. The two
    stages before the last give a rough answer each, and these are added to the final one.

    Parameters
    ----------
    in_channels, classes : int
    filters : int
        Of the first stage.
    dropout : float
        Share of the first stage's channels that are left out while training.
    """

    def __init__(
        self, in_channels: int = 1, classes: int = 1, filters: int = 2, dropout: float = 0.6
    ):
        super().__init__()
        widths = [filters * 2**stage for stage in range(5)]
        self.first = _FirstStage(in_channels, filters, dropout)
        self.down = nn.ModuleList(_DownStage(narrow, wide) for narrow, wide in pairwise(widths))
        self.bottom = _Up(widths[4], widths[3])
        self.bottom_mix = _convolution(widths[3], widths[3], kernel=1)
        self.join = nn.ModuleList(
            nn.ModuleDict({"convolution": _convolution(2 * width, 2 * width)})
            for width in widths[3::-1]
        )
        self.narrow = nn.ModuleList(
            _convolution(2 * width, width, kernel=1) for width in widths[3:0:-1]
        )
        self.up = nn.ModuleList(_Up(width, width // 2) for width in widths[3:0:-1])
        self.early_heads = nn.ModuleList(
            _convolution(2 * width, classes, kernel=1) for width in (widths[2], widths[1])
        )
        self.head = _convolution(2 * widths[0], classes, kernel=1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Logits, shape (batch, class, z, y, x); the three lengths are multiples of 16.

        Within, z is the last axis (of the kernels too): on a hand's crop torch then takes its fast
        convolution, which it chooses by the first four lengths; 0.3 s for 2 s.
        """
        volume = volume.permute(0, 1, 3, 4, 2)
        if not torch.onnx.is_in_onnx_export():  # which knows no memory layouts
            volume = volume.contiguous(memory_format=torch.channels_last_3d)
        features, skip = self.first(volume)
        skips = [skip]
        for stage in self.down[:-1]:
            features = stage(features)
            skips.append(features)
        features = self.bottom(self.down[-1](features, activate=False))
        features = _active(_normalised(self.bottom_mix(features)))
        joined = []
        for step, join in enumerate(self.join):
            # in two lines: what was joined is let go before the norm, where memory is at its peak
            features = join["convolution"](torch.cat([features, skips.pop()], dim=1))
            features = _active(_normalised(features))
            joined.append(features)
            if step < len(self.up):
                features = self.up[step](self.narrow[step](features))
        coarse, middle = (
            head(each) for head, each in zip(self.early_heads, joined[1:3], strict=True)
        )
        logits = self.head(joined[3]) + _doubled(_doubled(coarse) + middle)
        return logits.permute(0, 1, 4, 2, 3)


class _FirstStage(nn.Module):
    """Full resolution: two convolutions with a dropout between, and a third before the sum."""

    def __init__(self, in_channels: int, filters: int, dropout: float):
        super().__init__()
        self.enter = _convolution(in_channels, filters)
        self.convolution = _convolution(filters, filters)
        self.dropout = nn.Dropout3d(dropout)
        self.leave = _convolution(filters, filters)

    def forward(self, volume):
        """The features for the next stage, and those for the way up."""
        entered = self.enter(volume)
        inner = self.dropout(self.convolution(_active(entered)))
        features = self.leave(_active(inner)) + entered
        return _active(_normalised(features)), _active(features)


class _DownStage(nn.Module):
    """Half the resolution, twice the filters; one block of shared weights, applied twice."""

    def __init__(self, narrow: int, wide: int):
        super().__init__()
        self.halve = _convolution(narrow, wide, stride=2)
        self.shared = _convolution(wide, wide)

    def forward(self, features, activate: bool = True):
        entered = self.halve(features)
        inner = self.shared(_active(_normalised(entered)))
        features = self.shared(_active(_normalised(inner))) + entered
        return _active(_normalised(features)) if activate else features


class _Up(nn.Module):
    """Twice the resolution, fewer filters."""

    def __init__(self, wide: int, narrow: int):
        super().__init__()
        self.convolution = _convolution(wide, narrow)

    def forward(self, features):
        features = self.convolution(_doubled(_active(_normalised(features))))
        return _active(_normalised(features))


def _convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False)


def _active(features: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(features, LEAKY_SLOPE)


def _normalised(features: torch.Tensor) -> torch.Tensor:
    return functional.instance_norm(features)


def _doubled(features: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(features, scale_factor=2, mode="nearest")
