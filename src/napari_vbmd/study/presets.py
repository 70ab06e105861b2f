"""How a network is trained, by name: as published, or as it turned out better.

Sources: Folle et al. 2021 (Sci Rep 11:9697); for the one-cycle schedule Smith and Topin 2017
(arXiv:1708.07120).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..segmentation.configurations import Configuration
from ..segmentation.preprocessing import IMPROVED, PAPER, Preset

_RISE = 0.2  # share of the steps in which the learning rate rises
_FIRST, _LAST = 0.04, 1e-4  # of the highest rate


@dataclass(frozen=True)
class TrainingPreset:
    """One way to train a network.

    Parameters
    ----------
    name : str
    summary : str
        One plain sentence.
    sight : Preset
        The size, spacing and unit in which scans are shown.
    only_marked : bool
        Show the expert's slices and no others; else the whole scan, of which the rest is
        background.
    soft_labels : bool
        Labels are the share of each voxel in the bone; else the nearest voxel's label.
    loss : {"Dice", "Dice plus cross-entropy"}
    optimiser : {"Adam", "AdamW"}
    one_cycle : bool
        The learning rate rises for a fifth of the steps and then falls; else it stays.
    rates, batches : mapping of int to number
        Highest learning rate and batch size of a 2D and a 3D network; empty: the configuration's.
    augmented : bool
        Turn, scale, move and discolour what is shown; see `augmentation`.
    through_bone : float
        Share of a 2D network's slices that are drawn from those with bone; the others are drawn
        from all. 0: any slice.
    settling : int
        Batches over which batch norms take their means before a validation; 0: as they are.
    output_bias : float or None
        Of the last convolution at the start, where it has one: bone is rare.
    dropout : float or None
        Of the 3D network; None: the configuration's.
    steps : int
        Unless another number is given.
    """

    name: str
    summary: str
    sight: Preset
    only_marked: bool
    soft_labels: bool
    loss: Literal["Dice", "Dice plus cross-entropy"]
    optimiser: Literal["Adam", "AdamW"]
    one_cycle: bool
    rates: Mapping[int, float]
    batches: Mapping[int, int]
    augmented: bool
    through_bone: float
    settling: int
    output_bias: float | None
    dropout: float | None
    steps: int

    def rate_of(self, configuration: Configuration) -> float:
        """The highest learning rate; a fine stage is not of the paper, and has its own."""
        if configuration.coarse:
            return configuration.learning_rate
        return self.rates.get(configuration.dims, configuration.learning_rate)

    def batch_of(self, configuration: Configuration) -> int:
        """Volumes a step."""
        return self.batches.get(configuration.dims, configuration.batch_size)

    def rate_at(self, step: int, steps: int, highest: float) -> float:
        """The learning rate of a step, counted from 0."""
        if not self.one_cycle:
            return highest
        rise = max(1, round(_RISE * steps))
        if step < rise:
            return highest * (_FIRST + (1 - _FIRST) * 0.5 * (1 - math.cos(math.pi * step / rise)))
        done = (step - rise) / max(1, steps - rise)
        return highest * max(_LAST, 0.5 * (1 + math.cos(math.pi * done)))


TRAINING_PRESETS = {
    preset.name: preset
    for preset in (
        TrainingPreset(
            "paper",
            "As published: Adam, Dice loss, the expert's slices at 512 x 512 x 80 in native units.",
            sight=PAPER,
            only_marked=True,
            soft_labels=False,
            loss="Dice",
            optimiser="Adam",
            one_cycle=False,
            rates={},
            batches={},
            augmented=False,
            through_bone=0.0,
            settling=0,
            output_bias=None,
            dropout=None,
            steps=20_000,
        ),
        TrainingPreset(
            "improved",
            "Whole scans at 0.246 mm, soft labels, Dice plus cross-entropy, augmentation.",
            sight=IMPROVED,
            only_marked=False,
            soft_labels=True,
            loss="Dice plus cross-entropy",
            optimiser="AdamW",
            one_cycle=True,
            rates={2: 1e-3, 3: 5e-3},
            batches={},
            augmented=True,
            through_bone=0.67,
            settling=40,
            output_bias=-4.0,
            dropout=0.0,
            steps=3_000,
        ),
    )
}
