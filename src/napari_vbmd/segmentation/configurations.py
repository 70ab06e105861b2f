"""The networks by name: how each is built, fed and trained. A new one is an entry here.

Importing this file does not import torch; `Configuration.build` does.

Source of the numbers: Folle et al. 2021 (Sci Rep 11:9697).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .preprocessing import FINE, IMPROVED, Normalisation, Preset

if TYPE_CHECKING:
    from torch import nn

WEIGHTS_FOLDER = Path(__file__).parent.parent / "weights"


@dataclass(frozen=True)
class Configuration:
    """One network, ready to be built and trained.

    Parameters
    ----------
    name : str
    summary : str
        One plain sentence.
    make : callable
        Returns the torch module without weights; imports torch itself.
    dims : int
        2: slice by slice; 3: the whole volume at once.
    divisor : int
        The network takes lengths that are multiples of this.
    preset : Preset
        The size and spacing at which it sees a scan, and in which unit.
    loss, optimiser : str
        As published; `tools/` and `study/` may train otherwise and say so beside the weights.
    learning_rate : float
    batch_size : int
    pretrained_encoder : bool
        Whether training starts from an encoder that was trained on ImageNet.
    weights_file : str
        Name of the shipped weights in the package's folder ``weights``; "" when none are shipped.
    weights_sha256 : str or None
        Of that file; None while it is being made, which skips the check.
    normalisation : Normalisation or None
        Of the shipped weights' training set; a weights file carries its own, which counts.
    held_out_dice : float or None
        Of the shipped weights, on phantoms that training never saw.
    coarse : str
        Name of the network that finds the bone first; "" for one that searches the scan itself.
    """

    name: str
    summary: str
    make: Callable[[], "nn.Module"]
    dims: Literal[2, 3]
    divisor: int
    preset: Preset
    loss: str
    optimiser: str
    learning_rate: float
    batch_size: int
    pretrained_encoder: bool = False
    weights_file: str = ""
    weights_sha256: str | None = None
    normalisation: Normalisation | None = None
    held_out_dice: float | None = None
    coarse: str = ""

    def build(self) -> "nn.Module":
        """The torch module with random weights; its output are logits."""
        return self.make()

    @property
    def weights_path(self) -> Path | None:
        """The shipped weights, or None when there are none."""
        path = WEIGHTS_FOLDER / self.weights_file
        return path if self.weights_file and path.is_file() else None


def _unet_2d() -> "nn.Module":
    from .networks import unet_2d

    return unet_2d()


def _unet_3d() -> "nn.Module":
    from .networks import UNet3D

    return UNet3D()


def _fine_stage() -> "nn.Module":
    from .fine_networks import FineStage

    return FineStage()


_2D = {
    "make": _unet_2d,
    "dims": 2,
    "divisor": 32,
    "preset": IMPROVED,
    "loss": "Dice",
    "optimiser": "Adam",
    "learning_rate": 1e-5,
    "batch_size": 4,
}

CONFIGURATIONS = {
    configuration.name: configuration
    for configuration in (
        Configuration(
            "unet-2d",
            "A 2D U-Net with a ResNet34 encoder, slice by slice; trained anew.",
            weights_file="unet-2d.pt",
            weights_sha256="90fb7ece35f57c8136fb674e44d745ddf63078dbe30f0b1ae0df5d2f236155c9",
            normalisation=Normalisation(0.13498805403274822, 0.16738056209411878),
            held_out_dice=0.927,
            **_2D,
        ),
        Configuration(
            "unet-2d-pretrained",
            "The same 2D U-Net, its encoder trained on photographs (ImageNet) before.",
            pretrained_encoder=True,
            **_2D,
        ),
        Configuration(
            "unet-3d",
            "A small 3D U-Net (Isensee 2017) that sees the whole joint at once.",
            make=_unet_3d,
            dims=3,
            divisor=16,
            preset=IMPROVED,
            loss="Dice",
            optimiser="Adam",
            learning_rate=1e-4,
            batch_size=1,
            weights_file="unet-3d.pt",
            weights_sha256="e47de62817ebbece7fdd7e3f00a7f1cdae6d3f4255671d552dbe198318ea81aa",
            normalisation=Normalisation(0.13411383836524254, 0.16717661462721284),
            held_out_dice=0.926,
        ),
        Configuration(
            "unet-2d-fine",
            "unet-3d finds the bone; a small 2D U-Net outlines it at the scanner's resolution.",
            make=_fine_stage,
            dims=2,
            divisor=16,
            preset=FINE,
            loss="Dice plus cross-entropy",
            optimiser="AdamW",
            learning_rate=3e-3,
            batch_size=8,
            weights_file="unet-2d-fine.pt",
            weights_sha256="cd0ab309838c181648d85731f851a9ab21dc092c471260e2729a4adcd2dff748",
            normalisation=Normalisation(0.27, 0.15),
            held_out_dice=0.99,
            coarse="unet-3d",
        ),
    )
}
