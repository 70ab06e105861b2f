"""What a person chooses for a training, and which networks can be trained."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.preprocessing import PAPER
from .batches import Plan
from .device import AUTO
from .fine_stage import FineStageTask
from .presets import TRAINING_PRESETS
from .task import Task
from .whole_hand import WholeHand

TASKS: Mapping[str, Callable[..., Task]] = {
    "unet-2d": WholeHand,
    "unet-2d-pretrained": WholeHand,
    "unet-3d": WholeHand,
    "unet-2d-fine": FineStageTask,
}
_VALIDATIONS, _FEWEST = 30, 10  # in a training, and steps between two, unless a number is given


@dataclass(frozen=True)
class TrainSettings:
    """What a person chooses; None leaves it to the preset.

    Parameters
    ----------
    out : Path
        Folder of the training.
    configuration, preset : str
    steps, every, batch : int or None
    rate : float or None
        Highest learning rate.
    seed : int
        Of everything but the split.
    minutes : float
        Of this call.
    validation : int or None
        Most volumes to validate on; None: all.
    label : int or None
        Of the masks.
    calibration : mapping
        Keywords of `Scan.calibrated`.
    cache : Path or None
        Folder of the volumes; None: ``volumes`` in the training's.
    encoder : Path or None
        ImageNet weights; None: downloaded.
    workers : int
        Processes that prepare volumes and draw batches; 0: none beside the training's.
    device, devices, strategy, precision : str
        See `device.make_fabric`.
    """

    out: Path
    configuration: str
    preset: str = "improved"
    steps: int | None = None
    every: int | None = None
    batch: int | None = None
    rate: float | None = None
    seed: int = 0
    minutes: float = math.inf
    validation: int | None = None
    label: int | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    cache: Path | None = None
    encoder: Path | None = None
    workers: int = 0
    device: str = AUTO
    devices: str = "1"
    strategy: str = AUTO
    precision: str = AUTO

    def __post_init__(self):
        if self.configuration not in TASKS:
            raise ParameterError(
                f"configuration {self.configuration!r} is not known: use {', '.join(TASKS)}"
            )
        if self.preset not in TRAINING_PRESETS:
            raise ParameterError(
                f"preset {self.preset!r} is not known: use {', '.join(TRAINING_PRESETS)}"
            )
        if self.preset == PAPER.name and CONFIGURATIONS[self.configuration].coarse:
            raise ParameterError(
                f"{self.configuration} is not of the paper, which lacks the stage: use improved"
            )
        if self.encoder and not CONFIGURATIONS[self.configuration].pretrained_encoder:
            raise ParameterError(
                f"{self.configuration} is trained from scratch: leave the encoder out, or train "
                "unet-2d-pretrained"
            )
        for name in ("steps", "every", "batch", "rate", "minutes", "validation"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ParameterError(f"{name} {value}: give a number above zero")

    def plan(self) -> Plan:
        """With the preset's numbers where none were given."""
        how, network = TRAINING_PRESETS[self.preset], CONFIGURATIONS[self.configuration]
        steps = self.steps or how.steps
        return Plan(
            steps=steps,
            every=self.every or max(_FEWEST, steps // _VALIDATIONS),
            batch=self.batch or how.batch_of(network),
            rate=self.rate or how.rate_of(network),
            seed=self.seed,
            minutes=self.minutes,
            workers=self.workers,
        )
